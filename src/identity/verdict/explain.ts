import type { Sql } from '#platform/database/sql.ts';
import { accessDecision, type ClientPolicy, type Denial } from '../access/access-decision.ts';
import { authoritiesOf } from '../scim/authority.ts';
import type { LockReason } from '../users/locks.ts';
import { findPerson, type Person } from '../users/person.ts';
import { readFacts } from './facts.ts';
import {
  doors,
  verdict,
  type DomainStanding,
  type Door,
  type Facts,
  type NextAction,
  type Outcome,
  type Resolver,
  type Verdict,
} from './verdict.ts';

export interface Explanation {
  /** In canonical form; null where it is no address. */
  email: string | null;
  domain: { standing: DomainStanding; says: string };
  /** The account it is seen from. */
  account: { id: string; status: string } | null;
  /** Null where nobody has the address, or it is not the asker's to know. */
  person: {
    id: string;
    identity: string;
    affiliation: string;
    /** Null for an account other than the one it is seen from, unless an operator asks. */
    accountId: string | null;
    locks: LockReason[];
    outstandingTerms: number;
    /** What is changed elsewhere alone, and where. */
    managed: { attribute: string; source: string; name: string | null }[];
    says: string;
  } | null;
  doors: {
    door: Door;
    outcome: Outcome;
    code: string | null;
    says: string;
    actions: NextAction[];
    /** Who can change it, in words; null where there is nothing to change. */
    ask: string | null;
    resolver: Resolver;
    joins: string | null;
  }[];
  /** What a sign-in would end with, by now. Null where the person is not the asker's to know. */
  signIn: {
    client: string | null;
    access: 'allow' | 'deny' | 'interact';
    reason: string | null;
    says: string;
    ask: string | null;
  } | null;
}

/**
 * What would happen to a person at every door, and why: the answer that saves a support call
 * (behaviour.md, issue 3). It asks the very functions that decide.
 *
 * @param everything for an operator. An account is told about its own people and domains, and of an
 * address elsewhere what it would be told if it added it; other accounts are never named.
 */
export async function explain(
  sql: Sql,
  typed: string,
  {
    accountId,
    client = null,
    everything,
    now,
  }: {
    accountId: string | null;
    client?: { name: string; policy: ClientPolicy } | null;
    everything: boolean;
    now: Date;
  },
): Promise<Explanation> {
  const seen = await readFacts(sql, typed, accountId, now);
  const person = seen.person && (await findPerson(sql, seen.person.id, now));
  const theirs =
    everything ||
    (accountId !== null &&
      (seen.person?.accountId === accountId ||
        seen.person?.approvalAt === accountId ||
        seen.person?.removedBy === accountId));
  return {
    email: seen.email,
    domain: { standing: seen.domain, says: standings[seen.domain] },
    account: seen.account && { id: seen.account.id, status: seen.account.status },
    person:
      theirs && person ? await aboutPerson(sql, person, seen, { accountId, everything }) : null,
    doors: doors
      .filter((door) => accountId !== null || !acting.has(door))
      .map((door) => {
        const said = verdict(door, seen);
        const { outcome, code, actions, joins } = said;
        return {
          door,
          outcome,
          code,
          says: inWords(said),
          actions: [...actions],
          ask: askWhom(said.resolver),
          resolver: said.resolver,
          joins: everything || joins === accountId ? joins : null,
        };
      }),
    signIn: theirs ? aboutSignIn(person, client) : null,
  };
}

/** Doors at which an account acts. */
const acting = new Set<Door>([
  'admin_add',
  'bulk_add',
  'invite',
  'invitation_acceptance',
  'approval',
  'scim_create',
  'scim_rename',
  'just_in_time',
]);

const standings: Record<DomainStanding, string> = {
  mine: 'The account owns the domain, or may add people of it.',
  mine_federated: 'The account owns the domain, and signs its people in itself.',
  mine_lapsed: 'The account owned the domain; its proof is gone, so nothing new is made in it.',
  mine_pending: 'The account has claimed the domain and not yet proved it.',
  other: 'The domain is owned by a different organization.',
  public: 'It is a public mail domain: nobody can own it.',
  free: 'Nobody owns the domain.',
};

async function aboutPerson(
  sql: Sql,
  person: Person,
  { person: fact }: Facts,
  { accountId, everything }: { accountId: string | null; everything: boolean },
): Promise<NonNullable<Explanation['person']>> {
  const at = person.account?.id ?? fact?.approvalAt ?? null;
  const locks = person.locks.map(({ reason }) => reason);
  const here = at === accountId;
  const belongs = {
    none: 'Belongs to no account.',
    pending: `Waits for ${here ? 'this account' : 'an account'} to approve.`,
    provisional: `Was invited by ${here ? 'this account' : 'an account'} and has not accepted.`,
    member: `Is a member of ${here ? 'this account' : 'another account'}.`,
  }[person.affiliation];
  // Whose directory it is concerns whoever the person belongs to.
  const sources = everything || here ? await authoritiesOf(sql, person.id) : [];
  const managed = sources.filter((one) => one.managed);
  const [first] = managed;
  const where =
    first && `Who they are is managed by ${first.name ?? 'their organization'}: change it there.`;
  return {
    id: person.id,
    identity: person.identity,
    affiliation: person.affiliation,
    accountId: everything || here ? at : null,
    locks,
    outstandingTerms: person.outstandingTerms.length,
    managed: managed.map(({ attribute, source, name }) => ({ attribute, source, name })),
    says: [belongs, ...locks.map((lock) => lockWords[lock].says), ...(where ? [where] : [])].join(
      ' ',
    ),
  };
}

