import { domainToASCII, domainToUnicode } from 'node:url';

/**
 * The one form an e-mail address is compared by, everywhere (security.md 3.1): an ASCII dot-atom of
 * at most 64 characters, lower case, at an ASCII domain. Or null: then it is no address of ours.
 *
 * Nothing is trimmed away or guessed. `url.domainToASCII` alone is no validator (it maps
 * `corp.test#x` and full-width letters to ASCII), so the domain is held against a grammar before
 * and after. A local part beyond ASCII is refused: in SQL, `lower` of a Kelvin sign is a plain `k`,
 * and an address that merely looks like another must not be it.
 */
export function canonicalEmail(text: unknown): string | null {
  if (typeof text !== 'string' || text.length > 320) return null;
  const at = text.lastIndexOf('@');
  if (at < 1) return null;
  const local = text.slice(0, at);
  if (local.length > 64 || !dotAtom.test(local)) return null;
  const domain = canonicalDomain(text.slice(at + 1));
  if (domain === null) return null;
  const email = `${local.toLowerCase()}@${domain}`;
  return email.length <= 254 ? email : null;
}

/** The ASCII form of a domain name with at least two labels, or null. */
export function canonicalDomain(text: unknown): string | null {
  if (typeof text !== 'string' || text.length > 253) return null;
  if (!/^[\p{L}\p{M}\p{N}.-]+$/u.test(text)) return null;
  // A name in letters that compatibility folds into others, such as full-width ones or ligatures,
  // is not the name it folds into.
  if (text.normalize('NFKC') !== text.normalize('NFC')) return null;
  const ascii = domainToASCII(text).toLowerCase();
  if (ascii.length === 0 || ascii.length > 253 || !hostName.test(ascii)) return null;
  if (/^[\x20-\x7e]+$/.test(text) && ascii !== text.toLowerCase()) return null;
  return ascii;
}

/** What comes behind the `@` of a canonical address. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1);
}

/** How a domain is shown to people. */
export function domainForPeople(domain: string): string {
  return domainToUnicode(domain) || domain;
}

const dotAtom = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const hostName = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
