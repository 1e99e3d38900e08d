import { describe, expect } from 'vitest';
import { sweepEngine } from '#http/oidc/housekeeping.ts';
import type { Agent } from '#test/support/agent.ts';
import { counting } from '#test/support/counting.ts';
import { it } from '#test/support/it.ts';
import {
  asClient,
  authorizeUrl,
  codeOf,
  redeem,
  refresh,
  signIn,
  tokensFor,
  typePassword,
  userinfo,
} from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';
import { said, silent, spa } from '../support.ts';

const offline = { scope: 'openid offline_access' };

function times<T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => act(index)));
}

describe('what may be used once is used once (security.md D-59, D-60)', () => {
  it('twenty redemptions of one code at the same time: one gets tokens, and the others, or a later replay, kill them', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    await signIn(browser, client, ann);
    for (let round = 0; round < 5; round += 1) {
      const code = codeOf(await silent(browser, client, offline));
      const answers = await times(20, () => redeem(program, client, code));
      const won = answers.filter(({ status }) => status === 200);
      expect(won).toHaveLength(1);
      for (const { status, json } of answers.filter((answer) => answer !== won[0]))
        expect([status, json.error]).toEqual([400, 'invalid_grant']);

      // The last round has no later replay: that two used it at once is enough.
      if (round < 4) expect((await redeem(program, client, code)).json.error).toBe('invalid_grant');
      const { access_token, refresh_token } = won[0]!.json;
      expect((await userinfo(program, access_token)).status).toBe(401);
      expect((await refresh(program, client, refresh_token)).json.error).toBe('invalid_grant');
    }
    expect(server.errors).toEqual([]);
  });

  for (const [kind, input] of Object.entries({ confidential: {}, public: spa }))
    it(`twenty refreshes of one token of a ${kind} client at the same time: one succeeds; a replay ends the family`, async ({
      given,
      browser,
      program,
      server,
    }) => {
      const client = await given.client(input);
      const ann = await given.user();
      await signIn(browser, client, ann);
      for (let round = 0; round < 5; round += 1) {
        const first = (
          await redeem(browser, client, codeOf(await silent(browser, client, offline)))
        ).json;
        const answers = await times(20, () => refresh(program, client, first.refresh_token));
        const won = answers.filter(({ status }) => status === 200);
        expect(won).toHaveLength(1);
        expect(
          await given.rows(
            `select 1 from oidc_artifacts where model = 'RefreshToken' and consumed_at is null`,
          ),
        ).toSatisfy((living: unknown[]) => living.length <= 1);

        expect((await refresh(program, client, first.refresh_token)).json.error).toBe(
          'invalid_grant',
        );
        expect((await refresh(program, client, won[0]!.json.refresh_token)).json.error).toBe(
          'invalid_grant',
        );
        expect((await userinfo(program, won[0]!.json.access_token)).status).toBe(401);
      }
      expect(server.errors).toEqual([]);
    });
});

