import { locales } from '#platform/i18n.ts';

/** The languages that we speak, by code and each by its own name. */
export const languageOptions: readonly (readonly [string, string])[] = locales.map((locale) => [
  locale,
  new Intl.DisplayNames(locale, { type: 'language' }).of(locale) ?? locale,
]);
