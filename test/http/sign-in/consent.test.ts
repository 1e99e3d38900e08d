import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import {
  authorizeUrl,
  codeOf,
  redeem,
  signIn,
  typePassword,
  userinfo,
} from '#test/support/sign-in.ts';

describe('an application of a third party', () => {
  it('gets what the person allows, and asks once', async ({ given, browser, server }) => {
    const ann = await given.user();
    const client = await given.client({ name: 'Foreign Planner', firstParty: false });
    const page = await signIn(browser, client, ann, { scope: 'openid email' });
    expect(page.words).toContain('Allow Foreign Planner to use your account?');
    expect(page.words).toContain('You are signed in as ann@acme.example');
    expect(page.words).toContain('See your e-mail address');
    expect(page.words).not.toContain('See your name');

    const back = await browser.follow(await browser.submit(page.forms[0]!));
    const tokens = (await redeem(browser, client, codeOf(back))).json;
    expect((await userinfo(browser, tokens.access_token)).json).toMatchObject({ email: ann.email });
    expect(
      codeOf(await browser.get(authorizeUrl(client, { scope: 'openid email', prompt: 'none' }))),
    ).toBeTruthy();
    // In another browser too: what was said once was said.
    const elsewhere = await signIn(server.agent(), client, ann, { scope: 'openid email' });
    expect(codeOf(elsewhere)).toBeTruthy();
    expect((await given.events()).filter((action) => action === 'consent.granted')).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });

  it('asks again for more, and shows only that', async ({ given, browser }) => {
    const ann = await given.user();
    const client = await given.client({ firstParty: false });
    const first = await signIn(browser, client, ann, { scope: 'openid email' });
    codeOf(await browser.follow(await browser.submit(first.forms[0]!)));
    const silent = await browser.get(
      authorizeUrl(client, { scope: 'openid email profile', prompt: 'none' }),
    );
    expect(silent.location?.searchParams.get('error')).toBe('consent_required');
    const more = await browser.follow(
      await browser.get(authorizeUrl(client, { scope: 'openid email profile' })),
    );
    expect(more.words).toContain('See your name');
    expect(more.words).not.toContain('See your e-mail address');
    codeOf(await browser.follow(await browser.submit(more.forms[0]!)));
    expect(
      codeOf(
        await browser.get(authorizeUrl(client, { scope: 'openid email profile', prompt: 'none' })),
      ),
    ).toBeTruthy();
  });

  it('is told when the person says no, who stays signed in', async ({ given, browser, server }) => {
    const ann = await given.user();
    const client = await given.client({ firstParty: false });
    const own = await given.client({ redirectUri: 'https://own.example/cb' });
    const page = await signIn(browser, client, ann, { scope: 'openid email' });
    const back = await browser.follow(await browser.submit(page.forms[1]!));
    expect(back.location?.searchParams.get('error')).toBe('access_denied');
    expect(await given.rows('select * from consents')).toEqual([]);
    expect(await given.events()).toContain('consent.refused');
    expect(codeOf(await browser.get(authorizeUrl(own, { prompt: 'none' })))).toBeTruthy();
    expect(server.errors).toEqual([]);
  });

  it('is not asked about for those who may not come in', async ({ given, browser }) => {
    const ann = await given.user();
    const client = await given.client({ firstParty: false, requiresAccount: true });
    const page = await signIn(browser, client, ann);
    expect(page.words).toContain('This account is not associated with an organization.');
  });

  it('shows its name and its links harmless', async ({ given, browser }) => {
    const ann = await given.user();
    const client = await given.client({
      name: '<img src=x onerror=alert(1)>\u202eLIVE',
      firstParty: false,
      metadata: {
        client_uri: 'https://planner.example/?a="><script>',
        policy_uri: 'https://planner.example/privacy',
      },
    });
    const page = await signIn(browser, client, ann);
    expect(page.text).not.toMatch(/<img src=x|<script>/);
    expect(page.text).toContain('https://planner.example/privacy');
  });

  it('of one person says nothing for another', async ({ given, browser }) => {
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    const client = await given.client({ firstParty: false });
    codeOf(
      await browser.follow(await browser.submit((await signIn(browser, client, ann)).forms[0]!)),
    );
    const page = await browser.follow(await browser.get(authorizeUrl(client, { prompt: 'login' })));
    const his = await typePassword(browser, await browser.get(`${page.url.pathname}?change`), bob);
    expect(his.words).toContain('You are signed in as bob@acme.example');
  });
});

describe('an application of our own', () => {
  it('asks for no consent', async ({ given, browser }) => {
    const ann = await given.user();
    const client = await given.client();
    expect(
      codeOf(
        await signIn(browser, client, ann, {
          scope: 'openid profile email organization offline_access',
          prompt: 'consent',
        }),
      ),
    ).toBeTruthy();
  });
});
