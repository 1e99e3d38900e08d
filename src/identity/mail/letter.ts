import { newReference } from '#platform/ids.ts';
import type { Recipient } from './recipient.ts';
import { secretHash } from '#platform/secrets.ts';
import { comparedEmail } from '../users/email.ts';
import type { Work } from '../work.ts';

/**
 * Every letter we write, with what its text needs: behaviour.md section 8.
 *
 * The values are facts, never sentences: what is said about them, in nine languages, is decided when
 * the letter leaves. A name that somebody typed may be anything; it is made harmless there too.
 */
export interface Letters {
  registration_code: { code: string; codeExpiresAt: Date; link: string; expiresAt: Date };
  registration_known: { signInLink: string; resetLink: string };
  registration_closed: { domain: string };
  welcome: { account: string | null; administrators: string[]; signInLink: string };
  activation: { account: string | null; invitedBy: string | null; link: string; expiresAt: Date };
  invitation: { account: string; invitedBy: string | null; link: string; expiresAt: Date };
  account_welcome: {
    account: string;
    link: string;
    /** Null for somebody who has a password already: the link leads to the sign-in. */
    expiresAt: Date | null;
  };
  approval_reminder: {
    account: string;
    count: number;
    names: string[];
    queueLink: string;
    unsubscribeLink: string;
  };
  approved: { account: string; administrators: string[]; signInLink: string };
  added_to_account: {
    account: string;
    administrators: string[];
    /** A lock stays when somebody is added again; it is lifted by itself. */
    locked: boolean;
    signInLink: string;
  };
  rejected: {
    account: string;
    /** What the administrator wrote to the person. */
    message: string | null;
    administrators: string[];
  };
  password_reset: {
    /** Who asked for it. */
    by: 'user' | 'administrator';
    /** Only for who asked: there is a page open where it can be entered. */
    code: string | null;
    codeExpiresAt: Date | null;
    link: string;
    expiresAt: Date;
  };
  password_managed: { account: string; signInLink: string };
  password_ends: { account: string; endsAt: Date; signInLink: string };
  locked_out: {
    at: Date;
    /** As coarse as "Berlin, Germany" or a shortened address. */
    origin: string | null;
    /** Not locked, only slowed: each further attempt has to wait. */
    paused?: boolean;
    /** Null where only an administrator may unlock. */
    resetLink: string | null;
    administrators: string[];
  };
  credential_changed: {
    what:
      | 'password'
      | 'email'
      | 'communication_email'
      | 'totp_added'
      | 'totp_removed'
      | 'passkey_added'
      | 'passkey_removed'
      | 'recovery_codes'
      | 'upstream_linked';
    at: Date;
    origin: string | null;
    /** For a changed email address, to the old one: undoes it. Else the page with one's security. */
    link: string;
    revertsUntil: Date | null;
  };
  removed_from_account: {
    account: string;
    why: 'administrator' | 'directory' | 'inactive' | 'account_closed';
    /** Nobody where the account is no more. */
    administrators: string[];
  };
  email_change: { email: string; link: string; expiresAt: Date };
  communication_email: {
    /** What they sign in with. */
    email: string;
    link: string;
    expiresAt: Date;
  };
  bulk_finished: {
    job: 'add' | 'update' | 'delete';
    succeeded: number;
    skipped: number;
    failed: number;
    resultLink: string;
    expiresAt: Date;
  };
  domain_owned: {
    account: string;
    domain: string;
    proof: 'dns' | 'https' | 'email' | 'operator';
    unaffiliated: number;
    elsewhere: number;
    domainLink: string;
  };
  erasure: {
    stage: 'requested' | 'cancelled' | 'refused' | 'done';
    /** Who wanted it. */
    by: 'person' | 'inactivity' | 'support';
    /** Whose administrators refused it. */
    account: string | null;
    erasedAt: Date | null;
    /** Cancels it; only while it is requested. */
    link: string | null;
  };
  erasure_request: { account: string; user: string; requestsLink: string };
  domain_contested: {
    account: string;
    domain: string;
    request: 'ownership' | 'access' | 'release';
    claimant: string;
    contact: string;
    domainLink: string;
    expiresAt: Date;
  };
  domain_at_risk: {
    account: string;
    domain: string;
    /** Missing; nothing is done by itself any more; lost. */
    stage: 'failing' | 'stopped' | 'lapsed';
    expected: string;
    found: string | null;
    lapsesAt: Date | null;
    domainLink: string;
  };
  factor_reset: {
    what: 'reset' | 'recovery_codes_used_up';
    /** Whose it was, when the reader is an administrator; null when it is the reader's own. */
    user: string | null;
    by: string | null;
    at: Date;
    securityLink: string;
  };
  secret_expiring: {
    account: string;
    what:
      | 'client_secret'
      | 'scim_token'
      | 'certificate'
      | 'certificate_found'
      | 'connection_failing';
    /** The name of the connection or the token. */
    label: string;
    days: number;
    endsAt: Date | null;
    settingsLink: string;
  };
  sign_in_conflict: {
    account: string;
    reason:
      | 'user_in_other_account'
      | 'member_elsewhere'
      | 'identity_conflict'
      | 'external_id_conflict'
      | 'link_withdrawn'
      | 'email_conflict';
    /** The address that the provider names. */
    email: string;
    conflictsLink: string;
  };
  webhook_failing: {
    account: string;
    /** Its host. */
    label: string;
    settingsLink: string;
  };
  directory_held: {
    account: string;
    /** The name of the token. */
    label: string;
    departures: number;
    minutes: number;
    settingsLink: string;
  };
  directory_failing: {
    account: string;
    /** The name of the token. */
    label: string;
    event: 'failing' | 'recovered';
    /** Of the last 24 hours. */
    errors: number;
    requests: number;
    lastError: string | null;
    settingsLink: string;
  };
  setup_finished: {
    account: string;
    /** The name of the connection. */
    label: string;
    /** Whom the link was for, in the words of who made it. */
    contact: string;
    /** Whether a directory was connected, too: it only tries until it is let. */
    directory: boolean;
    settingsLink: string;
  };
  directory_spared: {
    account: string;
    /** The name of the token. */
    label: string;
    user: string;
    accountLink: string;
  };
  no_administrator: { account: string; accountLink: string };
  account_notice: {
    account: string;
    event: 'on_hold' | 'resumed' | 'merged' | 'closing' | 'closed';
    message: string | null;
    /** The account it was merged into. */
    into: string | null;
    closesAt: Date | null;
    accountLink: string;
  };
  inactivity: { days: number; locksAt: Date; signInLink: string };
  inactivity_list: { account: string; count: number; names: string[]; usersLink: string };
  domain_proof: {
    account: string;
    domain: string;
    claimant: string;
    link: string;
    expiresAt: Date;
  };
  domain_capture: { account: string; domain: string; decidesUntil: Date; signInLink: string };
  new_device: {
    at: Date;
    origin: string | null;
    /** Such as "Firefox on Windows". */
    device: string | null;
    /** Wrong passwords just before. */
    failures: number;
    sessionsLink: string;
  };
  second_factor_guessed: { at: Date; origin: string | null; resetLink: string };
  break_glass_used: { account: string; user: string; at: Date; origin: string | null };
  lock_notice: {
    /**
     * By an administrator; by support because the password is known, or for what support knows;
     * unlocked, but for another reason that is left; unlocked.
     */
    event: 'locked' | 'compromised' | 'suspended' | 'partly' | 'unlocked';
    account: string;
    at: Date;
    administrators: string[];
  };
}

