import type { IntlMessageFormat } from 'intl-messageformat';
import { compileMessage, type Locale, locales, type Value } from '#platform/i18n.ts';
import { catalogs, type MessageKey } from './catalogs.ts';

export type { MessageKey } from './catalogs.ts';

/** Says a message in one language. */
export interface Translate {
  (key: MessageKey, values?: Record<string, Value>): string;
  readonly locale: Locale;
  /**
   * The message in pieces, for a page that marks up a value: text around it is still to be escaped,
   * and the `html` tag does just that with a list.
   */
  parts<T extends object>(key: MessageKey, values: Record<string, T | Value>): (string | T)[];
}

export function translator(locale: Locale): Translate {
  return translators[locale];
}

const translators = Object.fromEntries(
  locales.map((locale) => [locale, makeTranslator(locale)]),
) as Record<Locale, Translate>;

function makeTranslator(locale: Locale): Translate {
  const compiled = new Map<MessageKey, IntlMessageFormat>();

  function message(key: MessageKey): IntlMessageFormat {
    const known = compiled.get(key);
    if (known) return known;

    const own = catalogs[locale][key];
    const made =
      own === undefined
        ? compileMessage(catalogs.en[key] ?? key, 'en')
        : compileMessage(own, locale);
    compiled.set(key, made);
    return made;
  }

  function translate(key: MessageKey, values?: Record<string, Value>): string {
    return String(message(key).format(values));
  }

  return Object.assign(translate, {
    locale,
    parts<T extends object>(key: MessageKey, values: Record<string, T | Value>): (string | T)[] {
      const parts = message(key).format<T>(values as Record<string, T>);
      return Array.isArray(parts) ? parts : [parts];
    },
  });
}
