import { describe, expect, it } from 'vitest';
import { desktop, obstacles, overflow } from '#test/support/accessibility.ts';
import { samples } from './every-sample.ts';
import { lookAt, openLook } from './look.ts';
import { sampleAddress } from './site.ts';

const look = openLook();

lookAt(look, samples);

it('notices a page that cannot be used', async () => {
  const { page } = look;
  await page.goto(sampleAddress('identifier'));
  await page.evaluate("document.querySelector('label').remove()");
  await page.evaluate("document.querySelector('main').style.width = '2000px'");
  expect((await obstacles(page)).join()).toContain('label');
  expect(await overflow(page, 320)).toBeGreaterThan(0);
});

describe('a person without a mouse', () => {
  it('signs in by typing and Enter', async () => {
    const { page } = look;
    await page.setViewportSize(desktop);
    await page.goto(sampleAddress('identifier'));
    // The focus comes a moment after the page: a letter typed before it is lost.
    await page.locator('#email:focus').waitFor();
    await page.keyboard.type('ann@acme.example');
    await page.keyboard.press('Enter');

    expect(await page.locator('#received').textContent()).toContain('email=ann%2540acme.example');
  });

  it('reads the terms to the end, ticks every box and accepts', async () => {
    const { page } = look;
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
    const { page } = look;
    await page.goto(sampleAddress('terms'));
    await page.locator('#accept-0').check();
    await page.locator('button.primary').press('Enter');

    expect(await page.locator('#accept-1').evaluate((box) => box.matches(':invalid'))).toBe(true);
    expect(page.url()).toContain('/samples/terms');
  });

  it('sees where the focus is', async () => {
    const { page } = look;
    await page.goto(sampleAddress('consent'));
    await page.keyboard.press('Tab');
    const outline = 'getComputedStyle(document.activeElement).outline';
    expect(await page.evaluate<string>(outline)).toMatch(/solid [2-9]px/);
  });

  it('changes the language', async () => {
    const { page } = look;
    await page.goto(sampleAddress('sign out'));
    await page.locator('.languages summary').press('Enter');
    await page.getByRole('link', { name: 'Deutsch' }).press('Enter');

    await page.waitForURL(/ui_locales=de/);
  });
});

it('carries an answer to the application by itself', async () => {
  const { page } = look;
  await page.goto('/answer');
  await expect.poll(() => page.title()).toBe('Received');
  expect(await page.locator('#received').textContent()).toBe('code=c0de');
});
