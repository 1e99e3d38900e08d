import { IntlMessageFormat } from 'intl-messageformat';

/** The languages we speak, English first because it stands in for what another lacks. */
export const locales = ['en', 'fr', 'nl', 'de', 'es', 'tr', 'it', 'pl', 'cs'] as const;

export type Locale = (typeof locales)[number];

export type Value = string | number | Date;

export function isLocale(tag: unknown): tag is Locale {
  return (locales as readonly unknown[]).includes(tag);
}

/** What is known about the language somebody reads, the strongest wish first. */
export interface Wishes {
  /** `ui_locales` of OpenID Connect: language tags by preference, separated by spaces. */
  uiLocales?: string | undefined;
  /** The language in the person's profile. */
  profile?: string | null | undefined;
  acceptLanguage?: string | undefined;
}

/** The first wish that we can fulfil. A regional tag is answered by its language (RFC 4647, 3.4). */
export function negotiateLocale({ uiLocales, profile, acceptLanguage }: Wishes): Locale {
  const tags = [
    ...(uiLocales ?? '').split(/\s+/),
    profile ?? '',
    ...tagsByWeight(acceptLanguage ?? ''),
  ];
  return tags.map(toLocale).find((locale) => locale !== undefined) ?? 'en';
}

function toLocale(tag: string): Locale | undefined {
  const [language] = tag.toLowerCase().split(/[-_]/);
  return locales.find((locale) => locale === language);
}

/** RFC 9110, section 12.5.4. Equal weights keep the order of the header. */
function tagsByWeight(header: string): string[] {
  return header
    .slice(0, 1000)
    .split(',')
    .map((range) => {
      const [tag = '', ...parameters] = range.split(';').map((part) => part.trim());
      const q = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return { tag, weight: q === undefined ? 1 : Number(q) };
    })
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .map(({ tag }) => tag);
}

/** Days and hours are told in UTC: the server does not know where the reader is. */
const timeZone = 'UTC';
const formats = {
  date: { short: { timeZone }, medium: { timeZone }, long: { timeZone }, full: { timeZone } },
  time: { short: { timeZone }, medium: { timeZone }, long: { timeZone }, full: { timeZone } },
};

/**
 * An ICU message, compiled. Angle brackets mean nothing in it: markup comes from the page, never
 * from a translation.
 */
export function compileMessage(source: string, locale: Locale): IntlMessageFormat {
  return new IntlMessageFormat(source, locale, formats, { ignoreTag: true });
}