describe('one session, several tabs', () => {
  it('applications that sign in at the same time are all in the session: every code redeems', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const ann = await given.user();
    const first = await given.client();
    await signIn(browser, first, ann);
    for (let round = 0; round < 20; round += 1) {
      const clients = [
        await given.client({ name: `One ${round}` }),
        await given.client({ name: `Two ${round}` }),
      ];
      const answers = await Promise.all(clients.map((client) => silent(browser, client)));
      const tokens = [];
      for (const [index, client] of clients.entries()) {
        const answer = await redeem(program, client, codeOf(answers[index]!));
        expect(answer.status).toBe(200);
        tokens.push(answer.json.access_token as string);
      }
      for (const token of tokens) expect((await userinfo(program, token)).status).toBe(200);
    }
    const [session] = await given.rows<{ count: number }>(
      'select (select count(*) from jsonb_each(authorizations))::int as count from oidc_sessions',
    );
    expect(session!.count).toBe(41);
    expect(server.errors).toEqual([]);
  });

  it('one application twice at the same time: both codes redeem, for one grant', async ({
    given,
    browser,
    program,
  }) => {
    const ann = await given.user();
    await signIn(browser, await given.client({ name: 'First' }), ann);
    for (let round = 0; round < 10; round += 1) {
      const client = await given.client({ name: `Round ${round}` });
      const tabs = [{ ...client }, { ...client }, { ...client }];
      const answers = await Promise.all(tabs.map((tab) => silent(browser, tab)));
      for (const [index, tab] of tabs.entries())
        expect((await redeem(program, tab, codeOf(answers[index]!))).status).toBe(200);
    }
  });

  it('one application twice at the same time for different scopes: each gets what it asked for', async ({
    given,
    browser,
    program,
  }) => {
    const ann = await given.user();
    await signIn(browser, await given.client({ name: 'First' }), ann);
    for (let round = 0; round < 10; round += 1) {
      const client = await given.client({ name: `Round ${round}` });
      const scopes = ['openid email', 'openid profile', 'openid address'];
      const tabs = scopes.map((scope) => ({ scope, client: { ...client } }));
      const answers = await Promise.all(
        tabs.map(({ client: tab, scope }) => silent(browser, tab, { scope })),
      );
      for (const [index, { client: tab, scope }] of tabs.entries()) {
        const tokens = await redeem(program, tab, codeOf(answers[index]!));
        expect(tokens.json.scope).toBe(scope);
      }
    }
  });

  it('two sign-ins that were begun side by side both end well', async ({ given, browser }) => {
    const ann = await given.user();
    const one = await given.client({ name: 'One' });
    const two = await given.client({ name: 'Two' });
    const firstTab = await browser.follow(await browser.get(authorizeUrl(one)));
    const secondTab = await browser.follow(await browser.get(authorizeUrl(two)));
    expect(codeOf(await typePassword(browser, secondTab, ann))).toBeTruthy();
    expect(codeOf(await typePassword(browser, firstTab, ann))).toBeTruthy();
  });
});

describe('the session cookie (security.md D-64)', () => {
  const names = ['ostiary_session', 'ostiary_session.sig'] as const;
  const copy = (from: Agent, to: Agent): void => {
    for (const name of names) to.setCookie(name, from.cookie(name)!);
  };

  it('is another one after signing in: a cookie that was planted opens nothing', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    const attacker = server.agent();
    await attacker.get('/device');
    expect(attacker.cookie('ostiary_session')).toBeTruthy();
    copy(attacker, browser);
    const planted = attacker.cookie('ostiary_session');
    await signIn(browser, client, await given.user());
    expect(browser.cookie('ostiary_session')).not.toBe(planted);
    expect(said(await silent(attacker, client))['error']).toBe('login_required');
    expect(codeOf(await silent(browser, client))).toBeTruthy();
  });

  it('is another one after signing in again, and the one before is dead', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    await signIn(browser, client, ann);
    const before = server.agent();
    copy(browser, before);
    await signIn(browser, client, ann, { prompt: 'login' });
    expect(browser.cookie('ostiary_session')).not.toBe(before.cookie('ostiary_session'));
    expect(await given.rows('select 1 from oidc_sessions')).toHaveLength(1);
    expect(said(await silent(before, client))['error']).toBe('login_required');
  });

  it('that was made up, or is signed by nobody, is as good as none', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    await signIn(browser, client, await given.user());
    const [row] = await given.rows<{ id_hash: string; uid: string }>(
      'select id_hash, uid from oidc_sessions',
    );
    for (const value of ['x', row!.uid, row!.id_hash, `h:${row!.id_hash}`]) {
      const other = server.agent();
      other.setCookie('ostiary_session', value);
      other.setCookie('ostiary_session.sig', browser.cookie('ostiary_session.sig')!);
      expect(said(await silent(other, client))['error']).toBe('login_required');
    }
    expect(server.errors).toEqual([]);
  });

  it('is httpOnly, sameSite lax, for the whole site, and for the browser session only where the person did not ask to be remembered', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    const { email, password } = await given.user();
    const second = await browser.follow(await browser.submit(page.forms[0]!, { email }));
    const typed = await browser.submit(second.forms[0]!, { email, password });
    const [line] = typed.headers['set-cookie']!.filter((one) => one.startsWith('ostiary_session='));
    expect(line).toMatch(/; path=\/;/);
    expect(line).toMatch(/; samesite=lax/i);
    expect(line).toMatch(/; httponly/i);
    expect(line).not.toMatch(/expires/i);
  });

  it('a session that is used goes on, but not beyond seven days', async ({ given, browser }) => {
    const client = await given.client();
    const ann = await given.user();
    await signIn(browser, client, ann);
    const ago = (seconds: number) =>
      given.rows(`update oidc_sessions set payload = jsonb_set(payload, '{loginTs}',
        to_jsonb(extract(epoch from now())::int - ${seconds}))`);
    await ago(7 * 24 * 3600 - 60);
    expect(codeOf(await silent(browser, client))).toBeTruthy();
    await ago(7 * 24 * 3600 + 60);
    expect(said(await silent(browser, client))['error']).toBe('login_required');
    expect(codeOf(await signIn(browser, client, ann))).toBeTruthy();
  });

  it('one that nobody used for twelve hours is over', async ({ given, browser }) => {
    const client = await given.client();
    await signIn(browser, client, await given.user());
    const [row] = await given.rows<{ seconds: number }>(
      'select extract(epoch from expires_at - seen_at)::int as seconds from oidc_sessions',
    );
    expect(row!.seconds).toBe(12 * 3600);
    await given.rows(`update oidc_sessions set payload = jsonb_set(payload, '{exp}', '1')`);
    expect(said(await silent(browser, client))['error']).toBe('login_required');
  });
});

