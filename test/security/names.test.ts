import { parse, type DefaultTreeAdapterTypes } from 'parse5';
import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { acceptAll, signIn } from '#test/support/sign-in.ts';
import { forget, linkIn, mailsTo, mailTo } from '../http/self-service/mailbox.ts';

const hostile = [
  '<svg onload=alert(1)>',
  '"><script>alert(1)</script>',
  "' onmouseover='alert(1)",
  '{{7*7}}${7*7}<%= 7*7 %>{name}',
  'javascript:alert(1)',
  '\u202eevil\u2066\u200b',
  'x'.repeat(10_000),
  'https://evil.example/sign-in',
  'Ann\r\nBcc: eve@evil.example',
  '&lt;b&gt;&#x3c;i>',
];

/** Links that the operator's own text may hold. */
const written = new Set(['https://evil.example/sign-in', 'mailto:eve@evil.example']);

type Node = DefaultTreeAdapterTypes.Node;

/** What a page or mail would run, load or lead to. */
function live(markup: string): string[] {
  const found: string[] = [];
  const walk = (node: Node): void => {
    if ('tagName' in node) {
      const attributes = Object.fromEntries(node.attrs.map(({ name, value }) => [name, value]));
      if (node.tagName === 'script' && !(attributes['src'] ?? '').startsWith('/assets/'))
        found.push('script');
      if (['svg', 'iframe', 'object', 'embed', 'b', 'i'].includes(node.tagName))
        found.push(node.tagName);
      for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith('on')) found.push(name);
        if (
          ['href', 'src', 'action'].includes(name) &&
          /^\s*(javascript|data):/i.test(value) &&
          node.tagName !== 'img'
        )
          found.push(value);
        if (['href', 'src', 'action'].includes(name) && value.includes('evil.example'))
          found.push(value);
      }
    }
    if ('childNodes' in node) node.childNodes.forEach(walk);
  };
  walk(parse(markup));
  return found;
}

describe('a name that somebody chose to do harm (D-72)', () => {
  it('does none on the pages of a sign-in', async ({ given, server }) => {
    for (const [index, name] of hostile.entries()) {
      const account = await given.account(name.slice(0, 5000));
      await given.user(`admin${index}@acme.example`, {
        of: account,
        roles: ['account_administrator'],
        givenName: name.slice(0, 1000),
        familyName: name.slice(0, 1000),
      });
      const who = await given.user(`p${index}@acme.example`, {
        of: account,
        givenName: name.slice(0, 1000),
        familyName: name.slice(0, 1000),
        accepts: false,
      });
      await given.hold(account, name);
      await given.terms(`${index} ${name.slice(0, 100)}`, {
        texts: [{ locale: 'en', title: name, body: name }],
      });
      const client = await given.client({ name: name.slice(0, 5000), firstParty: false });
      const browser = server.agent();
      const terms = await signIn(browser, client, who);
      expect(terms.status).toBe(200);
      expect(
        live(terms.text).filter((one) => !written.has(one)),
        name.slice(0, 60),
      ).toEqual([]);
      const hold = await acceptAll(browser, terms);
      expect(hold.status).toBe(403);
      expect(live(hold.text), name.slice(0, 60)).toEqual([]);
      expect(hold.text.length).toBeLessThan(60_000);
      expect(hold.text).not.toMatch(/\b49\b/);
      await given.rows(`update accounts set status = 'active', hold_reason = null`);
      const consent = await browser.follow(await browser.get(hold.url.pathname));
      expect(consent.words).toContain('to use your account?');
      expect(live(consent.text), name.slice(0, 60)).toEqual([]);
      await given.rows('delete from user_locks');
      await given.locked(who, 'admin', name);
      const locked = await signIn(server.agent(), client, who);
      expect(live(locked.text), name.slice(0, 60)).toEqual([]);
    }
    expect(server.errors).toEqual([]);
  }, 120_000);

  it('does none in mails, nor on the page a mail leads to', async ({ given, server, browser }) => {
    for (const [index, name] of hostile.entries()) {
      const account = await given.account(name.slice(0, 5000));
      const ida = await given.user(`i${index}@acme.example`, {
        of: account,
        password: null,
        identity: 'invited',
        givenName: name.slice(0, 1000),
        familyName: name.slice(0, 1000),
      });
      await forget(browser, ida.email);
      const mail = await mailTo(server, ida.email);
      expect(mail.recipient).toBe(ida.email);
      expect(mail.subject).not.toMatch(/[\r\n]/);
      expect(live(mail.html), name.slice(0, 60)).toEqual([]);
      const page = await browser.get(linkIn(mail));
      expect(page.status).toBe(200);
      expect(live(page.text), name.slice(0, 60)).toEqual([]);
    }
    expect(await mailsTo(server)).toHaveLength(hostile.length);
    expect(server.errors).toEqual([]);
  }, 60_000);
});
