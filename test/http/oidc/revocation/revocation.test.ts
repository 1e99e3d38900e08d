import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { asClient, codeOf, refresh, tokensFor, userinfo } from '#test/support/sign-in.ts';
import { silent, spa } from '../support.ts';

const offline = { scope: 'openid offline_access' };

describe('RFC 7009: revocation', () => {
  for (const [kind, input] of Object.entries({ confidential: {}, public: spa }))
    it(`a refresh token of a ${kind} client takes its access tokens along`, async ({
      given,
      browser,
      program,
    }) => {
      const client = await given.client(input);
      const tokens = await tokensFor(browser, client, await given.user(), offline);
      const answer = await asClient(program, '/oauth/revoke', client, {
        token: tokens.refresh_token!,
        token_type_hint: 'refresh_token',
      });
      expect(answer.status).toBe(200);
      expect(answer.text).toBe('');
      expect((await refresh(program, client, tokens.refresh_token!)).json.error).toBe(
        'invalid_grant',
      );
      expect((await userinfo(program, tokens.access_token)).status).toBe(401);
    });

  it('an access token is dead when it was revoked', async ({ given, browser, program }) => {
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user());
    await asClient(program, '/oauth/revoke', client, { token: tokens.access_token });
    expect((await userinfo(program, tokens.access_token)).status).toBe(401);
    expect(codeOf(await silent(browser, client))).toBeTruthy();
  });

  it('a token of a service', async ({ given, program }) => {
    const client = await given.client({
      metadata: { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
    });
    const token = (
      await asClient(program, '/oauth/token', client, { grant_type: 'client_credentials' })
    ).json.access_token as string;
    await asClient(program, '/oauth/revoke', client, { token });
    expect((await asClient(program, '/oauth/introspect', client, { token })).json.active).toBe(
      false,
    );
  });

  it('nobody revokes what belongs to another: they are told so, and nothing happens', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const other = await given.client({ name: 'Other' });
    const tokens = await tokensFor(browser, client, await given.user(), offline);
    const answer = await asClient(program, '/oauth/revoke', other, { token: tokens.access_token });
    expect(answer.status).toBe(400);
    expect(answer.json.error).toBe('invalid_request');
    expect((await userinfo(program, tokens.access_token)).status).toBe(200);
    expect((await refresh(program, client, tokens.refresh_token!)).status).toBe(200);
  });

  it('what nobody gave out is revoked already', async ({ given, program, server }) => {
    const client = await given.client();
    for (const token of ['x', 'x'.repeat(44), 'h:x'])
      expect((await asClient(program, '/oauth/revoke', client, { token })).status).toBe(200);
    expect(server.errors).toEqual([]);
  });

  it('without authentication nothing is revoked', async ({ given, browser, program }) => {
    const client = await given.client();
    const { access_token: token } = await tokensFor(browser, client, await given.user());
    const answer = await program.post('/oauth/revoke', { form: { token, client_id: client.id } });
    expect(answer.json.error).toBe('invalid_client');
    expect((await userinfo(program, token)).status).toBe(200);
  });
});
