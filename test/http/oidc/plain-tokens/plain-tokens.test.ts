import { describe, expect, vi } from 'vitest';
import type { Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { asClient, basic, tokensFor, userinfo } from '#test/support/sign-in.ts';
import type { GivenClient, GivenUser, World } from '#test/support/world.ts';
import { spa } from '../support.ts';
import type { TestServer } from '#test/support/server.ts';

/**
 * The engine answers what is not plain, and what is not plain may be made so by a word that means
 * nothing to it: so the same token can be put before both.
 */
async function ask(
  server: TestServer,
  first: () => Promise<Answer>,
  second: () => Promise<Answer>,
): Promise<{ both: [ours: Answer, engine: Answer]; plain: boolean }> {
  const engine = vi.spyOn(server.app.provider().AccessToken, 'find');
  const ours = await first();
  // The engine looks for the token, whatever it then says.
  const plain = engine.mock.calls.length === 0;
  engine.mockClear();
  const both: [Answer, Answer] = [ours, await second()];
  if (both[1].status === 200) expect(engine).toHaveBeenCalled();
  engine.mockRestore();
  return { both, plain };
}

function askUserinfo(server: TestServer, token: string) {
  const program = server.agent({ cookies: false });
  return ask(
    server,
    () => userinfo(program, token),
    () =>
      program.get('/oauth/userinfo?nothing=1', {
        headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      }),
  );
}

function askIntrospection(server: TestServer, client: GivenClient, token: string) {
  const program = server.agent({ cookies: false });
  return ask(
    server,
    () => asClient(program, '/oauth/introspect', client, { token }),
    () => asClient(program, '/oauth/introspect', client, { token, nothing: '1' }),
  );
}

/** All that an answer says but the moment, and what was made up for it alone. */
function saidBy({ status, headers, text }: Answer): object {
  const { date: _date, ...rest } = headers;
  return { status, headers: rest, text: text.replace(/"reference":"[^"]*"/, '') };
}

interface Case {
  client?: Parameters<World['client']>[0];
  scope?: string;
  extra?: Record<string, string>;
  /** What happens between the token and the question. */
  afterwards?(given: World, ann: GivenUser, server: TestServer): Promise<unknown>;
  /** The token that is asked about instead. */
  token?(token: string): string;
  /** Whether an API asks about the token that was given to another. */
  byApi?: boolean;
  plain: boolean;
}

const everyScope = 'openid profile email phone address organization roles groups';

const cases: Record<string, Case> = {
  'an ordinary token': { scope: 'openid profile email', plain: true },
  'a token of every scope': { scope: everyScope, plain: true },
  'a token without openid': { scope: 'email', plain: true },
  'a token that outlives its session': { scope: 'openid offline_access email', plain: true },
  'a public application': { byApi: true, client: spa, scope: 'openid email', plain: true },
  'an application for members only': {
    client: { requiresAccount: true },
    scope: 'openid organization',
    plain: true,
  },
  'another name in each sector': {
    client: { metadata: { subject_type: 'pairwise' } },
    scope: 'openid email',
    plain: false,
  },
  'claims that were asked for one by one': {
    extra: { claims: JSON.stringify({ userinfo: { phone_number: null, roles: null } }) },
    scope: 'openid email',
    plain: false,
  },
  'a person who is locked': {
    afterwards: (given, ann) => given.locked(ann, 'admin'),
    plain: false,
  },
  'a token that ran out': {
    afterwards: (given) => given.rows(`update oidc_artifacts set payload = payload || '{"exp":1}'`),
    plain: false,
  },
  'a grant that ran out': {
    afterwards: (given) => given.rows(`update oidc_grants set payload = payload || '{"exp":1}'`),
    plain: false,
  },
  'a grant that is gone': {
    afterwards: (given) => given.rows('delete from oidc_grants'),
    plain: false,
  },
  'a grant of somebody else': {
    afterwards: (given) =>
      given.rows(`update oidc_grants set payload = payload || '{"accountId":"x"}'`),
    plain: false,
  },
  'a session that is gone': {
    afterwards: (given) => given.rows('delete from oidc_sessions'),
    plain: false,
  },
  'a session of somebody else': {
    afterwards: (given) =>
      given.rows(`update oidc_sessions set payload = payload || '{"accountId":"x"}'`),
    plain: false,
  },
  'a session that knows another grant': {
    afterwards: (given) => given.rows(`update oidc_sessions set authorizations = '{}'`),
    plain: false,
  },
  'a scope that was taken back from the grant': {
    scope: 'openid email profile',
    afterwards: (given) =>
      given.rows(
        `update oidc_grants set payload = payload || '{"openid":{"scope":"openid email"}}'`,
      ),
    plain: true,
  },
  'an application that was disabled': {
    byApi: true,
    afterwards: async (given) => {
      await given.rows('update clients set disabled_at = now() where not may_introspect');
      await given.foundation.database.notify('ostiary_clients', '');
    },
    plain: false,
  },
  'a token that nobody was given': { token: (token) => `${token.slice(1)}A`, plain: false },
};

describe('a question about an ordinary token is answered as the engine would', () => {
  for (const [
    name,
    { client: kind, scope = 'openid email', extra, afterwards, token, byApi, plain },
  ] of Object.entries(cases))
    it(name, async ({ server, given, browser }) => {
      const acme = await given.account('Acme');
      const ann = await given.user('ann@acme.example', { of: acme, roles: ['co_administrator'] });
      const client = await given.client(kind);
      const asker = byApi ? await given.client({ mayIntrospect: true }) : client;
      const { access_token: accessToken } = await tokensFor(browser, client, ann, {
        scope,
        ...extra,
      });
      await afterwards?.(given, ann, server);
      const value = token?.(accessToken) ?? accessToken;

      const info = await askUserinfo(server, value);
      const introspection = await askIntrospection(server, asker, value);
      for (const { both } of [info, introspection])
        expect(saidBy(both[0])).toEqual(saidBy(both[1]));
      expect(introspection.plain).toBe(plain);
      if (scope.includes('openid')) expect(info.plain).toBe(plain);
    });

  it('a wrong secret, a secret in the form, and a form that is none are for the engine', async ({
    server,
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const { access_token: token } = await tokensFor(browser, client, await given.user());
    const wrong = { ...client, secret: 'not-the-secret' };
    expect((await askIntrospection(server, wrong, token)).both.map(saidBy)).toEqual(
      Array.from({ length: 2 }, () => expect.objectContaining({ status: 401 })),
    );
    const form = { token, client_id: client.id, client_secret: client.secret };
    expect((await program.post('/oauth/introspect', { form })).json.active).toBe(true);
    const json = await program.post('/oauth/introspect', {
      headers: { ...basic(client), 'content-type': 'application/json' },
      body: JSON.stringify({ token }),
    });
    expect(json.status).toBe(400);
    expect(json.json.error).toBe('invalid_request');
  });

  it('a stranger hears nothing, and is told so by the engine', async ({
    server,
    given,
    browser,
  }) => {
    const { access_token: token } = await tokensFor(
      browser,
      await given.client(),
      await given.user(),
    );
    const stranger = await given.client({ name: 'Stranger' });
    const { both, plain } = await askIntrospection(server, stranger, token);
    expect(plain).toBe(false);
    expect(both.map(({ json }) => json)).toEqual([{ active: false }, { active: false }]);
  });
});
