import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { asClient, codeOf, redeem, signIn, tokensFor } from '#test/support/sign-in.ts';
import { native, spa } from '../support.ts';

const origin = 'https://spa.example';

describe('Fetch: cross-origin requests of single-page applications', () => {
  for (const path of ['/oauth/token', '/oauth/userinfo', '/oauth/revoke', '/oauth/par'])
    it(`a browser may ask ${path} whether it may`, async ({ program }) => {
      const answer = await program.send(path, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,dpop',
        },
      });
      expect(answer.status).toBe(204);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-headers': 'authorization,dpop',
        'access-control-allow-methods': expect.stringContaining('POST'),
      });
      expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
    });

  it('an application calls from where it is redirected to', async ({ given, browser, server }) => {
    const client = await given.client(spa);
    const code = codeOf(await signIn(browser, client, await given.user()));
    const calling = server.agent({ cookies: false });
    calling.headers = { origin };
    const answer = await redeem(calling, client, code);
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    expect(answer.headers['vary']).toContain('Origin');
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
    const info = await calling.get('/oauth/userinfo', {
      headers: { authorization: `Bearer ${answer.json.access_token}` },
    });
    expect(info.status).toBe(200);
    expect(info.headers['access-control-allow-origin']).toBe(origin);
    expect(info.headers['access-control-expose-headers']).toContain('DPoP-Nonce');
  });

  for (const foreign of [
    'https://evil.example',
    'null',
    'http://spa.example',
    'https://spa.example.evil.example',
  ])
    it(`but not from ${foreign}`, async ({ given, browser, server }) => {
      const client = await given.client(spa);
      const ann = await given.user();
      const code = codeOf(await signIn(browser, client, ann));
      const calling = server.agent({ cookies: false });
      calling.headers = { origin: foreign };
      const answer = await redeem(calling, client, code);
      expect(answer.status).toBe(400);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
      expect(answer.text).not.toContain('access_token');
      const tokens = (await redeem(browser, client, code)).json;
      const info = await calling.get('/oauth/userinfo', {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      });
      expect(info.status).toBe(400);
      expect(info.headers).not.toHaveProperty('access-control-allow-origin');
    });

  it('an application may register further origins', async ({ given, browser, server }) => {
    const client = await given.client({
      metadata: { ...spa.metadata, cors_origins: ['https://other.example'] },
      redirectUri: spa.redirectUri,
    });
    const { access_token } = await tokensFor(browser, client, await given.user());
    const calling = server.agent({ cookies: false });
    const ask = (from: string) =>
      calling.get('/oauth/userinfo', {
        headers: { authorization: `Bearer ${access_token}`, origin: from },
      });
    expect((await ask('https://other.example')).status).toBe(200);
    expect((await ask(origin)).status).toBe(400);
  });

  it('applications with a secret and native ones do not run in browsers', async ({
    given,
    server,
  }) => {
    const calling = server.agent({ cookies: false });
    for (const client of [await given.client(), await given.client(native)]) {
      const answer = await asClient(
        calling,
        '/oauth/revoke',
        client,
        { token: 'x' },
        { origin: new URL(client.redirectUri).origin },
      );
      expect(answer.status).toBe(400);
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('pages and the authorization endpoint are for nobody else to read', async ({
    given,
    browser,
  }) => {
    const client = await given.client(spa);
    for (const path of ['/oauth/authorize', '/oauth/end_session', '/device', '/oauth/introspect']) {
      const answer = await browser.get(`${path}?client_id=${client.id}`, { headers: { origin } });
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });
});
