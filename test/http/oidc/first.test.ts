import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { codeOf, redeem, refresh, signIn, tokensFor, userinfo } from '#test/support/sign-in.ts';

describe('signing in', () => {
  it('gives the application a code for a person who proves who they are', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'], number: '7' });
    const ann = await given.user('ann@acme.example', { of: acme });
    const client = await given.client();

    const answer = await signIn(browser, client, ann, {
      scope: 'openid email organization offline_access',
    });
    expect(answer.location?.origin).toBe('https://rp.example');
    const tokens = (await redeem(browser, client, codeOf(answer))).json;
    expect(tokens).toMatchObject({ token_type: 'Bearer', refresh_token: expect.any(String) });
    const info = (await userinfo(browser, tokens.access_token)).json;
    expect(info).toMatchObject({
      sub: ann.id,
      email: 'ann@acme.example',
      org: acme.id,
      org_name: 'Acme',
      org_number: '7',
    });
    const again = await refresh(browser, client, tokens.refresh_token);
    expect(again.status).toBe(200);
    expect((await refresh(browser, client, tokens.refresh_token)).json).toMatchObject({
      error: 'invalid_grant',
    });
    expect((await refresh(browser, client, again.json.refresh_token)).json).toMatchObject({
      error: 'invalid_grant',
    });
    const silent = await signIn(browser, client, ann, { prompt: 'none' });
    expect(codeOf(silent)).toBeTruthy();
    expect(server.errors).toEqual([]);
    void tokensFor;
  });
});
