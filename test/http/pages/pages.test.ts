import { describe, expect, it } from 'vitest';
import { locales } from '#platform/i18n.ts';
import { samples } from './every-sample.ts';
import { csrf, hostile, pageContext } from './samples.ts';

const pages = samples.map(({ name, render }) => ({
  name,
  markup: String(render(pageContext('en'))),
}));

describe.each(pages)('$name', ({ markup }) => {
  it('is a whole document in one language', () => {
    expect(markup).toMatch(/^<!doctype html>\s*<html lang="en">/);
    expect(markup.match(/<h1[ >]/g)).toHaveLength(1);
    expect(markup.match(/<main[ >]/g)).toHaveLength(1);
    expect(markup).not.toMatch(/\bundefined\b|\[object /);
  });

  it('leaves what people typed inert', () => {
    // But for the QR code of an authenticator app, which is ours.
    expect(markup).not.toMatch(/<svg(?!\s+class="qr")/);
    expect(markup).not.toContain(hostile);
    expect(markup).not.toContain('evil.example/pixel');
    expect(markup).not.toMatch(/(href|src|action)="(javascript|data:text)/);
  });

  it('has nothing inline, so that the policy can forbid it', () => {
    const elements = tags(markup);
    expect(elements.filter((tag) => /\s(style|on\w+)=/.test(withoutValues(tag)))).toEqual([]);
    expect(elements.filter((tag) => tag.startsWith('<style'))).toEqual([]);
    expect(markup).not.toMatch(/<script(?![^>]* src="\/assets\/)/);
  });

  it('loads nothing from another host', () => {
    const loaded = tags(markup)
      .filter((tag) => /^<(link|script|img|source|iframe|object|embed)/.test(tag))
      .map((tag) => /\s(?:src|href)="([^"]*)"/.exec(tag)?.[1]);
    expect(loaded.filter((address) => !/^\/(?!\/)/.test(address ?? ''))).toEqual([]);
  });

  it('gives every form its token and one primary action', () => {
    for (const form of forms(markup)) {
      expect(form.match(/<button/g)?.length ?? 0).toBeGreaterThan(0);
      expect(form.match(/class="primary"/g)?.length ?? 0).toBeLessThanOrEqual(1);
      if (form.includes('action="/')) {
        expect(form).toContain(`name="csrf" value="${csrf}"`);
        expect(form).toMatch(/^<form method="post" action="\/[^"?]*">/);
      }
    }
    if (forms(markup).length > 0)
      expect(markup.match(/class="(button )?primary"/g)).toHaveLength(1);
  });

  it('ties a label to every input, and every description to what it describes', () => {
    const ids = [...markup.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);

    const labelled = [...markup.matchAll(/<label[^>]* for="([^"]*)"/g)].map(([, id]) => id);
    const inputs = tags(markup).filter(
      (tag) => tag.startsWith('<input') && !/type="hidden"/.test(tag),
    );
    for (const input of inputs) expect(labelled).toContain(/\sid="([^"]*)"/.exec(input)?.[1]);

    const references = [...markup.matchAll(/\saria-(?:describedby|labelledby)="([^"]*)"/g)];
    for (const [, list = ''] of references) {
      for (const id of list.split(' ')) expect(ids).toContain(id);
    }
  });

  it('says what is wrong in the title and beside the field', () => {
    const faults = tags(markup).filter((tag) => tag.includes('aria-invalid="true"'));
    for (const fault of faults) {
      const ids = /aria-describedby="([^"]*)"/.exec(fault)?.[1]?.split(' ') ?? [];
      expect(ids.some((id) => markup.includes(`id="${id}" role="alert"`))).toBe(true);
    }
    if (faults.length > 0) expect(markup).toContain('<title>Error: ');
    if (markup.includes('<title>Error: ')) expect(markup).toContain('role="alert"');
  });
});

describe('every page', () => {
  it.each(locales)('can be shown in %s', (locale) => {
    for (const { render } of samples) {
      const markup = String(render(pageContext(locale)));
      expect(markup).toContain(`<html lang="${locale}">`);
      expect(markup).not.toMatch(/\{(n|client|account|date|title|email|reference|masked)[,}]/);
    }
  });
});

describe('the forms', () => {
  it('tell a password manager what each field is', () => {
    expect(inputs('identifier')).toContainEqual(
      expect.stringMatching(/name="email".*autocomplete="username"/s),
    );
    expect(inputs('password')).toContainEqual(
      expect.stringMatching(/name="email".*autocomplete="username".*readonly/s),
    );
    expect(inputs('password')).toContainEqual(
      expect.stringMatching(/name="password".*autocomplete="current-password"/s),
    );
    expect(
      inputs('new password').filter((tag) => tag.includes('autocomplete="new-password"')),
    ).toHaveLength(2);
    expect(inputs('code')).toContainEqual(
      expect.stringMatching(/name="code".*autocomplete="one-time-code"/s),
    );
  });

  it('ask for each document by a required box of its own', () => {
    const boxes = inputs('terms').filter((tag) => tag.includes('type="checkbox"'));
    expect(boxes.map((tag) => /value="([^"]*)"/.exec(tag)?.[1])).toEqual([
      'tos-2026-06',
      'privacy-2026-06',
    ]);
    expect(boxes.every((tag) => /\brequired\b/.test(tag))).toBe(true);
    expect(markupOf('terms')).toContain(
      'You can&#39;t proceed without accepting the Terms of Service.',
    );
  });

  it('send a sign-out as oidc-provider wants it', () => {
    expect(inputs('sign out')).toContainEqual(
      expect.stringMatching(/name="xsrf"\s+value="xsrf-of-the-provider"/),
    );
    expect(inputs('sign out')).toContainEqual(expect.stringMatching(/name="logout"\s+value="yes"/));
  });

  it('send a device code as oidc-provider wants it', () => {
    const names = inputs('device, confirm').map((tag) => /name="([^"]*)"/.exec(tag)?.[1]);
    expect(names).toEqual(['csrf', 'xsrf', 'user_code', 'confirm']);
    expect(markupOf('device, confirm')).toMatch(/<button type="submit" name="abort" value="yes">/);
  });

  it('keep the link of a mail when the language changes', () => {
    expect(markupOf('identifier')).toContain('href="/sign-in/abc?token=x&amp;ui_locales=de"');
  });
});

function markupOf(name: string): string {
  return pages.find((page) => page.name === name)!.markup;
}

function inputs(name: string): string[] {
  return tags(markupOf(name)).filter((tag) => tag.startsWith('<input'));
}

/** Start tags. Values may hold no `<` or `>`, since both are escaped. */
function tags(markup: string): string[] {
  return markup.match(/<[a-z][^<>]*>/g) ?? [];
}

function withoutValues(tag: string): string {
  return tag.replace(/"[^"]*"/g, '""');
}

function forms(markup: string): string[] {
  return markup.match(/<form[\s\S]*?<\/form>/g) ?? [];
}
