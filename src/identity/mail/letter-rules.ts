import type { Letter, LetterKind, Letters } from './letter.ts';

export interface LetterRules<Kind extends LetterKind> {
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

/** Whether the reader of a letter asked for it and waits: see `LetterRules`. */
export function isAskedFor(letter: Letter): boolean {
  const { asked } = letters[letter.kind] as LetterRules<LetterKind>;
  return asked?.(letter) ?? false;
}

/** Whether a letter may go to no other mailbox than the one it is addressed to. */
export function isForMailbox(letter: Letter): boolean {
  const { mailbox } = letters[letter.kind] as LetterRules<LetterKind>;
  return mailbox?.(letter) ?? false;
}
