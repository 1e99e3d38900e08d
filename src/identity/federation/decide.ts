import type { LockReason } from '../users/locks.ts';
import { verdict, type Facts } from '../verdict/verdict.ts';
import type { Connection } from './connection.ts';
import type { MappedPerson } from './mapping.ts';

/** Why nobody comes in. A closed set: traces, audit rows and pages name each. */
export type FederatedRefusal =
  | 'connection_disabled'
  | 'account_on_hold'
  | 'not_a_tester'
  | 'identifier_missing'
  | 'identifier_ambiguous'
  | 'guest_refused'
  | 'domain_not_owned'
  | 'domain_not_bound'
  | 'domain_owned_by_other'
  | 'domain_pending'
  | 'public_domain'
  | 'identity_conflict'
  | 'link_withdrawn'
  | 'external_id_conflict'
  | 'user_in_other_account'
  | 'user_not_addable'
  | 'break_glass'
  | 'not_provisioned'
  | 'attributes_missing'
  | 'claim_missing'
  | 'removed'
  | 'locked';

/** What the person is asked for where the provider did not say it. */
export type AskedAttribute = 'givenName' | 'familyName' | 'country';

/** A person as they matter here. */
export interface FederatedPerson {
  id: string;
  accountId: string | null;
  affiliation: 'none' | 'pending' | 'provisional' | 'member';
  identity: 'invited' | 'unverified' | 'ready' | 'erasing';
  locks: readonly LockReason[];
  hasPassword: boolean;
  administrator: boolean;
  breakGlass: boolean;
  /** The subject this person has at this connection, where there is a link that is not withdrawn. */
  linkedSubject: string | null;
  /** The directory's own id of the person, where a directory wrote them. */
  directoryId: string | null;
  /** What is known of them already: nobody is asked twice. */
  givenName: string;
  familyName: string;
  country: string | null;
}

/** All there is to know on the return from a provider, read in the transaction that acts on it. */
export interface FederatedFacts {
  connection: Pick<
    Connection,
    'id' | 'accountId' | 'state' | 'testers' | 'provisioning' | 'mapping'
  >;
  accountStatus: 'active' | 'on_hold' | 'closing' | 'closed' | 'merged';
  mapped: MappedPerson;
  /** Whether the domain of the identifier leads to this very connection. */
  bound: boolean;
  /** Of the identifier, as the verdict sees it from the connection's account; null without one. */
  address: Facts | null;
  /** The person whom (connection, issuer, subject) is linked to. */
  linked: FederatedPerson | null;
  /** Somebody whom that subject was linked to once, and is not any more. */
  formerUserId: string | null;
  /** Whether the domain that the link stands on is still the account's and leads here. */
  linkDomainHolds: boolean;
  /** The person who has the identifier as their address. */
  holder: FederatedPerson | null;
  /** What the person filled in themselves after having been asked. */
  filledIn: Partial<Record<AskedAttribute, string>>;
  /** Whether the person has proved with their old password, a moment ago, that they are the holder. */
  steppedUp: boolean;
}

export type FederatedOutcome =
  /** Known by (connection, issuer, subject). */
  | { outcome: 'sign_in'; userId: string; email: 'keep' | 'update' | 'conflict' | 'ignore' }
  /** Nobody has the address: a new person, member of the account. */
  | { outcome: 'create' }
  /**
   * A person of the account, seen here for the first time through the provider. `first_bind`: they
   * had nothing to sign in with. `domain_authority`: they had a password, which ends with it.
   */
  | { outcome: 'link'; userId: string; how: 'first_bind' | 'domain_authority' | 'step_up' }
  /** A person of no account becomes a member and is linked. `discard`: what they had was never proved. */
  | { outcome: 'join'; userId: string; discard: boolean }
  /** The provider did not say it, and the person may. */
  | { outcome: 'ask'; missing: AskedAttribute[] }
  /** An administrator with a password proves once that they are the same person. */
  | { outcome: 'step_up'; userId: string }
  /** Removed by an administrator: they are told so, and the administrators that they are back. */
  | { outcome: 'rejoin'; userId: string }
  | {
      outcome: 'refuse';
      reason: FederatedRefusal;
      /** Whom it is about, where that is known and proved. */
      userId: string | null;
      lock?: LockReason;
      missing?: (AskedAttribute | 'identifier' | 'groups' | 'roles')[];
    };

