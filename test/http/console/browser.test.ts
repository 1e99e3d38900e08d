import type { BrowserContext, Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { desktop, obstacles, overflow } from '#test/support/accessibility.ts';
import { sharedBrowser } from '#test/support/browser.ts';
import { it as base } from '#test/support/it.ts';
import type { GivenUser } from '#test/support/world.ts';
import { acmeAndFay } from './support.ts';

interface Window {
  page: Page;
  /** What the browser complained about, such as something the policy forbids. */
  complaints: string[];
}

const it = base.extend<{ open: (scripts: boolean) => Promise<Window> }>({
  open: async ({ server }, use) => {
    const contexts: BrowserContext[] = [];
    await use(async (scripts) => {
      const browser = await sharedBrowser();
      const context = await browser.newContext({
        baseURL: server.url,
        javaScriptEnabled: scripts,
        locale: 'en-US',
        timezoneId: 'America/Los_Angeles',
        reducedMotion: 'reduce',
      });
      contexts.push(context);
      const complaints: string[] = [];
      const page = await context.newPage();
      page.on('console', (message) => {
        if (message.type() === 'error' && !/status of 4\d\d/.test(message.text()))
          complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      return { page, complaints };
    });
    for (const context of contexts) await context.close();
  },
});

async function signIn(page: Page, path: string, { email, password }: GivenUser): Promise<void> {
  await page.goto(`/console${path}`);
  await page.getByLabel('E-mail address').fill(email);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL(`**/console${path}`);
}

async function isForEverybody(page: Page): Promise<void> {
  expect(await obstacles(page)).toEqual([]);
  expect(await overflow(page, 320)).toBe(0);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(desktop);
}

describe('an administrator', () => {
  it('finds every room usable, on a phone and by night', async ({ given, open }) => {
    const { acme, fay } = await acmeAndFay(given);
    const bob = await given.user('bob@acme.example', { password: null });
    await given.waiting(bob, acme);
    await given.rows(
      `insert into groups (id, account_id, name, description, type, created_at, updated_at)
       values (gen_random_uuid(), $1, 'Bridges', '', 'standard', now(), now())`,
      [acme.id],
    );
    const { page, complaints } = await open(true);
    await signIn(page, '/approvals', fay);
    for (const path of [
      '/approvals',
      '/invitations',
      '/groups',
      '/groups/new',
      '/roles',
      '/contacts',
      '/erasures',
      '/users/removed',
    ]) {
      await page.goto(`/console${path}`);
      await isForEverybody(page);
    }
    expect(complaints).toEqual([]);
  });
});

describe('an administrator whose browser runs no scripts', () => {
  it('approves, locks, unlocks, resets, gives a role, and deletes', async ({ given, open }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { password: null });
    await given.waiting(ann, acme);
    const { page } = await open(false);
    await signIn(page, '/approvals', fay);
    await page.getByLabel('Choose ann Archer').check();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('button', { name: 'Approve' }).click();
    expect(await page.getByRole('status').innerText()).toContain('One person was approved.');

    const act = async (action: string, title: string, fill?: () => Promise<void>) => {
      await page.goto('/console/users');
      await page.getByLabel('Choose ann Archer').check();
      await page.locator('#do').selectOption(action);
      await page.getByRole('button', { name: 'Continue' }).click();
      await fill?.();
      await page.locator('.part form').getByRole('button', { name: title }).click();
      return page.getByRole('status').innerText();
    };
    expect(
      await act('lock', 'Lock', () => page.getByLabel('Why').fill('Asked security')),
    ).toContain('One person is locked.');
    await page.locator('button.lock').focus();
    expect(await page.getByRole('tooltip').innerText()).toContain('Locked by fay@acme.example');
    expect(await act('unlock', 'Unlock')).toContain('One person is unlocked.');
    expect(await act('reset', 'Reset password')).toContain('A mail was sent.');
    expect(
      await act('roles', 'Change roles', () =>
        page.getByRole('group', { name: 'Give' }).getByLabel('Co-Administrator').check(),
      ),
    ).toContain('The roles of one person are changed.');
    expect((await given.person(ann))!.roles).toEqual(['co_administrator']);
    expect(await act('remove', 'Remove from account')).toContain('One person was removed.');
    expect((await given.person(ann))!.locks).toMatchObject([{ reason: 'unaffiliated' }]);
    await page.getByRole('button', { name: 'Undo' }).click();
    expect(await page.getByRole('status').innerText()).toContain('One person is back.');
    expect((await given.person(ann))!.roles).toEqual(['co_administrator']);
  });
});
