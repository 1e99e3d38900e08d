import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import {
  acceptAll,
  authorizeUrl,
  codeOf,
  redeem,
  signIn,
  tokensFor,
  typePassword,
  userinfo,
} from '#test/support/sign-in.ts';
import { said, silent, verified } from '../support.ts';

/** Lets a sign-in look as if it had been some seconds ago. */
function sinceThen(seconds: number): string {
  return `update oidc_sessions set payload = jsonb_set(payload, '{loginTs}',
    to_jsonb((payload ->> 'loginTs')::int - ${seconds}))`;
}

describe('OpenID Connect Core, section 3.1.2.1: prompt', () => {
  it('prompt=none without a session gives login_required, and no page', async ({
    given,
    browser,
  }) => {
    const answer = await silent(browser, await given.client(), {});
    expect(said(answer)).toMatchObject({ error: 'login_required', state: 'state-1' });
  });

  it('prompt=none with a session gives a code for the same person and the same auth_time', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const first = await verified(
      program,
      (await tokensFor(browser, client, ann)).id_token,
      client.id,
    );
    await given.rows(sinceThen(100));
    const answer = await silent(browser, client);
    const { claims } = await verified(
      program,
      (await redeem(browser, client, codeOf(answer))).json.id_token,
      client.id,
    );
    expect(claims.sub).toBe(ann.id);
    expect(claims['auth_time']).toBe((first.claims['auth_time'] as number) - 100);
  });

  it('prompt=login asks for the password again, and auth_time is new', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    await signIn(browser, client, ann);
    await given.rows(sinceThen(100));
    const page = await browser.follow(await browser.get(authorizeUrl(client, { prompt: 'login' })));
    expect(page.status).toBe(200);
    expect(page.forms[0]!.fields).toHaveProperty('password');
    const answer = await typePassword(browser, page, ann);
    const { claims } = await verified(
      program,
      (await redeem(browser, client, codeOf(answer))).json.id_token,
      client.id,
    );
    expect(Date.now() / 1000 - (claims['auth_time'] as number)).toBeLessThan(20);
  });

  it('prompt=login can be answered by another person, whose session it is then', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    const before = await tokensFor(browser, client, ann);
    const page = await browser.follow(await browser.get(authorizeUrl(client, { prompt: 'login' })));
    const changed = await browser.get(`${page.url.pathname}?change`);
    const answer = await typePassword(browser, changed, bob);
    const { claims } = await verified(
      program,
      (await redeem(browser, client, codeOf(answer))).json.id_token,
      client.id,
    );
    expect(claims.sub).toBe(bob.id);
    expect((await userinfo(program, before.access_token)).status).toBe(401);
    expect(await given.rows('select 1 from oidc_sessions')).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });

  for (const prompt of ['create', 'none login', 'banana'])
    it(`prompt=${prompt} is refused`, async ({ given, browser }) => {
      const answer = await browser.get(authorizeUrl(await given.client(), { prompt }));
      expect(said(answer)).toMatchObject({ error: 'invalid_request' });
    });

  it('prompt=consent shows a third party on the consent page, even if it was agreed to', async ({
    given,
    browser,
  }) => {
    const client = await given.client({ firstParty: false });
    const ann = await given.user();
    const page = await signIn(browser, client, ann, { scope: 'openid email' });
    expect(page.status).toBe(200);
    expect(codeOf(await acceptAll(browser, page))).toBeTruthy();
    expect(codeOf(await silent(browser, client, { scope: 'openid email' }))).toBeTruthy();
    const again = await browser.follow(
      await browser.get(authorizeUrl(client, { prompt: 'consent', scope: 'openid email' })),
    );
    expect(again.status).toBe(200);
    expect(codeOf(await acceptAll(browser, again))).toBeTruthy();
  });

  it('prompt=none at a third party that was not agreed to gives consent_required, even for one more scope', async ({
    given,
    browser,
  }) => {
    const client = await given.client({ firstParty: false });
    const ann = await given.user();
    await acceptAll(browser, await signIn(browser, client, ann, { scope: 'openid' }));
    const answer = await silent(browser, client, { scope: 'openid email' });
    expect(said(answer)['error']).toBe('consent_required');
  });

  it('declining consent sends the person back with access_denied, signed in still', async ({
    given,
    browser,
  }) => {
    const client = await given.client({ firstParty: false });
    const page = await signIn(browser, client, await given.user());
    const decline = page.forms.find(({ action }) => action.endsWith('/decline'))!;
    expect(said(await browser.follow(await browser.submit(decline)))).toMatchObject({
      error: 'access_denied',
    });
    expect(said(await silent(browser, client))['error']).toBe('consent_required');
  });

  it('a first-party application is not consented to, not even when it asks', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    await signIn(browser, client, await given.user());
    const answer = await browser.follow(
      await browser.get(
        authorizeUrl(client, { prompt: 'consent', scope: 'openid offline_access' }),
      ),
    );
    expect(codeOf(answer)).toBeTruthy();
  });
});

