import { describe, expect } from 'vitest';
import { lockReasons, type LockReason } from '#identity/users/locks.ts';
import { unlockUser } from '#identity/users/lock.ts';
import { it } from '#test/support/it.ts';
import {
  acceptAll,
  authorizeUrl,
  codeOf,
  redeem,
  refresh,
  signIn,
  tokensFor,
  userinfo,
} from '#test/support/sign-in.ts';
import { told } from '../../security/guesses.ts';

const says: Record<Exclude<LockReason, 'too_many_attempts'>, string> = {
  admin: 'Your administrator locked this account.',
  unaffiliated: 'This account is locked because it was removed from an organization.',
  directory: "Your organization's directory disabled this account.",
  inactive: 'This account is locked because it was not used for a long time.',
  operator: 'This account is suspended. Contact support.',
  compromised: 'This account is locked because its password has become known to others.',
  erasing: 'This account is being deleted.',
  domain_lapsed: 'Your organization no longer controls the domain of your e-mail address',
  expired: 'The access of this account has ended.',
};
const reasons = lockReasons.filter((reason) => reason !== 'too_many_attempts');

describe('a locked person', () => {
  it('is told why and who can help, but only with the right password (D-53)', async ({
    given,
    server,
  }) => {
    const acme = await given.account();
    await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
      givenName: 'Fay',
      familyName: 'Miller',
    });
    await given.user('cole@acme.example', {
      of: acme,
      roles: ['co_administrator'],
      givenName: 'Cole',
      familyName: 'Winter',
    });
    const client = await given.client();
    const shown: string[] = [];
    for (const reason of reasons) {
      const who = await given.user(`${reason}@acme.example`, { of: acme });
      await given.locked(who, reason, 'an internal note');

      const wrong = await signIn(server.agent(), client, { ...who, password: 'not the right one' });
      expect(wrong.alerts, reason).toEqual([told.wrong]);

      const browser = server.agent();
      const right = await signIn(browser, client, who);
      expect(right.status).toBe(403);
      expect(right.words, reason).toContain(says[reason]);
      expect(right.words).toContain('Fay Miller fay@acme.example');
      expect(right.words.indexOf('Fay Miller')).toBeLessThan(right.words.indexOf('Cole Winter'));
      shown.push(/Give this reference to support: ([0-9A-Z]{10})/.exec(right.words)![1]!);
      expect(right.text).not.toContain('an internal note');
      expect(right.headers['set-cookie'] ?? []).toEqual([]);

      // No session began, the browser is trusted with nothing, and that was no sign-in.
      expect(await given.rows('select 1 from oidc_sessions where user_id is not null')).toEqual([]);
      expect(await given.rows('select 1 from trusted_devices')).toEqual([]);
      expect(
        await given.rows('select last_login_at from users where last_login_at is not null'),
      ).toEqual([]);
      expect(await given.events()).not.toContain('sign_in.succeeded');
      const silent = await browser.get(authorizeUrl(client, { prompt: 'none' }));
      expect(silent.location?.searchParams.get('error')).toBe('login_required');
    }
    const refusals = await given.rows<{ details: object; reference: string }>(
      `select details, reference from audit_events where action = 'sign_in.refused' order by id`,
    );
    expect(refusals.map(({ reference }) => reference)).toEqual(shown);
    expect(refusals.map(({ details }) => details)).toEqual(
      reasons.map((lock) => ({ reason: 'locked', lock, client: client.id })),
    );
    expect(server.errors).toEqual([]);
  });

  it('may type the right password as often as they like: it is no wrong guess', async ({
    given,
    server,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    await given.locked(ann, 'admin');
    for (let again = 0; again < 6; again += 1)
      expect((await signIn(server.agent(), client, ann)).status).toBe(403);
    expect(await given.rows('select 1 from attempt_counters')).toEqual([]);
  });

  it('goes back to the application, which is told that access was denied', async ({
    given,
    browser,
  }) => {
    const ann = await given.user();
    await given.locked(ann, 'admin');
    const page = await signIn(browser, await given.client({ name: 'Planner' }), ann);
    const [, href] = /href="(\/sign-in\/[\w-]+\/return)"/.exec(page.text)!;
    const back = await browser.follow(await browser.get(href!));
    expect(back.location?.searchParams.get('error')).toBe('access_denied');
  });

  it('is out of everything at once, and stays out when unlocked until they sign in (D-63)', async ({
    given,
    program,
    server,
  }) => {
    const client = await given.client();
    for (const reason of reasons) {
      const who = await given.user(`${reason}@acme.example`);
      const agent = server.agent();
      const tokens = await tokensFor(agent, client, who, { scope: 'openid offline_access' });
      const spare = codeOf(await agent.get(authorizeUrl(client)));
      await given.locked(who, reason);
      const out = async () => {
        expect((await refresh(program, client, tokens.refresh_token!)).json.error).toBe(
          'invalid_grant',
        );
        expect((await userinfo(program, tokens.access_token)).status).toBe(401);
        const silent = await agent.get(authorizeUrl(client, { prompt: 'none' }));
        expect(silent.location?.searchParams.get('error')).toBe('login_required');
      };
      await out();
      const page = await agent.follow(await agent.get(authorizeUrl(client)));
      expect(page.words).toMatch(/^Sign in|^Enter your password/);
      expect((await redeem(program, client, spare)).json.error).toBe('invalid_grant');
      await given.work((work) => unlockUser(work, who.id, [reason]));
      await out();
      expect(codeOf(await signIn(server.agent(), client, who))).toBeTruthy();
    }
    expect(server.errors).toEqual([]);
  }, 120_000);

  it('who was locked between two pages of a sign-in comes no further', async ({
    given,
    browser,
    server,
  }) => {
    await given.terms('1');
    const ann = await given.user('ann@acme.example', { accepts: false });
    const client = await given.client();
    const terms = await signIn(browser, client, ann);
    expect(terms.words).toContain('Before you continue');
    await given.locked(ann, 'admin');
    const answer = await acceptAll(browser, terms);
    expect(answer.location).toBeNull();
    expect(answer.status).toBe(400);
    expect(await given.rows('select 1 from terms_acceptances')).toEqual([]);
    expect(server.errors).toEqual([]);
  });
});