export type LetterKind = keyof Letters;
export type Letter = { [Kind in LetterKind]: { kind: Kind } & Letters[Kind] }[LetterKind];
export type LetterOf<Kind extends LetterKind> = Extract<Letter, { kind: Kind }>;

interface LetterRules<Kind extends LetterKind> {
  number: `M${string}`;
  trigger: string;
  /** How long its link or code lives by default, in words. */
  life: string | null;
  /** What nobody may read in the database. */
  secret: readonly (keyof Letters[Kind])[];
  /** The moment from which the letter is of no use and is not sent any more. */
  until?: keyof Letters[Kind];
  /** Whether the reader waits for it: then it is tried even where mails come back. */
  asked?(letter: Letters[Kind]): boolean;
  /**
   * Whether it is for the mailbox it is addressed to and no other: it proves that mailbox, lets
   * somebody in, or tells it what was done to the user account behind its back: who had mails sent
   * elsewhere may be who does it. All else goes where the person wants to be written to
   * (`users/communication.ts`).
   */
  mailbox?(letter: Letters[Kind]): boolean;
}

/** The mails of behaviour.md section 8 by their numbers: why each is written and what is secret in it. */
export const letters: { readonly [Kind in LetterKind]: LetterRules<Kind> } = {
  registration_code: {
    number: 'M1',
    trigger: 'somebody registers, or asks for the code again',
    life: 'code 10 minutes, link 24 hours',
    secret: ['code', 'link'],
    until: 'expiresAt',
    asked: () => true,
    mailbox: () => true,
  },
  registration_known: {
    number: 'M1x',
    trigger: 'somebody registers an address that has a user',
    life: null,
    secret: [],
  },
  registration_closed: {
    number: 'M1x',
    trigger: 'somebody registers an address whose domain is closed to registration',
    life: null,
    secret: [],
  },
  welcome: { number: 'M2', trigger: 'a registration is complete', life: null, secret: [] },
  activation: {
    number: 'M3',
    trigger: 'an administrator or a directory adds a user; "Forgot password?" without a password',
    life: '7 days',
    secret: ['link'],
    until: 'expiresAt',
    mailbox: () => true,
  },
  invitation: {
    number: 'M4',
    trigger: 'a user of a domain the account does not own is invited',
    life: '7 days',
    secret: ['link'],
    until: 'expiresAt',
    mailbox: () => true,
  },
  account_welcome: {
    number: 'M5',
    trigger: 'an account is created, to its first fulfillment contact',
    life: '7 days',
    secret: ['link'],
    until: 'expiresAt',
    mailbox: () => true,
  },
  approval_reminder: {
    number: 'M6',
    trigger: 'the first pending approval, then daily while there is one',
    life: null,
    secret: ['unsubscribeLink'],
  },
  approved: { number: 'M7', trigger: 'a pending user is approved', life: null, secret: [] },
  added_to_account: {
    number: "M7'",
    trigger: 'an unaffiliated user is added to an account',
    life: null,
    secret: [],
  },
  rejected: { number: 'M8', trigger: 'a pending user is rejected', life: null, secret: [] },
  password_reset: {
    number: 'M9',
    trigger: '"Forgot password?", or an administrator resets the password',
    life: 'link 30 minutes, code 10 minutes',
    secret: ['code', 'link'],
    until: 'expiresAt',
    asked: ({ by }) => by === 'user',
    mailbox: () => true,
  },
  password_managed: {
    number: 'M9f',
    trigger: '"Forgot password?" of a user whose organization signs them in',
    life: null,
    secret: [],
  },
  password_ends: {
    number: 'M9e',
    trigger: 'an account announces that passwords end, to everybody who has one',
    life: null,
    secret: [],
    until: 'endsAt',
  },
  locked_out: {
    number: 'M10',
    trigger: 'too many wrong passwords',
    life: null,
    secret: [],
    mailbox: () => true,
  },
  credential_changed: {
    number: 'M11',
    trigger: 'a password, factor, email address or linked identity changes (old and new address)',
    life: 'revert link 7 days',
    secret: ['link'],
    mailbox: () => true,
  },
  removed_from_account: {
    number: 'M12',
    trigger: 'a user is removed from the account',
    life: null,
    secret: [],
  },
  email_change: {
    number: 'M13',
    trigger: 'another email address is asked for, to that address',
    life: '24 hours',
    secret: ['link'],
    until: 'expiresAt',
    asked: () => true,
    mailbox: () => true,
  },
  communication_email: {
    number: 'M13',
    trigger: 'another address to be written to is set, to that address',
    life: '7 days',
    secret: ['link'],
    until: 'expiresAt',
    asked: () => true,
    mailbox: () => true,
  },
  bulk_finished: {
    number: 'M14',
    trigger: 'a bulk job ends, to who started it',
    life: 'file 7 days',
    secret: [],
    until: 'expiresAt',
  },
  domain_owned: { number: 'M15', trigger: 'the account owns a domain', life: null, secret: [] },
  erasure: {
    number: 'M16',
    trigger: 'an erasure is requested, cancelled or done',
    life: 'until the date',
    secret: ['link'],
    mailbox: () => true,
  },
  erasure_request: {
    number: 'M16',
    trigger: 'a user of a domain that the account owns asks to be deleted, to its administrators',
    life: null,
    secret: [],
  },
  domain_contested: {
    number: 'M17',
    trigger: 'another account proves the domain, or asks for access or release',
    life: '30 days',
    secret: [],
    until: 'expiresAt',
  },
  domain_at_risk: {
    number: 'M18',
    trigger: 'the proof of a domain is not found any more, or has lapsed',
    life: null,
    secret: [],
  },
  factor_reset: {
    number: 'M19',
    trigger: 'an administrator resets the second factor; the recovery codes are used up',
    life: null,
    secret: [],
    mailbox: () => true,
  },
  secret_expiring: {
    number: 'M20',
    trigger: 'a secret, token or certificate ends in 30, 7 or 1 days; a connection fails',
    life: null,
    secret: [],
  },
  sign_in_conflict: {
    number: 'M20',
    trigger:
      "somebody came by a company's provider who does not fit who is known, to the administrators; once a day",
    life: null,
    secret: [],
  },
  webhook_failing: {
    number: 'M20',
    trigger: 'a webhook took no event for a day, to the administrators',
    life: null,
    secret: [],
  },
  directory_held: {
    number: 'M20',
    trigger: 'a directory would put out more people at once than it may',
    life: null,
    secret: [],
  },
  directory_failing: {
    number: 'M20',
    trigger: 'the requests of a directory keep failing; it works again',
    life: null,
    secret: [],
  },
  setup_finished: {
    number: 'M20',
    trigger: "a company's IT is done with a setup link, to who sent it",
    life: null,
    secret: [],
  },
  directory_spared: {
    number: 'M21',
    trigger: 'a directory would put out the last administrator, to the contacts and the operators',
    life: null,
    secret: [],
  },
  no_administrator: {
    number: 'M21',
    trigger: 'an account has lost its last administrator',
    life: null,
    secret: [],
  },
  account_notice: {
    number: 'M22',
    trigger: 'an account is put on hold, resumed, merged or closed',
    life: null,
    secret: [],
  },
  inactivity: {
    number: 'M23',
    trigger: '30, 7 and 1 days before a user is locked as inactive',
    life: null,
    secret: [],
    until: 'locksAt',
  },
  inactivity_list: {
    number: 'M23',
    trigger: 'monthly, to the administrators: who is about to be locked',
    life: null,
    secret: [],
  },
  domain_proof: {
    number: 'M24',
    trigger: 'a domain is to be proved by mail, to a mailbox of that domain',
    life: '7 days',
    secret: ['link'],
    until: 'expiresAt',
    mailbox: () => true,
  },
  domain_capture: {
    number: 'M25',
    trigger:
      'the owner of the domain asks its users elsewhere to decide; again after 14, 3 and 1 days',
    life: '30 days',
    secret: ['signInLink'],
    until: 'decidesUntil',
    mailbox: () => true,
  },
  new_device: {
    number: 'M26',
    trigger: 'a sign-in from a new device, or after wrong passwords (ASVS 6.3.4)',
    life: null,
    secret: [],
  },
  second_factor_guessed: {
    number: 'M10',
    trigger: 'a right password, and then five wrong codes',
    life: null,
    secret: [],
    mailbox: () => true,
  },
  break_glass_used: {
    number: 'M26',
    trigger: "a sign-in past the company's identity provider, to all Account Administrators",
    life: null,
    secret: [],
  },
  lock_notice: {
    number: 'M27',
    trigger: 'an administrator locks or unlocks the user',
    life: null,
    secret: [],
  },
};