/**
 * What happens to somebody who comes back from their company's provider (security.md 3.3, behaviour.md
 * F30). Pure: the sign-in acts on it, and the simulator shows it.
 *
 * The provider is believed inside the domains that its account has proved and that lead to this very
 * connection, and nowhere else. Who somebody is, is (connection, issuer, subject); an address finds a
 * person only once, inside such a domain.
 */
export function decideFederatedSignIn(facts: FederatedFacts): FederatedOutcome {
  const { connection, mapped, linked } = facts;
  if (connection.state !== 'active' && connection.state !== 'testing')
    return refuse('connection_disabled');
  if (
    facts.accountStatus === 'closing' ||
    facts.accountStatus === 'closed' ||
    facts.accountStatus === 'merged'
  )
    return refuse('connection_disabled');
  if (mapped.identifierProblem === 'ambiguous') return refuse('identifier_ambiguous');

  const said = linked ? returning(facts, linked) : first(facts);
  if (said.outcome === 'refuse' || said.outcome === 'rejoin' || said.outcome === 'step_up')
    return said;

  const denied = deniedClaim(connection.mapping, mapped);
  if (denied)
    return {
      outcome: 'refuse',
      reason: 'claim_missing',
      userId: linked?.id ?? null,
      missing: [denied],
    };
  const missing = missingOf(facts, linked ?? facts.holder);
  if (missing.length === 0) return said;
  return connection.provisioning.missing === 'ask'
    ? { outcome: 'ask', missing }
    : { outcome: 'refuse', reason: 'attributes_missing', userId: linked?.id ?? null, missing };
}

/** Somebody the connection has brought before. */
function returning(facts: FederatedFacts, linked: FederatedPerson): FederatedOutcome {
  const { connection, mapped, address, bound, holder } = facts;
  const about = { userId: linked.id };
  // Whoever left the account left its provider's reach: they come back as somebody new does.
  if (linked.affiliation !== 'member') return first(facts);
  if (linked.accountId !== connection.accountId) return refuse('user_in_other_account', about);
  if (linked.breakGlass) return refuse('break_glass', about);
  if (!facts.linkDomainHolds && !bound) return refuse('domain_not_bound', about);
  if (connection.state === 'testing' && !isTester(connection, mapped.identifier))
    return refuse('not_a_tester', about);
  const lock = lockOf(linked);
  if (lock) return refuse('locked', { ...about, lock });
  // The address follows the provider inside the connection's domains, where nobody else has it.
  const email =
    address === null || address.email === null
      ? 'ignore'
      : holder?.id === linked.id
        ? 'keep'
        : !bound || !connection.provisioning.syncProfile || mapped.guest
          ? 'ignore'
          : holder
            ? 'conflict'
            : 'update';
  return { outcome: 'sign_in', userId: linked.id, email };
}

