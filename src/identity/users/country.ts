const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

/** Codes that name a region but no country: the Euro zone, the United Nations, nowhere. */
const noCountries = new Set(['EU', 'EZ', 'UN', 'QO', 'XA', 'XB', 'ZZ']);

/** A country as its two capital letters of ISO 3166-1, or null. */
export function canonicalCountry(text: unknown): string | null {
  if (typeof text !== 'string' || !/^[A-Za-z]{2}$/.test(text)) return null;
  const code = text.toUpperCase();
  return names.of(code) !== undefined && !noCountries.has(code) ? code : null;
}
