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

describe('an administrator with a keyboard and a mouse', () => {
  it('finds who is locked and why, locks, takes it back, and adds somebody', async ({
    given,
    open,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme, familyName: 'Abel' });
    await given.user('bob@acme.example', { of: acme, familyName: 'Baker' });
    await given.locked(ann, 'admin', 'Left on Friday');
    const { page, complaints } = await open(true);
    await page.setViewportSize(desktop);
    await signIn(page, '/users', fay);
    await isForEverybody(page);

    // The padlock speaks when it is pointed at, when it has the focus, and not after Escape.
    const tip = page.getByRole('tooltip', { includeHidden: true });
    const padlock = page.locator('button.lock');
    expect(await tip.isVisible()).toBe(false);
    await padlock.hover();
    expect(await tip.isVisible()).toBe(true);
    await page.mouse.move(0, 0);
    await padlock.focus();
    expect(await tip.innerText()).toMatch(/^Locked by test on .*: Left on Friday$/);
    await page.keyboard.press('Escape');
    expect(await tip.isVisible()).toBe(false);

    // "/" goes to the search, which narrows the list without a new page, and keeps the focus.
    await page.evaluate('window.stillHere = true');
    await page.locator('h1').click();
    await page.keyboard.press('/');
    await page.keyboard.type('bak');
    await page.waitForURL(/q=bak/);
    await page.locator('#list tbody tr').nth(1).waitFor({ state: 'detached' });
    expect(await page.locator('#list tbody').innerText()).toContain('bob@acme.example');
    expect(await page.evaluate('window.stillHere')).toBe(true);
    expect(await page.evaluate('document.activeElement.id')).toBe('q');

    await page.getByLabel('Choose bob Baker').check();
    expect(await page.locator('[data-count]').innerText()).toBe('Chosen: 1');
    await page.locator('#do').selectOption('lock');
    await page.getByRole('button', { name: 'Continue' }).click();
    await isForEverybody(page);
    await page.getByLabel('Why').fill('Lost the laptop');
    await page.getByRole('button', { name: 'Lock', exact: true }).click();
    expect(await page.getByRole('status').innerText()).toContain('One person is locked.');
    // Whoever did something to a row goes on there.
    await expect
      .poll(() => page.evaluate('document.activeElement.closest("tr")?.innerText'))
      .toContain('bob');
    await page.getByRole('button', { name: 'Undo' }).press('Enter');
    expect(await page.getByRole('status').innerText()).toContain('One person is unlocked.');

    await page.getByRole('link', { name: 'Add user' }).click();
    await isForEverybody(page);
    await page.getByLabel('E-mail address').fill('carla@acme.example');
    await page.getByLabel('First name').fill('Carla');
    await page.getByLabel('Last name').fill('Cole');
    await page.getByLabel('Country', { exact: true }).selectOption('DE');
    await page.getByRole('button', { name: 'Add user' }).click();
    expect(await page.getByRole('status').innerText()).toContain('Created and invited.');

    await page.getByRole('link', { name: 'Carla Cole' }).click();
    await page.waitForURL(/\/users\/[0-9a-f-]{36}$/);
    await isForEverybody(page);
    // Times are told where the reader is: eight or seven hours behind, with no zone beside them.
    expect(await page.locator('time[data-precision="moment"]').first().innerText()).not.toContain(
      'UTC',
    );
    expect(complaints).toEqual([]);
  });

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
