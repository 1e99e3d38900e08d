import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { authorizeUrl, codeOf, refresh, tokensFor, typePassword } from '#test/support/sign-in.ts';
import { choose, codeIn, forget, mailsTo, mailTo } from '../http/self-service/mailbox.ts';
import { told } from '../security/guesses.ts';

describe('Bob has forgotten his password', () => {
  it('and gets back in by himself', async ({ given, server, browser, program }) => {
    const acme = await given.account('Acme');
    await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
      givenName: 'Fay',
      familyName: 'Miller',
    });
    const bob = await given.user('bob@acme.example', { of: acme, givenName: 'Bob' });
    const planner = await given.client({ name: 'Planner' });
    // On his old computer he is signed in.
    const old = server.agent();
    const there = await tokensFor(old, planner, bob, { scope: 'openid offline_access' });

    // On the new one he tries what comes to his mind.
    let page = await browser.follow(
      await browser.get(authorizeUrl(planner, { login_hint: bob.email })),
    );
    for (const idea of [
      'the blue one',
      'the one with the dog',
      'the one from work',
      'or the bank’s',
    ])
      page = await browser.submit(page.forms[0]!, { password: idea });
    expect(page.alerts).toEqual([told.wrong]);
    page = await browser.submit(page.forms[0]!, { password: 'surely this' });
    expect(page.alerts).toEqual([told.locked]);

    // A mail tells him, and whom he could ask.
    const warning = await mailTo(server, bob.email);
    expect(warning.kind).toBe('locked_out');
    expect(warning.text).toContain('Fay Miller');

    // Now even the right one would not do, but he can help himself.
    expect((await browser.submit(page.forms[0]!, { password: bob.password })).alerts).toEqual([
      told.locked,
    ]);
    const [, forgot] = /href="(\/sign-in\/[^"]+\/forgot)"/.exec(page.text)!;
    const sent = await forget(browser, bob.email, forgot);
    const code = codeIn(await mailTo(server, bob.email));
    const mistyped = await browser.submit(sent.forms[0]!, {
      code: code.startsWith('1') ? `2${code.slice(1)}` : `1${code.slice(1)}`,
    });
    expect(mistyped.alerts).toEqual(['This code is not right. Check it and try again.']);
    const choosing = await browser.follow(await browser.submit(mistyped.forms[0]!, { code }));
    const done = await choose(browser, choosing, 'the boat is on the lake');
    expect(done.words).toContain('To be safe, you were signed out everywhere else.');

    // He goes on where he was.
    const [, back] = /class="button primary" href="([^"]+)"/.exec(done.text)!;
    const arrived = await typePassword(browser, await browser.get(back!), {
      email: bob.email,
      password: 'the boat is on the lake',
    });
    expect(codeOf(arrived)).toBeTruthy();

    // The old computer is out, and a mail says that the password is another one.
    expect((await refresh(program, planner, there.refresh_token!)).json.error).toBe(
      'invalid_grant',
    );
    expect((await mailsTo(server, bob.email)).map(({ kind }) => kind)).toEqual([
      'credential_changed',
      'password_reset',
      'locked_out',
    ]);
    expect(server.errors).toEqual([]);
  });
});
