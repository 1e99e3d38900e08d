import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { obstacles, overflow } from '#test/support/accessibility.ts';
import { sharedBrowser } from '#test/support/browser.ts';
import { it } from '../../identity/domains/support.ts';

/** The journey of the source document: claim, publish, look, own, let people in, let go. */
it('an Account Administrator claims a domain in a browser, from the keyboard', async ({
  given,
  server,
  net,
}) => {
  const acme = await given.account('Acme');
  const fay = await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
  const ann = await given.user('ann@acme.example');
  const browser = await sharedBrowser();
  const context = await browser.newContext({
    baseURL: server.url,
    locale: 'en-US',
    reducedMotion: 'reduce',
  });
  const complaints: string[] = [];
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text()))
      complaints.push(message.text());
  });

  await page.goto('/console/dashboard');
  await page.getByLabel('E-mail address').fill(fay.email);
  await page.keyboard.press('Enter');
  await page.getByLabel('Password').fill(fay.password);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/console/dashboard');

  await press(page, 'link', 'Domains');
  await press(page, 'link', 'Claim a domain');
  await page.getByLabel('Domain', { exact: true }).fill('gmail.com');
  await page.keyboard.press('Enter');
  await expect.poll(() => page.getByRole('alert').textContent()).toContain('Nobody can own it.');
  expect(await page.title()).toMatch(/^Error: /);
  await page.getByLabel('Domain', { exact: true }).fill('acme.example');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/domains/acme.example*');

  const name = await page.getByLabel('Name', { exact: true }).inputValue();
  const value = await page.getByLabel('Text', { exact: true }).inputValue();
  await press(page, 'button', 'Look for it now');
  await told(page, 'The proof is not there yet.');
  net.publish({ name, value });
  server.clock.advance(11);
  await press(page, 'button', 'Look for it now');
  await told(page, 'the domain is yours');

  await page.getByLabel('Who registers with an address here').selectOption('auto');
  await press(page, 'button', 'Save');
  await told(page, 'Saved.');
  await press(page, 'button', 'Take them in at once');
  await told(page, '1 person taken in');
  expect((await given.person(ann))!.affiliation).toBe('member');
  expect(await obstacles(page)).toEqual([]);
  expect(await overflow(page, 320)).toBe(0);

  await page.goto('/console/dashboard');
  expect(await obstacles(page)).toEqual([]);
  expect(await overflow(page, 320)).toBe(0);
  expect(complaints).toEqual([]);
  expect(server.errors).toEqual([]);
  await context.close();
});

/** As somebody does who uses no mouse. */
async function press(page: Page, role: 'link' | 'button', name: string): Promise<void> {
  const control = page.getByRole(role, { name, exact: true }).first();
  await control.focus();
  await page.keyboard.press('Enter');
}

async function told(page: Page, text: string): Promise<void> {
  await expect.poll(() => page.getByRole('status').textContent()).toContain(text);
}
