import { describe, expect } from 'vitest';
import type { Agent, Answer } from '#test/support/agent.ts';
import { appOn, codesOn, enrolApp } from '#test/support/factors.ts';
import { it } from '#test/support/it.ts';
import { codeOf, signIn, typePassword } from '#test/support/sign-in.ts';
import type { TestServer } from '#test/support/server.ts';
import type { GivenUser } from '#test/support/world.ts';

async function open(browser: Agent, path: string, who: GivenUser): Promise<Answer> {
  const page = await browser.follow(await browser.get(path));
  return page.url.pathname.startsWith('/sign-in') ? typePassword(browser, page, who) : page;
}

/** Ann has signed in and added an app in her profile. */
async function withApp(server: TestServer, browser: Agent, ann: GivenUser) {
  const page = await open(browser, '/profile/factors/app', ann);
  return enrolApp(browser, page, server.clock);
}

const form = (page: Answer, action: string) =>
  page.forms.find((one) => one.action.endsWith(action))!;

describe('second factors in the profile', () => {
  it('are added by oneself, and asked for at the next sign-in', async ({
    server,
    given,
    browser,
  }) => {
    const ann = await given.user();
    const before = await open(browser, '/profile/security', ann);
    expect(before.words).toContain('Only a password protects');
    const { app, recoveryCodes, answer } = await withApp(server, browser, ann);
    expect(recoveryCodes).toHaveLength(10);
    expect(answer.words).toContain('The second step was added.');
    expect(answer.words).toContain('10 recovery codes are left.');
    // The session showed it by setting it up.
    expect(await given.rows(`select payload ->> 'acr' as acr from oidc_sessions`)).toEqual([
      { acr: 'urn:ostiary:acr:mfa' },
    ]);
    const client = await given.client();
    const elsewhere = server.agent();
    const asked = await signIn(elsewhere, client, ann);
    expect(asked.words).toContain('Confirm that it is you');
    codeOf(await elsewhere.follow(await elsewhere.submit(asked.forms[0]!, { code: app.next() })));
    await server.app.delivery.drain();
    expect((await given.mails()).map(({ text }) => text).join()).toContain(
      'An authenticator app was added to your user account.',
    );
    expect(server.errors).toEqual([]);
  });

  it('are changed only right after proving anew who one is (ASVS 7.5.1)', async ({
    server,
    given,
    browser,
  }) => {
    const ann = await given.user();
    const { app } = await withApp(server, browser, ann);
    const page = await browser.get('/profile/security');
    server.clock.advance(6 * 60);
    for (const action of ['/profile/factors/remove', '/profile/factors/codes']) {
      const asked = await browser.submit(form(page, action));
      expect(asked.location!.pathname).toBe('/oauth/authorize');
      expect(asked.location!.searchParams.get('prompt')).toBe('login');
      expect(asked.location!.searchParams.get('acr_values')).toBe('urn:ostiary:acr:mfa');
    }
    expect(
      (
        await browser.post('/profile/factors/passkey/options', {
          form: form(page, '/profile/factors/codes').fields,
        })
      ).status,
    ).toBe(403);
    const add = await browser.follow(await browser.get('/profile/factors/app'));
    expect(add.words).toContain('Enter your password');
    const code = await typePassword(browser, add, ann);
    expect(code.words).toContain('Confirm that it is you');
    const back = await browser.follow(await browser.submit(code.forms[0]!, { code: app.code() }));
    expect(back.url.pathname).toBe('/profile/factors/app');
    expect(await given.rows('select 1 from factors')).toHaveLength(1);
  });

  it('have names, go away, and the last takes the recovery codes along', async ({
    server,
    given,
    browser,
  }) => {
    const ann = await given.user();
    await withApp(server, browser, ann);
    const page = await browser.get('/profile/security');
    const renamed = await browser.follow(
      await browser.submit(form(page, '/rename'), { name: 'My <b>phone</b>' }),
    );
    expect(renamed.words).toContain('My <b>phone</b>');
    const bad = await browser.follow(
      await browser.submit(form(page, '/rename'), { name: 'x'.repeat(61) }),
    );
    expect(bad.alerts).toEqual([expect.stringContaining('at most 60')]);
    const removed = await browser.follow(await browser.submit(form(renamed, '/remove')));
    expect(removed.words).toContain('The second step was removed.');
    expect(await given.rows('select 1 from recovery_codes')).toEqual([]);
    expect((await given.person(ann))!.secondFactor.enrolled).toBe(false);
  });

  it('cannot all be removed by whom one is demanded of', async ({ server, given, browser }) => {
    const ann = await given.user();
    await withApp(server, browser, ann);
    await given.rows('update users set second_factor_required = true');
    const page = await browser.get('/profile/security');
    const refused = await browser.follow(await browser.submit(form(page, '/remove')));
    expect(refused.alerts).toEqual([expect.stringContaining('required of you')]);
    expect(await given.rows('select 1 from factors')).toHaveLength(1);
  });

  it('are nobody else’s to touch', async ({ server, given, browser }) => {
    const [ann, bob] = [await given.user(), await given.user('bob@acme.example')];
    await withApp(server, browser, ann);
    const theirs = server.agent();
    await withApp(server, theirs, bob);
    const [{ id }] = (await given.rows<{ id: string }>(
      'select id from factors where user_id = $1',
      [ann.id],
    )) as [{ id: string }];
    const page = await theirs.get('/profile/security');
    for (const action of ['/rename', '/remove'])
      await theirs.submit(form(page, action), { factor: id, name: 'mine now' });
    expect(await given.rows('select name from factors where id = $1', [id])).toEqual([
      { name: 'Authenticator app' },
    ]);
  });

  it('get new recovery codes, and the old ones are no longer good', async ({
    server,
    given,
    browser,
  }) => {
    const ann = await given.user();
    const { recoveryCodes } = await withApp(server, browser, ann);
    const page = await browser.get('/profile/security');
    const renewed = await browser.submit(form(page, '/profile/factors/codes'));
    const codes = codesOn(renewed);
    expect(codes).toHaveLength(10);
    expect(codes).not.toContain(recoveryCodes[0]);
    const file = await browser.submit(form(renewed, '/codes/file'));
    expect(file.text.trim().split('\r\n')).toEqual(codes);
    const client = await given.client();
    for (const [code, status] of [
      [recoveryCodes[0]!, 401],
      [codes[0]!, 303],
    ] as const) {
      const elsewhere = server.agent();
      const asked = await signIn(elsewhere, client, ann);
      const { forms } = await elsewhere.get(`${asked.url.pathname}?with=recovery`);
      expect((await elsewhere.submit(forms[0]!, { code })).status).toBe(status);
    }
  });

  it('show a secret that nobody else who signs in is shown', async ({ server, given }) => {
    const ann = await given.user();
    const [one, two] = [server.agent(), server.agent()];
    const first = await open(one, '/profile/factors/app', ann);
    const again = await one.get('/profile/factors/app');
    const other = await open(two, '/profile/factors/app', ann);
    const now = server.clock;
    expect(appOn(again, now).code()).toBe(appOn(first, now).code());
    expect(appOn(other, now).code()).not.toBe(appOn(first, now).code());
    // Sealed at rest.
    const kept = JSON.stringify(await given.rows('select details from one_time_tokens'));
    const [, secret] = /<p class="value code">([^<]+)</.exec(first.text)!;
    expect(kept).not.toContain(secret!.replaceAll(' ', ''));
  });
});
