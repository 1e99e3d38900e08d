import { Refusal } from '../refusal.ts';
import { anyCountry } from '../users/country.ts';

/** What stands in one place of a file, as it is meant. A problem names the column. */

/** @throws {Refusal} `invalid_value` */
export function nameIn(column: string, text: string): string {
  if (text === '') throw invalid(column, 'is required, and cannot be cleared.');
  if (text.length > 100) throw invalid(column, 'at most 100 letters.');
  return text;
}

/** @throws {Refusal} `invalid_country` */
export function countryIn(column: string, text: string): string {
  const country = anyCountry(text);
  if (country === null)
    throw new Refusal(
      'invalid_country',
      { column },
      [],
      text === ''
        ? `${column}: is required.`
        : `${column}: enter a country as its code of ISO 3166-1, or its English name.`,
    );
  return country;
}

/** @throws {Refusal} `invalid_value` */
export function languageIn(column: string, text: string): string {
  const [, language, region] = /^([a-z]{2})(?:[-_]([a-z]{2}))?$/i.exec(text) ?? [];
  if (language === undefined) throw invalid(column, 'must be a language such as en or en-US.');
  return region === undefined
    ? language.toLowerCase()
    : `${language.toLowerCase()}-${region.toUpperCase()}`;
}

/** @throws {Refusal} `invalid_value` */
export function booleanIn(column: string, text: string): boolean {
  const said = text.toLowerCase();
  if (['true', 'yes', '1'].includes(said)) return true;
  if (['false', 'no', '0'].includes(said)) return false;
  throw invalid(column, 'must be true or false.');
}

/** A list: all that is to be there, or what comes and what goes. */
export type ListChange = { set: string[] } | { add: string[]; remove: string[] };

/**
 * `a;b` is the whole list; `+a;-b` adds and removes. What holds a semicolon, or begins with a sign,
 * stands in quotation marks, doubled inside.
 *
 * @throws {Refusal} `invalid_value`
 */
export function listIn(column: string, text: string): ListChange {
  const items = itemsOf(column, text);
  const signed = items.filter(({ sign }) => sign !== null);
  if (signed.length === 0) return { set: [...new Set(items.map(({ name }) => name))] };
  if (signed.length < items.length)
    throw invalid(column, 'either the whole list, or + and - before each of it.');
  const named = (wanted: string): string[] => [
    ...new Set(items.filter(({ sign }) => sign === wanted).map(({ name }) => name)),
  ];
  return { add: named('+'), remove: named('-') };
}

/** @throws {Refusal} `invalid_value` */
export function wholeListIn(column: string, text: string): string[] {
  const list = listIn(column, text);
  if ('set' in list) return list.set;
  throw invalid(column, 'there is nothing yet that could be changed with + and -.');
}

interface Item {
  sign: '+' | '-' | null;
  name: string;
}

function itemsOf(column: string, text: string): Item[] {
  const items: Item[] = [];
  const item = /\s*([+-]?)\s*(?:"((?:[^"]|"")*)"|([^;"]*))\s*(;|$)/y;
  for (let at = 0; at < text.length; at = item.lastIndex) {
    item.lastIndex = at;
    const [, sign = '', quoted, bare] = item.exec(text) ?? [];
    if (quoted === undefined && bare === undefined)
      throw invalid(column, 'a quotation mark is missing, or one too many.');
    const name = quoted?.replaceAll('""', '"') ?? bare!.trim();
    if (name !== '') items.push({ sign: sign === '' ? null : (sign as '+' | '-'), name });
    else if (sign !== '') throw invalid(column, `there is nothing behind ${sign}.`);
  }
  return items;
}

/** A list as a file has it; `listIn` reads the same again. */
export function listCell(items: readonly string[]): string {
  return items
    .map((name) => (/[;"]|^[\s+-]|\s$/.test(name) ? `"${name.replaceAll('"', '""')}"` : name))
    .join(';');
}

export function invalid(column: string, why: string): Refusal {
  return new Refusal('invalid_value', { column }, [], `${column}: ${why}`);
}
