import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect } from 'vitest';
import { addSecret, revokeSecret } from '#identity/applications/manage-clients.ts';
import { it } from '#test/support/it.ts';
import {
  asClient,
  authorizeUrl,
  codeOf,
  redeem,
  signIn,
  tokensFor,
  typePassword,
  userinfo,
} from '#test/support/sign-in.ts';
import { said, silent, verified } from '../support.ts';

/** OpenID Connect Core 1.0: what the plan of the Basic OP certification looks at, and a bit more. */
describe('OpenID Connect Core: the code flow', () => {
  it('answers with code, state and iss, and nothing else', async ({ given, browser, server }) => {
    const answer = await signIn(browser, await given.client(), await given.user(), {
      state: 'a b+c&d/é',
    });
    expect(said(answer)).toEqual({
      code: expect.any(String),
      state: 'a b+c&d/é',
      iss: server.url,
    });
    expect(answer.status).toBe(303);
    expect(answer.location?.hash).toBe('');
  });

  it('leaves state out when none was sent', async ({ given, browser }) => {
    const answer = await signIn(browser, await given.client(), await given.user(), { state: null });
    expect(Object.keys(said(answer))).toEqual(['code', 'iss']);
  });

  it('gives an ID token that names issuer, subject, audience, times, and how the person proved it', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const tokens = await tokensFor(browser, client, ann, { nonce: 'n-0S6_WzA2Mj' });
    const { header, claims } = await verified(program, tokens.id_token, client.id);
    expect(header).toEqual({ alg: 'ES256', kid: expect.any(String) });
    const now = Date.now() / 1000;
    expect(claims).toMatchObject({
      iss: server.url,
      sub: ann.id,
      aud: client.id,
      nonce: 'n-0S6_WzA2Mj',
      acr: 'urn:ostiary:acr:password',
      amr: ['pwd'],
    });
    expect(claims.exp! - claims.iat!).toBe(600);
    expect(Math.abs(claims.iat! - now)).toBeLessThan(15);
    expect(Math.abs((claims['auth_time'] as number) - now)).toBeLessThan(15);
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'openid' });
  });

  it('takes a request without a nonce, and then the ID token has none', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const { id_token } = await tokensFor(browser, client, await given.user());
    expect((await verified(program, id_token, client.id)).claims).not.toHaveProperty('nonce');
  });

  it('answers of the token endpoint are not cached', async ({ given, browser }) => {
    const client = await given.client();
    const answer = await redeem(
      browser,
      client,
      codeOf(await signIn(browser, client, await given.user())),
    );
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
  });

  it('a request without response_type is refused, to the application', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    const answer = await browser.get(authorizeUrl(client, { response_type: null }));
    expect(said(answer)).toMatchObject({
      error: 'invalid_request',
      state: 'state-1',
      iss: server.url,
    });
  });

  for (const response_type of [
    'token',
    'id_token',
    'id_token token',
    'code id_token',
    'code token',
    'code id_token token',
    'banana',
  ])
    it(`never answers with tokens from the authorization endpoint: response_type=${response_type}`, async ({
      given,
      browser,
      server,
    }) => {
      const client = await given.client();
      const ann = await given.user();
      await signIn(browser, client, ann);
      const answer = await browser.get(authorizeUrl(client, { response_type, nonce: 'n' }));
      const { location } = answer;
      const params = new URLSearchParams(
        location!.hash ? location!.hash.slice(1) : location!.search,
      );
      expect(params.get('error')).toBe('unsupported_response_type');
      expect(params.get('iss')).toBe(server.url);
      for (const name of ['access_token', 'id_token', 'code']) expect(params.has(name)).toBe(false);
    });

  it('never takes a password at the token endpoint', async ({ given, program }) => {
    const client = await given.client();
    const ann = await given.user();
    const answer = await asClient(program, '/oauth/token', client, {
      grant_type: 'password',
      username: ann.email,
      password: ann.password,
      scope: 'openid',
    });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toBe('unsupported_grant_type');
  });

  it('an unknown parameter changes nothing', async ({ given, browser }) => {
    const answer = await signIn(browser, await given.client(), await given.user(), {
      extra: 'foobar',
    });
    expect(codeOf(answer)).toBeTruthy();
  });

  it('gives an opaque access token with nothing in it', async ({ given, browser }) => {
    const { access_token } = await tokensFor(browser, await given.client(), await given.user());
    expect(access_token).toMatch(/^[\w-]{43}$/);
  });

  it('offers response_type=none: signed in or not, and nothing else', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client({ metadata: { response_types: ['code', 'none'] } });
    await signIn(browser, client, await given.user());
    const answer = await silent(browser, client, { response_type: 'none' });
    expect(said(answer)).toEqual({ state: 'state-1', iss: server.url });
  });
});

