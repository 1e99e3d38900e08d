import { describe, expect } from 'vitest';
import { Account } from '#identity/accounts/account.ts';
import { it } from '#test/support/it.ts';
import { authorizeUrl, codeOf, refresh, signIn, tokensFor } from '#test/support/sign-in.ts';

describe('Acme goes on hold', () => {
  it('and its people wait until it is resumed', async ({ given, server, browser, program }) => {
    const acme = await given.account('Acme');
    await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
      givenName: 'Fay',
      familyName: 'Miller',
    });
    const ann = await given.user('ann@acme.example', { of: acme });
    const planner = await given.client({ name: 'Planner', requiresAccount: true });
    const forum = await given.client({
      name: 'Forum',
      redirectUri: 'https://forum.example/cb',
      requiresActiveAccount: false,
    });
    const tokens = await tokensFor(browser, planner, ann, { scope: 'openid offline_access' });

    await given.hold(acme, 'The invoice of May is open. Write to billing@ostiary.example.');

    // Planner gets no new tokens for her, silently or not.
    const silent = await browser.get(authorizeUrl(planner, { prompt: 'none' }));
    expect(silent.location?.searchParams.get('error')).toBe('interaction_required');
    expect((await refresh(program, planner, tokens.refresh_token!)).json.error).toBe(
      'invalid_grant',
    );

    // She reads why, in the operator's words, and whom to ask.
    const page = await browser.follow(await browser.get(authorizeUrl(planner)));
    expect(page.words).toContain('Acme is on hold.');
    expect(page.words).toContain('The invoice of May is open. Write to billing@ostiary.example.');
    expect(page.words).toContain('Fay Miller');
    // Somebody who does not prove to be of Acme learns nothing of it.
    const stranger = await signIn(server.agent(), planner, { ...ann, password: 'not hers at all' });
    expect(stranger.words).not.toContain('hold');

    // What does not ask for an active account goes on: nobody is locked.
    expect(codeOf(await browser.get(authorizeUrl(forum)))).toBeTruthy();
    expect((await given.person(ann))?.locks).toEqual([]);

    // The invoice is paid; the page she left open lets her through.
    await given.work(async (work) => {
      (await work.em.findOneOrFail(Account, { id: acme.id })).resume(work.now);
    });
    expect(codeOf(await browser.follow(await browser.get(page.url.pathname)))).toBeTruthy();
    expect(codeOf(await browser.get(authorizeUrl(planner, { prompt: 'none' })))).toBeTruthy();
    expect(server.errors).toEqual([]);
  });
});
