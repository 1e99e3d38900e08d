import type { AccountStatus } from '../accounts/account.ts';
import { refusals, type RefusalCode } from '../refusal.ts';
import type { LockReason } from '../users/locks.ts';

/**
 * The heart: what may happen to an address, at every door, and why.
 *
 * A person belongs to at most one account; an account owns email domains by proof. From the address,
 * the account that acts, the door it acts through and what is known, one pure function says what
 * happens. No door decides for itself, so none can be laxer than the others (behaviour.md section 6,
 * security.md section 3.2).
 */
export const doors = [
  'registration',
  'admin_add',
  'bulk_add',
  'invite',
  'invitation_acceptance',
  'approval',
  'scim_create',
  'scim_rename',
  'just_in_time',
  'email_change',
] as const;

export type Door = (typeof doors)[number];

/**
 * What the domain of the address is to the account that acts. Where no account acts (registration,
 * or a person who changes their own address) it is seen from the owner: `mine` cannot be.
 */
export type DomainStanding =
  /** Owned by the acting account, or trusted to it by the owner. */
  | 'mine'
  /** Owned, and its people sign in through the account's own identity provider. */
  | 'mine_federated'
  /** Owned once; the proof is gone for too long. Nothing new is made in it (security.md 3.6). */
  | 'mine_lapsed'
  /** Claimed by the acting account and not proved; owned by nobody. */
  | 'mine_pending'
  /** Owned by another account. */
  | 'other'
  /** A public mail domain: nobody can own it. */
  | 'public'
  /** Owned by nobody. */
  | 'free';

/** What is known, read in the transaction that acts on it. */
export interface Facts {
  /** The address in canonical form, or null where it has none. */
  email: string | null;
  /** The account that acts, or the one that invites or approves; null where none does. */
  account: { id: string; status: AccountStatus; allowsForeignDomains: boolean } | null;
  domain: DomainStanding;
  /** Who owns the domain, seen from a person who registers; null where nobody does. */
  owner: {
    id: string;
    active: boolean;
    signup: 'approve' | 'auto' | 'closed';
    federated: boolean;
    lapsed: boolean;
  } | null;
  /** Who has this address; null where nobody does. */
  person: {
    id: string;
    identity: 'invited' | 'unverified' | 'ready' | 'erasing';
    affiliation: 'none' | 'pending' | 'provisional' | 'member';
    /** Whose account it is, for members and provisional ones. */
    accountId: string | null;
    locks: readonly LockReason[];
    /** The account that has their open approval request. */
    approvalAt: string | null;
    /** Accounts whose invitation waits for them. */
    invitedBy: readonly string[];
    /** The account that removed them last, while they are locked for it. */
    removedBy: string | null;
    /** Accounts that rejected them within the last 30 days. */
    rejectedBy: readonly string[];
    /** May be changed by no directory, file or connection. */
    breakGlass: boolean;
    administrator: boolean;
  } | null;
}

/** What happens. A closed set: each door says how it speaks each one. */
export type Outcome =
  /** A new person, member of the account. */
  | 'create_member'
  /** A new person whom only their own acceptance makes a member. */
  | 'create_provisional'
  /** A new person of no account. */
  | 'create_unaffiliated'
  /** A new person who waits for the owner of their domain to approve. */
  | 'create_pending'
  /** The same as `create_pending`, approved at once by the owner's own rule. */
  | 'create_auto_approved'
  /** A person without account becomes a member. */
  | 'add'
  /** A person without account is asked whether they want to join. */
  | 'invite'
  /** A person who waits for approval becomes a member. */
  | 'approve'
  /** An invited person becomes a member by their own act. */
  | 'accept'
  /** Already so. */
  | 'nothing'
  /** The address is taken over as the person's. */
  | 'change_email'
  /** The person signs in at their organization; there is nothing to do here. */
  | 'sign_in_upstream'
  /** Said to nobody: the holder of the mailbox gets a mail instead. */
  | 'tell_holder'
  | 'refuse';

/** Who can change what the verdict depends on. */
export type Resolver =
  | 'nobody'
  | 'person'
  | 'account_administrator'
  | 'other_account'
  | 'operator'
  | 'directory';

/** What the one who asks could do instead: names of behaviour.md section 6. */
export type NextAction =
  | 'add_to_account'
  | 'invite_to_account'
  | 'approve'
  | 'resend_invitation'
  | 'finish_claim'
  | 'cancel_claim'
  | 'request_access'
  | 'request_transfer'
  | 'unlock'
  | 'ask_administrator'
  | 'contact_support';

