import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import {
  asClient,
  authorizeUrl,
  basic,
  signIn,
  tokensFor,
  typePassword,
} from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';
import { raw, said, verbatim } from '../support.ts';

const programs = [
  '/oauth/token',
  '/oauth/introspect',
  '/oauth/revoke',
  '/oauth/par',
  '/oauth/device_authorization',
  '/oauth/userinfo',
];
const pages = ['/oauth/authorize', '/oauth/end_session', '/oauth/end_session/confirm', '/device'];

/** How much the engine keeps: what is refused leaves nothing behind. */
async function kept(given: World): Promise<number> {
  const [row] = await given.rows<{ count: number }>(
    `select ((select count(*) from oidc_artifacts) + (select count(*) from oidc_grants)
       + (select count(*) from oidc_sessions where user_id is not null))::int as count`,
  );
  return row!.count;
}

const parameters = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'prompt',
  'max_age',
  'ui_locales',
  'claims_locales',
  'login_hint',
  'id_token_hint',
  'acr_values',
  'display',
  'claims',
  'resource',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
  'registration',
  'dpop_jkt',
];

const nasty: Record<string, string> = {
  'a NUL': 'a%00b',
  'a lone surrogate': '%ED%A0%80',
  'broken UTF-8': '%FF%FE%C3',
  'a broken escape': '%E0%A4%A',
  'line breaks': 'a%0d%0aSet-Cookie:%20x=y',
  'control characters': '%01%02%1b%7f',
  'right to left': '%E2%80%AE',
  markup: '%3Csvg%20onload%3Dalert(1)%3E%22%27',
  'a template': '%7B%7B7*7%7D%7D%24%7B7*7%7D',
  'a prototype': '__proto__',
  nothing: '',
};

describe('whatever the parameters of an authorization request hold, it is answered', () => {
  for (const name of parameters)
    it(`${name}: a page or an error, never a failure`, async ({ given, browser, server }) => {
      const client = await given.client();
      const good = new URLSearchParams(authorizeUrl(client).split('?')[1]);
      good.delete(name);
      for (const [what, value] of Object.entries(nasty)) {
        const answer = await verbatim(
          server.url,
          'GET',
          `/oauth/authorize?${good}&${name}=${value}`,
        );
        expect([what, answer.status < 500]).toEqual([what, true]);
        expect(answer.text).not.toContain('<svg');
        expect(answer.headers).not.toHaveProperty('x-injected');
        expect(JSON.stringify(answer.headers['set-cookie'] ?? '')).not.toContain('x=y');
      }
      expect(server.errors).toEqual([]);
      void browser;
    });

  it('twice is once too often, for each of them but resource', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    for (const name of parameters.filter((one) => one !== 'resource')) {
      const url = `${authorizeUrl(client)}&${name}=x&${name}=y`;
      const answer = await browser.get(url);
      expect(answer.status).toBeLessThan(500);
      const known = !['client_id', 'redirect_uri'].includes(name) && answer.location !== null;
      if (known) expect([name, said(answer)['error']]).toEqual([name, 'invalid_request']);
      else expect([name, answer.status]).toEqual([name, 400]);
    }
    expect(server.errors).toEqual([]);
    expect(await kept(given)).toBe(0);
  });

  it('as objects and lists they are nothing', async ({ given, browser, server }) => {
    const client = await given.client();
    for (const name of ['scope', 'state', 'client_id', 'claims', 'prompt'])
      for (const suffix of ['[]', '[a]', '[__proto__]', '.x']) {
        const answer = await browser.get(`${authorizeUrl(client)}&${name}${suffix}=x`);
        expect(answer.status).toBeLessThan(400);
      }
    expect(server.errors).toEqual([]);
  });

  it('one of 100 KB is refused before it is looked at', async ({ given, server }) => {
    const client = await given.client();
    const long = 'x'.repeat(100_000);
    for (const name of ['state', 'client_id', 'scope', 'claims', 'login_hint', 'nonce']) {
      const form = new URLSearchParams(authorizeUrl(client).split('?')[1]);
      form.set(name, long);
      const byGet = await raw(
        server.url,
        `GET /oauth/authorize?${form} HTTP/1.1\r\nHost: ${new URL(server.url).host}\r\nConnection: close\r\n\r\n`,
      );
      expect(byGet.status).toBeOneOf([431, 0]);
      const byPost = await server.agent().post('/oauth/authorize', { form });
      expect(byPost.status).toBe(413);
    }
    expect(server.errors).toEqual([]);
    expect(await kept(given)).toBe(0);
  });

  it('ten KB of state come back as they went', async ({ given, browser }) => {
    const client = await given.client();
    const state = 'x'.repeat(10_000);
    expect(said(await browser.get(authorizeUrl(client, { state, prompt: 'none' })))['state']).toBe(
      state,
    );
  });

  it('U+0000 and lone surrogates inside the JSON of claims are refused, as are depth and size', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    const deep = `${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`;
    for (const claims of [
      '{"userinfo":{"name":{"value":"a\\u0000b"}}}',
      '{"userinfo":{"a\\u0000b":null}}',
      '{"id_token":{"sub":{"value":"\\ud800"}}}',
      '{"userinfo":{"__proto__":{"x":1},"constructor":null}}',
      `{"userinfo":${deep}}`,
    ]) {
      const url = authorizeUrl(client, { claims });
      const answer =
        url.length < 15_000
          ? await browser.get(url)
          : await browser.post('/oauth/authorize', {
              form: new URLSearchParams(url.split('?')[1]),
            });
      expect(answer.status).toBeLessThan(500);
    }
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    expect(server.errors).toEqual([]);
  });

  it('a request with U+0000 in claims leaves nothing, and signs nobody in', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    await signIn(browser, client, ann);
    const before = await kept(given);
    const claims = '{"userinfo":{"name":{"value":"a\\u0000b"}}}';
    const answer = await browser.get(authorizeUrl(client, { claims }));
    expect(said(answer)['error']).toBe('invalid_request');
    expect(await kept(given)).toBe(before);
    const pushed = await asClient(browser, '/oauth/par', client, {
      ...Object.fromEntries(new URLSearchParams(authorizeUrl(client).split('?')[1])),
      claims,
    });
    expect(pushed.status).toBeLessThan(500);
    if (pushed.status === 201) {
      const later = await browser.get(
        `/oauth/authorize?${new URLSearchParams({ client_id: client.id, request_uri: pushed.json.request_uri })}`,
      );
      expect(said(later)['error']).toBe('invalid_request');
    }
    expect(server.errors).toEqual([]);
  });
});

