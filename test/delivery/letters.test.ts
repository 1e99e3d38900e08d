import {
  isArgumentElement,
  isPluralElement,
  isSelectElement,
  type MessageFormatElement,
} from '@formatjs/icu-messageformat-parser';
import { describe, expect, it } from 'vitest';
import { renderMail } from '#delivery/mail/render.ts';
import { mailPreviews, sampleLetters } from '#delivery/mail/samples.ts';
import { letterKinds, letters } from '#identity/mail/letter-rules.ts';
import type { Letter } from '#identity/mail/letter.ts';
import { catalogs, type MessageKey } from '#messages/catalogs.ts';
import { type Translate, translator } from '#messages/translate.ts';
import { compileMessage, type Locale, locales } from '#platform/i18n.ts';

const keys = (Object.keys(catalogs.en) as MessageKey[]).filter((key) => key.startsWith('mail.'));
const envelope = { name: 'Ada Lovelace', reference: '4H7QX2MKTW', product: 'Ostiary' };

describe.each(locales)('letters in %s', (locale) => {
  it('say everything that is said in English, with the same values', () => {
    for (const key of keys) {
      const message = catalogs[locale][key];
      expect(message, key).toBeTruthy();
      expect(argumentsOf(message!, locale), key).toEqual(argumentsOf(catalogs.en[key]!, 'en'));
      expect(choicesOf(message!, locale), key).toEqual(choicesOf(catalogs.en[key]!, 'en'));
    }
  });

  it('are complete, and hold no placeholder and nothing undefined', () => {
    for (const letter of sampleLetters) {
      const { subject, text, html } = renderMail(letter, envelope, strict(locale));
      expect(subject, letter.kind).toMatch(/\p{L}/u);
      for (const version of [subject, text, html.replace(/<style>.*<\/style>/s, '')])
        expect(version, letter.kind).not.toMatch(/[{}]|undefined|\bnull\b|\[object|NaN|Invalid/);
      expect(text).toContain('Ada Lovelace');
      expect(text).toContain('4H7QX2MKTW');
      expect(html).toContain(`<html lang="${locale}">`);
    }
  });

  it('are translated, not copied', () => {
    if (locale === 'en') return;
    const copied = keys.filter(
      (key) => catalogs[locale][key] === catalogs.en[key] && !alikeInBoth.has(key),
    );
    expect(copied).toEqual([]);
  });
});

/** Words that are the same in several languages. */
const alikeInBoth = new Set<string>(['mail.contact']);

it('uses every message of the catalog', () => {
  const used = new Set<string>();
  for (const letter of sampleLetters) renderMail(letter, envelope, strict('en', used));
  expect(keys.filter((key) => !used.has(key))).toEqual([]);
});

it('has a sample of every letter', () => {
  expect(new Set(sampleLetters.map(({ kind }) => kind))).toEqual(new Set(letterKinds));
  const numbers = new Set(
    letterKinds.map((kind) => Number.parseInt(letters[kind].number.slice(1))),
  );
  expect([...numbers].sort((a, b) => a - b)).toEqual(Array.from({ length: 27 }, (_, i) => i + 1));
});

it('says the same in the preview as in the mail', () => {
  const preview = mailPreviews('Ostiary').find(({ kind }) => kind === 'email_change')!;
  const letter = sampleLetters.find(({ kind }) => kind === 'email_change')!;
  expect(preview.render('de')).toEqual(renderMail(letter, envelope, translator('de')));
});

it('names the time zone of every moment', () => {
  const letter = sampleLetters.find(({ kind }) => kind === 'email_change')!;
  const of = (locale: Locale): string => renderMail(letter, envelope, translator(locale)).text;
  expect(of('en')).toMatch(/June 8, 2026 at 09:00.AM UTC/);
  expect(of('de')).toContain('8. Juni 2026 um 09:00 UTC');
  expect(of('tr')).toContain('8 Haziran 2026');
  for (const locale of locales) expect(of(locale)).toContain('UTC');
});

it('has one button, and its link as text too', () => {
  for (const letter of sampleLetters) {
    const { html, text } = renderMail(letter, envelope, translator('en'));
    const buttons = [...html.matchAll(/class="button"\s+href="([^"]+)"/g)].map(([, href]) => href!);
    expect(buttons.length, letter.kind).toBeLessThanOrEqual(1);
    for (const href of buttons) {
      expect(text).toContain(href.replaceAll('&amp;', '&'));
      expect(html.replace(/\s+/g, ' ')).toContain(`<br />${href} </p>`);
    }
    expect(html).not.toMatch(/<(img|script|link|iframe|form|table)\b/);
  }
});

describe('names that somebody typed', () => {
  const hostile = [
    '<svg onload=alert(1)>',
    '"><img src=x onerror=alert(1)>',
    "' style='x:expression(1)",
    '{{7*7}}{name}${process.env}',
    'javascript:alert(1)',
    'Ada\r\nBcc: victim@evil.test',
    'Ada\u2028Bcc: victim@evil.test',
    '\u202egnp.evil\u202c \u2066x\u2069',
    'A\u0000B\u0007C\u001b[31m',
    'x\u00ad\u200b\ufeff\u2060y',
    '\ud800 lone',
    '👩‍👩‍👧‍👦 Z\u0351\u036b\u0343',
    'A'.repeat(10_240),
    'https://evil.test/win',
  ];

  it.each(hostile)('are inert wherever they stand: %j', (value) => {
    for (const sample of sampleLetters) {
      const letter = poisoned(sample, value);
      const envelope = { name: value, reference: '4H7QX2MKTW', product: 'Ostiary' };
      const { subject, text, html } = renderMail(letter, envelope, translator('en'));

      expect(subject).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
      expect(subject.length).toBeLessThanOrEqual(300);
      expect(text.replaceAll('\n', '')).not.toMatch(
        /[\p{Cc}\p{Zl}\p{Zp}\u200b\u2060\ufeff\u00ad\u202a-\u202e\u2066-\u2069]/u,
      );
      expect(text).not.toMatch(/^Bcc:/m);
      expect(text.length).toBeLessThan(8000);
      expect(html).not.toMatch(/<svg|<img|onerror=alert\(1\)>(?!&)|'x:expression/);
      expect(html).not.toMatch(/href="(?!https:\/\/id\.example\.com\/)/);
      expect(text).not.toContain('https://evil.test');
      expect(html).not.toContain('https://evil.test');
      expect(html.isWellFormed() && text.isWellFormed() && subject.isWellFormed()).toBe(true);
    }
  });

  it.each(['Win at evil.test', 'www.evil', 'evil.test/win', 'call 0800123456', 'a@evil.test'])(
    'are not a greeting when they advertise: %s',
    (name) => {
      const letter = sampleLetters.find(({ kind }) => kind === 'registration_code')!;
      const { text, html } = renderMail(letter, { ...envelope, name }, translator('en'));
      expect(text).toMatch(/^Hello,\n/);
      expect(html).not.toContain(name);
    },
  );

  it.each(['Ada', 'José María Núñez', 'J. R. R. Tolkien', "Conan O'Brien", 'علی‌رضا', '李小龙'])(
    'are written as people write them: %s',
    (name) => {
      const letter = sampleLetters.find(({ kind }) => kind === 'email_change')!;
      const { text } = renderMail(letter, { ...envelope, name }, translator('en'));
      expect(text).toMatch(new RegExp(`^Hello ${name.normalize('NFC')},\n`));
    },
  );
});

it('links to the web only', () => {
  const letter: Letter = {
    kind: 'email_change',
    email: 'ada@globex.example',
    link: 'javascript:alert(1)',
    expiresAt: new Date(),
  };
  expect(() => renderMail(letter, envelope, translator('en'))).toThrow('web only');
});

/** A translator that knows no fallback: what is missing in a language fails the test. */
function strict(locale: Locale, used = new Set<string>()): Translate {
  const t = translator(locale);
  return Object.assign(
    (key: MessageKey, values?: Parameters<Translate>[1]) => {
      if (catalogs[locale][key] === undefined) throw new Error(`${key} is missing in ${locale}`);
      used.add(key);
      return t(key, values);
    },
    { locale, parts: (...args: Parameters<Translate['parts']>) => t.parts(...args) },
  ) as Translate;
}

/** The letter with every text that comes from people replaced. */
function poisoned(letter: Letter, value: string): Letter {
  const chosen = new Set([
    'kind',
    'by',
    'what',
    'job',
    'stage',
    'request',
    'event',
    'proof',
    'code',
  ]);
  return Object.fromEntries(
    Object.entries(letter).map(([name, sample]: [string, unknown]) => {
      if (Array.isArray(sample)) return [name, sample.map(() => value)];
      if (typeof sample !== 'string' || chosen.has(name) || sample.startsWith('https://'))
        return [name, sample];
      return [name, value];
    }),
  ) as unknown as Letter;
}

function elementsOf(message: string, locale: Locale): MessageFormatElement[] {
  return compileMessage(message, locale).getAst();
}

function everyElement(elements: MessageFormatElement[]): MessageFormatElement[] {
  return elements.flatMap((element) =>
    isSelectElement(element) || isPluralElement(element)
      ? [element, ...Object.values(element.options).flatMap(({ value }) => everyElement(value))]
      : [element],
  );
}

function argumentsOf(message: string, locale: Locale): string[] {
  const names = everyElement(elementsOf(message, locale))
    .filter(
      (element) =>
        isArgumentElement(element) || isSelectElement(element) || isPluralElement(element),
    )
    .map(({ value }) => value);
  return [...new Set(names)].sort();
}

/** What a `select` chooses by. Plurals differ between languages. */
function choicesOf(message: string, locale: Locale): string[] {
  return everyElement(elementsOf(message, locale))
    .filter(isSelectElement)
    .map(({ value, options }) => `${value}: ${Object.keys(options).sort().join(' ')}`)
    .sort();
}
