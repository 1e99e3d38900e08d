import { parse } from 'tldts';
import { Refusal } from '../refusal.ts';
import { canonicalDomain } from '../users/email.ts';
import { isPublicMailDomain } from './public-mail-domains.ts';

export type Claimable =
  | { claimable: true; name: string }
  | {
      claimable: false;
      code: 'invalid_domain' | 'public_suffix' | 'public_mail_domain';
      why: 'no_domain' | 'reserved' | 'platform' | 'suffix' | 'public_mail';
    };

/**
 * Whether one account can own what somebody typed, and in what form we call it.
 *
 * @param platform the host of this installation. No customer owns it, what is below it, or what it
 *   is below: mails and links of ours come from there. An operator may vouch for the last.
 */
export function claimable(
  typed: unknown,
  platform: string,
  { operator = false }: { operator?: boolean } = {},
): Claimable {
  const name = typedDomain(typed);
  if (name === null) return { claimable: false, code: 'invalid_domain', why: 'no_domain' };
  if (reserved.has(name.slice(name.lastIndexOf('.') + 1)))
    return { claimable: false, code: 'invalid_domain', why: 'reserved' };
  if (isPublicMailDomain(name))
    return { claimable: false, code: 'public_mail_domain', why: 'public_mail' };
  if (parse(name, { allowPrivateDomains: true }).domain === null)
    return { claimable: false, code: 'public_suffix', why: 'suffix' };
  if (isWithin(name, platform) || (isWithin(platform, name) && !operator))
    return { claimable: false, code: 'invalid_domain', why: 'platform' };
  return { claimable: true, name };
}

/** @throws {Refusal} `invalid_domain`, `public_suffix`, `public_mail_domain` */
export function requireClaimable(
  typed: unknown,
  platform: string,
  options?: { operator?: boolean },
): string {
  const answer = claimable(typed, platform, options);
  if (answer.claimable) return answer.name;
  throw new Refusal(answer.code, { domain: String(typed).slice(0, 260), why: answer.why });
}

/**
 * A domain as people write it, in canonical form: spaces around it, one `@` before and one dot behind
 * it are theirs to write (behaviour.md 3.2). Null where that is no domain.
 */
export function typedDomain(typed: unknown): string | null {
  if (typeof typed !== 'string' || typed.length > 300) return null;
  return canonicalDomain(typed.trim().replace(/^@/, '').replace(/\.$/, ''));
}

function isWithin(name: string, of: string): boolean {
  return name === of || name.endsWith(`.${of}`);
}

/**
 * Names that no public registry gives out (RFC 6761, RFC 9476, ICANN's name collisions): they mean
 * another machine in every network. `test` and `example` are left for those who try things out;
 * nobody's mail goes there.
 */
const reserved = new Set([
  'alt',
  'arpa',
  'corp',
  'home',
  'internal',
  'intranet',
  'invalid',
  'lan',
  'local',
  'localdomain',
  'localhost',
  'onion',
  'private',
]);