describe('programs that send nonsense are told so', () => {
  for (const path of programs)
    it(`${path}: other content types, broken bodies, other methods`, async ({
      given,
      program,
      server,
    }) => {
      const client = await given.client();
      const headers = basic(client);
      const bodies: [string | undefined, string | Buffer][] = [
        ['application/json', '{"grant_type":"authorization_code"}'],
        ['application/json', '{'],
        ['multipart/form-data; boundary=x', '--x--'],
        ['text/plain', 'grant_type=authorization_code'],
        ['application/xml', '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'],
        ['application/x-www-form-urlencoded', 'grant_type=%00&code=%00&scope=%00'],
        ['application/x-www-form-urlencoded', '%'],
        ['application/x-www-form-urlencoded', '=&&&=&'],
        ['application/x-www-form-urlencoded', Buffer.from([0xff, 0xfe, 0x3d, 0x80])],
        ['application/x-www-form-urlencoded; charset=utf-16', 'grant_type=x'],
        ['application/x-www-form-urlencoded; charset=nonsense', 'grant_type=x'],
        ['application/x-www-form-urlencoded', 'x'.repeat(100_000)],
        ['application/x-www-form-urlencoded', `token=${'x'.repeat(100_000)}`],
        ['application/x-www-form-urlencoded', 'grant_type=a&grant_type=b&token=a&token=b'],
        [undefined, ''],
        ['', 'x'],
      ];
      for (const [type, body] of bodies) {
        const answer = await program.post(path, {
          body,
          headers: { ...headers, ...(type !== undefined && { 'content-type': type }) },
        });
        expect([
          type,
          String(body).slice(0, 30),
          answer.status >= 400 && answer.status < 500,
        ]).toEqual([type, String(body).slice(0, 30), true]);
        if (answer.text !== '') expect(answer.json.error).toEqual(expect.any(String));
      }
      for (const method of ['PUT', 'PATCH', 'DELETE', 'PROPFIND', 'TRACE', 'HEAD', 'GET']) {
        const answer = await program.send(path, { method });
        expect([method, answer.status >= 400 && answer.status < 500]).toEqual([method, true]);
      }
      expect(server.errors).toEqual([]);
      expect(await kept(given)).toBe(0);
    });

  it('credentials that are none are refused', async ({ given, program, server }) => {
    const client = await given.client();
    const encoded = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    for (const authorization of [
      'Basic',
      'Basic ',
      'Basic %%%',
      encoded(''),
      encoded(':'),
      encoded('x'),
      encoded(`${client.id}:`),
      encoded(`${client.id}:\0`),
      encoded('\0:\0'),
      encoded(`%00:%00`),
      encoded(`%E0%A4%A:x`),
      encoded(`${'x'.repeat(10_000)}:x`),
      encoded(`__proto__:x`),
      'Bearer x',
      'Digest username="x"',
      'Basic eA== eA==',
    ]) {
      const answer = await program.post('/oauth/introspect', {
        form: { token: 'x' },
        headers: { authorization, accept: 'application/json' },
      });
      expect([authorization, [400, 401].includes(answer.status)]).toEqual([authorization, true]);
      expect(answer.json.error).toMatch(/^invalid_(request|client)$/);
    }
    expect(server.errors).toEqual([]);
  });

  it('bearer tokens that are none are refused', async ({ program, server }) => {
    for (const authorization of [
      'Bearer',
      'Bearer ',
      'Bearer x y',
      'Bearer \u00ff',
      `Bearer ${'x'.repeat(12_000)}`,
      'Bearer a.b.c',
      'Bearer h:x',
      'bearer x',
      'DPoP x',
      'Basic eDp4',
    ]) {
      const answer = await program.get('/oauth/userinfo', {
        headers: { authorization, accept: 'application/json' },
      });
      expect([authorization, [400, 401].includes(answer.status)]).toEqual([authorization, true]);
    }
    expect(server.errors).toEqual([]);
  });

  it('two ways to authenticate at once are one too many', async ({ given, program }) => {
    const client = await given.client();
    const answer = await program.post('/oauth/introspect', {
      form: { token: 'x', client_id: client.id, client_secret: client.secret },
      headers: basic(client),
    });
    expect(answer.json.error).toBe('invalid_request');
  });

  it('NUL and other impossible texts in each parameter of the token endpoint', async ({
    given,
    program,
    server,
  }) => {
    const client = await given.client({
      metadata: {
        grant_types: [
          'authorization_code',
          'refresh_token',
          'client_credentials',
          'urn:ietf:params:oauth:grant-type:device_code',
        ],
      },
    });
    for (const grant_type of [
      'authorization_code',
      'refresh_token',
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:device_code',
      '\0',
      'x'.repeat(5000),
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'implicit',
    ])
      for (const bad of ['a\0b', '\ud800', '\u202e', 'x'.repeat(5000)]) {
        const answer = await asClient(program, '/oauth/token', client, {
          grant_type,
          code: bad,
          refresh_token: bad,
          device_code: bad,
          code_verifier: bad,
          redirect_uri: bad,
          scope: bad,
          resource: bad,
        });
        expect([grant_type, answer.status]).toEqual([grant_type, 400]);
        expect(answer.json.error).toEqual(expect.any(String));
      }
    expect(server.errors).toEqual([]);
    expect(await kept(given)).toBe(0);
  });
});

