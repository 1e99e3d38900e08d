import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { authorizeUrl, codeOf, redeem, signIn } from '#test/support/sign-in.ts';
import { native, said } from '../support.ts';

describe('RFC 9700, section 2.1: redirect URIs match exactly', () => {
  for (const redirect_uri of [
    'https://rp.example/cb/',
    'https://rp.example/cb2',
    'https://rp.example/cb/../evil',
    'https://rp.example/%63b',
    'https://rp.example/cb%2e%2e/evil',
    'https://rp.example/cb?x=1',
    'https://rp.example/cb#fragment',
    'https://rp.example/CB',
    'https://RP.example/cb',
    'https://rp.example:443/cb',
    'https://rp.example:8443/cb',
    'http://rp.example/cb',
    'https://rp.example.evil.example/cb',
    'https://rp.example@evil.example/cb',
    'https://rp.example\\@evil.example/cb',
    'https://user@rp.example/cb',
    'https://sub.rp.example/cb',
    'https://rp.example/cb ',
    ' https://rp.example/cb',
    '//rp.example/cb',
    '/cb',
    'javascript:alert(1)',
    'data:text/html,x',
    'https://evil.example/cb',
    'http://127.0.0.1/cb',
  ])
    it(`${redirect_uri} is not https://rp.example/cb: a page says so, and nobody is sent anywhere`, async ({
      given,
      browser,
      server,
    }) => {
      const client = await given.client();
      await signIn(browser, client, await given.user());
      const answer = await browser.get(authorizeUrl(client, { redirect_uri }));
      expect(answer.status).toBe(400);
      expect(answer.location).toBeNull();
      expect(answer.text).not.toContain(redirect_uri.trim());
      expect(server.errors).toEqual([]);
    });

  it('an omitted redirect_uri is refused, although only one is registered', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    await signIn(browser, client, await given.user());
    const answer = await browser.get(authorizeUrl(client, { redirect_uri: null }));
    expect(answer.status).toBe(400);
    expect(answer.location).toBeNull();
  });

  it('two of them are refused', async ({ given, browser, server }) => {
    const client = await given.client();
    const answer = await browser.get(
      `${authorizeUrl(client)}&redirect_uri=${encodeURIComponent('https://evil.example/cb')}`,
    );
    expect(answer.status).toBe(400);
    expect(answer.location).toBeNull();
    expect(server.errors).toEqual([]);
  });

  it('an error of the request is not told to an address that is not registered', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const answer = await browser.get(
      authorizeUrl(client, {
        redirect_uri: 'https://evil.example/cb',
        response_type: 'token',
        scope: 'openid\u0001',
      }),
    );
    expect(answer.status).toBe(400);
    expect(answer.location).toBeNull();
  });

  it('a query of the registered address stays, and the answer is added to it', async ({
    given,
    browser,
  }) => {
    const client = await given.client({ redirectUri: 'https://rp.example/cb?tenant=a%20b' });
    const answer = await signIn(browser, client, await given.user());
    expect(answer.location?.searchParams.get('tenant')).toBe('a b');
    expect((await redeem(browser, client, codeOf(answer))).status).toBe(200);
  });

  it('what comes after ours in an address leads nowhere: return, next, RelayState, goto', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const evil = 'https://evil.example/';
    const answer = await signIn(browser, client, await given.user(), {
      return: evil,
      next: evil,
      RelayState: evil,
      goto: evil,
      redirect: evil,
      post_logout_redirect_uri: evil,
    });
    expect(answer.location?.origin).toBe('https://rp.example');
  });
});

