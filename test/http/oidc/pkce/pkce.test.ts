import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { asClient, authorizeUrl, codeOf, pkce, redeem, signIn } from '#test/support/sign-in.ts';
import { said, spa } from '../support.ts';

describe('RFC 7636: proof key for code exchange', () => {
  it('S256 with the right verifier gives tokens', async ({ given, browser }) => {
    const client = await given.client(spa);
    const answer = await redeem(
      browser,
      client,
      codeOf(await signIn(browser, client, await given.user())),
    );
    expect(answer.status).toBe(200);
  });

  it('plain is refused, and so is a challenge without a method, which would mean plain', async ({
    given,
    browser,
  }) => {
    for (const client of [await given.client(spa), await given.client()])
      for (const code_challenge_method of ['plain', 'S512', null])
        expect(
          said(await browser.get(authorizeUrl(client, { code_challenge_method })))['error'],
        ).toBe('invalid_request');
  });

  it('a public client must send a challenge', async ({ given, browser }) => {
    const client = await given.client(spa);
    const answer = await browser.get(
      authorizeUrl(client, { code_challenge: null, code_challenge_method: null }),
    );
    expect(said(answer)['error']).toBe('invalid_request');
  });

  it('so must a confidential one that was registered to', async ({ given, browser }) => {
    const client = await given.client({ metadata: { require_pkce: true } });
    const answer = await browser.get(
      authorizeUrl(client, { code_challenge: null, code_challenge_method: null }),
    );
    expect(said(answer)['error']).toBe('invalid_request');
  });

  it('a wrong verifier is refused, and the code is good for the right one still', async ({
    given,
    browser,
  }) => {
    const client = await given.client(spa);
    const code = codeOf(await signIn(browser, client, await given.user()));
    for (const code_verifier of [pkce().verifier, 'x', 'ü'.repeat(43)]) {
      const answer = await redeem(browser, client, code, { code_verifier });
      expect(answer.status).toBe(400);
      expect(answer.json.error).toMatch(/^invalid_(grant|request)$/);
    }
    expect((await redeem(browser, client, code)).status).toBe(200);
  });

  it('an omitted verifier is refused', async ({ given, browser }) => {
    for (const client of [await given.client(spa), await given.client({ name: 'Web' })]) {
      const code = codeOf(
        await signIn(
          browser,
          client,
          await given.user(`${client.id.toLowerCase().replace(/[^a-z0-9]/g, '')}@acme.example`),
        ),
      );
      browser.forgetCookies();
      const answer = await asClient(browser, '/oauth/token', client, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: client.redirectUri,
      });
      expect(answer.json.error).toBe('invalid_grant');
    }
  });

  it('the challenge itself is no verifier', async ({ given, browser }) => {
    const client = await given.client(spa);
    const { challenge } = pkce();
    const page = await signIn(browser, client, await given.user(), { code_challenge: challenge });
    const answer = await redeem(browser, client, codeOf(page), { code_verifier: challenge });
    expect(answer.json.error).toBe('invalid_grant');
  });

  it('a verifier for a code that was asked for without a challenge is refused: nobody downgrades', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const code = codeOf(
      await signIn(browser, client, await given.user(), {
        code_challenge: null,
        code_challenge_method: null,
      }),
    );
    const answer = await redeem(browser, client, code, { code_verifier: pkce().verifier });
    expect(answer.json.error).toBe('invalid_grant');
  });

  it('a challenge that is too short, too long or of other characters is refused', async ({
    given,
    browser,
  }) => {
    const client = await given.client(spa);
    for (const code_challenge of ['x', 'x'.repeat(129), `${'x'.repeat(42)}!`])
      expect(said(await browser.get(authorizeUrl(client, { code_challenge })))['error']).toBe(
        'invalid_request',
      );
  });
});