/** Somebody the connection brings for the first time. */
function first(facts: FederatedFacts): FederatedOutcome {
  const { connection, mapped, address, bound, linked, formerUserId } = facts;
  if (mapped.identifier === null || !address) return refuse('identifier_missing');
  const guests = connection.provisioning.guests;
  if (mapped.guest && !guests) return refuse('guest_refused');
  if (connection.state === 'testing' && !isTester(connection, mapped.identifier))
    return refuse('not_a_tester');

  const said = verdict('just_in_time', address);
  const holder = linked ?? facts.holder;
  const userId = holder?.id ?? null;
  if (said.outcome === 'refuse')
    switch (said.code) {
      case 'domain_owned_by_other':
        return refuse('domain_owned_by_other');
      case 'domain_pending_ownership':
        return refuse('domain_pending');
      case 'account_on_hold':
        return refuse('account_on_hold');
      // behaviour.md F30 would link them by a proof of their own and leave them where they are. They are
      // refused (security.md 3.3, issue 5): linked, one account's provider could sign in as a person of
      // another, whose administrators never agreed to it. Both accounts' administrators are told; who
      // leaves the other account, or is moved, comes in.
      case 'user_in_other_account':
        return bound ? refuse('user_in_other_account', { userId }) : refuse('domain_not_bound');
      case 'permission_denied':
        return bound ? refuse('break_glass', { userId }) : refuse('domain_not_bound');
      case 'user_not_addable':
        if (!bound) return refuse('domain_not_bound');
        if (address.person?.removedBy !== connection.accountId)
          return refuse('user_not_addable', { userId });
        break;
      default:
        return refuse(address.domain === 'public' ? 'public_domain' : 'domain_not_owned');
    }
  if (!bound) return refuse('domain_not_bound');

  // An administrator's removal sticks unless the account chose otherwise.
  const removed = address.person?.removedBy === connection.accountId;
  if (removed && holder) {
    const worse = holder.locks.find(
      (lock) => lock !== 'unaffiliated' && lock !== 'too_many_attempts',
    );
    if (worse) return refuse('locked', { userId, lock: worse });
    if (connection.provisioning.removalSticks) return { outcome: 'rejoin', userId: holder.id };
  }

  if (!holder) {
    if (formerUserId !== null) return refuse('link_withdrawn');
    if (connection.provisioning.mode === 'scim_only') return refuse('not_provisioned');
    return { outcome: 'create' };
  }
  if (holder.breakGlass) return refuse('break_glass', { userId });
  // Once its proof has been missing for a week, a domain links nobody new (security.md 3.6).
  if (address.weaklyProved && !linked) return refuse('domain_not_owned', { userId });
  // Another subject for a linked person: a re-hire or a rebuilt directory. An administrator decides.
  if (holder.linkedSubject !== null && !linked) return refuse('identity_conflict', { userId });
  if (formerUserId !== null && formerUserId !== holder.id)
    return refuse('link_withdrawn', { userId });
  if (
    holder.directoryId !== null &&
    mapped.externalId !== null &&
    holder.directoryId !== mapped.externalId &&
    connection.mapping.attributes.externalId
  )
    return refuse('external_id_conflict', { userId });
  if (holder.affiliation !== 'member') {
    return join(holder, facts);
  }
  const lock = lockOf(holder);
  if (lock) return refuse('locked', { userId, lock });
  if (!holder.hasPassword) return { outcome: 'link', userId: holder.id, how: 'first_bind' };
  if (!holder.administrator) return { outcome: 'link', userId: holder.id, how: 'domain_authority' };
  return facts.steppedUp
    ? { outcome: 'link', userId: holder.id, how: 'step_up' }
    : { outcome: 'step_up', userId: holder.id };
}

function join(holder: FederatedPerson, { connection }: FederatedFacts): FederatedOutcome {
  if (connection.provisioning.mode === 'scim_only')
    return refuse('not_provisioned', { userId: holder.id });
  const lock = holder.locks.find(
    (reason) =>
      reason !== 'unaffiliated' && reason !== 'too_many_attempts' && reason !== 'domain_lapsed',
  );
  if (lock) return refuse('locked', { userId: holder.id, lock });
  return { outcome: 'join', userId: holder.id, discard: holder.identity !== 'ready' };
}

function isTester(connection: FederatedFacts['connection'], email: string | null): boolean {
  return email !== null && connection.testers.includes(email);
}

/** A lock that keeps a proved person out. Wrong passwords lock the password alone. */
function lockOf(person: FederatedPerson): LockReason | null {
  if (person.identity === 'erasing') return 'erasing';
  return person.locks.find((lock) => lock !== 'too_many_attempts') ?? null;
}

function missingOf(
  { connection, mapped, filledIn }: FederatedFacts,
  known: FederatedPerson | null,
): AskedAttribute[] {
  const { requireCountry, defaultCountry } = connection.provisioning;
  const missing: AskedAttribute[] = [];
  if (!(mapped.givenName ?? filledIn.givenName) && !known?.givenName) missing.push('givenName');
  if (!(mapped.familyName ?? filledIn.familyName) && !known?.familyName) missing.push('familyName');
  if (requireCountry && !(mapped.country ?? filledIn.country ?? defaultCountry) && !known?.country)
    missing.push('country');
  return missing;
}

function deniedClaim(
  { groups, roles }: Connection['mapping'],
  mapped: MappedPerson,
): 'groups' | 'roles' | null {
  if (groups?.absent === 'deny' && mapped.groups === null) return 'groups';
  if (roles?.absent === 'deny' && mapped.roles === null) return 'roles';
  return null;
}

function refuse(
  reason: FederatedRefusal,
  { userId = null, lock }: { userId?: string | null; lock?: LockReason } = {},
): FederatedOutcome {
  return { outcome: 'refuse', reason, userId, ...(lock && { lock }) };
}
