import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import {
  acceptAll,
  authorizeUrl,
  codeOf,
  redeem,
  typePassword,
  userinfo,
} from '#test/support/sign-in.ts';
import { choose, forget, linkIn, mailTo } from '../http/self-service/mailbox.ts';

describe('Ida is new at Acme', () => {
  it('and signs in for the first time', async ({ given, server, browser }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'], number: '1001' });
    await given.terms('2026-06', {
      texts: [
        { locale: 'en', title: 'Terms of Service', body: 'Treat the others well.' },
        { locale: 'de', title: 'Nutzungsbedingungen', body: 'Seien Sie gut zu den anderen.' },
      ],
    });
    const planner = await given.client({ name: 'Planner', requiresAccount: true });
    // An administrator added her: she is known, and has no password.
    const ida = await given.user('Ida.Berg@acme.example', {
      of: acme,
      password: null,
      identity: 'invited',
      accepts: false,
      givenName: 'Ida',
      familyName: 'Berg',
    });

    // She opens Planner, types her address, and has no password to type.
    const start = await browser.follow(await browser.get(authorizeUrl(planner)));
    expect(start.words).toContain('to continue to Planner');
    const password = await browser.follow(
      await browser.submit(start.forms[0]!, { email: 'ida.berg@acme.example' }),
    );
    const tried = await browser.submit(password.forms[0]!, { password: 'perhaps this one' });
    expect(tried.alerts).toEqual([
      "We didn't recognize the email address or password you entered.",
    ]);

    // “Forgot password?” is also how one begins.
    const [, forgot] = /href="(\/sign-in\/[^"]+\/forgot)"/.exec(tried.text)!;
    const sent = await forget(browser, 'ida.berg@acme.example', forgot);
    expect(sent.words).toContain('If the address is known you will get a mail.');
    const mail = await mailTo(server, 'Ida.Berg@acme.example');
    expect(mail.subject).toBe('Complete your Ostiary profile');
    expect(mail.text).toContain('Ida');

    // The mail leads to her first password; a poor one is not taken.
    const welcome = await browser.get(linkIn(mail));
    expect(welcome.words).toContain('Welcome, Ida');
    const poor = await choose(browser, welcome, 'ida.berg2026');
    expect(poor.alerts).toEqual([
      'Leave out your name, your e-mail address and the name of your organization.',
    ]);
    const set = await choose(browser, poor, 'a heron in the reeds');
    expect(set.words).toContain('your password is set');

    // Back at the sign-in she comes as far as the terms.
    const again = await browser.get(start.url.pathname);
    const terms = await typePassword(browser, again, {
      email: ida.email,
      password: 'a heron in the reeds',
    });
    expect(terms.words).toContain('Treat the others well.');
    expect(terms.words).toContain('Then you continue to Planner .');
    const unread = await browser.submit(terms.forms[0]!);
    expect(unread.alerts).toEqual(["You can't proceed without accepting the Terms of Service."]);

    // She accepts, and Planner learns who she is and where she belongs.
    const arrived = await acceptAll(browser, unread);
    const tokens = (await redeem(browser, planner, codeOf(arrived))).json;
    expect((await userinfo(browser, tokens.access_token)).json).toMatchObject({ sub: ida.id });

    // The next application asks nothing at all.
    const viewer = await given.client({ name: 'Viewer', redirectUri: 'https://viewer.example/cb' });
    expect(codeOf(await browser.get(authorizeUrl(viewer)))).toBeTruthy();

    // What happened can be read, in its order.
    expect(
      (await given.events()).filter((action) => !/^(client|terms\.published)/.test(action)),
    ).toEqual(expect.arrayContaining(['password.changed', 'sign_in.succeeded', 'terms.accepted']));
    expect(server.errors).toEqual([]);
  });
});
