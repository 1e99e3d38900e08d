import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { desktop, obstacles, overflow, phone } from '#test/support/accessibility.ts';
import { sharedBrowser } from '#test/support/browser.ts';
import { pageContext, type Sample } from './samples.ts';
import { openSite, sampleAddress, type Site } from './site.ts';

/** `SCREENSHOTS=folder` keeps a picture of every page, for human eyes. */
const screenshots = process.env.SCREENSHOTS;

/** A window on the site of the samples, open for all tests of a file. */
export interface Look {
  readonly page: Page;
  /** What the browser complained of. */
  readonly complaints: string[];
}

export function openLook(): Look {
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

  return {
    get page() {
      return page;
    },
    complaints,
  };
}

/**
 * Every one of these pages, by somebody who sees badly, holds a phone, or works by night. A page
 * takes the place of the one before it in the same window: loading the window anew costs more than
 * all that is looked at. So the pages come without scripts here, which one meets at `/samples`.
 */
export function lookAt(look: Look, samples: readonly Sample[]): void {
  // Its style sheets are there from now on: what follows is whole as soon as it is loaded.
  beforeAll(() => look.page.goto(sampleAddress(samples[0]!.name)));

  describe.each(samples)('$name', ({ name, render }) => {
    it('is usable by everybody, and fits a phone and a desk with long words and an open menu', async () => {
      const { page, complaints } = look;
      complaints.length = 0;
      await page.setContent(
        String(render(pageContext('de'))).replaceAll(/<script[^>]*><\/script>/g, ''),
      );
      await page.evaluate("document.querySelector('.languages').open = true");
      expect(await overflow(page, 320)).toBe(0);
      await page.evaluate("document.querySelector('.languages').open = false");
      expect(await obstacles(page)).toEqual([]);
      expect(await overflow(page, desktop.width)).toBe(0);
      expect(complaints).toEqual([]);
      await keepPictures(page, name);
    }, 60_000);
  });
}

async function keepPictures(page: Page, name: string): Promise<void> {
  if (!screenshots) return;
  mkdirSync(screenshots, { recursive: true });
  for (const [size, viewport] of Object.entries({ phone, desktop })) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      const file = `${name} ${size} ${colorScheme}`.replaceAll(/[^\w.]+/g, '-');
      await page.screenshot({ path: join(screenshots, `${file}.png`), fullPage: true });
    }
  }
}
