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
  'discovery',
  'registration',
  'settling',
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

/** The doors at which an account takes somebody in: one table decides at all of them. */
export const addingDoors = ['admin_add', 'bulk_add', 'invite', 'scim_create'] as const;
export type AddingDoor = (typeof addingDoors)[number];

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
  account: {
    id: string;
    status: AccountStatus;
    allowsForeignDomains: boolean;
    /** Its name, and where it may be entitled to something: they decide nothing here. */
    name?: string;
    countries?: readonly string[];
    /** The country that its rule for new people of this domain says. */
    countryOfDomain?: string | null;
  } | null;
  domain: DomainStanding;
  /** Who owns the domain, seen from a person who registers; null where nobody does. */
  owner: {
    id: string;
    status: AccountStatus;
    signup: 'approve' | 'auto' | 'closed';
    federated: boolean;
    lapsed: boolean;
  } | null;
  /**
   * The owner's proof is weak (a mail), or has been missing for a week: its administrators may act on
   * it, no machine may (behaviour.md 3.3, security.md 3.6).
   */
  weaklyProved?: boolean;
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
  /**
   * What the domain of the address is that a person or a directory wants to change away from; null
   * where no address is changed.
   */
  from: DomainStanding | null;
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
  /** A person who registered waits for the owner of their domain to approve. */
  | 'await_approval'
  /** The person signs in at their organization; there is nothing to do here. */
  | 'sign_in_upstream'
  /** The person signs in here. Said of every address alike, whether anybody has it or not. */
  | 'sign_in_here'
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
  /** In the words of the table, for whoever asked. */
  message: string | null;
  actions: readonly NextAction[];
  resolver: Resolver;
  /** The account the person belongs to afterwards, or waits for. */
  joins: string | null;
}

/** The verdict. Pure: the same facts give the same answer, whoever asks. */
export function verdict(door: Door, facts: Facts): Verdict {
  if (facts.email === null) return refuse('invalid_email', 'person');
  if (isForNoMachine(door, facts)) return refuse('domain_not_owned', 'account_administrator');
  switch (door) {
    case 'discovery':
      return discovery(facts);
    case 'registration':
      return registration(facts);
    case 'settling':
      return settling(facts);
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
    default:
      return adding(door, facts);
  }
}

/**
 * The table of behaviour.md section 6, in its order: the first row that fits decides. Four doors,
 * one table; where a directory or an invitation differs, it says so.
 */
