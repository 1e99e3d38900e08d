import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import {
  acceptAll,
  authorizeUrl,
  codeOf,
  redeem,
  refresh,
  signIn,
  tokensFor,
  typePassword,
  userinfo,
} from '#test/support/sign-in.ts';
import { told } from '../../security/guesses.ts';

describe('signing in', () => {
  it('goes from the address to the password to the terms, and back to the application', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account();
    await given.terms('2026-06');
    const ann = await given.user('ann@acme.example', { of: acme, accepts: false });
    const client = await given.client({ name: 'Planner' });

    const address = await browser.follow(await browser.get(authorizeUrl(client)));
    expect(address.words).toMatch(/^Sign in to continue to Planner/);
    expect(address.forms[0]!.fields).toMatchObject({ email: '' });

    const password = await browser.follow(
      await browser.submit(address.forms[0]!, { email: ann.email }),
    );
    expect(password.words).toMatch(/^Enter your password/);
    expect(password.forms[0]!.fields).toMatchObject({ email: ann.email, password: '' });

    const terms = await browser.follow(
      await browser.submit(password.forms[0]!, { password: ann.password }),
    );
    expect(terms.words).toContain('Before you continue');
    expect(terms.words).toContain('Version 2026-06 .');

    const back = await acceptAll(browser, terms);
    expect(back.location?.href).toMatch(
      /^https:\/\/rp\.example\/cb\?code=[\w-]+&state=state-1&iss=/,
    );
    const tokens = (await redeem(browser, client, codeOf(back))).json;
    expect((await userinfo(browser, tokens.access_token)).json.sub).toBe(ann.id);
    expect(server.errors).toEqual([]);
  });

  it('asks again for an address that is none', async ({ given, browser }) => {
    const client = await given.client();
    let page = await browser.follow(await browser.get(authorizeUrl(client)));
    for (const [typed, problem] of [
      ['', 'Enter your e-mail address.'],
      ['   ', 'Enter your e-mail address.'],
      ['ann', 'Enter your e-mail address. It looks like name@example.com.'],
      [
        'ann@acme.example, eve@evil.example',
        'Enter your e-mail address. It looks like name@example.com.',
      ],
      ['ann@\u212aorp.example', 'Enter your e-mail address. It looks like name@example.com.'],
    ]) {
      page = await browser.submit(page.forms[0]!, { email: typed! });
      expect(page.status).toBe(422);
      expect(page.alerts).toEqual([problem]);
      expect(page.forms[0]!.fields['email']).toBe(typed!.trim());
    }
  });

  it('says of a wrong password what it says of a wrong address, and nothing more (F36)', async ({
    given,
    browser,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const wrong = await signIn(browser, client, { ...ann, password: 'not hers at all' });
    expect(wrong.status).toBe(401);
    expect(wrong.alerts).toEqual([told.wrong]);
    expect(wrong.words).toContain('Forgot password?');
    expect(wrong.forms[0]!.fields).toMatchObject({ email: ann.email, password: '' });
    const right = await browser.follow(
      await browser.submit(wrong.forms[0]!, { password: ann.password }),
    );
    expect(codeOf(right)).toBeTruthy();
  });

  it('lets who is somebody else type another address', async ({ given, browser }) => {
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    const client = await given.client();
    const start = await browser.follow(await browser.get(authorizeUrl(client)));
    const page = await browser.follow(await browser.submit(start.forms[0]!, { email: bob.email }));
    const [, change] = /href="([^"]+)"[^>]*>\s*Not you\?/.exec(page.text)!;
    const again = await browser.get(change!);
    expect(again.words).toMatch(/^Sign in/);
    expect(again.forms[0]!.fields).toMatchObject({ email: bob.email });
    const answer = await typePassword(browser, again, ann);
    const tokens = (await redeem(browser, client, codeOf(answer))).json;
    expect((await userinfo(browser, tokens.access_token)).json.sub).toBe(ann.id);
  });

  it('begins at the password when the application knows who comes', async ({ given, browser }) => {
    const ann = await given.user();
    const client = await given.client();
    const page = await browser.follow(
      await browser.get(authorizeUrl(client, { login_hint: 'ANN@acme.example' })),
    );
    expect(page.forms[0]!.fields).toMatchObject({ email: ann.email, password: '' });
    const hostile = await browser.follow(
      await browser.get(
        authorizeUrl(client, { login_hint: '"><script>alert(1)</script>@x.example' }),
      ),
    );
    expect(hostile.forms[0]!.fields).toMatchObject({ email: '' });
    expect(hostile.text).not.toContain('<script>alert');
  });

  it('keeps people signed in for as long as they asked', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    for (const remember of [true, false]) {
      const browser = server.agent();
      const start = await browser.follow(
        await browser.get(authorizeUrl(client, { login_hint: ann.email })),
      );
      const signed = await browser.submit(start.forms[0]!, {
        password: ann.password,
        ...(remember && { remember: 'yes' }),
      });
      const session = signed.headers['set-cookie']!.find((line) =>
        line.startsWith('ostiary_session='),
      )!;
      expect(/expires=/i.test(session)).toBe(remember);
      expect(session).toMatch(/httponly/i);
      expect(session).toMatch(/samesite=lax/i);
    }
  });

  it('happens once for all applications', async ({ given, browser }) => {
    const ann = await given.user();
    const first = await given.client();
    const second = await given.client({ redirectUri: 'https://rp2.example/cb' });
    codeOf(await signIn(browser, first, ann));
    expect(codeOf(await browser.get(authorizeUrl(second)))).toBeTruthy();
  });

  it('notes when it was, and a renewed token does not count (F23)', async ({
    given,
    browser,
    server,
    program,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const last = async () =>
      (await given.rows<{ last_login_at: Date | null }>('select last_login_at from users'))[0]!
        .last_login_at;
    expect(await last()).toBeNull();
    const tokens = await tokensFor(browser, client, ann, { scope: 'openid offline_access' });
    const then = await last();
    expect(then).toBeInstanceOf(Date);
    server.clock.advance(60);
    await refresh(program, client, tokens.refresh_token!);
    await browser.get(authorizeUrl(client, { prompt: 'none' }));
    expect(await last()).toEqual(then);
    expect(await given.events()).toContain('sign_in.succeeded');
  });

  it('in German for a German, and in the language somebody chose before that', async ({
    given,
    server,
  }) => {
    const client = await given.client();
    const german = server.agent();
    german.headers['accept-language'] = 'de-AT,de;q=0.9,en;q=0.5';
    const page = await german.follow(await german.get(authorizeUrl(client)));
    expect(page.text).toContain('<html lang="de">');
    expect(page.headers['content-language'] ?? 'de').toBe('de');
    const chosen = await german.get(`${page.url.pathname}?ui_locales=tr`);
    expect(chosen.text).toContain('<html lang="tr">');
    expect((await german.get(page.url.pathname)).text).toContain('<html lang="tr">');
    const asked = server.agent();
    const french = await asked.follow(
      await asked.get(authorizeUrl(client, { ui_locales: 'fr-CA en' })),
    );
    expect(french.text).toContain('<html lang="fr">');
  });
});