describe('OpenID Connect Core, section 3.1.2.1: max_age', () => {
  it('a sign-in older than max_age is done again, and auth_time is in the ID token', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    await signIn(browser, client, ann);
    await given.rows(sinceThen(3));
    const page = await browser.follow(await browser.get(authorizeUrl(client, { max_age: '1' })));
    expect(page.forms[0]!.fields).toHaveProperty('password');
    const answer = await typePassword(browser, page, ann);
    const { claims } = await verified(
      program,
      (await redeem(browser, client, codeOf(answer))).json.id_token,
      client.id,
    );
    expect(Date.now() / 1000 - (claims['auth_time'] as number)).toBeLessThan(20);
    await given.rows(sinceThen(3));
    expect(said(await silent(browser, client, { max_age: '1' }))['error']).toBe('login_required');
  });

  it('one that is younger is good: max_age=10000', async ({ given, browser }) => {
    const client = await given.client();
    await signIn(browser, client, await given.user());
    await given.rows(sinceThen(500));
    expect(codeOf(await browser.get(authorizeUrl(client, { max_age: '10000' })))).toBeTruthy();
  });

  it('max_age=0 is prompt=login', async ({ given, browser }) => {
    const client = await given.client();
    const ann = await given.user();
    await signIn(browser, client, ann);
    const page = await browser.follow(await browser.get(authorizeUrl(client, { max_age: '0' })));
    expect(page.forms[0]!.fields).toHaveProperty('password');
    expect(codeOf(await typePassword(browser, page, ann))).toBeTruthy();
  });

  for (const max_age of ['-1', 'x', '1.5'])
    it(`max_age=${max_age} is refused`, async ({ given, browser }) => {
      const answer = await browser.get(authorizeUrl(await given.client(), { max_age }));
      expect(said(answer)['error']).toBe('invalid_request');
    });

  it('auth_time is when the password was typed, not when the terms were accepted', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const ann = await given.user('ann@acme.example');
    await given.terms('1');
    const page = await signIn(browser, client, ann, { max_age: '100' });
    expect(page.words).toContain('Version 1');
    await given.rows(sinceThen(50));
    // The engine keeps what the sign-in gave beside the interaction: time passes there too.
    await given.rows(`update oidc_artifacts set payload = jsonb_set(payload, '{lastSubmission,login,ts}',
      to_jsonb((payload -> 'lastSubmission' -> 'login' ->> 'ts')::int - 50))
      where model = 'Interaction' and payload -> 'lastSubmission' -> 'login' is not null`);
    const answer = await acceptAll(browser, page);
    const { claims } = await verified(
      program,
      (await redeem(browser, client, codeOf(answer))).json.id_token,
      client.id,
    );
    expect(Date.now() / 1000 - (claims['auth_time'] as number)).toBeGreaterThanOrEqual(50);
  });
});

describe('how strong a sign-in is: acr', () => {
  it('acr_values is a wish: one that cannot be fulfilled is not held against anybody', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user(), {
      acr_values: 'urn:none:such urn:ostiary:acr:password',
    });
    const { claims } = await verified(program, tokens.id_token, client.id);
    expect(claims['acr']).toBe('urn:ostiary:acr:password');
  });

  for (const acr of [
    { essential: true, value: 'urn:none:such' },
    { essential: true, values: ['urn:none:such', 'urn:neither'] },
  ])
    it(`an essential acr that cannot be reached gives unmet_authentication_requirements: ${JSON.stringify(acr)}`, async ({
      given,
      browser,
      server,
    }) => {
      const client = await given.client();
      const ann = await given.user();
      const claims = JSON.stringify({ id_token: { acr } });
      const error = 'unmet_authentication_requirements';
      const unsigned = await browser.follow(await browser.get(authorizeUrl(client, { claims })));
      expect(said(unsigned)).toMatchObject({ error, state: 'state-1', iss: server.url });
      await signIn(browser, client, ann);
      const signed = await browser.follow(await browser.get(authorizeUrl(client, { claims })));
      expect(said(signed)).toMatchObject({ error, state: 'state-1', iss: server.url });
      expect(server.errors).toEqual([]);
    });

  it('an essential acr that a password reaches is reached', async ({ given, browser, program }) => {
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user(), {
      claims: JSON.stringify({
        id_token: { acr: { essential: true, values: ['urn:x', 'urn:ostiary:acr:password'] } },
      }),
    });
    const { claims } = await verified(program, tokens.id_token, client.id);
    expect(claims['acr']).toBe('urn:ostiary:acr:password');
  });
});