describe('OpenID Connect Core, section 3.1.2.1: by GET and by POST', () => {
  it('takes an authorization request as a form', async ({ given, browser }) => {
    const client = await given.client();
    const ann = await given.user();
    const form = new URLSearchParams(authorizeUrl(client).split('?')[1]);
    const page = await browser.follow(await browser.post('/oauth/authorize', { form }));
    const answer = await typePassword(browser, page, ann);
    const { access_token } = (await redeem(browser, client, codeOf(answer))).json;
    expect((await userinfo(browser, access_token)).json.sub).toBe(ann.id);
  });

  it('finds the session when a form comes from another site, whose browser keeps our cookies back', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    await signIn(browser, client, await given.user());
    const form = new URLSearchParams(authorizeUrl(client, { prompt: 'none' }).split('?')[1]);
    const sent = await program.post('/oauth/authorize', {
      form,
      headers: { origin: 'https://rp.example' },
    });
    expect(sent.status).toBe(303);
    expect(codeOf(await browser.get(sent.location!))).toBeTruthy();
  });

  it('refuses a body that is no form', async ({ given, program, server }) => {
    const client = await given.client();
    const answer = await program.post('/oauth/authorize', { json: { client_id: client.id } });
    expect(answer.status).toBe(415);
    expect(server.errors).toEqual([]);
  });
});

describe('OpenID Connect Core, section 5.4: scopes', () => {
  for (const [scope, claims] of Object.entries({
    profile: ['name', 'given_name', 'family_name', 'preferred_username', 'updated_at'],
    email: ['email', 'email_verified'],
    address: ['address'],
    phone: ['phone_number', 'phone_number_verified'],
  }))
    it(`scope ${scope} gives ${claims.join(', ')}, from userinfo and in the ID token, and no more`, async ({
      given,
      browser,
      program,
    }) => {
      const client = await given.client();
      const ann = await given.user();
      await given.rows(`update users set phone = '+49 30 1234567' where id = $1`, [ann.id]);
      const tokens = await tokensFor(browser, client, ann, { scope: `openid ${scope}` });
      expect(tokens.scope).toBe(`openid ${scope}`);
      const info = (await userinfo(browser, tokens.access_token)).json;
      expect(Object.keys(info).sort()).toEqual(['sub', ...claims].sort());
      const { claims: inToken } = await verified(program, tokens.id_token, client.id);
      expect(inToken).toMatchObject(info);
    });

  it('all of them at once', async ({ given, browser }) => {
    const client = await given.client();
    const { access_token } = await tokensFor(browser, client, await given.user(), {
      scope: 'openid profile email address phone',
    });
    expect((await userinfo(browser, access_token)).json).toMatchObject({
      name: 'ann Archer',
      email: 'ann@acme.example',
      email_verified: expect.any(Boolean),
      address: { country: 'US' },
      updated_at: expect.any(Number),
    });
  });

  it('without openid it is OAuth: an access token, no ID token, no userinfo', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user(), { scope: 'profile' });
    expect(tokens.id_token).toBeUndefined();
    const info = await userinfo(browser, tokens.access_token);
    expect(info.status).toBe(403);
    expect(info.json.error).toBe('insufficient_scope');
    expect(info.headers['www-authenticate']).toContain('error="insufficient_scope"');
  });

  it('a scope the client is not registered for is refused', async ({ given, browser }) => {
    const client = await given.client({ metadata: { scope: 'openid email' } });
    const answer = await browser.get(authorizeUrl(client, { scope: 'openid profile' }));
    expect(said(answer)).toMatchObject({ error: 'invalid_scope', scope: 'profile' });
  });

  it('a scope nobody knows is left out', async ({ given, browser }) => {
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user(), { scope: 'openid wonder' });
    expect(tokens.scope).toBe('openid');
  });

  it('a person without a phone number has no phone_number, not an empty one', async ({
    given,
    browser,
  }) => {
    const { access_token } = await tokensFor(browser, await given.client(), await given.user(), {
      scope: 'openid phone',
    });
    expect(Object.keys((await userinfo(browser, access_token)).json)).toEqual(['sub']);
  });
});

