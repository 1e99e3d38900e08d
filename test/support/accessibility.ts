import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';

/** For pictures. */
export const phone = { width: 360, height: 740 };
export const desktop = { width: 1280, height: 800 };
/** The least that WCAG 1.4.10 asks for. */
const narrow = { width: 320, height: 640 };

/** WCAG 2.2, levels A and AA. */
const standards = ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'];
const nightAndDesk = ['color-contrast', 'target-size'];
const source = readFileSync(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');

/**
 * What stands between this page and somebody who uses it: on a phone and a desk, by day and by
 * night. Empty where nothing does. The page stays loaded; its size and colours are those of the last
 * look.
 */
export async function obstacles(page: Page): Promise<string[]> {
  await page.setViewportSize(narrow);
  await page.emulateMedia({ colorScheme: 'light' });
  const found = await violations(page, { type: 'tag', values: standards });
  // By night only the colours change, and on a desk only what is shown, and its sizes.
  await page.setViewportSize(desktop);
  await page.emulateMedia({ colorScheme: 'dark' });
  found.push(...(await violations(page, { type: 'rule', values: nightAndDesk })));
  return found;
}

/** How far the page reaches beyond a window of this width, in pixels. */
export async function overflow(page: Page, width: number): Promise<number> {
  await page.setViewportSize({ ...narrow, width });
  return page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
}

interface Rules {
  type: 'tag' | 'rule';
  values: string[];
}

interface Found {
  id: string;
  nodes: { html: string; failureSummary?: string }[];
}

/**
 * Loads axe into the window at the first look: it is half a megabyte, and most of what a look costs.
 * A window that gets another content keeps it (`page.setContent`).
 */
async function violations(page: Page, runOnly: Rules): Promise<string[]> {
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(source);
  const options = JSON.stringify({ runOnly, resultTypes: ['violations'], preload: false });
  const found = await page.evaluate<Found[]>(
    `axe.run(document, ${options}).then(({ violations }) =>
      violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })) })))`,
  );
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 300)} ${failureSummary}`),
  );
}
