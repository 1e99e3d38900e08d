import { describe, expect } from 'vitest';
import type { Agent, Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { codeOf, tokensFor, userinfo } from '#test/support/sign-in.ts';
import type { GivenClient } from '#test/support/world.ts';
import { said, silent } from '../support.ts';

const after = 'https://rp.example/signed-out';

function endSession(browser: Agent, params: Record<string, string>): Promise<Answer> {
  return browser.get(`/oauth/end_session?${new URLSearchParams(params)}`);
}

/** Says yes where somebody is asked, and goes where that leads. */
async function go(browser: Agent, page: Answer): Promise<Answer> {
  expect(page.status).toBe(isOnTheWay(page) ? 303 : 200);
  return browser.follow(isOnTheWay(page) ? page : await browser.submit(page.forms[0]!));
}

async function expectSignedOut(browser: Agent, client: GivenClient): Promise<void> {
  expect(said(await silent(browser, client))['error']).toBe('login_required');
}

/** Nobody was asked, and nobody without JavaScript has to say it again. */
function isOnTheWay(page: Answer): boolean {
  return page.location !== null;
}

describe('OpenID Connect RP-Initiated Logout 1.0', () => {
  it('signs out, and sends the person back with the state', async ({ given, browser, server }) => {
    const client = await given.client();
    const { id_token, access_token } = await tokensFor(browser, client, await given.user());
    const page = await endSession(browser, {
      id_token_hint: id_token,
      post_logout_redirect_uri: after,
      state: 'a b&<>"',
    });
    const end = await go(browser, page);
    expect(end.location?.href.startsWith(after)).toBe(true);
    expect(said(end)).toEqual({ state: 'a b&<>"' });
    await expectSignedOut(browser, client);
    expect((await userinfo(browser, access_token)).status).toBe(401);
    expect(await given.rows('select 1 from oidc_sessions where user_id is not null')).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it('a hint that names who is signed in here is proof enough: the person is not asked', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const { id_token } = await tokensFor(browser, client, await given.user());
    const page = await endSession(browser, { id_token_hint: id_token });
    expect(isOnTheWay(page)).toBe(true);
    expect((await go(browser, page)).status).toBe(200);
    await expectSignedOut(browser, client);
  });

  it('of a pairwise client, too', async ({ given, browser }) => {
    const client = await given.client({ metadata: { subject_type: 'pairwise' } });
    const { id_token } = await tokensFor(browser, client, await given.user());
    expect(isOnTheWay(await endSession(browser, { id_token_hint: id_token }))).toBe(true);
  });

  it('a hint that names another person is not: the person is asked, and may stay', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    await tokensFor(browser, client, await given.user());
    const { id_token } = await tokensFor(
      server.agent(),
      client,
      await given.user('bob@acme.example'),
    );
    const page = await endSession(browser, { id_token_hint: id_token });
    expect(isOnTheWay(page)).toBe(false);
    expect(page.text).toContain('href="/"');
    expect(codeOf(await silent(browser, client))).toBeTruthy();
  });

  it('without any parameter the person is asked, and ends on our page', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    await tokensFor(browser, client, await given.user());
    const page = await endSession(browser, {});
    expect(isOnTheWay(page)).toBe(false);
    expect(codeOf(await silent(browser, client))).toBeTruthy();
    const end = await go(browser, await endSession(browser, {}));
    expect(end.status).toBe(200);
    expect(end.url.pathname).toBe('/oauth/end_session/success');
    await expectSignedOut(browser, client);
  });

  it('with a state alone, it goes nowhere', async ({ given, browser }) => {
    const client = await given.client();
    await tokensFor(browser, client, await given.user());
    const end = await go(browser, await endSession(browser, { state: 'x' }));
    expect(end.location).toBeNull();
    expect(end.status).toBe(200);
  });

  it('without a state there is none in the redirect', async ({ given, browser }) => {
    const client = await given.client();
    const { id_token } = await tokensFor(browser, client, await given.user());
    const end = await go(
      browser,
      await endSession(browser, { id_token_hint: id_token, post_logout_redirect_uri: after }),
    );
    expect(end.location?.href).toBe(after);
  });

  it('without post_logout_redirect_uri the person stays with us', async ({ given, browser }) => {
    const client = await given.client();
    const { id_token } = await tokensFor(browser, client, await given.user());
    const end = await go(
      browser,
      await endSession(browser, { id_token_hint: id_token, state: 'x' }),
    );
    expect(end.status).toBe(200);
    expect(end.location).toBeNull();
    await expectSignedOut(browser, client);
  });

  it('post_logout_redirect_uri without a hint or a client_id leads nowhere', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    await tokensFor(browser, client, await given.user());
    const end = await go(browser, await endSession(browser, { post_logout_redirect_uri: after }));
    expect(end.location).toBeNull();
  });

  it('with a client_id it leads there, when the person said yes', async ({ given, browser }) => {
    const client = await given.client();
    await tokensFor(browser, client, await given.user());
    const page = await endSession(browser, {
      client_id: client.id,
      post_logout_redirect_uri: after,
    });
    expect(isOnTheWay(page)).toBe(false);
    expect(page.words).toContain('Planner');
    expect((await go(browser, page)).location?.href).toBe(after);
  });

  for (const uri of [
    'https://evil.example/signed-out',
    `${after}?foo=bar`,
    `${after}/`,
    'https://rp.example.evil.example/signed-out',
    'https://rp.example@evil.example/signed-out',
    'javascript:alert(1)',
  ])
    it(`${uri} is not registered: an error page, and the person is still signed in`, async ({
      given,
      browser,
    }) => {
      const client = await given.client();
      const { id_token } = await tokensFor(browser, client, await given.user());
      const page = await endSession(browser, {
        id_token_hint: id_token,
        post_logout_redirect_uri: uri,
      });
      expect(page.status).toBe(400);
      expect(page.location).toBeNull();
      expect(page.forms).toEqual([]);
      expect(codeOf(await silent(browser, client))).toBeTruthy();
    });

  for (const [what, change] of Object.entries<(token: string) => string>({
    'with another signature': (token) => {
      const [header, payload, signature] = token.split('.') as [string, string, string];
      return `${header}.${payload}.${signature.replace(/^./, (one) => (one === 'A' ? 'B' : 'A'))}`;
    },
    'with another payload': (token) => {
      const [header, payload, signature] = token.split('.') as [string, string, string];
      const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
      const changed = Buffer.from(JSON.stringify({ ...claims, sub: 'x' })).toString('base64url');
      return `${header}.${changed}.${signature}`;
    },
    unsigned: (token) =>
      `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`,
    'no token at all': () => 'foo',
  }))
    it(`a hint ${what} is refused, and the person is still signed in`, async ({
      given,
      browser,
      server,
    }) => {
      const client = await given.client();
      const { id_token } = await tokensFor(browser, client, await given.user());
      const page = await endSession(browser, {
        id_token_hint: change(id_token),
        post_logout_redirect_uri: after,
      });
      expect(page.status).toBe(400);
      expect(page.location).toBeNull();
      expect(codeOf(await silent(browser, client))).toBeTruthy();
      expect(server.errors).toEqual([]);
    });

  it('a hint of one application does not open the address of another', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const other = await given.client({
      name: 'Other',
      metadata: { post_logout_redirect_uris: ['https://other.example/out'] },
    });
    const { id_token } = await tokensFor(browser, client, await given.user());
    for (const params of [
      { id_token_hint: id_token, post_logout_redirect_uri: 'https://other.example/out' },
      { id_token_hint: id_token, client_id: other.id, post_logout_redirect_uri: after },
    ] as Record<string, string>[])
      expect((await endSession(browser, params)).status).toBe(400);
  });

  it('comes by POST, too, and finds the session', async ({ given, browser, program }) => {
    const client = await given.client();
    const { id_token } = await tokensFor(browser, client, await given.user());
    const form = { id_token_hint: id_token, post_logout_redirect_uri: after, state: 'posted' };
    // From another site the browser leaves the cookies at home at first.
    const sent = await program.post('/oauth/end_session', {
      form,
      headers: { origin: 'https://rp.example' },
    });
    expect(sent.status).toBe(303);
    const end = await go(browser, await browser.get(sent.location!));
    expect(said(end)).toEqual({ state: 'posted' });
    await expectSignedOut(browser, client);
    const own = await browser.post('/oauth/end_session', { form });
    expect(said(own)).toEqual({ state: 'posted' });
  });

  it('has signed out by the time the person is sent back: there is no page on the way', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const { id_token } = await tokensFor(browser, client, await given.user());
    const answer = await endSession(browser, {
      id_token_hint: id_token,
      post_logout_redirect_uri: after,
      state: 'at once',
    });
    expect([answer.status, answer.location?.href]).toEqual([303, `${after}?state=at+once`]);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(browser.cookie('ostiary_session')).toBeUndefined();
    await expectSignedOut(browser, client);
  });

  it('whoever is not signed in is sent back all the same, or told that they are out', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    const { id_token } = await tokensFor(server.agent(), client, await given.user());
    const end = await go(
      browser,
      await endSession(browser, {
        id_token_hint: id_token,
        post_logout_redirect_uri: after,
        state: 's',
      }),
    );
    expect(said(end)).toEqual({ state: 's' });
    const bare = await browser.follow(await endSession(browser, {}));
    expect([bare.status, bare.url.pathname]).toEqual([200, '/oauth/end_session/success']);
  });

  it('the confirmation is a form of ours: one that a stranger made up does nothing', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    await tokensFor(browser, client, await given.user());
    await endSession(browser, {});
    for (const form of [{ logout: 'yes' }, { logout: 'yes', xsrf: 'x' }] as Record<
      string,
      string
    >[])
      expect((await browser.post('/oauth/end_session/confirm', { form })).status).toBe(400);
    expect(codeOf(await silent(browser, client))).toBeTruthy();
  });

  it('ends the session at every application; offline access outlives it, since it was meant to', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const other = await given.client({ name: 'Other' });
    const ann = await given.user();
    const first = await tokensFor(browser, client, ann);
    const second = await tokensFor(browser, other, ann);
    const lasting = await tokensFor(browser, await given.client({ name: 'Phone' }), ann, {
      scope: 'openid offline_access',
    });
    await go(browser, await endSession(browser, { id_token_hint: first.id_token }));
    for (const { access_token } of [first, second])
      expect((await userinfo(program, access_token)).status).toBe(401);
    expect((await userinfo(program, lasting.access_token)).status).toBe(200);
  });

  it('the old session cookie is dead', async ({ given, browser, server }) => {
    const client = await given.client();
    const { id_token } = await tokensFor(browser, client, await given.user());
    const thief = server.agent();
    for (const name of ['ostiary_session', 'ostiary_session.sig'])
      thief.setCookie(name, browser.cookie(name)!);
    expect(codeOf(await silent(thief, client))).toBeTruthy();
    for (const name of ['ostiary_session', 'ostiary_session.sig'])
      thief.setCookie(name, browser.cookie(name)!);
    await go(browser, await endSession(browser, { id_token_hint: id_token }));
    await expectSignedOut(thief, client);
    expect(browser.cookie('ostiary_session')).toBeUndefined();
  });
});
