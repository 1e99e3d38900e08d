import { decodeJwt } from 'jose';
import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { authorizeUrl, codeOf, refresh, signIn, tokensFor } from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';
import { caller } from '../admin/support.ts';
import { choose, forget, linkIn, mailTo } from '../self-service/mailbox.ts';
import { Guesser, sameness, told } from '../../security/guesses.ts';

/** Sets policies of an account as its administrator. */
async function set(given: World, account: { id: string }, settings: object): Promise<void> {
  await given.rows('update accounts set settings = settings || $2::jsonb where id = $1', [
    account.id,
    JSON.stringify(settings),
  ]);
}

describe('the password policy of an account', () => {
  it('holds for its people and its domains, and for nobody else', async ({
    given,
    server,
    browser,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await set(given, acme, { password: { minLength: 20, composition: 'three_of_four' } });
    const ann = await given.user('ann@acme.example', { of: acme });
    const carl = await given.user('carl@nowhere.example');

    await forget(browser, ann.email);
    const page = await browser.get(linkIn(await mailTo(server, ann.email)));
    expect(page.words).toContain('At least 20 characters');
    expect(page.words).toContain('Mix at least three of these');
    const short = await choose(browser, page, 'seven swans swim');
    expect(short.alerts).toEqual(['Use at least 20 characters.']);
    const simple = await choose(browser, page, 'seven swans were swimming');
    expect(simple.alerts[0]).toContain('Mix at least three of these');
    expect((await choose(browser, page, 'Seven swans were swimming')).status).toBe(200);

    await forget(browser, carl.email);
    const other = await browser.get(linkIn(await mailTo(server, carl.email)));
    expect(other.words).toContain('At least 12 characters');
    expect((await choose(browser, other, 'seven swans swim')).status).toBe(200);
  });
});

describe('the lockout policy of an account', () => {
  it('holds for addresses of its domains, known or not, and ends by itself where it says so', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await set(given, acme, { lockout: { attempts: 5, minutes: 10, selfUnlock: true } });
    const client = await given.client();
    const ann = await given.user('ann@acme.example', { of: acme });
    await given.user('carl@nowhere.example');
    const guesser = new Guesser(server, client);
    const last: Record<string, unknown> = {};
    for (const email of [ann.email, 'nobody@acme.example', 'carl@nowhere.example'])
      for (let guess = 1; guess <= 5; guess += 1) {
        const answer = await guesser.guess(email, `wrong number ${guess}`);
        if (guess < 5) expect(answer.alerts).toEqual([told.wrong]);
        last[email] = sameness(answer);
      }
    expect(last[ann.email]).toEqual(last['nobody@acme.example']);
    await server.app.delivery.drain();
    const locked = await given.rows<{ user_id: string; until: Date }>(
      `select user_id, until from user_locks where reason = 'too_many_attempts'`,
    );
    expect(locked.map(({ user_id: id }) => id)).toEqual([ann.id]);

    // Past the minute that the fifth guess costs anybody, and not past the lock.
    server.clock.advance(120);
    expect((await guesser.guess(ann.email, ann.password)).alerts).toEqual([told.locked]);
    server.clock.advance(9 * 60);
    expect(codeOf(await signIn(server.agent(), client, ann))).toBeTruthy();
    // Counting began anew.
    for (let guess = 1; guess <= 4; guess += 1)
      expect((await guesser.guess(ann.email, `wrong again ${guess}`)).alerts).toEqual([told.wrong]);
  });

  it('leaves the lock to an administrator where it says so', async ({ given, server, browser }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await set(given, acme, { lockout: { attempts: 5, minutes: null, selfUnlock: false } });
    const client = await given.client();
    const ann = await given.user('ann@acme.example', { of: acme });
    const guesser = new Guesser(server, client);
    for (let guess = 1; guess <= 5; guess += 1) await guesser.guess(ann.email, `wrong ${guess}`);
    await server.app.delivery.drain();

    await forget(browser, ann.email);
    const page = await browser.get(linkIn(await mailTo(server, ann.email)));
    await choose(browser, page, 'seven swans were swimming');
    const fresh = { ...ann, password: 'seven swans were swimming' };
    expect((await signIn(server.agent(), client, fresh)).alerts).toEqual([told.locked]);
    const admin = caller(server.agent({ cookies: false }), await given.apiToken(acme));
    await admin.post(`/accounts/${acme.id}/users/${ann.id}/unlock`);
    expect(codeOf(await signIn(server.agent(), client, fresh))).toBeTruthy();
  });
});