describe('OpenID Connect Core, section 5.3: userinfo', () => {
  it('by GET and by POST with the token in the header, and by POST with it in the body', async ({
    given,
    browser,
    program,
  }) => {
    const ann = await given.user();
    const { access_token } = await tokensFor(browser, await given.client(), ann);
    const headers = { authorization: `Bearer ${access_token}`, accept: 'application/json' };
    for (const answer of [
      await program.get('/oauth/userinfo', { headers }),
      await program.post('/oauth/userinfo', { headers }),
      await program.post('/oauth/userinfo', { form: { access_token } }),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.json).toEqual({ sub: ann.id });
      expect(answer.headers['cache-control']).toBe('no-store');
    }
  });

  it('takes no token from the address, where logs would keep it', async ({
    given,
    browser,
    program,
  }) => {
    const { access_token } = await tokensFor(browser, await given.client(), await given.user());
    const answer = await program.get(`/oauth/userinfo?access_token=${access_token}`, {
      headers: { accept: 'application/json' },
    });
    expect(answer.status).toBe(400);
  });

  it('asks for a token where there is none, and refuses one that is not ours', async ({
    program,
    server,
  }) => {
    const none = await program.get('/oauth/userinfo', { headers: { accept: 'application/json' } });
    expect(none.status).toBe(401);
    // RFC 6750, section 3.1: whoever brought nothing is not told what was wrong with it.
    expect(none.headers['www-authenticate']).toMatch(/^Bearer realm="[^"]+", DPoP /);
    expect(none.headers['www-authenticate']).not.toContain('error=');
    const wrong = await userinfo(program, 'x'.repeat(43));
    expect(wrong.status).toBe(401);
    expect(wrong.headers['www-authenticate']).toContain('error="invalid_token"');
    expect(server.errors).toEqual([]);
  });
});