describe('pages that are sent nonsense say so', () => {
  for (const path of pages)
    it(`${path}: other content types and other methods`, async ({ given, browser, server }) => {
      for (const [type, body] of [
        ['application/json', '{}'],
        ['text/plain', 'x=y'],
        ['multipart/form-data; boundary=x', '--x--'],
        ['application/x-www-form-urlencoded', '%00'],
        ['application/x-www-form-urlencoded', 'a=1#b&user_code=%00&xsrf=%00'],
        ['application/x-www-form-urlencoded', 'x'.repeat(100_000)],
      ]) {
        const answer = await browser.post(path, {
          body: body!,
          headers: { 'content-type': type! },
        });
        expect([path, type, answer.status >= 400 && answer.status < 500]).toEqual([
          path,
          type,
          true,
        ]);
      }
      for (const method of ['PUT', 'PATCH', 'DELETE', 'PROPFIND', 'TRACE']) {
        const answer = await browser.send(path, { method });
        expect([method, answer.status]).toEqual([method, expect.toBeOneOf([400, 404, 405])]);
      }
      expect(server.errors).toEqual([]);
      expect(await kept(given)).toBe(0);
    });

  it('says which methods an address takes, and takes those', async ({ program, server }) => {
    for (const [path, allow] of [
      ['/oauth/token', 'POST, OPTIONS'],
      ['/oauth/introspect', 'POST, OPTIONS'],
      ['/oauth/revoke', 'POST, OPTIONS'],
      ['/oauth/par', 'POST, OPTIONS'],
      ['/oauth/device_authorization', 'POST, OPTIONS'],
      ['/oauth/end_session/confirm', 'POST, OPTIONS'],
      ['/oauth/jwks', 'GET, HEAD, OPTIONS'],
      ['/.well-known/openid-configuration', 'GET, HEAD, OPTIONS'],
    ] as const) {
      const method = allow.startsWith('POST') ? 'GET' : 'POST';
      const answer = await program.send(path, { method });
      expect([path, answer.status, answer.headers.allow]).toEqual([path, 405, allow]);
    }
    expect(server.errors).toEqual([]);
  });

  for (const path of [
    '/oauth/authorize/x',
    '/oauth/authorize/%00',
    '/oauth/authorize/%ff',
    '/oauth/authorize/__proto__',
    `/oauth/authorize/${'x'.repeat(5000)}`,
    '/device/x',
    '/device/%00',
    '/oauth/end_session/success?client_id=nobody',
    '/oauth/end_session/success?client_id=%00',
    '/oauth/end_session?id_token_hint=x',
    '/oauth/end_session?client_id=nobody',
    '/device?user_code=%3Csvg%3E',
    '/oauth/',
    '/oauth/nothing',
    '/oauth/%74oken',
    '/.well-known/openid-configuration/',
    '/.well-known/nothing',
  ])
    it(`${path.slice(0, 60)} is answered`, async ({ server }) => {
      const answer = await verbatim(server.url, 'GET', path);
      expect(answer.status).toBeLessThan(500);
      expect(answer.text).not.toContain('<svg');
      expect(server.errors).toEqual([]);
    });

  it('endpoints are not mixed up: what one gives the other does not take', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const tokens = await tokensFor(browser, client, ann, { scope: 'openid offline_access' });
    const begun = await browser.follow(
      await browser.get(authorizeUrl(client, { prompt: 'login' })),
    );
    const uid = begun.url.pathname.split('/')[2]!;
    const session = browser.cookie('ostiary_session')!;
    for (const wrong of [
      tokens.access_token,
      tokens.refresh_token!,
      tokens.id_token,
      uid,
      session,
    ]) {
      for (const [grant_type, name] of [
        ['authorization_code', 'code'],
        ['urn:ietf:params:oauth:grant-type:device_code', 'device_code'],
      ] as const) {
        const answer = await asClient(program, '/oauth/token', client, {
          grant_type,
          [name]: wrong,
          redirect_uri: client.redirectUri,
        });
        expect(answer.status).toBe(400);
      }
      if (wrong !== tokens.access_token) {
        const answer = await program.get('/oauth/userinfo', {
          headers: { authorization: `Bearer ${wrong}`, accept: 'application/json' },
        });
        expect(answer.status).toBe(401);
      }
      if (wrong !== tokens.refresh_token) {
        const answer = await asClient(program, '/oauth/token', client, {
          grant_type: 'refresh_token',
          refresh_token: wrong,
        });
        expect(answer.json.error).toBe('invalid_grant');
      }
      const other = server.agent();
      other.setCookie('ostiary_session', wrong);
      const silent = await other.get(authorizeUrl({ ...client }, { prompt: 'none' }));
      expect(said(silent)['error']).toBe('login_required');
    }
    expect(server.errors).toEqual([]);
  });

  it('the way back from our pages belongs to the browser that began', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    const stranger = server.agent();
    expect((await stranger.get(page.url.pathname)).status).toBe(400);
    const uid = page.url.pathname.split('/')[2]!;
    expect((await stranger.get(`/oauth/authorize/${uid}`)).status).toBe(400);
    // Early, nothing is there to go on with: the person is asked as before.
    const early = await browser.follow(await browser.get(`/oauth/authorize/${uid}`));
    expect(early.status).toBe(200);
    expect(early.location).toBeNull();
    const answer = await typePassword(browser, early, ann);
    expect(answer.location?.origin).toBe('https://rp.example');
    const again = await browser.get(`/oauth/authorize/${uid}`);
    expect(again.status).toBe(400);
    expect(server.errors).toEqual([]);
  });
});

