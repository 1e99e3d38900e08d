import { lacksSecondFactor, type Standing } from '../sign-in/assurance.ts';
import { tellingOrder, type LockReason } from '../users/locks.ts';
import type { Person } from '../users/person.ts';

/** What an application asks of the people who sign in to it (behaviour.md section 4). */
export interface ClientPolicy {
  requiresAccount: boolean;
  requiresActiveAccount: boolean;
  /** Ids of accounts; empty means any. */
  allowedAccounts: readonly string[];
  /** The person needs all of them. */
  requiredRoles: readonly string[];
}

/** Why a person is stopped. */
export type Denial =
  | { reason: 'unknown' }
  | { reason: 'unverified' }
  | { reason: 'locked'; lock: LockReason }
  | { reason: 'account_on_hold' | 'account_closed' | 'pending' | 'unaffiliated' | 'not_permitted' };

export type AccessDecision =
  | { access: 'allow' }
  | { access: 'deny'; denial: Denial }
  /** The person themselves can end it, on a page of ours. */
  | { access: 'interact'; need: 'second_factor' | 'terms' };

/**
 * The one place that decides whether a person may come in, or go on being in.
 *
 * Every door asks it at each use: the pages, the authorization endpoint, each grant, userinfo,
 * introspection, our own API. Keycloak fixed one lock three times because three doors each had a
 * check of their own (security.md 2.4).
 *
 * The order is the order in which a person is told (behaviour.md section 4, steps 3e to 8d): what
 * concerns the person, then a second factor, the terms, the account, then the one application.
 *
 * `client` is null where no application is involved, such as on our own pages. `standing` is how the
 * person proved who they are, at the doors where a proof lives on: sessions, and grants that are given
 * for long. Left out where nobody knows it any more: an access token lives ten minutes.
 */
export function accessDecision(
  person: Person | null,
  client: ClientPolicy | null,
  standing: Standing | null = null,
): AccessDecision {
  if (!person || person.identity === 'erased') return deny({ reason: 'unknown' });

  const lock = person.locks.length > 0 ? toldLock(person.locks) : undefined;
  if (lock) return deny({ reason: 'locked', lock });
  if (person.identity === 'erasing') return deny({ reason: 'locked', lock: 'erasing' });
  if (person.identity !== 'ready') return deny({ reason: 'unverified' });

  if (standing && lacksSecondFactor(person, standing))
    return { access: 'interact', need: 'second_factor' };
  if (person.outstandingTerms.length > 0) return { access: 'interact', need: 'terms' };

  if (!client) return { access: 'allow' };
  // An account that invited somebody has not made them a member, and its hold is none of theirs.
  const account = person.affiliation === 'member' ? person.account : null;
  if (account && client.requiresActiveAccount) {
    if (account.status === 'on_hold') return deny({ reason: 'account_on_hold' });
    if (account.status !== 'active') return deny({ reason: 'account_closed' });
  }
  if (client.requiresAccount && person.affiliation !== 'member')
    return deny({ reason: person.affiliation === 'pending' ? 'pending' : 'unaffiliated' });
  if (client.allowedAccounts.length > 0 && !client.allowedAccounts.includes(account?.id ?? ''))
    return deny({ reason: 'not_permitted' });
  if (!client.requiredRoles.every((role) => person.roles.includes(role)))
    return deny({ reason: 'not_permitted' });
  return { access: 'allow' };
}

/**
 * Too many wrong passwords lock the password, not the person (security.md 3.9): `checkPassword`
 * refuses it. Who is signed in stays signed in, or a stranger with a list of words could sign
 * anybody out of everything.
 */
const passwordLock: LockReason = 'too_many_attempts';

function toldLock(locks: Person['locks']): LockReason | undefined {
  return tellingOrder.find(
    (reason) => reason !== passwordLock && locks.some((one) => one.reason === reason),
  );
}

function deny(denial: Denial): AccessDecision {
  return { access: 'deny', denial };
}
