import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { desktop, obstacles, overflow, phone } from '#test/support/accessibility.ts';
import { sharedBrowser } from '#test/support/browser.ts';
import { samples } from './every-sample.ts';
import { openSite, sampleAddress, type Site } from './site.ts';

/** `SCREENSHOTS=folder` keeps a picture of every page, for human eyes. */
const screenshots = process.env.SCREENSHOTS;

let site: Site;
let context: BrowserContext;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  site = await openSite();
  const browser = await sharedBrowser();
  context = await browser.newContext({ baseURL: site.origin, reducedMotion: 'reduce' });
  page = await context.newPage();
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('dialog', (dialog) => complaints.push(`dialog: ${dialog.message()}`));
}, 60_000);

afterAll(async () => {
  await context.close();
  site.close();
});

describe.each(samples)('$name', ({ name }) => {
  it('is usable by everybody, and fits 320 pixels with long words and an open menu', async () => {
    complaints.length = 0;
    await page.goto(`${sampleAddress(name)}?ui_locales=de`);
    expect(await obstacles(page)).toEqual([]);
    await page.evaluate("document.querySelector('.languages').open = true");
    expect(await overflow(page, 320)).toBe(0);
    expect(complaints).toEqual([]);
    await keepPictures(name);
  }, 60_000);
});

it('notices a page that cannot be used', async () => {
  await page.goto(sampleAddress('identifier'));
  await page.evaluate("document.querySelector('label').remove()");
  await page.evaluate("document.querySelector('main').style.width = '2000px'");
  expect((await obstacles(page)).join()).toContain('label');
  expect(await overflow(page, 320)).toBeGreaterThan(0);
});

describe('a person without a mouse', () => {
  it('signs in by typing and Enter', async () => {
    await page.setViewportSize(desktop);
    await page.goto(sampleAddress('identifier'));
    // The focus comes a moment after the page: a letter typed before it is lost.
    await page.locator('#email:focus').waitFor();
    await page.keyboard.type('ann@acme.example');
    await page.keyboard.press('Enter');

    expect(await page.locator('#received').textContent()).toContain('email=ann%2540acme.example');
  });

  it('reads the terms to the end, ticks every box and accepts', async () => {
    await page.goto(sampleAddress('terms'));
    await page.keyboard.press('Tab');
    await page.keyboard.press('End');
    await expect
      .poll(() => page.evaluate<number>("document.querySelector('.text').scrollTop"))
      .toBeGreaterThan(0);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');

    expect(await page.locator('#received').textContent()).toContain(
      'accept=tos-2026-06&accept=privacy-2026-06',
    );
  });

  it('cannot accept with a box left out', async () => {
    await page.goto(sampleAddress('terms'));
    await page.locator('#accept-0').check();
    await page.locator('button.primary').press('Enter');

    expect(await page.locator('#accept-1').evaluate((box) => box.matches(':invalid'))).toBe(true);
    expect(page.url()).toContain('/samples/terms');
  });

  it('sees where the focus is', async () => {
    await page.goto(sampleAddress('consent'));
    await page.keyboard.press('Tab');
    const outline = 'getComputedStyle(document.activeElement).outline';
    expect(await page.evaluate<string>(outline)).toMatch(/solid [2-9]px/);
  });

  it('changes the language', async () => {
    await page.goto(sampleAddress('sign out'));
    await page.locator('.languages summary').press('Enter');
    await page.getByRole('link', { name: 'Deutsch' }).press('Enter');

    await page.waitForURL(/ui_locales=de/);
  });
});

it('carries an answer to the application by itself', async () => {
  await page.goto('/answer');
  await expect.poll(() => page.title()).toBe('Received');
  expect(await page.locator('#received').textContent()).toBe('code=c0de');
});

async function keepPictures(name: string): Promise<void> {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  await page.goto(sampleAddress(name));
  for (const [size, viewport] of Object.entries({ phone, desktop })) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      const file = `${name} ${size} ${colorScheme}`.replaceAll(/[^\w.]+/g, '-');
      await page.screenshot({ path: join(screenshots, `${file}.png`), fullPage: true });
    }
  }
}
