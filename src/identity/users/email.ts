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

/**
 * The ASCII form of a domain name with at least two labels, or null.
 *
 * Only what reads as itself is a name: not full-width letters, a Kelvin sign or a ligature, which fold
 * into others; not what IDNA leaves out without a word, such as variation selectors; and not an `xn--`
 * behind which there is nothing.
 */
export function canonicalDomain(text: unknown): string | null {
  if (typeof text !== 'string' || text.length > 253) return null;
  // Nearly all are names already, and a tenth of the work.
  if (plainName.test(text) && !/xn--/i.test(text)) return text.toLowerCase();
  if (!letters.test(text)) return null;
  if (text.normalize('NFKC') !== text.normalize('NFC')) return null;
  if (Array.from(text).some((letter) => !isAscii(letter) && isAscii(letter.normalize('NFC'))))
    return null;
  const ascii = domainToASCII(text).toLowerCase();
  if (ascii.length > 253 || !hostName.test(ascii)) return null;
  const read = domainToUnicode(ascii);
  if (!letters.test(read) || /(^|\.)xn--/.test(read)) return null;
  const typed = lower(text);
  return typed === ascii || typed.normalize('NFC') === read ? ascii : null;
}

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** Letter by letter: JavaScript knows a final sigma, and IDNA does not. */
function lower(text: string): string {
  return Array.from(text, (letter) => letter.toLowerCase()).join('');
}

/**
 * An address of ours in the form it is compared by, however it is shown: `Ann@Bücher.example` is kept
 * as it was typed. What is no address stays itself, in small letters.
 */
export function comparedEmail(shown: string): string {
  return canonicalEmail(shown) ?? shown.toLowerCase();
}

/** What comes behind the `@` of a canonical address. */
export function domainOf(email: string): string {
  return email.slice(email.lastIndexOf('@') + 1);
}

/** How a domain is shown to people. */
export function domainForPeople(domain: string): string {
  return domainToUnicode(domain) || domain;
}

const letters = /^[\p{L}\p{M}\p{N}.-]+$/u;
const dotAtom = /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/;
const hostName = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** The same in either letter case. Without the flag `u` no other letter folds into one of these. */
const plainName = new RegExp(hostName, 'i');