export interface Verdict {
  outcome: Outcome;
  /** Why, with `refuse`; what it is about otherwise, where there is more to say than the outcome. */
  code: RefusalCode | null;
  message: string | null;
  actions: readonly NextAction[];
  resolver: Resolver;
  /** The account the person belongs to afterwards, or waits for. */
  joins: string | null;
}

/** The verdict. Pure: the same facts give the same answer, whoever asks. */
export function verdict(door: Door, facts: Facts): Verdict {
  if (facts.email === null) return refuse('invalid_email', 'person');
  switch (door) {
    case 'registration':
      return registration(facts);
    case 'invitation_acceptance':
      return acceptance(facts);
    case 'approval':
      return approval(facts);
    case 'email_change':
      return emailChange(facts);
    case 'just_in_time':
      return justInTime(facts);
    case 'scim_rename':
      return rename(facts);
    case 'admin_add':
    case 'bulk_add':
    case 'invite':
    case 'scim_create':
      return adding(door, facts);
  }
}

/**
 * The table of behaviour.md section 6, in its order: the first row that fits decides. Four doors,
 * one table; where a directory differs, it says so.
 */
function adding(
  door: 'admin_add' | 'bulk_add' | 'invite' | 'scim_create',
  { account, domain, person }: Facts,
): Verdict {
  const directory = door === 'scim_create';
  const inviting = door === 'invite';

  // Row 2
  if (!account || account.status !== 'active') return refuse('account_on_hold', 'operator');

  // Row 3
  if (person?.affiliation === 'member' && person.accountId === account.id)
    return refuse('already_member', 'nobody');
  if (person?.approvalAt === account.id)
    return directory && isMine(domain)
      ? decide('approve', { joins: account.id })
      : refuse('pending_approval', 'account_administrator', ['approve']);
  if (person?.affiliation === 'provisional' && person.accountId === account.id)
    return isMine(domain)
      ? decide('add', { joins: account.id })
      : refuse('already_invited', 'person', ['resend_invitation']);
  if (person?.invitedBy.includes(account.id) && !isMine(domain))
    return refuse('already_invited', 'person', ['resend_invitation']);

  // Row 4
  if (domain === 'other')
    return refuse('domain_owned_by_other', 'other_account', ['request_access']);

  // Row 5. An invitation proves nothing about a domain, so a claim under way does not stop it.
  if (domain === 'mine_pending' && !inviting)
    return refuse('domain_pending_ownership', 'account_administrator', [
      'finish_claim',
      'cancel_claim',
    ]);
  if (domain === 'mine_lapsed') return refuse('domain_not_owned', 'account_administrator');

  // Row 6
  if (person?.affiliation === 'member')
    return refuse(
      'user_in_other_account',
      'other_account',
      isMine(domain) ? ['request_transfer'] : [],
    );

  // Row 7
  if (person && person.locks.some((lock) => unaddable.has(lock)))
    return refuse('user_not_addable', 'operator', ['contact_support']);
  if (person?.identity === 'erasing')
    return refuse('user_not_addable', 'operator', ['contact_support']);

  // Rows 8 and 9
  if (person) {
    if (isMine(domain)) {
      if (directory) return decide('add', { joins: account.id });
      return inviting
        ? decide('invite', { joins: account.id })
        : refuse('user_exists', 'account_administrator', ['add_to_account']);
    }
    if (!account.allowsForeignDomains) return refuse('domain_not_owned', 'account_administrator');
    return directory || inviting
      ? decide('invite', { joins: account.id })
      : refuse('user_exists_other_domain', 'account_administrator', ['invite_to_account']);
  }

  // Rows 10 to 12
  if (isMine(domain)) return decide('create_member', { joins: account.id });
  if (!account.allowsForeignDomains) return refuse('domain_not_owned', 'account_administrator');
  return decide('create_provisional', { joins: account.id });
}

/**
 * Somebody registers. Whatever is known about the address is told to its mailbox alone; the page
 * says the same to everybody (behaviour.md F01, security.md 3.2).
 */
function registration({ owner, person }: Facts): Verdict {
  if (owner?.federated && !owner.lapsed) return decide('sign_in_upstream');
  if (person && person.identity !== 'unverified' && person.identity !== 'invited')
    return decide('tell_holder');
  if (owner?.signup === 'closed' && owner.active && !owner.lapsed)
    return {
      ...decide('tell_holder'),
      actions: ['ask_administrator'],
      code: 'domain_owned_by_other',
    };
  if (person?.locks.length) return decide('tell_holder');
  return affiliationOf({ owner, person });
}

/** Where a person whose mailbox is proved belongs, by the rule of who owns the domain (U8 to U10). */
function affiliationOf({ owner, person }: Pick<Facts, 'owner' | 'person'>): Verdict {
  if (!owner || owner.lapsed || !owner.active) return decide('create_unaffiliated');
  if (person?.removedBy === owner.id) return decide('create_unaffiliated');
  if (person?.rejectedBy.includes(owner.id)) return decide('create_unaffiliated');
  return owner.signup === 'auto'
    ? decide('create_auto_approved', { joins: owner.id })
    : decide('create_pending', { joins: owner.id });
}

