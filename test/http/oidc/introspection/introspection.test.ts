import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { asClient, codeOf, refresh, signIn, tokensFor } from '#test/support/sign-in.ts';
import { spa } from '../support.ts';

const scope = 'openid email offline_access';

describe('RFC 7662: introspection', () => {
  it('tells the application about its own access and refresh tokens', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const tokens = await tokensFor(browser, client, ann, { scope });
    const access = await asClient(program, '/oauth/introspect', client, {
      token: tokens.access_token,
    });
    expect(access.headers['cache-control']).toBe('no-store');
    expect(access.json).toEqual({
      active: true,
      sub: ann.id,
      client_id: client.id,
      iss: server.url,
      scope,
      token_type: 'Bearer',
      iat: expect.any(Number),
      exp: access.json.iat + 600,
    });
    const refreshToken = await asClient(program, '/oauth/introspect', client, {
      token: tokens.refresh_token!,
      token_type_hint: 'refresh_token',
    });
    expect(refreshToken.json).toMatchObject({ active: true, sub: ann.id, scope });
  });

  it('a wrong hint changes nothing', async ({ given, browser, program }) => {
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user(), { scope });
    for (const token_type_hint of ['refresh_token', 'access_token', 'banana'])
      for (const token of [tokens.access_token, tokens.refresh_token!]) {
        const answer = await asClient(program, '/oauth/introspect', client, {
          token,
          token_type_hint,
        });
        expect(answer.json.active).toBe(true);
      }
  });

  it('tells strangers nothing but that it is not active, and those who are trusted everything', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const stranger = await given.client({ name: 'Stranger' });
    const api = await given.client({ name: 'API', mayIntrospect: true });
    const ann = await given.user();
    const { access_token: token } = await tokensFor(browser, client, ann);
    expect((await asClient(program, '/oauth/introspect', stranger, { token })).json).toEqual({
      active: false,
    });
    expect((await asClient(program, '/oauth/introspect', api, { token })).json).toMatchObject({
      active: true,
      sub: ann.id,
      client_id: client.id,
    });
  });

  it('a public client, and nobody in particular, may not ask', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client(spa);
    const { access_token: token } = await tokensFor(browser, client, await given.user());
    expect((await asClient(program, '/oauth/introspect', client, { token })).json).toEqual({
      active: false,
    });
    const anybody = await program.post('/oauth/introspect', { form: { token } });
    expect([anybody.status, anybody.json.error]).toEqual([401, 'invalid_client']);
    expect(anybody.headers['www-authenticate']).toContain('error="invalid_client"');
  });

  it('what was revoked, rotated, spent or never given out is not active', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const tokens = await tokensFor(browser, client, ann, { scope });
    const newer = (await refresh(program, client, tokens.refresh_token!)).json;
    const revoked = (await tokensFor(server.agent(), client, ann)).access_token;
    await asClient(program, '/oauth/revoke', client, { token: revoked });
    const code = codeOf(await signIn(browser, client, ann));
    for (const token of [
      tokens.refresh_token!,
      revoked,
      code,
      'x',
      'x'.repeat(43),
      'h:x',
      browser.cookie('ostiary_session')!,
    ])
      expect((await asClient(program, '/oauth/introspect', client, { token })).json).toEqual({
        active: false,
      });
    expect(
      (await asClient(program, '/oauth/introspect', client, { token: newer.access_token })).json
        .active,
    ).toBe(true);
    expect(server.errors).toEqual([]);
  });

  it('a token of a session that ended is not active', async ({ given, browser, program }) => {
    const client = await given.client();
    const { access_token: token } = await tokensFor(browser, client, await given.user());
    await given.rows('delete from oidc_sessions');
    expect((await asClient(program, '/oauth/introspect', client, { token })).json.active).toBe(
      false,
    );
  });

  it('no token, no answer', async ({ given, program }) => {
    const answer = await asClient(program, '/oauth/introspect', await given.client(), {});
    expect(answer.status).toBe(400);
    expect(answer.json.error).toBe('invalid_request');
  });
});
