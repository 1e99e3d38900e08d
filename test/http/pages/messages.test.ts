import { globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { auditActions } from '#identity/audit/actions.ts';
import { refusals } from '#identity/refusal.ts';
import { catalogs, type MessageKey } from '#messages/catalogs.ts';
import { translator } from '#messages/translate.ts';
import { compileMessage, locales, negotiateLocale, type Wishes } from '#platform/i18n.ts';

const keys = Object.keys(catalogs.en) as MessageKey[];

describe('the messages', () => {
  it.each(locales)('are complete in %s', (locale) => {
    expect(Object.keys(catalogs[locale]).sort()).toEqual([...keys].sort());
    expect(Object.values(catalogs[locale]).filter((text) => text.trim() === '')).toEqual([]);
  });

  it.each(locales)('take the same values in %s as in English', (locale) => {
    for (const key of keys) {
      expect([key, inMessage(locale, key)]).toEqual([key, inMessage('en', key)]);
    }
  });

  it('are really translated', () => {
    const sentences = keys.filter((key) => catalogs.en[key]!.split(' ').length > 4);
    for (const locale of locales.filter((locale) => locale !== 'en')) {
      expect(sentences.filter((key) => catalogs[locale][key] === catalogs.en[key])).toEqual([]);
    }
  });

  it('call a role by one name in each language', () => {
    const ours = [
      'people.role.account_administrator',
      'people.role.co_administrator',
      'people.role.group_manager',
    ] as const;
    for (const locale of locales.filter((one) => one !== 'en'))
      for (const role of ours.filter((key) => catalogs[locale][key] !== catalogs.en[key]))
        expect(keys.filter((key) => catalogs[locale][key]!.includes(catalogs.en[role]!))).toEqual(
          [],
        );
  });

  it('are all said somewhere', () => {
    // Some are told apart by what they are about: `mail.<kind>.subject`, `audit.<action>`. Where
    // one of those is missing, or there is one too many, the types or the next test say so.
    const named = keys.filter((key) => !/^(mail|audit|refusal)\./.test(key));
    const sources = globSync('src/**/*.ts').map((file) => readFileSync(file, 'utf8'));
    const source = sources.join('\n');
    expect(named.filter((key) => !source.includes(`'${key}'`))).toEqual([]);
  });

  it('name nothing in the audit log and no refusal that there is not', () => {
    const told = [
      ...auditActions.map((action) => `audit.${action}`),
      ...Object.keys(refusals).flatMap((code) => [`refusal.${code}`, `refusal.${code}_unnamed`]),
    ];
    const about = /^(refusal\.|audit\.(?!actor\.|target\.|field\.|value\.))/;
    expect(keys.filter((key) => about.test(key) && !told.includes(key))).toEqual([]);
  });

  it('count as the language counts', () => {
    const minutes = (n: number) => translator('pl')('throttled', { n });
    expect(minutes(1)).toContain('1 minutę');
    expect(minutes(3)).toContain('3 minuty');
    expect(minutes(5)).toContain('5 minut.');
    expect(translator('cs')('busy.text', { n: 2 })).toContain('2 sekundy');
  });

  it('tell a day as the language tells it, wherever the server stands', () => {
    const date = new Date('2026-12-24T23:30:00Z');
    expect(translator('en')('locked.erasing', { date })).toContain('December 24, 2026');
    expect(translator('de')('locked.erasing', { date })).toContain('24. Dezember 2026');
  });
});

describe('negotiateLocale', () => {
  it.each<[Wishes, string]>([
    [{}, 'en'],
    [{ uiLocales: 'de' }, 'de'],
    [{ uiLocales: 'pt-BR fr-CA de', profile: 'nl', acceptLanguage: 'it' }, 'fr'],
    [{ uiLocales: 'pt-BR', profile: 'nl' }, 'nl'],
    [{ uiLocales: '  ', profile: null, acceptLanguage: 'tr' }, 'tr'],
    [{ profile: 'de-AT' }, 'de'],
    [{ profile: 'xx', acceptLanguage: 'pl' }, 'pl'],
    [{ acceptLanguage: 'pt-BR,pt;q=0.9,es;q=0.8,en;q=0.7' }, 'es'],
    [{ acceptLanguage: 'en;q=0.4, CS-cz;q=0.9' }, 'cs'],
    [{ acceptLanguage: 'fr;q=0, it' }, 'it'],
    [{ acceptLanguage: 'fr;q=x, it' }, 'it'],
    [{ acceptLanguage: '*' }, 'en'],
    [{ acceptLanguage: ';;;,,,q=1' }, 'en'],
    [{ uiLocales: '__proto__ constructor' }, 'en'],
  ])('%j is answered in %s', (wishes, locale) => {
    expect(negotiateLocale(wishes)).toBe(locale);
  });
});

/** The names of the values a message takes, inside plurals too. */
function inMessage(locale: (typeof locales)[number], key: MessageKey): string[] {
  const names = new Set<string>();
  collect(compileMessage(catalogs[locale][key] ?? '', locale).getAst(), names);
  return [...names].sort();
}

/** As the parser tells it: only text and the `#` of a plural name no value. */
interface Element {
  type: number;
  value?: string;
  options?: Record<string, { value: Element[] }>;
}

function collect(elements: Element[], names: Set<string>): void {
  const [literal, pound] = [0, 7];
  for (const { type, value, options = {} } of elements) {
    if (type !== literal && type !== pound) names.add(value!);
    for (const option of Object.values(options)) collect(option.value, names);
  }
}