describe('hints', () => {
  it('id_token_hint of the person who is signed in is good, expired or not', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const { id_token } = await tokensFor(browser, client, await given.user());
    expect(codeOf(await silent(browser, client, { id_token_hint: id_token }))).toBeTruthy();
  });

  it('id_token_hint of another person: login_required silently, a sign-in as them otherwise', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    const hint = (await tokensFor(server.agent(), client, bob)).id_token;
    await signIn(browser, client, ann);
    expect(said(await silent(browser, client, { id_token_hint: hint }))['error']).toBe(
      'login_required',
    );
    const page = await browser.follow(
      await browser.get(authorizeUrl(client, { id_token_hint: hint })),
    );
    expect(page.status).toBe(200);
    const changed = await browser.get(`${page.url.pathname}?change`);
    expect(codeOf(await typePassword(browser, changed, bob))).toBeTruthy();
  });

  it('a third person who signs in where another was asked for is sent back with login_required', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    const hint = (await tokensFor(server.agent(), client, bob)).id_token;
    const page = await browser.follow(
      await browser.get(authorizeUrl(client, { id_token_hint: hint })),
    );
    const answer = await typePassword(browser, page, ann);
    expect(said(answer)['error']).toBe('login_required');
    expect(server.errors).toEqual([]);
  });

  for (const [what, hint] of Object.entries({
    garbage: 'x.y.z',
    unsigned: `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{"sub":"x"}').toString('base64url')}.`,
  }))
    it(`an id_token_hint that is ${what} is refused`, async ({ given, browser }) => {
      const client = await given.client();
      const answer = await browser.get(authorizeUrl(client, { id_token_hint: hint }));
      expect(said(answer)['error']).toBe('invalid_request');
    });

  it('login_hint is in the field already', async ({ given, browser }) => {
    const page = await browser.follow(
      await browser.get(authorizeUrl(await given.client(), { login_hint: 'ann@acme.example' })),
    );
    expect(page.forms[0]!.fields['email']).toBe('ann@acme.example');
  });

  it('a login_hint that is no address is left alone, and stays harmless', async ({
    given,
    browser,
    server,
  }) => {
    const page = await browser.follow(
      await browser.get(
        authorizeUrl(await given.client(), { login_hint: '"><script>alert(1)</script>' }),
      ),
    );
    expect(page.status).toBe(200);
    expect(page.text).not.toContain('<script>alert');
    expect(server.errors).toEqual([]);
  });

  it('ui_locales chooses the language of our pages', async ({ given, browser }) => {
    const client = await given.client();
    for (const [ui_locales, lang] of [
      ['de', 'de'],
      ['xx fr-CA fr en', 'fr'],
      ['se', 'en'],
    ]) {
      const page = await browser.follow(
        await browser.get(authorizeUrl(client, { ui_locales: ui_locales! })),
      );
      expect(page.text).toContain(`<html lang="${lang}"`);
    }
  });

  it('display and claims_locales are understood and change nothing', async ({ given, browser }) => {
    const client = await given.client();
    const ann = await given.user();
    await signIn(browser, client, ann);
    for (const [name, value] of [
      ['display', 'page'],
      ['display', 'popup'],
      ['claims_locales', 'se de'],
    ] as const)
      expect(codeOf(await silent(browser, client, { [name]: value }))).toBeTruthy();
  });
});

describe('OpenID Connect Core, section 6: request objects, which are not offered', () => {
  it('request is refused as not supported', async ({ given, browser }) => {
    const client = await given.client();
    const request = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(
      JSON.stringify({ redirect_uri: 'https://evil.example/cb', client_id: client.id }),
    ).toString('base64url')}.`;
    expect(said(await browser.get(authorizeUrl(client, { request })))).toMatchObject({
      error: 'request_not_supported',
      state: 'state-1',
    });
  });

  it('request_uri is refused, and nothing is fetched', async ({ given, browser }) => {
    const answer = await browser.get(
      authorizeUrl(await given.client(), { request_uri: 'https://rp.example/request.jwt' }),
    );
    expect(said(answer)).toMatchObject({ error: 'request_uri_not_supported' });
  });
});
