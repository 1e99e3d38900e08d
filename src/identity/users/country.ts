const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });

/** Codes that name a region but no country of the standard: the Euro zone, Ascension, nowhere. */
const noCountries = new Set('EU EZ UN QO XA XB ZZ AC CP CQ DG EA IC TA'.split(' '));

/** A country as its two capital letters of ISO 3166-1, or null. */
export function canonicalCountry(text: unknown): string | null {
  if (typeof text !== 'string' || !/^[A-Za-z]{2}$/.test(text)) return null;
  const code = text.toUpperCase();
  if (names.of(code) === undefined || noCountries.has(code)) return null;
  // A code that was withdrawn goes by the name of what came after it: DD is no second Germany.
  return new Intl.Locale(`und-${code}`).region === code ? code : null;
}
