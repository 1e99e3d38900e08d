import { describe, expect } from 'vitest';
import { findScimToken } from '#identity/scim/token.ts';
import type { TestServer } from '#test/support/server.ts';
import { it } from '#test/support/it.ts';
import { asClient } from '#test/support/sign-in.ts';
import { terminal } from '../../cli/support.ts';
import { caller, statusesOf } from './support.ts';

const day = 24 * 3600;

/** Whom the SCIM door would see behind a secret. */
async function behind({ app, clock }: TestServer, secret: string, ip = '192.0.2.1') {
  return (await findScimToken(app.foundation.database, secret, clock(), ip))?.caller ?? null;
}

describe('SCIM tokens', () => {
  it('are made by Account Administrators, told once, and kept as a hash', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account();
    const admin = caller(program, await given.apiToken(acme));
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    const path = `/accounts/${acme.id}/scim-tokens`;
    expect((await co.post(path, { name: 'Entra ID' })).status).toBe(403);
    const made = await admin.post(path, { name: 'Entra ID', scopes: { groups: false } });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      name: 'Entra ID',
      accountId: acme.id,
      scopes: { users: true, groups: false, readOnly: false },
      dryRun: false,
      domainPolicy: 'owned',
      lastUsedAt: null,
    });
    const { secret, id } = made.json;
    expect(secret).toMatch(/^scim_[0-9a-f]{32}_[\w-]{43}$/);
    const inAYear = server.clock().getTime() + 365 * day * 1000;
    expect(Math.abs(Date.parse(made.json.expiresAt) - inAYear)).toBeLessThan(60_000);

    const listed = await admin.get(path);
    expect(listed.json.items).toMatchObject([{ id, name: 'Entra ID' }]);
    expect(listed.text).not.toContain(secret.slice(-20));
    const kept = JSON.stringify([
      await given.rows('select * from scim_tokens'),
      await given.rows('select * from audit_events'),
    ]);
    expect(kept).not.toContain(secret.slice(-43));
    expect(await given.events()).toContain('scim_token.created');
  });

  it('open what they are for, say when and from where, and nothing once revoked', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account();
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/scim-tokens`;
    const one = (await admin.post(path, { name: 'One', domainPolicy: 'any_unowned' })).json;
    const made = await admin.post(path, { name: 'Other', dryRun: true });
    // What such a token asks is a dry run; that it was made is none.
    expect([made.status, made.headers.location]).toEqual([201, `/api/v1${path}/${made.json.id}`]);
    const other = made.json;
    const kept = { departurePolicy: 'own_people' };
    expect((await admin.patch(`${path}/${other.id}`, kept)).json).toMatchObject(kept);
    expect(await behind(server, other.secret)).toMatchObject(kept);
    expect((await admin.patch(`${path}/${other.id}`, { departurePolicy: 'x' })).status).toBe(422);
    expect(await behind(server, one.secret)).toEqual({
      id: one.id,
      accountId: acme.id,
      accountStatus: 'active',
      name: 'One',
      scopes: { users: true, groups: true, readOnly: false },
      dryRun: false,
      domainPolicy: 'any_unowned',
      departurePolicy: 'everybody',
      classicConfig: false,
      held: false,
    });
    const used = (await admin.get(`${path}/${one.id}`)).json;
    expect(used).toMatchObject({ lastUsedIp: '192.0.2.1' });
    expect(used.lastUsedAt).not.toBeNull();

    expect((await admin.delete(`${path}/${one.id}`)).status).toBe(204);
    expect(await behind(server, one.secret)).toBeNull();
    expect(await behind(server, other.secret)).toMatchObject({ name: 'Other', dryRun: true });
    expect((await admin.delete(`${path}/${one.id}`)).json.code).toBe('not_found');
    expect((await admin.get(`${path}/${one.id}`)).status).toBe(404);
  });

  it('end when they say, in a year at the latest', async ({ given, program, server }) => {
    const acme = await given.account();
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/scim-tokens`;
    const inDays = (days: number): string =>
      new Date(server.clock().getTime() + days * day * 1000).toISOString();
    for (const expiresAt of [inDays(-1), inDays(366)]) {
      const answer = await admin.post(path, { name: 'x', expiresAt });
      expect([answer.status, answer.json.code]).toEqual([422, 'invalid_value']);
    }
    const { secret } = (await admin.post(path, { name: 'x', expiresAt: inDays(10) })).json;
    expect(await behind(server, secret)).not.toBeNull();
    server.clock.advance(10 * day + 1);
    expect(await behind(server, secret)).toBeNull();
    expect((await admin.get(path)).json.items).toEqual([]);
  });

  it.for([
    '',
    'scim_',
    'scim_00000000000000000000000000000000_0000000000000000000000000000000000000000000',
    `scim_${'g'.repeat(32)}_${'a'.repeat(43)}`,
    'ost_0000000000000000000000000000000000000000000',
    "scim_' or 1=1 --",
    '\u0000',
  ])('are not guessed: %j', async (secret, { server }) => {
    expect(await behind(server, secret)).toBeNull();
  });

  it('of one account are nothing to another', async ({ given, program }) => {
    const acme = await given.account();
    const beta = await given.account('Beta');
    const admin = caller(program, await given.apiToken(acme));
    const other = caller(program, await given.apiToken(beta));
    const { id } = (await admin.post(`/accounts/${acme.id}/scim-tokens`, { name: 'x' })).json;
    for (const account of [acme, beta])
      for (const answer of [
        await other.get(`/accounts/${account.id}/scim-tokens/${id}`),
        await other.delete(`/accounts/${account.id}/scim-tokens/${id}`),
      ])
        expect(answer.status).toBe(404);
    expect((await admin.get(`/accounts/${acme.id}/scim-tokens/${id}`)).status).toBe(200);
  });

  it('are no more than there can be, however many are asked for at once', async ({
    given,
    program,
  }) => {
    const acme = await given.account();
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/scim-tokens`;
    for (let n = 0; n < 18; n += 1) await admin.post(path, { name: `Token ${n}` });
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) => admin.post(path, { name })),
    );
    expect(statusesOf(answers)).toEqual([201, 201, 409, 409]);
  });

  it('end with their account, and are revoked while it is on hold', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account();
    const admin = caller(program, await given.apiToken(acme));
    const path = `/accounts/${acme.id}/scim-tokens`;
    const { id, secret } = (await admin.post(path, { name: 'x' })).json;
    await given.hold(acme);
    expect(await behind(server, secret)).toMatchObject({ accountStatus: 'on_hold' });
    expect((await admin.post(path, { name: 'y' })).json.code).toBe('account_on_hold');
    expect((await admin.delete(`${path}/${id}`)).status).toBe(204);
  });

  it('are made, listed and revoked at a terminal', async ({ given, server }) => {
    const acme = await given.account();
    const admin = terminal(server, await given.apiToken(acme));
    const made = await admin(
      `scim-token create --name Okta --account ${acme.id} --users-only --read-only --json`,
    );
    expect([made.status, made.err]).toEqual([0, '']);
    expect(await behind(server, made.json().secret)).toMatchObject({
      name: 'Okta',
      scopes: { users: true, groups: false, readOnly: true },
    });
    expect((await admin(`scim-token list --account ${acme.id}`)).out).toMatch(
      /Okta +users read-only .*192\.0\.2\.1/,
    );
    const one = `${made.json().id} --account ${acme.id}`;
    const limits = await admin(`scim-token limits ${one} --number 7 --minutes 30 --json`);
    expect(limits.json().limits).toEqual({ number: 7, share: 25, minutes: 30 });
    const wrong = await admin(`scim-token limits ${one} --number many`);
    expect([wrong.status, wrong.err.includes('invalid_value')]).toEqual([1, true]);
    for (const verb of ['release', 'keep']) {
      const ended = await admin(`scim-token ${verb} ${one}`);
      expect([verb, ended.status, ended.err.includes('already_decided')]).toEqual([verb, 1, true]);
    }
    const revoked = await admin(`scim-token revoke ${made.json().id} --account ${acme.id}`);
    expect(revoked.status).toBe(0);
    expect(await behind(server, made.json().secret)).toBeNull();
  });
});

describe('a client in place of a token', () => {
  const service = {
    name: 'Directory',
    metadata: {
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
      scope: 'scim',
    },
  };

  it('brings access tokens of its own with scope scim, into its one account', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account();
    const beta = await given.account('Beta');
    const operator = caller(program, await given.apiToken());
    const client = await given.client(service);
    const token = async (scope = 'scim'): Promise<string> =>
      (
        await asClient(program, '/oauth/token', client, {
          grant_type: 'client_credentials',
          ...(scope && { scope }),
        })
      ).json.access_token;
    const early = await token();
    expect(await behind(server, early)).toBeNull();

    const path = `/accounts/${acme.id}/scim-tokens`;
    const bound = await operator.post(path, { name: 'Directory', clientId: client.id });
    expect(bound.json).toMatchObject({ clientId: client.id, secret: null, expiresAt: null });
    expect(await behind(server, await token())).toMatchObject({
      id: bound.json.id,
      accountId: acme.id,
    });
    expect(await behind(server, await token(''))).toBeNull();

    const again = await operator.post(`/accounts/${beta.id}/scim-tokens`, {
      name: 'Directory',
      clientId: client.id,
    });
    expect(again.json.code).toBe('invalid_value');

    const bearer = await token();
    await given.rows(`update oidc_artifacts set payload = payload || '{"jkt":"key"}'`);
    expect(await behind(server, bearer)).toBeNull();
    const other = await token();
    server.clock.advance(601);
    expect(await behind(server, other)).toBeNull();

    const last = await token();
    expect((await operator.delete(`${path}/${bound.json.id}`)).status).toBe(204);
    expect(await behind(server, last)).toBeNull();
  });

  it('is chosen by operators, and has to be made for it', async ({ given, program }) => {
    const acme = await given.account();
    const operator = caller(program, await given.apiToken());
    const admin = caller(program, await given.apiToken(acme));
    const client = await given.client(service);
    const path = `/accounts/${acme.id}/scim-tokens`;
    const own = await admin.post(path, { name: 'x', clientId: client.id });
    expect([own.status, own.json.code]).toEqual([403, 'permission_denied']);
    const web = await given.client();
    for (const clientId of [web.id, 'nobody']) {
      const answer = await operator.post(path, { name: 'x', clientId });
      expect([answer.status, answer.json.code]).toEqual([422, 'invalid_value']);
    }
  });
});