describe('OpenID Connect Core, section 3.1.3: the token endpoint', () => {
  it('client_secret_post works for a client that registered it, and only for it', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client({
      metadata: { token_endpoint_auth_method: 'client_secret_post' },
    });
    const ann = await given.user();
    const code = codeOf(
      await signIn(browser, client, ann, { code_challenge: null, code_challenge_method: null }),
    );
    const answer = await program.post('/oauth/token', {
      form: {
        grant_type: 'authorization_code',
        code,
        redirect_uri: client.redirectUri,
        client_id: client.id,
        client_secret: client.secret,
      },
    });
    expect(answer.status).toBe(200);
  });

  it('a wrong secret, an unknown client, and none at all are refused alike', async ({
    given,
    program,
  }) => {
    const client = await given.client();
    const grant = { grant_type: 'authorization_code', code: 'x', redirect_uri: client.redirectUri };
    const wrong = await asClient(program, '/oauth/token', { ...client, secret: 'wrong' }, grant);
    const unknown = await asClient(program, '/oauth/token', { ...client, id: 'nobody' }, grant);
    for (const answer of [wrong, unknown]) {
      expect(answer.status).toBe(401);
      expect(answer.json.error).toBe('invalid_client');
      expect(answer.headers['www-authenticate']).toContain('Basic realm=');
    }
    expect(wrong.json).toEqual(unknown.json);
    const none = await program.post('/oauth/token', { form: { ...grant, client_id: client.id } });
    expect(none.json.error).toBe('invalid_client');
  });

  it('a code that is used a second time is refused, and what it gave is revoked', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const code = codeOf(await signIn(browser, client, ann, { scope: 'openid offline_access' }));
    const tokens = (await redeem(browser, client, code)).json;
    expect((await userinfo(browser, tokens.access_token)).status).toBe(200);

    const again = await redeem(browser, client, code);
    expect(again.status).toBe(400);
    expect(again.json.error).toBe('invalid_grant');
    expect((await userinfo(browser, tokens.access_token)).status).toBe(401);
    const refreshed = await asClient(browser, '/oauth/token', client, {
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token,
    });
    expect(refreshed.json.error).toBe('invalid_grant');
  });

  it('a code is good for a minute', async ({ given, browser }) => {
    const client = await given.client();
    const code = codeOf(await signIn(browser, client, await given.user()));
    const [row] = await given.rows<{ payload: { exp: number; iat: number } }>(
      `select payload from oidc_artifacts where model = 'AuthorizationCode'`,
    );
    expect(row!.payload.exp - row!.payload.iat).toBe(60);
    await given.rows(
      `update oidc_artifacts set payload = jsonb_set(payload, '{exp}', to_jsonb(1))
       where model = 'AuthorizationCode'`,
    );
    const answer = await redeem(browser, client, code);
    expect(answer.json).toMatchObject({ error: 'invalid_grant' });
  });

  it('a code belongs to its client: another one gets nothing for it, and the owner still may', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const other = await given.client({ name: 'Other' });
    const code = codeOf(await signIn(browser, client, await given.user()));
    const stolen = await redeem(browser, { ...other, redirectUri: client.redirectUri }, code);
    expect(stolen.json.error).toBe('invalid_grant');
    expect((await redeem(browser, client, code)).status).toBe(200);
  });

  it('a code belongs to its redirect_uri, which must be sent again', async ({ given, browser }) => {
    const client = await given.client({
      metadata: { redirect_uris: ['https://rp.example/cb', 'https://rp.example/other'] },
    });
    const ann = await given.user();
    const code = codeOf(await signIn(browser, client, ann));
    const other = await redeem(browser, client, code, { redirect_uri: 'https://rp.example/other' });
    expect(other.json.error).toBe('invalid_grant');
    const omitted = await asClient(browser, '/oauth/token', client, {
      grant_type: 'authorization_code',
      code,
    });
    expect(omitted.json.error).toBe('invalid_request');
  });

  it('several secrets are alive at once; one that is revoked or has expired is dead', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    const second = await given.work((work) => addSecret(work, client.id));
    const third = await given.work((work) =>
      addSecret(work, client.id, new Date(work.now.getTime() + 60_000)),
    );
    const changed = () => server.app.foundation.database.notify('ostiary_clients', '');
    await changed();
    const works = async (secret: string): Promise<boolean> => {
      const answer = await asClient(
        browser,
        '/oauth/introspect',
        { ...client, secret },
        {
          token: 'x',
        },
      );
      expect([200, 401]).toContain(answer.status);
      return answer.status === 200;
    };
    expect([
      await works(client.secret),
      await works(second.secret),
      await works(third.secret),
    ]).toEqual([true, true, true]);
    await given.work((work) => revokeSecret(work, client.id, second.id));
    await changed();
    server.clock.advance(61);
    expect([
      await works(client.secret),
      await works(second.secret),
      await works(third.secret),
    ]).toEqual([true, false, false]);
  });

  it('a client that was disabled gets nothing', async ({ given, browser, server }) => {
    const client = await given.client();
    const ann = await given.user();
    const code = codeOf(await signIn(browser, client, ann));
    await given.rows(`update clients set disabled_at = now() where id = $1`, [client.id]);
    await server.app.foundation.database.notify('ostiary_clients', '');
    expect((await redeem(browser, client, code)).json.error).toBe('invalid_client');
    const page = await browser.get(authorizeUrl(client));
    expect(page.status).toBe(400);
    expect(page.location).toBeNull();
  });

  it('private_key_jwt: the assertion is checked, and works once', async ({
    given,
    program,
    server,
  }) => {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    const resource = await given.resource();
    const client = await given.client({
      resources: [resource],
      metadata: {
        token_endpoint_auth_method: 'private_key_jwt',
        grant_types: ['client_credentials'],
        response_types: [],
        redirect_uris: [],
        jwks: { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig', kid: 'k1' }] },
      },
    });
    let count = 0;
    const assertion = (claims: Record<string, unknown> = {}) =>
      new SignJWT({ jti: `a${(count += 1)}`, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer(client.id)
        .setSubject(client.id)
        .setIssuedAt()
        .setExpirationTime((claims['exp'] as number) ?? '1m')
        .setAudience((claims['aud'] as string) ?? server.url)
        .sign(privateKey);
    const send = (client_assertion: string) =>
      program.post('/oauth/token', {
        form: {
          grant_type: 'client_credentials',
          resource,
          scope: 'api:read',
          client_assertion,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        },
      });
    const good = await assertion();
    expect((await send(good)).status).toBe(200);
    expect((await send(good)).json.error).toBe('invalid_client');
    expect((await send(await assertion({ aud: 'https://evil.example' }))).json.error).toBe(
      'invalid_client',
    );
    expect((await send(await assertion({ exp: 1 }))).json.error).toBe('invalid_client');
    const parallel = await assertion();
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(parallel)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});
