import type { Locale } from '#platform/i18n.ts';
import { canonicalCountry } from '#identity/users/country.ts';

const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
const codes = letters
  .flatMap((first) => letters.map((second) => first + second))
  .filter((code) => canonicalCountry(code) !== null);

const lists = new Map<Locale, readonly (readonly [string, string])[]>();

/** Countries by code and by name in the reader's language, in the order of that language. */
export function countryOptions(locale: Locale): readonly (readonly [string, string])[] {
  let list = lists.get(locale);
  if (!list) {
    const names = new Intl.DisplayNames(locale, { type: 'region' });
    const { compare } = new Intl.Collator(locale);
    list = codes
      .map((code) => [code, names.of(code) ?? code] as const)
      .sort(([, one], [, other]) => compare(one, other));
    lists.set(locale, list);
  }
  return list;
}