function aboutSignIn(
  person: Person | null,
  client: { name: string; policy: ClientPolicy } | null,
): Explanation['signIn'] {
  const where = client?.name ?? null;
  if (!person)
    return {
      client: where,
      access: 'deny',
      reason: 'unknown',
      says: 'Nobody has this address. The sign-in pages do not say so.',
      ask: null,
    };
  const decision = accessDecision(person, client?.policy ?? null);
  const password = person.locks.some(({ reason }) => reason === 'too_many_attempts')
    ? ` ${lockWords.too_many_attempts.says}`
    : '';
  if (decision.access === 'allow')
    return {
      client: where,
      access: 'allow',
      reason: null,
      says: `May sign in.${password}`,
      ask: null,
    };
  if (decision.access === 'interact')
    return {
      client: where,
      access: 'interact',
      reason: decision.need,
      says: `Has to accept the terms first.${password}`,
      ask: 'the person',
    };
  const { says, ask } = denialWords(decision.denial);
  const { denial } = decision;
  const reason = denial.reason === 'locked' ? `locked.${denial.lock}` : denial.reason;
  return { client: where, access: 'deny', reason, says: `${says}${password}`, ask };
}

interface Words {
  says: string;
  ask: string;
}

const administrator = 'an administrator of the account';
const operator = 'the operator';

const lockWords: Record<LockReason, Words> = {
  too_many_attempts: {
    says: 'The password is locked after too many attempts.',
    ask: `the person, by resetting the password, or ${administrator}`,
  },
  admin: { says: 'An administrator locked them.', ask: administrator },
  unaffiliated: {
    says: 'They are locked because they were removed from an account.',
    ask: 'an administrator who adds and unlocks them',
  },
  directory: { says: 'The directory of the organization disabled them.', ask: 'the directory' },
  inactive: {
    says: 'They are locked because they were away for too long.',
    ask: administrator,
  },
  operator: { says: 'They are suspended.', ask: operator },
  compromised: {
    says: 'They are locked because their password became known.',
    ask: 'the person, by resetting the password',
  },
  erasing: { says: 'They are being deleted.', ask: `the person, or ${operator}` },
  domain_lapsed: {
    says: 'They are locked because their domain is no longer proved.',
    ask: 'an Account Administrator, by proving the domain again',
  },
  expired: { says: 'Their access has ended.', ask: administrator },
};

function denialWords(denial: Denial): Words {
  switch (denial.reason) {
    case 'locked':
      return lockWords[denial.lock];
    case 'unknown':
      return { says: 'Nobody has this address.', ask: administrator };
    case 'unverified':
      return {
        says: 'They have not proved their address or chosen a password yet.',
        ask: 'the person, by “Forgot password?”',
      };
    case 'account_on_hold':
      return { says: 'The account is on hold.', ask: operator };
    case 'account_closed':
      return { says: 'The account is closed.', ask: operator };
    case 'pending':
      return { says: 'They wait for approval.', ask: administrator };
    case 'unaffiliated':
      return {
        says: 'They belong to no account, and the application asks for one.',
        ask: administrator,
      };
    default:
      return {
        says: 'The application is not for this account, or asks for a role they lack.',
        ask: administrator,
      };
  }
}

function askWhom(resolver: Resolver): string | null {
  const whom: Record<Resolver, string | null> = {
    nobody: null,
    person: 'the person',
    account_administrator: administrator,
    other_account: 'the organization that has the domain or the person',
    operator,
    directory: 'the directory of the organization',
  };
  return whom[resolver];
}

function inWords({ outcome, message, code }: Verdict): string {
  if (message !== null) return message;
  if (code === 'domain_owned_by_other')
    return 'Registration is closed for this domain; the mailbox is told to ask an administrator.';
  const words: Record<Outcome, string> = {
    create_member: 'Is created as a member.',
    create_provisional: 'Is invited; becomes a member by accepting.',
    create_unaffiliated: 'Is registered, and belongs to no account.',
    create_pending: 'Is registered, and waits for approval.',
    create_auto_approved: 'Is registered, and becomes a member at once.',
    await_approval: 'Waits for approval.',
    add: 'Becomes a member.',
    invite: 'Is invited; becomes a member by accepting.',
    approve: 'Is approved, and becomes a member.',
    accept: 'Becomes a member by accepting.',
    nothing: 'Nothing changes.',
    change_email: 'The address becomes theirs.',
    sign_in_upstream: 'Signs in through their organization.',
    sign_in_here: 'Is asked for a password, like anybody.',
    tell_holder: 'The page says nothing; the mailbox is told that the address is known.',
    refuse: 'Is refused.',
  };
  return words[outcome];
}