export const letterKinds = Object.keys(letters) as LetterKind[];

export interface MailOptions {
  /** The same key is queued once. */
  dedupKey?: string;
  /** After this it is of no use. By default the end of the link in it. */
  expiresAt?: Date;
}

/** The payload of a mail in the outbox. What is secret in the letter is sealed beside it. */
export interface QueuedMail {
  letter: { kind: LetterKind } & Record<string, unknown>;
  to: { email: string; name: string | null; locale: string | null };
  /** What support finds it by. */
  reference: string;
  /** What is left when the mail is delivered: enough to count what one address was sent. */
  kept: { letter: LetterKind; address: string };
}

/** Queues a letter. It leaves after the commit, or never if there is none. */
export function mail(
  work: Pick<Work, 'send' | 'origin'>,
  to: Recipient,
  letter: Letter,
  options: MailOptions = {},
): void {
  const { secret, until } = letters[letter.kind] as LetterRules<LetterKind>;
  const hidden = new Set<string>(secret);
  const [secrets, values] = split(letter, (name) => hidden.has(name));
  const address = addressMark(to.email);
  const payload: QueuedMail = {
    letter: values as QueuedMail['letter'],
    to: { email: to.email, name: to.name ?? null, locale: to.locale },
    reference: work.origin.reference ?? newReference(),
    kept: { letter: letter.kind, address },
  };
  work.send({
    kind: 'mail',
    subject: to.userId ?? address,
    payload: { ...payload },
    secret: hidden.size > 0 ? secrets : undefined,
    dedupKey: options.dedupKey,
    expiresAt: options.expiresAt ?? (until && Reflect.get(letter, until)),
  });
}

/** Whether the reader of a letter asked for it and waits: see `LetterRules`. */
export function isAskedFor(letter: Letter): boolean {
  const { asked } = letters[letter.kind] as LetterRules<LetterKind>;
  return asked?.(letter) ?? false;
}

/** What stands for an address where the address itself is not to be kept. */
export function addressMark(email: string): string {
  return secretHash(comparedEmail(email));
}

/** Whether a letter may go to no other mailbox than the one it is addressed to. */
export function isForMailbox(letter: Letter): boolean {
  const { mailbox } = letters[letter.kind] as LetterRules<LetterKind>;
  return mailbox?.(letter) ?? false;
}

function split(
  values: object,
  isSecret: (name: string) => boolean,
): [Record<string, unknown>, Record<string, unknown>] {
  const entries = Object.entries(values);
  return [
    Object.fromEntries(entries.filter(([name]) => isSecret(name))),
    Object.fromEntries(entries.filter(([name]) => !isSecret(name))),
  ];
}