function adding(door: AddingDoor, facts: Facts): Verdict {
  const { email, account, domain, person } = facts;
  const directory = door === 'scim_create';
  const inviting = door === 'invite';

  // Row 2
  if (!isActive(account)) return refuse('account_on_hold', 'operator');
  const here = { joins: account.id };

  // Row 3
  if (isMemberOf(person, account.id))
    return refuse('already_member', 'nobody', [], `${email} is already in your account.`);
  if (person?.approvalAt === account.id)
    return directory && isMine(domain)
      ? (addable(person) ?? decide('approve', here))
      : refuse(
          'pending_approval',
          'account_administrator',
          ['approve'],
          `${email} registered and is waiting for approval.`,
        );
  if (isInvitedTo(person, account.id)) {
    // The domain came to be the account's meanwhile: then nobody has to be asked.
    if (directory && isMine(domain)) return (person && addable(person)) ?? decide('add', here);
    return refuse('already_invited', 'person', [
      'resend_invitation',
      ...(isMine(domain) ? (['add_to_account'] as const) : []),
    ]);
  }

  // Row 4
  if (domain === 'other')
    return refuse('domain_owned_by_other', 'other_account', ['request_access']);

  // Row 5. An invitation proves nothing about a domain, so a claim under way does not stop it.
  if (domain === 'mine_pending' && !inviting)
    return refuse('domain_pending_ownership', 'account_administrator', [
      'finish_claim',
      'cancel_claim',
      'invite_to_account',
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
  const blocked = person && addable(person);
  if (blocked) return blocked;

  // Row 8. Whom another account merely invited is nobody yet to the owner of the domain: otherwise
  // anybody could reserve an address of somebody else's company.
  if (person && !isOnlyInvited(person) && isMine(domain)) {
    if (directory) return decide('add', here);
    return inviting
      ? decide('invite', here)
      : refuse('user_exists', 'account_administrator', ['add_to_account']);
  }

  // Row 9
  if (person && !isMine(domain)) {
    if (!account.allowsForeignDomains) return refuse('domain_not_owned', 'account_administrator');
    return directory || inviting
      ? decide('invite', here)
      : refuse('user_exists_other_domain', 'account_administrator', ['invite_to_account']);
  }

  // Rows 10 to 12
  if (domain === 'mine_federated')
    return decide('create_member', {
      ...here,
      message: `Created. ${email} signs in through your organization.`,
    });
  if (domain === 'mine')
    return decide('create_member', { ...here, message: 'Created and invited.' });
  if (!account.allowsForeignDomains) return refuse('domain_not_owned', 'account_administrator');
  return decide('create_provisional', {
    ...here,
    message: 'Invited. The user joins your account when the invitation is accepted.',
  });
}

/**
 * Where a person who typed their address goes on. Of the address nothing is looked at but its
 * domain: the answer must not tell whether anybody has it (behaviour.md section 4).
 */
function discovery({ owner }: Facts): Verdict {
  return decide(signsInUpstream(owner) ? 'sign_in_upstream' : 'sign_in_here');
}

/**
 * Somebody registers. Whatever is known about the address is told to its mailbox alone; the page
 * says the same to everybody (behaviour.md F01, security.md 3.2).
 *
 * Whom an account merely invited may register: nobody has proved that mailbox yet.
 */
function registration({ owner, person }: Facts): Verdict {
  if (signsInUpstream(owner)) return decide('sign_in_upstream');
  if (person && !isOnlyInvited(person)) return decide('tell_holder');
  if (owner?.signup === 'closed' && isRunning(owner))
    return {
      ...decide('tell_holder'),
      actions: ['ask_administrator'],
      resolver: 'account_administrator',
      code: 'domain_owned_by_other',
    };
  const { outcome, joins } = placeOf({ owner, person });
  if (outcome === 'add') return decide('create_auto_approved', { joins });
  return decide(outcome === 'await_approval' ? 'create_pending' : 'create_unaffiliated', { joins });
}

/**
 * A person who registered has proved their mailbox and accepted the terms: now it is decided where
 * they belong (behaviour.md U8 to U10).
 */
function settling({ owner, person }: Facts): Verdict {
  if (!person || person.identity !== 'ready' || person.affiliation !== 'none')
    return decide('nothing');
  // Who was sent away does not come back by the same door alone (behaviour.md F03).
  if (person.locks.length > 0) return decide('nothing');
  return placeOf({ owner, person });
}

/** Where a person whose mailbox is proved belongs, by the rule of who owns the domain. */
function placeOf({ owner, person }: Pick<Facts, 'owner' | 'person'>): Verdict {
  if (!owner || !isRunning(owner)) return decide('nothing');
  if (person?.removedBy === owner.id || person?.rejectedBy.includes(owner.id))
    return decide('nothing');
  // While the account is on hold nobody joins it, not even by its own rule: they wait.
  if (owner.signup === 'auto' && owner.status === 'active')
    return decide('add', { joins: owner.id });
  if (owner.signup === 'closed') return decide('nothing');
  return decide('await_approval', { joins: owner.id });
}

/**
 * An invitation is accepted: all is looked at again, because days have passed (security.md 3.2).
 * Whether it is the invited person who accepts, and the link is good, is for the invitation to say.
 */
function acceptance({ account, domain, person }: Facts): Verdict {
  if (account && isMemberOf(person, account.id)) return decide('nothing', { joins: account.id });
  if (!isActive(account)) return refuse('account_on_hold', 'operator');
  if (person?.affiliation === 'member')
    return refuse('already_affiliated', 'other_account', ['ask_administrator']);
  if (domain === 'other') return refuse('domain_owned_by_other', 'other_account');
  const blocked = person && addable(person);
  if (blocked) return blocked;
  // Nobody chooses a password where their organization signs them in.
  if (domain === 'mine_federated' && (!person || person.identity !== 'ready'))
    return decide('sign_in_upstream');
  return decide('accept', { joins: account.id });
}

/** An administrator lets somebody in who registered: only while the account still owns the domain. */
function approval({ account, domain, person }: Facts): Verdict {
  if (!isActive(account)) return refuse('account_on_hold', 'operator');
  if (!person) return refuse('user_not_found', 'nobody');
  if (isMemberOf(person, account.id)) return refuse('already_member', 'nobody');
  if (person.affiliation === 'member') return refuse('already_affiliated', 'other_account');
  if (person.approvalAt !== account.id) return refuse('not_found', 'nobody');
  if (!isMine(domain)) return refuse('domain_not_owned', 'account_administrator');
  return addable(person) ?? decide('approve', { joins: account.id });
}

/** A person, member of `account` or of none, wants another address. `person` is who has it now. */
function emailChange({ account, domain, from, person }: Facts): Verdict {
  if (from === 'mine_federated' || domain === 'mine_federated')
    return refuse('managed_by_directory', 'directory', ['ask_administrator']);
  // A managed person does not take themselves out of the domain (behaviour.md F26).
  if (from === 'mine' && domain !== 'mine')
    return refuse('managed_by_directory', 'account_administrator', ['ask_administrator']);
  if (domain === 'other')
    return refuse('domain_owned_by_other', 'other_account', ['ask_administrator']);
  if (domain === 'mine_pending') return refuse('domain_pending_ownership', 'account_administrator');
  if (domain === 'mine_lapsed') return refuse('domain_not_owned', 'account_administrator');
  if (person) return decide('tell_holder');
  return decide('change_email', { joins: account?.id ?? null });
}

/** A directory gives a person another address. `person` is who has it now. */
function rename({ account, domain, from, person }: Facts): Verdict {
  if (!isActive(account)) return refuse('account_on_hold', 'operator');
  // An address elsewhere is the person's own, and whoever could change it could take the person over.
  if (from !== null && !isMine(from) && from !== 'mine_lapsed')
    return refuse('domain_not_owned', 'person');
  if (domain === 'other') return refuse('domain_owned_by_other', 'other_account');
  if (domain === 'mine_pending')
    return refuse('domain_pending_ownership', 'account_administrator', [
      'finish_claim',
      'cancel_claim',
    ]);
  if (!isMine(domain)) return refuse('domain_not_owned', 'account_administrator');
  if (person)
    return refuse(
      person.affiliation === 'member' && person.accountId === account.id
        ? 'already_member'
        : 'user_in_other_account',
      'nobody',
    );
  return decide('change_email', { joins: account.id });
}

/**
 * A company's own identity provider says who this is. It is believed inside the domains that the
 * company has proved, and nowhere else: there, a claim of `email_verified` changes nothing; here,
 * none is needed (security.md 3.2, 3.3).
 */
function justInTime({ account, domain, person }: Facts): Verdict {
  if (!isActive(account)) return refuse('account_on_hold', 'operator');
  if (domain === 'other') return refuse('domain_owned_by_other', 'other_account');
  if (domain === 'mine_pending') return refuse('domain_pending_ownership', 'account_administrator');
  if (!isMine(domain)) return refuse('domain_not_owned', 'account_administrator');
  if (!person) return decide('create_member', { joins: account.id });
  if (person.breakGlass) return refuse('permission_denied', 'account_administrator');
  if (isMemberOf(person, account.id)) return decide('nothing', { joins: account.id });
  if (person.affiliation === 'member') return refuse('user_in_other_account', 'other_account');
  // An administrator's removal sticks: otherwise the next sign-in would undo it (behaviour.md F30).
  if (person.removedBy === account.id)
    return refuse('user_not_addable', 'account_administrator', ['ask_administrator']);
  return addable(person) ?? decide('add', { joins: account.id });
}

type Person = NonNullable<Facts['person']>;

function isActive(account: Facts['account']): account is NonNullable<Facts['account']> {
  return account?.status === 'active';
}

/** Whether a machine asks for what only a strong and present proof allows it. Who is in stays in. */
function isForNoMachine(door: Door, { account, domain, person, weaklyProved }: Facts): boolean {
  const machine = door === 'scim_create' || door === 'scim_rename' || door === 'just_in_time';
  if (!machine || !weaklyProved || !isMine(domain) || !isActive(account)) return false;
  return !isMemberOf(person, account.id);
}

/** Whether the account decides about the addresses of this domain. */
function isMine(domain: DomainStanding): boolean {
  return domain === 'mine' || domain === 'mine_federated';
}

function isMemberOf(person: Facts['person'], accountId: string): boolean {
  return person?.affiliation === 'member' && person.accountId === accountId;
}

function isInvitedTo(person: Facts['person'], accountId: string): boolean {
  if (!person || person.affiliation === 'member') return false;
  return (
    person.invitedBy.includes(accountId) ||
    (person.affiliation === 'provisional' && person.accountId === accountId)
  );
}

/**
 * Whether there is nothing of a person but what somebody typed: no proof of the mailbox, no
 * membership, not even a removal.
 */
export function isOnlyInvited(person: Person): boolean {
  return (
    (person.identity === 'invited' || person.identity === 'unverified') &&
    person.affiliation !== 'member' &&
    person.affiliation !== 'pending' &&
    person.locks.length === 0
  );
}

/** Whether the account that owns the domain is there to decide, now or when its hold is over. */
function isRunning({ status, lapsed }: NonNullable<Facts['owner']>): boolean {
  return !lapsed && (status === 'active' || status === 'on_hold');
}

function signsInUpstream(owner: Facts['owner']): boolean {
  return owner !== null && owner.federated && !owner.lapsed;
}

/** Locks with which nobody is taken into an account: they are not an administrator's to judge. */
const unaddable = new Set<LockReason>(['operator', 'compromised', 'erasing']);

/**
 * Why nobody may take this person in; null where there is nothing against it. An operator is above
 * every account: in none, nobody's directory, provider or administrator says who they are.
 */
function addable(person: Person): Verdict | null {
  const operator = person.administrator && person.affiliation !== 'member';
  return operator ||
    person.identity === 'erasing' ||
    person.locks.some((lock) => unaddable.has(lock))
    ? refuse('user_not_addable', 'operator', ['contact_support'])
    : null;
}

function decide(
  outcome: Outcome,
  { joins = null, message = null }: { joins?: string | null; message?: string | null } = {},
): Verdict {
  return { outcome, code: null, message, actions: [], resolver: 'nobody', joins };
}

function refuse(
  code: RefusalCode,
  resolver: Resolver,
  actions: readonly NextAction[] = [],
  message: string = refusals[code],
): Verdict {
  return { outcome: 'refuse', code, message, actions, resolver, joins: null };
}