describe('what the request says about our own address counts for nothing (security.md D-71)', () => {
  for (const path of [
    '/.well-known/openid-configuration',
    '/oauth/authorize',
    '/oauth/end_session',
    '/device',
  ])
    it(`${path}: a wrong Host is misdirected`, async ({ server }) => {
      const { host, port } = new URL(server.url);
      for (const wrong of [
        'evil.example',
        `a@evil.example`,
        `evil.example:80@${host}`,
        `${host}@evil.example`,
        `evil.${host}`,
        `localhost:${Number(port) + 1}`,
        '[::1]',
      ]) {
        const answer = await raw(
          server.url,
          `GET ${path} HTTP/1.1\r\nHost: ${wrong}\r\nConnection: close\r\n\r\n`,
        );
        expect([wrong, answer.status]).toEqual([wrong, expect.toBeOneOf([400, 421])]);
        expect(answer.text).not.toMatch(/"issuer"|location: .*evil/i);
      }
      const twice = await raw(
        server.url,
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
      );
      expect(twice.text).not.toContain('evil');
      const none = await raw(server.url, `GET ${path} HTTP/1.0\r\n\r\n`);
      expect([400, 421]).toContain(none.status);
      expect(server.errors).toEqual([]);
    });

  it('forwarded hosts, protocols and prefixes change no address of ours', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const headers = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-prefix': '/evil',
      'x-original-url': '/evil',
      'x-rewrite-url': '/evil',
      forwarded: 'host=evil.example;proto=https',
    };
    const plain = await program.get('/.well-known/openid-configuration');
    const asked = await program.get('/.well-known/openid-configuration?fresh', { headers });
    expect(asked.json).toEqual(plain.json);
    const answer = await browser.get(authorizeUrl(await given.client()), { headers });
    expect(answer.location?.origin).toBe(server.url);
    const device = await program.get('/device', { headers });
    expect(device.text).not.toContain('evil');
  });

  it('an absolute request line is no way round', async ({ server }) => {
    const { host } = new URL(server.url);
    for (const target of [
      'http://evil.example/.well-known/openid-configuration',
      'http://evil.example/oauth/authorize',
      `${server.url}/.well-known/openid-configuration`,
      '//evil.example/.well-known/openid-configuration',
      '//oauth/token',
      '*',
    ]) {
      const answer = await raw(
        server.url,
        `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      );
      expect([target, answer.status >= 400 && answer.status < 500]).toEqual([target, true]);
      expect(answer.text).not.toContain('"issuer"');
    }
    expect(server.errors).toEqual([]);
  });
});

describe('what every answer says to browsers (security.md D-70)', () => {
  it('pages are not framed, sniffed, stored or told on', async ({ given, browser }) => {
    const client = await given.client();
    const ann = await given.user();
    const seen = [
      await browser.follow(await browser.get(authorizeUrl(client))),
      await browser.get(authorizeUrl(client, { redirect_uri: 'https://evil.example/' })),
      await browser.get('/device'),
      await browser.get('/oauth/end_session'),
    ];
    await signIn(browser, client, ann);
    seen.push(
      await browser.get('/oauth/end_session'),
      await browser.get('/oauth/end_session/success'),
      await browser.get(authorizeUrl(client, { response_mode: 'form_post', prompt: 'none' })),
    );
    for (const page of seen) {
      expect(page.headers['content-type']).toMatch(/^text\/html; charset=utf-8/);
      expect(page.headers).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
      });
      const policy = page.headers['content-security-policy'] as string;
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain('unsafe-');
      expect(page.text).not.toMatch(/ on\w+="|<style|javascript:|https:\/\/fonts/);
    }
  });
});