describe('the session policy of an account', () => {
  it('ends a sign-in after its hours, and idle ones at once', async ({
    given,
    server,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const admin = caller(program, await given.apiToken(acme));
    const client = await given.client();
    const ann = await given.user('ann@acme.example', { of: acme });
    const carl = await given.user('carl@nowhere.example');
    const anns = server.agent();
    const carls = server.agent();
    await signIn(anns, client, ann);
    await signIn(carls, client, carl);
    const silently = async (browser: typeof anns): Promise<string | null> => {
      const answer = await browser.get(authorizeUrl(client, { prompt: 'none' }));
      return answer.location!.searchParams.get('error');
    };

    await admin.patch(`/accounts/${acme.id}/settings`, { sessions: { hours: 8 } });
    server.clock.advance(7.5 * 3600);
    expect(await silently(anns)).toBeNull();
    server.clock.advance(3600);
    expect(await silently(anns)).toBe('login_required');
    expect((await anns.get('/profile')).location?.pathname).toBe('/oauth/authorize');
    expect(await silently(carls)).toBeNull();

    await signIn(anns, client, ann, { prompt: 'login' });
    expect((await anns.get('/profile')).status).toBe(200);
    server.clock.advance(20 * 60);
    await admin.patch(`/accounts/${acme.id}/settings`, { sessions: { idleMinutes: 15 } });
    expect((await anns.get('/profile')).location?.pathname).toBe('/oauth/authorize');
    await signIn(anns, client, ann);
    server.clock.advance(14 * 60);
    expect(await silently(anns)).toBeNull();
    server.clock.advance(16 * 60);
    expect(await silently(anns)).toBe('login_required');
  });

  it('is told to the application: when the person has to come again at the latest', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await set(given, acme, { sessions: { hours: 8 } });
    const client = await given.client();
    const hoursOf = async (email: string, of?: typeof acme): Promise<number> => {
      const person = await given.user(email, of && { of });
      const { id_token: token } = await tokensFor(server.agent(), client, person);
      const { session_expiry: ends, auth_time: began } = decodeJwt<Record<string, number>>(token);
      return (ends! - began!) / 3600;
    };
    expect(await hoursOf('ann@acme.example', acme)).toBe(8);
    expect(await hoursOf('carl@nowhere.example')).toBe(7 * 24);
  });

  it('ends what an application keeps', async ({ given, server, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await set(given, acme, { sessions: { idleMinutes: null, hours: null, refreshDays: 3 } });
    const client = await given.client();
    const ann = await given.user('ann@acme.example', { of: acme });
    let tokens = await tokensFor(server.agent(), client, ann, { scope: 'openid offline_access' });
    for (const days of [1, 1]) {
      server.clock.advance(days * 86_400);
      const answer = await refresh(program, client, tokens.refresh_token!);
      expect(answer.status).toBe(200);
      tokens = answer.json;
    }
    await set(given, acme, { sessions: { idleMinutes: null, hours: null, refreshDays: 1 } });
    expect((await refresh(program, client, tokens.refresh_token!)).json).toMatchObject({
      error: 'invalid_grant',
    });
  });
});

describe('the settings of an account', () => {
  it('are changed one by one, within what the installation asks for', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const path = `/accounts/${acme.id}/settings`;
    const admin = caller(program, await given.apiToken(acme));
    const helper = caller(program, await given.apiToken(acme, 'co_administrator'));
    const operator = caller(program, await given.apiToken());

    expect((await operator.patch(path, { accountAdminGrant: 'operator' })).status).toBe(200);
    const changed = await admin.patch(path, { password: { minLength: 16 } });
    expect(changed.json).toEqual({
      accountAdminGrant: 'operator',
      inactivity: null,
      secondFactor: null,
      password: { minLength: 16, composition: 'any' },
      lockout: { attempts: 100, minutes: null, selfUnlock: true },
      signUp: 'approve',
      foreignDomains: 'on',
      sessions: { idleMinutes: null, hours: null, refreshDays: null },
    });
    const [{ details }] = (await admin.get(`/accounts/${acme.id}/audit?action=account.changed`))
      .json.items;
    expect(details).toEqual({
      before: { settings: { password: { minLength: 12, composition: 'any' } } },
      after: { settings: { password: { minLength: 16, composition: 'any' } } },
    });
    expect((await helper.patch(path, { signUp: 'auto' })).status).toBe(403);
    expect((await admin.patch(path, { password: { minLength: 8 } })).status).toBe(403);
    expect((await operator.patch(path, { password: { minLength: 8 } })).status).toBe(200);
    for (const wrong of [
      { password: { minLength: 7 } },
      { lockout: { attempts: 4 } },
      { sessions: { hours: 0 } },
      { signUp: 'anybody' },
      { nonsense: true },
    ])
      expect((await operator.patch(path, wrong)).status).toBe(422);
  });

  it('say what becomes of new domains, and whether strangers are invited', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const admin = caller(program, await given.apiToken(acme));
    await admin.patch(`/accounts/${acme.id}/settings`, { signUp: 'closed', foreignDomains: 'off' });
    const claim = await admin.post(`/accounts/${acme.id}/domains`, { domain: 'acme.test' });
    expect(claim.json.code ?? claim.json.signup).toBe('closed');
    // It is so when the domain comes to be theirs, too.
    const operator = caller(program, await given.apiToken());
    const own = `/accounts/${acme.id}/domains/acme.test`;
    await operator.post(`${own}/attest`, { reason: 'By contract.' });
    expect((await admin.get(own)).json).toMatchObject({ state: 'owned', signup: 'closed' });
    const stranger = {
      email: 'zoe@nowhere.example',
      givenName: 'Zoe',
      familyName: 'Z',
      country: 'US',
    };
    const refused = await admin.post(`/accounts/${acme.id}/users`, stranger);
    expect(refused.json.code).toBe('domain_not_owned');
    await admin.patch(`/accounts/${acme.id}/settings`, { foreignDomains: 'on' });
    expect((await admin.post(`/accounts/${acme.id}/users`, stranger)).json.outcome).toBe('invited');
  });
});
