import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { acceptAll, codeOf, redeem, refresh } from '#test/support/sign-in.ts';
import { connected, dan, leave, provider, refusals, signInUpstream } from './support.ts';

const acmeIdp = provider();

describe('a first sign-in through the company', () => {
  it('makes the person, member of the account, once the terms are accepted', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await connected(given, acme, acmeIdp);
    await given.terms();
    const client = await given.client({ requiresAccount: true });
    acmeIdp.person = dan;

    const away = await leave(browser, client, 'dan@acme.example');
    expect(away.location?.origin).toBe(acmeIdp.issuer);
    expect(Object.fromEntries(away.location!.searchParams)).toMatchObject({
      response_type: 'code',
      login_hint: 'dan@acme.example',
      code_challenge_method: 'S256',
      scope: 'openid profile email',
    });

    const terms = await signInUpstream(server.agent(), client, 'dan@acme.example');
    expect(terms.words).toContain('Before you continue');
    const again = server.agent();
    const back = await acceptAll(again, await signInUpstream(again, client, 'dan@acme.example'));
    const tokens = (await redeem(again, client, codeOf(back))).json;
    expect(tokens.id_token).toBeDefined();
    const [user] = await given.rows(
      `select email, given_name, family_name, country, identity, source, affiliation, account_id
       from users`,
    );
    expect(user).toEqual({
      email: 'dan@acme.example',
      given_name: 'Dan',
      family_name: 'Dale',
      country: 'US',
      identity: 'ready',
      source: 'jit',
      affiliation: 'member',
      account_id: acme.id,
    });
    expect(await refusals(given)).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it('hands out tokens that a refresh renews', async ({ given, browser }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await connected(given, acme, acmeIdp);
    const client = await given.client();
    acmeIdp.person = dan;
    const back = await signInUpstream(browser, client, dan.email, {
      scope: 'openid offline_access',
    });
    const tokens = (await redeem(browser, client, codeOf(back))).json;
    expect((await refresh(browser, client, tokens.refresh_token)).status).toBe(200);
  });
});