/**
 * An invitation is accepted: all is looked at again, because days have passed (security.md 3.2).
 * Whether it is the invited person who accepts, and the link is good, is for the invitation to say.
 */
function acceptance({ account, domain, person }: Facts): Verdict {
  if (!account || account.status !== 'active') return refuse('account_on_hold', 'operator');
  if (person?.affiliation === 'member')
    return person.accountId === account.id
      ? decide('nothing', { joins: account.id })
      : refuse('already_affiliated', 'other_account', ['ask_administrator']);
  if (domain === 'other') return refuse('domain_owned_by_other', 'other_account');
  if (person?.locks.some((lock) => unaddable.has(lock)) || person?.identity === 'erasing')
    return refuse('user_not_addable', 'operator', ['contact_support']);
  return decide('accept', { joins: account.id });
}

/** An administrator lets somebody in who registered: only while the account still owns the domain. */
function approval({ account, domain, person }: Facts): Verdict {
  if (!account || account.status !== 'active') return refuse('account_on_hold', 'operator');
  if (!person) return refuse('user_not_found', 'nobody');
  if (person.affiliation === 'member')
    return refuse(
      person.accountId === account.id ? 'already_member' : 'already_affiliated',
      'other_account',
    );
  if (!isMine(domain)) return refuse('domain_not_owned', 'account_administrator');
  if (person.locks.some((lock) => unaddable.has(lock)) || person.identity === 'erasing')
    return refuse('user_not_addable', 'operator', ['contact_support']);
  return decide('approve', { joins: account.id });
}

/** A person, member of `account` or of none, wants another address. `person` is who has it now. */
function emailChange({ account, domain, owner, person }: Facts): Verdict {
  if (person) return decide('tell_holder');
  if (domain === 'mine_federated') return refuse('managed_by_directory', 'directory');
  if (domain === 'other' || (owner && owner.id !== account?.id))
    return refuse('domain_owned_by_other', 'other_account', ['ask_administrator']);
  return decide('change_email', { joins: account?.id ?? null });
}

/** A directory gives a person another address. `person` is who has it now. */
function rename({ account, domain, person }: Facts): Verdict {
  if (!account || account.status !== 'active') return refuse('account_on_hold', 'operator');
  if (person) return refuse('user_in_other_account', 'nobody');
  if (domain === 'other') return refuse('domain_owned_by_other', 'other_account');
  if (!isMine(domain)) return refuse('domain_not_owned', 'account_administrator');
  return decide('change_email', { joins: account.id });
}

/**
 * A company's own identity provider says who this is. It is believed inside the domains that the
 * company has proved, and nowhere else: there, a claim of `email_verified` changes nothing; here,
 * none is needed (security.md 3.2, 3.3).
 */
function justInTime({ account, domain, person }: Facts): Verdict {
  if (!account || account.status !== 'active') return refuse('account_on_hold', 'operator');
  if (domain === 'other') return refuse('domain_owned_by_other', 'other_account');
  if (!isMine(domain)) return refuse('domain_not_owned', 'account_administrator');
  if (!person) return decide('create_member', { joins: account.id });
  if (person.breakGlass) return refuse('permission_denied', 'account_administrator');
  if (person.affiliation === 'member')
    return person.accountId === account.id
      ? decide('nothing', { joins: account.id })
      : refuse('user_in_other_account', 'other_account');
  if (person.removedBy === account.id)
    return refuse('user_not_addable', 'account_administrator', ['ask_administrator']);
  if (person.locks.some((lock) => unaddable.has(lock)) || person.identity === 'erasing')
    return refuse('user_not_addable', 'operator', ['contact_support']);
  return decide('add', { joins: account.id });
}

/** Whether the account decides about the addresses of this domain. */
function isMine(domain: DomainStanding): boolean {
  return domain === 'mine' || domain === 'mine_federated';
}

/** Locks with which nobody is taken into an account: they are not an administrator's to judge. */
const unaddable = new Set<LockReason>(['operator', 'compromised', 'erasing']);

function decide(outcome: Outcome, { joins = null }: { joins?: string | null } = {}): Verdict {
  return { outcome, code: null, message: null, actions: [], resolver: 'nobody', joins };
}

function refuse(
  code: RefusalCode,
  resolver: Resolver,
  actions: readonly NextAction[] = [],
): Verdict {
  return { outcome: 'refuse', code, message: refusals[code], actions, resolver, joins: null };
}