describe('an application for some people only', () => {
  it('shows others what is missing, after they proved who they are', async ({ given, server }) => {
    const acme = await given.account('Acme');
    const beta = await given.account('Beta');
    const held = await given.account('Heldtech');
    const closed = await given.account('Gone');
    await given.user('fay@held.example', {
      of: held,
      roles: ['account_administrator'],
      givenName: 'Fay',
    });
    const member = await given.user('ann@acme.example', { of: acme });
    const ofHeld = await given.user('hal@held.example', { of: held });
    const ofClosed = await given.user('gil@gone.example', { of: closed });
    const nobody = await given.user('una@else.example');
    const waiting = await given.user('pia@acme.example');
    await given.rows(`update users set affiliation = 'pending' where id = $1`, [waiting.id]);
    await given.hold(held, 'The invoice of May is <open>.');
    await given.rows(`update accounts set status = 'closed' where id = $1`, [closed.id]);

    const forMembers = await given.client({ name: 'Planner', requiresAccount: true });
    const forBeta = await given.client({ name: 'Planner', allowedAccounts: [beta.id] });
    const forAdministrators = await given.client({
      name: 'Planner',
      requiredRoles: ['account_administrator'],
    });

    for (const [who, client, words] of [
      [ofHeld, forMembers, 'Heldtech is on hold. The invoice of May is <open>.'],
      [ofClosed, forMembers, 'Gone is closed.'],
      [
        nobody,
        forMembers,
        'This account is not associated with an organization. Please contact your administrator.',
      ],
      [
        waiting,
        forMembers,
        'Almost there... An administrator of your organization must approve your registration.',
      ],
      [
        member,
        forBeta,
        'Your organization has not given you access to Planner. Ask your administrator.',
      ],
      [nobody, forBeta, 'Your organization has not given you access to Planner.'],
      [member, forAdministrators, 'Your organization has not given you access to Planner.'],
    ] as const) {
      const wrong = await signIn(server.agent(), client, { ...who, password: 'not the right one' });
      expect(wrong.alerts).toEqual([told.wrong]);
      const browser = server.agent();
      const page = await signIn(browser, client, who);
      expect(page.status, words).toBe(403);
      expect(page.words.replaceAll(/ ([.,])/g, '$1')).toContain(words);
      const silent = await browser.get(authorizeUrl(client, { prompt: 'none' }));
      expect(silent.location?.searchParams.get('error'), words).toBe('interaction_required');
    }
    expect(server.errors).toEqual([]);
  }, 60_000);

  it('lets people on again as soon as what stopped them is gone', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account();
    const ann = await given.user('ann@acme.example', { of: acme });
    await given.hold(acme, 'Later.');
    const page = await signIn(browser, await given.client(), ann);
    expect(page.words).toContain('Acme is on hold.');
    await given.rows(`update accounts set status = 'active', hold_reason = null`);
    const on = await browser.follow(await browser.get(page.url.pathname));
    expect(codeOf(on)).toBeTruthy();
    expect(server.errors).toEqual([]);
  });

  it('offers to sign out, and does', async ({ given, browser }) => {
    const ann = await given.user();
    const client = await given.client({ requiresAccount: true });
    const page = await signIn(browser, client, ann);
    const form = page.forms.find(({ action }) => action.endsWith('/sign-out'))!;
    const back = await browser.follow(await browser.submit(form));
    expect(back.location?.searchParams.get('error')).toBe('access_denied');
    expect(await given.rows('select 1 from oidc_sessions where user_id is not null')).toEqual([]);
  });

  it('takes others in meanwhile, and a token says nothing of an account there is not', async ({
    given,
    browser,
  }) => {
    const waiting = await given.user('pia@acme.example');
    await given.rows(`update users set affiliation = 'pending' where id = $1`, [waiting.id]);
    const client = await given.client({ requiresAccount: false });
    const tokens = await tokensFor(browser, client, waiting, { scope: 'openid organization' });
    const info = (await userinfo(browser, tokens.access_token)).json;
    expect(info).not.toHaveProperty('org');
  });
});
