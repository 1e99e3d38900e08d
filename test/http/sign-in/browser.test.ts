import type { BrowserContext, Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { it as base } from '#test/support/it.ts';
import { sharedBrowser } from '#test/support/browser.ts';
import { authorizeUrl } from '#test/support/sign-in.ts';
import type { GivenClient, GivenUser } from '#test/support/world.ts';
import { linkIn, mailTo } from '../self-service/mailbox.ts';
import { relyingParty } from './relying-party.ts';

const fresh = 'seven swans were swimming';

interface Window {
  page: Page;
  context: BrowserContext;
  /** What the browser complained about, such as something the policy forbids. */
  complaints: string[];
}

const it = base.extend<{ open: (scripts: boolean) => Promise<Window>; planner: GivenClient }>({
  open: async ({ server }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (scripts) => {
      const browser = await sharedBrowser();
      const context = await browser.newContext({
        baseURL: server.url,
        javaScriptEnabled: scripts,
        locale: 'en-US',
      });
      contexts.push(context);
      const complaints: string[] = [];
      const page = await context.newPage();
      page.on('console', (message) => {
        if (message.type() === 'error' && !/status of 4\d\d/.test(message.text()))
          complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
      return { page, context, complaints };
    });
    for (const context of contexts) await context.close();
  },
  planner: async ({ given }, use) => {
    const application = await relyingParty();
    await use(
      await given.client({
        name: 'Planner',
        redirectUri: application.redirectUri,
        metadata: { application_type: 'native' },
      }),
    );
    await application.close();
  },
});

async function typeAddress(page: Page, { email }: GivenUser): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByRole('button', { name: 'Continue' }).click();
}

async function typePassword(page: Page, password: string): Promise<void> {
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

describe.each([
  ['with scripts', true],
  ['without scripts', false],
])('a person in a real browser, %s', (_, scripts) => {
  it('signs in, accepts the terms and arrives', async ({ given, open, planner, server }) => {
    await given.terms('1');
    const ann = await given.user('ann@acme.example', { accepts: false });
    const { page, complaints, context } = await open(scripts);
    await page.goto(authorizeUrl(planner));
    await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in');
    await typeAddress(page, ann);
    await typePassword(page, 'not hers at all');
    expect(await page.getByRole('alert').textContent()).toContain("We didn't recognize");
    expect(await page.title()).toMatch(/^Error: /);
    await typePassword(page, ann.password);

    await page.getByRole('heading', { name: 'Before you continue' }).waitFor();
    await page.getByRole('button', { name: 'Accept and continue' }).click();
    expect(page.url()).toContain('/sign-in/');
    await page.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Accept and continue' }).click();
    await page.getByRole('heading', { name: 'Signed in' }).waitFor();

    const cookies = await context.cookies();
    expect(
      cookies.filter(({ name }) => name.startsWith('ostiary')).every(({ httpOnly }) => httpOnly),
    ).toBe(true);
    expect(complaints).toEqual([]);
    expect(server.errors).toEqual([]);
  }, 60_000);

  it('says no to the terms, and is signed out', async ({ given, open, planner }) => {
    await given.terms('1');
    const ann = await given.user('ann@acme.example', { accepts: false });
    const { page } = await open(scripts);
    await page.goto(authorizeUrl(planner));
    await typeAddress(page, ann);
    await typePassword(page, ann.password);
    await page.getByRole('button', { name: 'Decline and sign out' }).click();
    await page.getByRole('heading', { name: 'Not signed in' }).waitFor();
    expect(await page.textContent('p')).toBe('access_denied');
    await page.goto(authorizeUrl(planner));
    await expect.poll(() => page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in');
  }, 60_000);

  it('forgets the password, follows the mail and goes on signing in', async ({
    given,
    open,
    planner,
    server,
  }) => {
    const ann = await given.user();
    const { page, complaints } = await open(scripts);
    await page.goto(authorizeUrl(planner));
    await typeAddress(page, ann);
    await page.getByRole('link', { name: 'Forgot password?' }).click();
    await page.getByLabel('E-mail address').fill(ann.email);
    await page.getByRole('button', { name: 'Send link' }).click();
    await page.getByRole('heading', { name: 'Check your mail' }).waitFor();
    await page.goto(linkIn(await mailTo(server, ann.email)));
    await page.getByLabel('New password', { exact: true }).fill(fresh);
    await page.getByLabel('Repeat the new password').fill(fresh);
    await page.getByRole('button', { name: 'Save password' }).click();
    await page.getByRole('link', { name: 'Sign in' }).click();
    await typePassword(page, fresh);
    await page.getByRole('heading', { name: 'Signed in' }).waitFor();
    expect(complaints).toEqual([]);
  }, 60_000);

  it('is not the person whose address stands there, and says so', async ({
    given,
    open,
    planner,
  }) => {
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    const { page } = await open(scripts);
    await page.goto(authorizeUrl(planner, { login_hint: bob.email }));
    expect(await page.getByLabel('E-mail address').inputValue()).toBe(bob.email);
    await page.getByRole('link', { name: 'Not you?' }).click();
    await typeAddress(page, ann);
    await typePassword(page, ann.password);
    await page.getByRole('heading', { name: 'Signed in' }).waitFor();
  }, 60_000);

  it('is the second at this browser, in two tabs: the first is signed out', async ({
    given,
    open,
    planner,
  }) => {
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    const { page, context } = await open(scripts);
    const tab = await context.newPage();
    await page.goto(authorizeUrl(planner));
    await tab.goto(authorizeUrl(planner));
    await typeAddress(page, ann);
    await typePassword(page, ann.password);
    await page.getByRole('heading', { name: 'Signed in' }).waitFor();
    await typeAddress(tab, bob);
    await typePassword(tab, bob.password);
    if (!scripts) await tab.getByRole('button', { name: 'Continue' }).click();
    await tab.getByRole('heading', { name: 'Signed in' }).waitFor();
    expect(await given.rows('select user_id from oidc_sessions where user_id is not null')).toEqual(
      [{ user_id: bob.id }],
    );
  }, 60_000);

  it('presses “back” at the end, and is told that this sign-in is over', async ({
    given,
    open,
    planner,
  }) => {
    const ann = await given.user();
    const { page } = await open(scripts);
    await page.goto(authorizeUrl(planner));
    await typeAddress(page, ann);
    const address = page.url();
    await typePassword(page, ann.password);
    await page.getByRole('heading', { name: 'Signed in' }).waitFor();
    await page.goBack();
    expect(await page.content()).not.toContain(ann.password);
    await page.goto(address);
    await page.getByRole('heading', { name: 'This sign-in is no longer open' }).waitFor();
  }, 60_000);

  it('is locked, and reads who can help', async ({ given, open, planner }) => {
    const acme = await given.account();
    await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
      givenName: 'Fay',
      familyName: 'Miller',
    });
    const ann = await given.user('ann@acme.example', { of: acme });
    await given.locked(ann, 'admin');
    const { page } = await open(scripts);
    await page.goto(authorizeUrl(planner));
    await typeAddress(page, ann);
    await typePassword(page, ann.password);
    expect(await page.getByRole('alert').textContent()).toContain(
      'Your administrator locked this account.',
    );
    expect(await page.getByText('Fay Miller').isVisible()).toBe(true);
    await page.getByRole('link', { name: 'Back to Planner' }).click();
    await page.getByRole('heading', { name: 'Not signed in' }).waitFor();
  }, 60_000);
});

describe('a password manager', () => {
  it('finds the address and the password, and what is new', async ({
    given,
    open,
    planner,
    server,
  }) => {
    const ann = await given.user();
    const { page } = await open(true);
    await page.goto(authorizeUrl(planner));
    expect(await page.getByLabel('E-mail address').getAttribute('autocomplete')).toBe('username');
    await typeAddress(page, ann);
    expect(await page.getByLabel('E-mail address').getAttribute('autocomplete')).toBe('username');
    const password = page.getByLabel('Password');
    expect(await password.getAttribute('autocomplete')).toBe('current-password');
    expect(await password.evaluate((field) => field === document.activeElement)).toBe(true);
    await page.goto('/forgot-password');
    await page.getByLabel('E-mail address').fill(ann.email);
    await page.getByRole('button', { name: 'Send link' }).click();
    expect(await page.getByLabel('Code').getAttribute('autocomplete')).toBe('one-time-code');
    await page.goto(linkIn(await mailTo(server, ann.email)));
    for (const label of ['New password', 'Repeat the new password'])
      expect(await page.getByLabel(label, { exact: true }).getAttribute('autocomplete')).toBe(
        'new-password',
      );
  }, 60_000);
});

describe('another site', () => {
  it('can neither frame our pages nor send our forms', async ({ given, open, planner }) => {
    const ann = await given.user();
    const { page, context } = await open(true);
    await page.goto(authorizeUrl(planner, { login_hint: ann.email }));
    const target = page.url();
    const csrf = await page.locator('input[name=csrf]').first().inputValue();
    const evil = await context.newPage();
    await evil.goto(planner.redirectUri);
    await evil.setContent(`<iframe src="${target}"></iframe>
      <form method="post" action="${target}/password">
        <input name="csrf" value="${csrf}"><input name="email" value="${ann.email}">
        <input name="password" value="${ann.password}"><button>Win</button>
      </form>`);
    const frame = evil.frames()[1];
    expect(await frame?.content().catch(() => '')).not.toContain('Enter your password');
    await evil.getByRole('button', { name: 'Win' }).click();
    await evil.waitForLoadState();
    expect(await evil.textContent('body')).not.toContain('Signed in');
    expect(await given.rows('select 1 from oidc_sessions where user_id is not null')).toEqual([]);
  }, 60_000);
});