describe('two people at one browser', () => {
  it('the first is signed out when the second signs in', async ({
    given,
    browser,
    server,
    program,
  }) => {
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    const client = await given.client();
    const hers = await tokensFor(browser, client, ann);
    const page = await browser.follow(await browser.get(authorizeUrl(client, { prompt: 'login' })));
    expect(page.forms[0]!.fields).toMatchObject({ email: ann.email });
    const answer = await typePassword(
      browser,
      await browser.get(`${page.url.pathname}?change`),
      bob,
    );
    const his = (await redeem(browser, client, codeOf(answer))).json;
    expect((await userinfo(program, his.access_token)).json.sub).toBe(bob.id);
    expect((await userinfo(program, hers.access_token)).status).toBe(401);
    const sessions = await given.rows(
      'select user_id from oidc_sessions where user_id is not null',
    );
    expect(sessions).toEqual([{ user_id: bob.id }]);
    expect(await given.events()).toContain('session.ended');
    expect(server.errors).toEqual([]);
  });

  it('and the same in two tabs that were open at the same time', async ({
    given,
    browser,
    server,
  }) => {
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    const client = await given.client();
    const [one, other] = [
      await browser.follow(await browser.get(authorizeUrl(client))),
      await browser.follow(await browser.get(authorizeUrl(client, { state: 'other' }))),
    ];
    expect(codeOf(await typePassword(browser, one, ann))).toBeTruthy();
    const switching = await typePassword(browser, other, bob);
    // The engine asks the first to sign out; the form sends itself where there is a script.
    const signedOut = await browser.follow(
      switching.location ? switching : await browser.submit(switching.forms[0]!),
    );
    expect(signedOut.location?.searchParams.get('state')).toBe('other');
    expect(codeOf(signedOut)).toBeTruthy();
    expect(await given.rows('select user_id from oidc_sessions where user_id is not null')).toEqual(
      [{ user_id: bob.id }],
    );
    expect(server.errors).toEqual([]);
  });
});

describe('a person on the way', () => {
  it('may go back and forth, and in two tabs', async ({ given, browser, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const one = await browser.follow(await browser.get(authorizeUrl(client, { state: 'one' })));
    const two = await browser.follow(await browser.get(authorizeUrl(client, { state: 'two' })));
    const password = await browser.follow(
      await browser.submit(one.forms[0]!, { email: ann.email }),
    );
    // Back to the address, and on again with the page that was kept.
    const corrected = await browser.follow(
      await browser.submit(one.forms[0]!, { email: 'other@acme.example' }),
    );
    expect(corrected.forms[0]!.fields).toMatchObject({ email: 'other@acme.example' });
    const first = await browser.follow(
      await browser.submit(password.forms[0]!, { password: ann.password }),
    );
    expect(first.location?.searchParams.get('state')).toBe('one');
    // The second tab still works, though signed in meanwhile.
    const second = await typePassword(browser, two, ann);
    expect(second.location?.searchParams.get('state')).toBe('two');
    expect(codeOf(second)).toBeTruthy();
    // And after all, the back button shows that this sign-in is over.
    const over = await browser.get(one.url.pathname);
    expect(over.status).toBe(400);
    expect(over.words).toContain('This sign-in is no longer open');
    expect(server.errors).toEqual([]);
  });

  it('is told when it took too long', async ({ given, browser, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    server.clock.advance(3601);
    for (const late of [
      await browser.get(page.url.pathname),
      await browser.submit(page.forms[0]!, { email: ann.email }),
    ]) {
      expect(late.status).toBe(400);
      expect(late.words).toContain('It took too long, or it was continued in another window.');
    }
    expect(server.errors).toEqual([]);
  });

  it('may leave for the application again', async ({ given, browser }) => {
    const client = await given.client();
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    const left = await browser.follow(await browser.get(`${page.url.pathname}/return`));
    expect(left.location?.origin).toBe('https://rp.example');
    expect(left.location?.searchParams.get('error')).toBe('access_denied');
    expect(left.location?.searchParams.get('state')).toBe('state-1');
  });
});
