import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { codeOf, redeem, signIn } from '#test/support/sign-in.ts';
import { caller } from './support.ts';

describe('terms', () => {
  const terms = {
    kind: 'tos',
    version: '2027-01-01',
    texts: [
      { locale: 'en', title: 'Terms', body: '# Be good' },
      { locale: 'de', title: 'Bedingungen', body: '# Sei gut' },
    ],
  };

  it('are published once and for all (A2)', async ({ given, program, server }) => {
    const acme = await given.account('Acme');
    const operator = caller(program, await given.apiToken());
    const admin = caller(program, await given.apiToken(acme));
    const made = await operator.post('/terms', terms);
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      ...terms,
      texts: terms.texts.map((text) => ({
        ...text,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      })),
      requiresReaccept: true,
    });
    expect(
      (await operator.post('/terms', { ...terms, texts: [terms.texts[0]] })).json,
    ).toMatchObject({ status: 409, code: 'version_exists' });
    expect((await admin.get('/terms')).json.items).toMatchObject([{ id: made.json.id }]);
    expect((await admin.get(`/terms/${made.json.id}`)).json.texts).toHaveLength(2);
    for (const id of ['01a201aa-a637-7dcc-b569-3b562a947439', 'nothing'])
      expect((await admin.get(`/terms/${id}`)).json).toMatchObject({
        status: 404,
        code: 'terms_not_found',
      });
    for (const wrong of [
      { texts: [] },
      { texts: [terms.texts[0], terms.texts[0]] },
      { kind: 'x' },
      { effectiveAt: 'soon' },
      { effectiveAt: '2027-01-01T00:00:00+01:00' },
    ])
      expect((await operator.post('/terms', { ...terms, version: 'x', ...wrong })).json.code).toBe(
        'invalid_value',
      );
    expect(server.errors).toEqual([]);
  });

  it('leave evidence that no spreadsheet takes for a formula', async ({
    given,
    program,
    server,
  }) => {
    await given.terms();
    const ann = await given.user('=cmd@acme.example');
    const operator = caller(program, await given.apiToken());
    const answer = await operator.get('/terms/evidence.csv');
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(answer.headers['content-disposition']).toBe('attachment; filename="terms-evidence.csv"');
    const [head, row, ...rest] = answer.text.replace('\uFEFF', '').split('\r\n');
    expect(head).toBe(
      'id,userId,email,kind,version,locale,sha256,acceptedAt,ip,userAgent,clientId,interaction',
    );
    expect(row).toContain(`${ann.id},'=cmd@acme.example,tos,1,en,test,`);
    expect(rest).toEqual(['']);
    expect(server.errors).toEqual([]);
  });

  it('leave all their evidence, however much there is', async ({ given, program }) => {
    const { id } = await given.terms();
    await given.rows(
      `insert into terms_acceptances (id, user_id, version_id, locale, sha256, accepted_at)
       select gen_random_uuid(), gen_random_uuid(), $1, 'en', 'x', now() from generate_series(1, 1200)`,
      [id],
    );
    const operator = caller(program, await given.apiToken());
    const lines = (await operator.get('/terms/evidence.csv')).text.trimEnd().split('\r\n').slice(1);
    expect(new Set(lines).size).toBe(1200);
  });
});

describe('the audit log', () => {
  it("is each account's own, and searched by who, whom, what and when", async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme');
    const beta = await given.account('Beta');
    const ann = await given.user('ann@acme.example', { of: acme });
    await given.user('ben@beta.example', { of: beta });
    const operator = caller(program, await given.apiToken());
    const admin = caller(program, await given.apiToken(acme));
    const users = `/accounts/${acme.id}/users`;
    await admin.post(`${users}/${ann.id}/lock`, { note: 'x' });
    const between = server.clock().toISOString();
    server.clock.advance(60);
    await admin.post(`${users}/${ann.id}/unlock`);

    const log = async (query = ''): Promise<string[]> =>
      (await admin.get(`/accounts/${acme.id}/audit${query}`)).json.items.map(
        ({ action }: { action: string }) => action,
      );
    expect((await log()).slice(0, 2)).toEqual(['user.unlocked', 'user.locked']);
    expect(await log('?action=user.locked')).toEqual(['user.locked']);
    expect(await log('?action=user.*')).toEqual(
      expect.arrayContaining(['user.locked', 'user.unlocked', 'user.affiliated']),
    );
    expect(await log('?action=role.*')).toEqual([]);
    expect(await log(`?since=${between}`)).toEqual(['user.unlocked']);
    expect((await log('?target=ann@acme.example')).slice(0, 2)).toEqual([
      'user.unlocked',
      'user.locked',
    ]);
    expect((await log(`?target=${ann.id}`)).slice(0, 2)).toEqual(['user.unlocked', 'user.locked']);
    expect(await log('?target=ben@beta.example')).toEqual([]);
    expect(await log('?actor=nobody')).toEqual([]);
    const row = (await admin.get(`/accounts/${acme.id}/audit?action=user.locked`)).json.items[0];
    expect(row).toMatchObject({
      accountId: acme.id,
      actor: { type: 'api_token', name: 'test' },
      target: { type: 'user', id: ann.id },
      details: { reason: 'admin', note: 'x' },
      ip: '127.0.0.1',
    });
    expect(await log(`?actor=${row.actor.id}`)).toHaveLength(2);
    const everything = (await operator.get('/audit?limit=200')).json.items;
    expect(
      new Set(everything.map(({ accountId }: { accountId: string }) => accountId)).size,
    ).toBeGreaterThan(2);
    const first = (await operator.get('/audit?limit=2')).json;
    const second = (await operator.get(`/audit?limit=2&cursor=${first.nextCursor}`)).json;
    expect(second.items[0].id).toBeLessThan(first.items[1].id);
    for (const wrong of [
      'action=drop table',
      'since=yesterday',
      'cursor=x.y',
      'actor='.padEnd(500, 'x'),
    ])
      expect((await operator.get(`/audit?${wrong}`)).status).toBeGreaterThanOrEqual(400);
    expect(server.errors).toEqual([]);
  });

  it('keeps from a Co-Administrator what changed in settings', async ({ given, program }) => {
    const acme = await given.account('Acme');
    const admin = caller(program, await given.apiToken(acme));
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    await admin.patch(`/accounts/${acme.id}`, { name: 'New' });
    const path = `/accounts/${acme.id}/audit?action=account.changed`;
    expect((await admin.get(path)).json.items[0].details).toMatchObject({ after: { name: 'New' } });
    expect((await co.get(path)).json.items[0].details).toEqual({});
  });
});