/** Every row of every table, as text. */
async function everyRow(given: World): Promise<string> {
  const tables = await given.rows<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public'`,
  );
  const texts: string[] = [];
  for (const { name } of tables)
    for (const { row } of await given.rows<{ row: string }>(`select t::text as row from ${name} t`))
      texts.push(row);
  return texts.join('\n');
}

describe('who reads the database can be nobody', () => {
  it('no code, token, cookie, secret or pushed request stands in any table', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const television = await given.client({
      name: 'Television',
      metadata: {
        token_endpoint_auth_method: 'none',
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
        response_types: [],
        redirect_uris: [],
      },
    });
    const begun = await browser.follow(await browser.get(authorizeUrl({ ...client })));
    const tokens = await tokensFor(browser, client, ann, offline);
    const renewed = (await refresh(program, client, tokens.refresh_token!)).json;
    const codes = [
      codeOf(await silent(browser, { ...client })),
      codeOf(await silent(browser, client)),
    ];
    await redeem(program, client, codes[1]!);
    const device = (
      await asClient(program, '/oauth/device_authorization', television, { scope: 'openid' })
    ).json;
    const page = await browser.get('/device');
    const question = await browser.submit(page.forms[0]!, { user_code: device.user_code });
    await browser.submit(question.forms[0]!);
    const pushed = (
      await asClient(
        program,
        '/oauth/par',
        client,
        Object.fromEntries(new URLSearchParams(authorizeUrl(client).split('?')[1])),
      )
    ).json;
    const rows = await everyRow(given);
    expect(rows).toContain(ann.id);
    const secrets = {
      access: tokens.access_token,
      newer: renewed.access_token,
      refresh: tokens.refresh_token!,
      rotated: renewed.refresh_token,
      code: codes[0]!,
      spent: codes[1]!,
      session: browser.cookie('ostiary_session')!,
      device: device.device_code,
      userCode: device.user_code.replace('-', ''),
      pushed: pushed.request_uri.split(':').at(-1),
      client: client.secret,
      idToken: tokens.id_token,
      signature: browser.cookie('ostiary_session.sig')!,
    } as Record<string, string>;
    const found = Object.entries(secrets).filter(([, secret]) => rows.includes(secret));
    expect(found.map(([name]) => name)).toEqual([]);
    expect(begun.status).toBe(200);
  });
});