describe('what may be registered', () => {
  for (const redirectUri of [
    'http://rp.example/cb',
    'http://127.0.0.1.evil.example/cb',
    'http://10.0.0.1/cb',
    'http://localhost.evil.example/cb',
    'https://rp.example/cb#fragment',
    'javascript:alert(1)',
    'data:text/html,x',
    'com.example.app:/cb',
  ])
    it(`a web application at ${redirectUri} is refused`, async ({ given, browser, server }) => {
      const client = await given.client({ redirectUri });
      const answer = await browser.get(authorizeUrl(client));
      expect(answer.status).toBe(400);
      expect(answer.location).toBeNull();
      await expect(
        (server.app.provider().Client as unknown as Validates).validate({
          client_id: 'x',
          client_secret: 'x',
          redirect_uris: [redirectUri],
        }),
      ).rejects.toThrow(/invalid_(client_metadata|redirect_uri)/);
      expect(server.errors).toEqual([]);
    });

  for (const post_logout of ['http://rp.example/out', 'javascript:alert(1)'])
    it(`so is one that wants to go to ${post_logout} after signing out`, async ({
      given,
      browser,
    }) => {
      const client = await given.client({
        metadata: { post_logout_redirect_uris: [post_logout] },
      });
      expect((await browser.get(authorizeUrl(client))).status).toBe(400);
    });

  for (const redirectUri of [
    'http://localhost:3001/cb',
    'http://127.0.0.1:3001/cb',
    'http://[::1]:3001/cb',
  ])
    it(`${redirectUri} is the developer's own machine, and allowed`, async ({ given, browser }) => {
      const client = await given.client({ redirectUri });
      expect(codeOf(await signIn(browser, client, await given.user()))).toBeTruthy();
    });
});

interface Validates {
  validate(metadata: object): Promise<void>;
}

describe('RFC 8252: native applications', () => {
  for (const redirect_uri of [
    'http://127.0.0.1:49152/callback',
    'http://127.0.0.1:1/callback',
    'http://127.0.0.1/callback',
  ])
    it(`listen on the loopback address at any port: ${redirect_uri}`, async ({
      given,
      browser,
    }) => {
      const client = { ...(await given.client(native)), redirectUri: redirect_uri };
      const answer = await signIn(browser, client, await given.user());
      expect(answer.location?.href.startsWith(`${redirect_uri}?`)).toBe(true);
      expect((await redeem(browser, client, codeOf(answer))).status).toBe(200);
    });

  it('a code is bound to the port it was asked for', async ({ given, browser }) => {
    const client = {
      ...(await given.client(native)),
      redirectUri: 'http://127.0.0.1:49152/callback',
    };
    const code = codeOf(await signIn(browser, client, await given.user()));
    const other = await redeem(browser, client, code, {
      redirect_uri: 'http://127.0.0.1:49153/callback',
    });
    expect(other.json.error).toBe('invalid_grant');
  });

  for (const redirect_uri of [
    'http://127.0.0.1:49152/callback/',
    'http://127.0.0.1:49152/other',
    'http://127.0.0.2:49152/callback',
    'http://localhost:49152/callback',
    'https://127.0.0.1:49152/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://127.0.0.1@evil.example/callback',
    'http://127.0.0.1:49152@evil.example/callback',
  ])
    it(`but nothing else: ${redirect_uri}`, async ({ given, browser }) => {
      const client = await given.client(native);
      const answer = await browser.get(authorizeUrl(client, { redirect_uri }));
      expect(answer.status).toBe(400);
      expect(answer.location).toBeNull();
    });

  it('may have a scheme of their own, in reverse domain order', async ({ given, browser }) => {
    const client = await given.client({ ...native, redirectUri: 'com.example.app:/cb' });
    const answer = await signIn(browser, client, await given.user());
    expect(answer.location?.protocol).toBe('com.example.app:');
  });

  it('a web application gets no such freedom of ports', async ({ given, browser }) => {
    const client = await given.client({ redirectUri: 'http://127.0.0.1:3001/cb' });
    const answer = await browser.get(
      authorizeUrl(client, { redirect_uri: 'http://127.0.0.1:3002/cb' }),
    );
    expect(answer.status).toBe(400);
  });

  it('a first-party one signs in silently where somebody is signed in', async ({
    given,
    browser,
  }) => {
    const client = await given.client(native);
    await signIn(browser, client, await given.user());
    expect(said(await browser.get(authorizeUrl(client, { prompt: 'none' })))).toHaveProperty(
      'code',
    );
  });
});
