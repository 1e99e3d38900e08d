import { describe, expect } from 'vitest';
import { breakGlassOf, breakGlassUsed, mayBypassSso } from '#identity/credentials/break-glass.ts';
import { addApp, enrolApp } from '#test/support/factors.ts';
import { it } from '#test/support/it.ts';
import { codeOf, refresh, signIn, tokensFor } from '#test/support/sign-in.ts';
import type { TestServer } from '#test/support/server.ts';
import type { GivenUser } from '#test/support/world.ts';
import { caller, statusesOf } from './support.ts';

async function acme({ given, agent }: TestServer) {
  const account = await given.account('Acme', { owns: ['acme.example'] });
  const fay = await given.user('fay@acme.example', {
    of: account,
    roles: ['account_administrator'],
  });
  const carl = await given.user('carl@acme.example', { of: account, roles: ['co_administrator'] });
  const ann = await given.user('ann@acme.example', { of: account });
  const program = agent({ cookies: false });
  return {
    account,
    fay,
    carl,
    ann,
    asFay: caller(program, await given.apiToken(account)),
    asCarl: caller(program, await given.apiToken(account, 'co_administrator')),
    of: (user: GivenUser) => `/accounts/${account.id}/users/${user.id}`,
  };
}

describe('second factors, to administrators', () => {
  it('are reset for who lost theirs: out everywhere, told, and set up anew', async ({ server }) => {
    const { given } = server;
    const { account, ann, asCarl, of } = await acme(server);
    const client = await given.client();
    const browser = server.agent();
    const tokens = await tokensFor(browser, client, ann, { scope: 'openid offline_access' });
    const preview = async (): Promise<unknown> =>
      (await asCarl.get(`/accounts/${account.id}/second-factors-preview`)).json;
    const domain = 'acme.example';
    expect(await preview()).toEqual({ admins: 2, all: 3, domains: [{ domain, people: 3 }] });
    const { app } = await addApp(server, ann, browser);
    expect(await preview()).toEqual({ admins: 2, all: 2, domains: [{ domain, people: 2 }] });

    const seen = (await asCarl.get(`${of(ann)}/second-factors`)).json;
    expect(seen).toMatchObject({
      factors: [{ kind: 'totp', name: 'Authenticator app' }],
      recoveryCodesLeft: 10,
      required: false,
    });
    expect(JSON.stringify(seen)).not.toMatch(/sealed|secret/);

    const reset = await asCarl.delete(`${of(ann)}/second-factors`);
    expect(reset.json).toMatchObject({ factors: [], recoveryCodesLeft: 0, anew: true });
    expect((await browser.get('/profile')).status).toBe(303);
    expect((await refresh(browser, client, tokens.refresh_token!)).status).toBe(400);
    expect((await asCarl.delete(`${of(ann)}/second-factors`)).json.code).toBe(
      'second_factor_missing',
    );

    const elsewhere = server.agent();
    const page = await signIn(elsewhere, client, ann);
    expect(page.words).toContain('Set up a second step');
    const again = await enrolApp(elsewhere, page, server.clock);
    codeOf(again.answer);
    expect(again.app.code()).not.toBe(app.code());
    expect((await asCarl.get(`${of(ann)}/second-factors`)).json.anew).toBe(false);

    await server.app.delivery.drain();
    const told = (await given.mails()).filter(({ kind }) => kind === 'factor_reset');
    expect(told.map(({ recipient }) => recipient).sort()).toEqual([
      'ann@acme.example',
      'carl@acme.example',
      'fay@acme.example',
    ]);
  });

  it('lose one, and keep the others', async ({ server }) => {
    const { given } = server;
    const { ann, asFay, of } = await acme(server);
    const browser = server.agent();
    await addApp(server, ann, browser);
    await given.rows(
      `insert into factors (id, user_id, kind, name, credential_id, public_key, created_at)
       values (gen_random_uuid(), $1, 'passkey', 'Key', 'abc', 'def', now())`,
      [ann.id],
    );
    const { factors } = (await asFay.get(`${of(ann)}/second-factors`)).json as {
      factors: { id: string; kind: string }[];
    };
    const { id } = factors.find(({ kind }) => kind === 'passkey')!;
    const left = await asFay.delete(`${of(ann)}/second-factors/${id}`);
    expect(left.json).toMatchObject({ factors: [{ kind: 'totp' }], anew: false });
    expect((await asFay.delete(`${of(ann)}/second-factors/${id}`)).json.code).toBe('not_found');
    const last = await asFay.delete(`${of(ann)}/second-factors/${left.json.factors[0].id}`);
    expect(last.json).toMatchObject({ factors: [], anew: true });
  });

  it('are beyond the reach of a Co-Administrator where they are an Account Administrator’s', async ({
    server,
  }) => {
    const { given } = server;
    const { fay, ann, asCarl, asFay, of } = await acme(server);
    await addApp(server, fay);
    for (const answer of [
      await asCarl.delete(`${of(fay)}/second-factors`),
      await asCarl.post(`${of(fay)}/second-factors/require`, { required: true }),
    ])
      expect(answer).toMatchObject({ status: 403, json: { code: 'cannot_act_on_higher_role' } });
    expect((await asCarl.post(`${of(ann)}/break-glass`, { on: true })).json.code).toBe(
      'permission_denied',
    );
    // Nor of another account's.
    const beta = await given.account('Beta');
    const asBeta = caller(server.agent({ cookies: false }), await given.apiToken(beta));
    expect((await asBeta.get(`/accounts/${beta.id}/users/${ann.id}/second-factors`)).status).toBe(
      404,
    );
    expect(
      (await asFay.post(`${of(ann)}/second-factors/require`, { required: 'yes' })).status,
    ).toBe(422);
  });

  it('are demanded of a person, a domain or an account; sessions meet it at their next request', async ({
    server,
  }) => {
    const { account, ann, asFay, asCarl, of } = await acme(server);
    const settings = `/accounts/${account.id}/settings`;
    const domain = `/accounts/${account.id}/domains/acme.example/second-factor`;
    const browser = server.agent();
    const client = await server.given.client();
    codeOf(await signIn(browser, client, ann));
    const isIn = async (): Promise<boolean> => (await browser.get('/profile')).status === 200;
    expect(await isIn()).toBe(true);

    for (const [demand, relax] of [
      [
        () => asCarl.post(`${of(ann)}/second-factors/require`, { required: true }),
        () => asCarl.post(`${of(ann)}/second-factors/require`, { required: false }),
      ],
      [() => asFay.post(domain, { required: true }), () => asFay.post(domain, { required: false })],
      [
        () => asFay.patch(settings, { secondFactor: 'all' }),
        () => asFay.patch(settings, { secondFactor: 'admins' }),
      ],
    ] as const) {
      expect((await demand()).status).toBe(200);
      expect(await isIn()).toBe(false);
      expect((await relax()).status).toBe(200);
      expect(await isIn()).toBe(true);
    }
    expect((await asCarl.patch(settings, { secondFactor: 'off' })).json.code).toBe(
      'permission_denied',
    );
    expect((await asCarl.post(domain, { required: true })).json.code).toBe('permission_denied');
    expect((await asFay.patch(settings, { secondFactor: 'some' })).status).toBe(422);
    expect(
      (await server.given.events()).filter((one) => one === 'second_factor.policy_changed'),
    ).toHaveLength(4);
  });
});