describe('what a request costs in statements (performance.md, section 2)', () => {
  it('one read and one write, at most', async ({ given, browser, program, server }) => {
    const resource = await given.resource();
    const client = await given.client({ resources: [resource] });
    const service = await given.client({
      name: 'Service',
      resources: [resource],
      metadata: { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
    });
    const ann = await given.user();
    const count = counting(server);
    await tokensFor(browser, client, ann, offline);

    const costs: Record<string, number> = {};
    const measure = async (name: string, act: () => Promise<{ status: number }>): Promise<void> => {
      const texts = await count(async () => {
        expect((await act()).status).toBeLessThan(400);
      });
      costs[name] = texts.length;
    };
    const warm = () => asClient(program, '/oauth/introspect', client, { token: 'x' });
    await warm();
    let code = '';
    await measure('silent authorize', async () => {
      const answer = await silent(browser, client, offline);
      code = codeOf(answer);
      return answer;
    });
    let tokens = { access_token: '', refresh_token: '' };
    await measure('token, code with refresh token', async () => {
      const answer = await redeem(program, client, code);
      tokens = answer.json;
      return answer;
    });
    await measure('userinfo', () => userinfo(program, tokens.access_token));
    await measure('introspection', () =>
      asClient(program, '/oauth/introspect', client, { token: tokens.access_token }),
    );
    await measure('introspection of a refresh token', () =>
      asClient(program, '/oauth/introspect', client, { token: tokens.refresh_token }),
    );
    await measure('introspection of nothing', () =>
      asClient(program, '/oauth/introspect', client, { token: 'x' }),
    );
    await measure('refresh', () => refresh(program, client, tokens.refresh_token));

    code = codeOf(await silent(browser, client));
    let bound = '';
    await measure('token, code bound to the session', async () => {
      const answer = await redeem(program, client, code);
      bound = answer.json.access_token;
      return answer;
    });
    await measure('userinfo, bound to the session', () => userinfo(program, bound));
    await measure('revocation', () => asClient(program, '/oauth/revoke', client, { token: bound }));
    const ask = () =>
      asClient(program, '/oauth/token', service, {
        grant_type: 'client_credentials',
        resource,
        scope: 'api:read',
      });
    await ask();
    await measure('client credentials, JWT', ask);
    await measure('discovery', () => program.get('/.well-known/openid-configuration'));
    await measure('keys', () => program.get('/oauth/jwks'));
    let pushed = '';
    await measure('pushed request', async () => {
      const answer = await asClient(
        program,
        '/oauth/par',
        client,
        Object.fromEntries(
          new URLSearchParams(authorizeUrl(client, { prompt: 'none' }).split('?')[1]),
        ),
      );
      pushed = answer.json.request_uri;
      return answer;
    });
    await measure('silent authorize, pushed', () =>
      browser.get(
        `/oauth/authorize?${new URLSearchParams({ client_id: client.id, request_uri: pushed })}`,
      ),
    );

    expect(costs).toEqual({
      'silent authorize': 2,
      'token, code with refresh token': 2,
      userinfo: 1,
      introspection: 1,
      'introspection of a refresh token': 1,
      'introspection of nothing': 0,
      refresh: 2,
      'token, code bound to the session': 2,
      'userinfo, bound to the session': 1,
      revocation: 2,
      'client credentials, JWT': 0,
      discovery: 0,
      keys: 0,
      'pushed request': 1,
      'silent authorize, pushed': 3,
    });
  });
});

describe('housekeeping', () => {
  it('sweeps what has expired, however much it is, and leaves what has not', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const { database } = server.app.foundation;
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user(), offline);
    const used = await refresh(program, client, tokens.refresh_token!);
    await given.rows(
      `insert into oidc_artifacts (id, model, payload, expires_at)
       select 'old-' || n, 'AccessToken', '{}', now() - interval '1 second'
       from generate_series(1, 2500) n`,
    );
    expect(await sweepEngine(database, server.clock())).toBe(2500);
    expect(await sweepEngine(database, server.clock())).toBe(0);
    expect((await userinfo(program, used.json.access_token)).status).toBe(200);
    expect(said(await silent(browser, client))).toHaveProperty('code');
    // A spent refresh token is kept until its own end, or nobody could tell its replay.
    expect((await refresh(program, client, tokens.refresh_token!)).json.error).toBe(
      'invalid_grant',
    );
    expect((await userinfo(program, used.json.access_token)).status).toBe(401);
  });

  it('in the end nothing is left', async ({ given, browser, server }) => {
    await tokensFor(browser, await given.client(), await given.user(), offline);
    server.clock.advance(91 * 24 * 3600);
    await sweepEngine(server.app.foundation.database, server.clock());
    for (const table of ['oidc_artifacts', 'oidc_sessions', 'oidc_grants'])
      expect(await given.rows(`select 1 from ${table}`)).toEqual([]);
  });
});
