import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Demo } from '#config/demo.ts';
import { sharedBrowser } from '#test/support/browser.ts';

/**
 * Takes the pictures of the README from a fresh demo that runs (a newcomer accepts terms once):
 *
 *     npm exec -c 'node test/readme/pictures.ts .data/demo.json docs/images'
 */
const [file = '.data/demo.json', folder = 'docs/images'] = process.argv.slice(2);
const demo = JSON.parse(readFileSync(file, 'utf8')) as Demo;
const newcomer = demo.accounts[0]!.newcomer!;

const phone = { width: 360, height: 640 };
const desk = { width: 960, height: 600 };
const wide = { width: 1120, height: 700 };

mkdirSync(folder, { recursive: true });
const browser = await sharedBrowser();
const context = await browser.newContext({ baseURL: demo.issuer, reducedMotion: 'reduce' });
const page = await context.newPage();
await page.goto('/dev/app');
await keep(page, 'start', desk);
await press('Sign in');
await keep(page, 'sign-in', phone);
await page.getByLabel('E-mail address').fill(newcomer.email);
await press('Continue');
await keep(page, 'password', phone);
await page.getByLabel('Password').fill(newcomer.password);
await press('Sign in');
await keep(page, 'terms', phone);
for (const box of await page.getByRole('checkbox').all()) await box.check();
await page.locator('button.primary').click();
await page.getByRole('heading', { level: 1, name: 'is signed in' }).waitFor();
await keep(page, 'received', desk);
await context.clearCookies();

const { id, administrator, apiToken, users } = demo.accounts[0]!;
const api = `${demo.issuer}/api/v1/accounts/${id}/users`;
const headers = { authorization: `Bearer ${apiToken}` };
const found = await context.request.get(`${api}?q=${users[0]!.email}`, { headers });
const { items } = (await found.json()) as { items: { id: string }[] };
await context.request.post(`${api}/${items[0]!.id}/lock`, {
  headers,
  data: { note: 'Left on Friday; the laptop is not back yet.' },
});
await page.goto('/console/users');
await page.getByLabel('E-mail address').fill(administrator.email);
await press('Continue');
await page.getByLabel('Password').fill(administrator.password);
await press('Sign in');
await page.locator('button.lock').first().focus();
await keep(page, 'console', { width: 1120, height: 540 });
await page.goto('/console/dashboard');
await keep(page, 'dashboard', wide);
await page.goto(`/console/explain?email=${encodeURIComponent(users[0]!.email)}`);
await keep(page, 'explain', desk);
await browser.close();

async function press(name: string): Promise<void> {
  await page.getByRole('button', { name, exact: true }).first().click();
}

/** By day and by night: GitHub shows the one that fits its reader. */
async function keep(page: Page, name: string, viewport: typeof phone): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
  }
}
