import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { acmeAndFay, formTo, open, send } from './support.ts';

describe('the console', () => {
  it('asks who one is, and is closed to who looks after nothing', async ({ given, browser }) => {
    const { acme } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    expect((await browser.get('/console')).status).toBe(303);

    const page = await open(browser, '/accounts', ann);
    expect(page.status).toBe(403);
    expect(page.words).toContain('This is for administrators');
  });

  it('shows operators every account, and the one they act in all the time', async ({
    given,
    browser,
  }) => {
    const { acme } = await acmeAndFay(given);
    await given.account('Beta');
    const olga = await given.user('olga@ostiary.example', { roles: ['operator'] });
    const list = await open(browser, '/accounts', olga);
    expect(list.words).toContain('Acme');
    expect(list.words).toContain('Beta');
    expect(list.text).not.toContain('as an operator');

    // A page about an account asks which, and is shown once that is said.
    const choose = await open(browser, '/approvals', olga);
    expect(choose.words).toContain('This page is about one account.');
    const inside = await browser.follow(
      await browser.submit(formTo(choose, '/acting', { account: acme.id })),
    );
    expect(inside.url.pathname).toBe('/console/approvals');
    const again = await open(browser, '/accounts?q=acm', olga);
    expect(again.text).toMatch(/You act in.*Acme.*as an operator\./s);
    expect(again.words).not.toContain('Beta');

    const outside = await browser.follow(
      await browser.submit(
        again.forms.find((form) => !('account' in form.fields))!,
        {},
      ),
    );
    expect(outside.text).not.toContain('as an operator');
  });

  it('takes a form only in the session and for the account that it was shown in', async ({
    given,
    browser,
  }) => {
    const { acme } = await acmeAndFay(given);
    const beta = await given.account('Beta');
    const olga = await given.user('olga@ostiary.example', { roles: ['operator'] });
    const list = await open(browser, '/accounts', olga);
    const toBeta = formTo(list, '/acting', { account: beta.id });
    await browser.submit(formTo(list, '/acting', { account: acme.id }));
    expect((await browser.submit(toBeta)).status).toBe(403);
    expect((await browser.submit(toBeta, { csrf: '' })).status).toBe(403);
  });

  it('sends its pages compressed, never twice of the same length', async ({ given, browser }) => {
    const { fay } = await acmeAndFay(given);
    await open(browser, '/users', fay);
    const plain = await browser.get('/console/users');
    const headers = { 'accept-encoding': 'gzip, br' };
    const lengths = new Set<number>();
    for (let n = 0; n < 8; n += 1) {
      const packed = await browser.get('/console/users', { headers });
      expect(packed.headers).toMatchObject({ 'content-encoding': 'br', vary: 'Accept-Encoding' });
      expect(packed.headers['content-type']).toBe('text/html; charset=utf-8');
      lengths.add(Number(packed.headers['content-length']));
    }
    expect(Math.max(...lengths)).toBeLessThan(plain.text.length / 2);
    expect(lengths.size).toBeGreaterThan(1);
  });

  it('leads nobody away by the address that comes after', async ({ given, browser }) => {
    const { acme } = await acmeAndFay(given);
    const olga = await given.user('olga@ostiary.example', { roles: ['operator'] });
    for (const next of ['https://evil.example', '//evil.example', '/console//evil.example']) {
      const list = await open(browser, `/accounts?next=${encodeURIComponent(next)}`, olga);
      const answer = await browser.submit(formTo(list, '/acting', { account: acme.id }), { next });
      expect(answer.location?.pathname).toBe('/console/users');
      expect(answer.location?.host).toBe(list.url.host);
      await send(browser, await open(browser, '/accounts', olga), '/acting', { account: '' });
    }
  });
});