describe('tokens of the API', () => {
  it('are made for an account by its Account Administrators', async ({ given, program }) => {
    const acme = await given.account('Acme');
    const admin = caller(program, await given.apiToken(acme));
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    const path = `/accounts/${acme.id}/api-tokens`;
    const made = await admin.post(path, { name: 'Import', role: 'co_administrator' });
    expect(made.json).toMatchObject({
      name: 'Import',
      role: 'co_administrator',
      accountId: acme.id,
      secret: expect.stringMatching(/^ost_/),
    });
    expect((await caller(program, made.json.secret).get('/token')).json).toMatchObject({
      id: made.json.id,
      role: 'co_administrator',
    });
    const listed = (await admin.get(path)).json.items;
    expect(listed).toHaveLength(3);
    expect(JSON.stringify(listed)).not.toContain('ost_');
    expect((await admin.post(path, { name: 'x', role: 'operator' })).json.code).toBe(
      'invalid_value',
    );
    expect((await co.post(path, { name: 'x' })).json.code).toBe('permission_denied');
    expect((await co.get(path)).json.code).toBe('permission_denied');
    const past = { name: 'x', expiresAt: '2020-01-01T00:00:00Z' };
    expect((await admin.post(path, past)).json.code).toBe('invalid_value');
    await given.rows(
      `insert into api_tokens (id, account_id, name, role, secret_hash, created_by, created_at)
       select gen_random_uuid(), $1, 'x', 'co_administrator', gen_random_uuid()::text, '{}', now()
       from generate_series(1, 97)`,
      [acme.id],
    );
    expect((await admin.post(path, { name: 'x' })).json).toMatchObject({
      status: 409,
      code: 'limit_reached',
    });
  });

  it('are made for operators by operators', async ({ given, program }) => {
    const operator = caller(program, await given.apiToken());
    const made = (await operator.post('/api-tokens', { name: 'Deployment' })).json;
    expect(made).toMatchObject({ role: 'operator', accountId: null });
    expect((await caller(program, made.secret).get('/accounts')).status).toBe(200);
    expect((await operator.get('/api-tokens')).json.items).toHaveLength(2);
    expect((await operator.delete(`/api-tokens/${made.id}`)).status).toBe(204);
    expect((await caller(program, made.secret).get('/accounts')).status).toBe(401);
  });
});

/** Other tests run at the same time. */
const patience = { timeout: 20_000, interval: 100 };

describe('the keys that sign tokens', () => {
  it('are rotated while people sign in', async ({ given, program, browser, server }) => {
    const operator = caller(program, await given.apiToken());
    const ann = await given.user();
    const client = await given.client();
    const current = async (): Promise<string> =>
      (await operator.get('/keys')).json.items.find(
        ({ alg, state }: { alg: string; state: string }) => alg === 'ES256' && state === 'current',
      ).kid;
    const next = (await operator.get('/keys')).json.items.find(
      ({ alg, state }: { alg: string; state: string }) => alg === 'ES256' && state === 'next',
    ).kid;
    const old = await current();
    const published = async (): Promise<string[]> =>
      (await program.get('/oauth/jwks')).json.keys.map(({ kid }: { kid: string }) => kid);
    expect(await published()).toEqual(expect.arrayContaining([old, next]));

    expect((await operator.post('/keys/rotate')).status).toBe(200);
    expect(await current()).toBe(next);
    await expect
      .poll(async () => {
        const tokens = (await redeem(browser, client, codeOf(await signIn(browser, client, ann))))
          .json;
        return JSON.parse(Buffer.from(tokens.id_token.split('.')[0], 'base64url').toString()).kid;
      }, patience)
      .toBe(next);
    expect(await published()).toContain(old);
    expect((await operator.post('/keys/rotate', { discard: true })).status).toBe(200);
    await expect.poll(published, patience).not.toContain(old);
    expect(server.errors).toEqual([]);
  });
});