describe('break-glass administrators (security.md 3.4)', () => {
  it('need a password and a second factor before, and are three at most', async ({ server }) => {
    const { given } = server;
    const { account, fay, ann, asFay, of } = await acme(server);
    expect((await asFay.post(`${of(fay)}/break-glass`, { on: true })).json.code).toBe(
      'second_factor_missing',
    );
    expect((await asFay.post(`${of(ann)}/break-glass`, { on: true })).json.code).toBe(
      'invalid_value',
    );
    await addApp(server, fay);
    expect((await asFay.post(`${of(fay)}/break-glass`, { on: true })).json.breakGlass).toBe(true);
    const { database } = given.foundation;
    expect(await mayBypassSso(database, fay.id)).toBe(true);
    expect(await breakGlassOf(database, account.id)).toMatchObject([{ email: fay.email }]);
    // The factor stays as long as the mark does.
    const person = await given.person(fay);
    expect(person!.secondFactor).toMatchObject({ enrolled: true, required: true });

    const others = await Promise.all(
      [1, 2, 3].map(async (n) => {
        const other = await given.user(`fay${n}@acme.example`, {
          of: account,
          roles: ['account_administrator'],
        });
        await given.rows('update users set second_factor_at = now() where id = $1', [other.id]);
        return other;
      }),
    );
    const answers = await Promise.all(
      others.map((other) => asFay.post(`${of(other)}/break-glass`, { on: true })),
    );
    expect(statusesOf(answers)).toEqual([200, 200, 409]);
  });

  it('are none any more without the role, the account or the factor', async ({ server }) => {
    const { given } = server;
    const { account, fay, asFay, of } = await acme(server);
    const eve = await given.user('eve@acme.example', {
      of: account,
      roles: ['account_administrator'],
    });
    await addApp(server, fay);
    await asFay.post(`${of(fay)}/break-glass`, { on: true });
    const { database } = given.foundation;
    const operator = caller(server.agent({ cookies: false }), await given.apiToken());
    await operator.post(`${of(fay)}/roles`, { add: [], remove: ['account_administrator'] });
    expect(await mayBypassSso(database, fay.id)).toBe(false);
    await operator.post(`${of(fay)}/roles`, { add: ['account_administrator'], remove: [] });
    expect(await mayBypassSso(database, fay.id)).toBe(true);
    await operator.delete(`${of(fay)}/second-factors`);
    expect(await mayBypassSso(database, fay.id)).toBe(false);
    await given.rows('update users set second_factor_at = now() where id = $1', [fay.id]);
    await operator.delete(of(fay));
    expect(await mayBypassSso(database, fay.id)).toBe(false);
    expect((await given.rows('select break_glass from users where id = $1', [fay.id]))[0]).toEqual({
      break_glass: false,
    });
    void eve;
  });

  it('are told about to every Account Administrator, each time', async ({ server }) => {
    const { given } = server;
    const { account, fay } = await acme(server);
    await given.user('eve@acme.example', { of: account, roles: ['account_administrator'] });
    const person = (await given.person(fay))!;
    await given.work((work) => breakGlassUsed(work, person));
    await server.app.delivery.drain();
    const told = (await given.mails()).filter(({ kind }) => kind === 'break_glass_used');
    expect(told.map(({ recipient }) => recipient).sort()).toEqual([
      'eve@acme.example',
      'fay@acme.example',
    ]);
    expect(await given.events()).toContain('security.break_glass_used');
  });
});
