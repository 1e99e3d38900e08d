import type { Letter, LetterKind, LetterOf } from '#identity/mail/letter.ts';
import type { MessageKey } from '#messages/translate.ts';

type Fact = [label: MessageKey, value: string | number | Date | null];

/** What a letter shows around its text, which lies in the catalogs as `mail.<kind>.text`. */
export interface Contents {
  /** Why the reader gets it. */
  why: 'address' | 'user' | 'manager' | 'mailbox';
  /** Where the one button leads. */
  link?: string | null;
  code?: string | null;
  facts?: Fact[];
  list?: { title?: MessageKey; items: readonly string[]; of?: number };
  /** What somebody wrote to the reader: an administrator, or support. */
  quote?: string | null;
  quoted?: 'administrator' | 'support';
  /** A link in small print, such as the one that ends reminders. */
  second?: string;
  /** What the texts choose by, beside the values of the letter. */
  choices?: Record<string, string>;
}

export function contentsOf(letter: Letter): Contents {
  return (contents[letter.kind] as (letter: Letter) => Contents)(letter);
}

/** `yes` where there is something. For `select`, which knows texts only. */
const given = (value: unknown): string => (value ? 'yes' : 'no');

const administrators = (items: readonly string[]): Contents['list'] => ({
  title: 'mail.administrators',
  items,
});

const contents: { [Kind in LetterKind]: (letter: LetterOf<Kind>) => Contents } = {
  registration_code: ({ code, link }) => ({ why: 'address', code, link }),
  registration_known: ({ signInLink, resetLink }) => ({
    why: 'address',
    link: signInLink,
    second: resetLink,
  }),
  registration_closed: () => ({ why: 'address' }),
  welcome: ({ account, administrators: names, signInLink }) => ({
    why: 'user',
    link: signInLink,
    list: administrators(names),
    choices: { member: given(account) },
  }),
  activation: ({ account, invitedBy, link }) => ({
    why: 'user',
    link,
    choices: { added: account ? (invitedBy ? 'by' : 'account') : 'nobody' },
  }),
  invitation: ({ invitedBy, link }) => ({
    why: 'address',
    link,
    choices: { inviter: given(invitedBy) },
  }),
  account_welcome: ({ link, expiresAt }) => ({
    why: 'manager',
    link,
    choices: { fresh: given(expiresAt) },
  }),
  approval_reminder: ({ names, count, queueLink, unsubscribeLink }) => ({
    why: 'manager',
    link: queueLink,
    list: { items: names, of: count },
    second: unsubscribeLink,
  }),
  approved: ({ administrators: names, signInLink }) => ({
    why: 'user',
    link: signInLink,
    list: administrators(names),
  }),
  added_to_account: ({ administrators: names, signInLink }) => ({
    why: 'user',
    link: signInLink,
    list: administrators(names),
  }),
  rejected: ({ message, administrators: names }) => ({
    why: 'user',
    quote: message,
    list: administrators(names),
  }),
  password_reset: ({ code, link }) => ({ why: 'user', code, link }),
  password_managed: ({ signInLink }) => ({ why: 'user', link: signInLink }),
  password_ends: ({ signInLink }) => ({ why: 'user', link: signInLink }),
  locked_out: ({ at, origin, paused, resetLink, administrators: names }) => ({
    why: 'user',
    link: resetLink,
    facts: [
      ['mail.when', at],
      ['mail.where', origin],
    ],
    list: administrators(names),
    choices: { reset: given(resetLink), paused: given(paused) },
  }),
  credential_changed: ({ at, origin, link, revertsUntil }) => ({
    why: 'user',
    link,
    facts: [
      ['mail.when', at],
      ['mail.where', origin],
    ],
    choices: { revert: given(revertsUntil) },
  }),
  removed_from_account: ({ administrators: names }) => ({
    why: 'user',
    list: administrators(names),
  }),
  email_change: ({ link }) => ({ why: 'address', link }),
  communication_email: ({ link }) => ({ why: 'address', link }),
  bulk_finished: ({ succeeded, skipped, failed, resultLink }) => ({
    why: 'user',
    link: resultLink,
    facts: [
      ['mail.bulk_finished.succeeded', succeeded],
      ['mail.bulk_finished.skipped', skipped],
      ['mail.bulk_finished.failed', failed],
    ],
  }),
  domain_owned: ({ unaffiliated, elsewhere, domainLink }) => ({
    why: 'manager',
    link: domainLink,
    facts: [
      ['mail.domain_owned.unaffiliated', unaffiliated],
      ['mail.domain_owned.elsewhere', elsewhere],
    ],
  }),
  erasure: ({ link }) => ({ why: 'user', link }),
  erasure_request: ({ requestsLink }) => ({ why: 'manager', link: requestsLink }),
  domain_contested: ({ contact, domainLink }) => ({
    why: 'manager',
    link: domainLink,
    facts: [['mail.contact', contact]],
  }),
  domain_at_risk: ({ expected, found, domainLink }) => ({
    why: 'manager',
    link: domainLink,
    facts: [
      ['mail.expected', expected],
      ['mail.found', found],
    ],
  }),
  factor_reset: ({ what, user, by, at, securityLink }) => ({
    why: 'user',
    link: securityLink,
    facts: [
      ['mail.by', by],
      ['mail.when', at],
    ],
    choices: { whose: what === 'reset' ? (user ? 'other_user' : 'own') : 'codes' },
  }),
  secret_expiring: ({ settingsLink }) => ({ why: 'manager', link: settingsLink }),
  sign_in_conflict: ({ conflictsLink }) => ({ why: 'manager', link: conflictsLink }),
  webhook_failing: ({ settingsLink }) => ({ why: 'manager', link: settingsLink }),
  directory_held: ({ settingsLink }) => ({ why: 'manager', link: settingsLink }),
  directory_failing: ({ lastError, settingsLink }) => ({
    why: 'manager',
    link: settingsLink,
    facts: [['mail.last_error', lastError]],
  }),
  setup_finished: ({ settingsLink, contact, directory }) => ({
    why: 'manager',
    link: settingsLink,
    choices: { known: given(contact), connected: given(directory) },
  }),
  directory_spared: ({ accountLink }) => ({ why: 'manager', link: accountLink }),
  no_administrator: ({ accountLink }) => ({ why: 'manager', link: accountLink }),
  account_notice: ({ message, accountLink }) => ({
    why: 'manager',
    link: accountLink,
    quote: message,
    quoted: 'support',
  }),
  inactivity: ({ signInLink }) => ({ why: 'user', link: signInLink }),
  inactivity_list: ({ names, count, usersLink }) => ({
    why: 'manager',
    link: usersLink,
    list: { items: names, of: count },
  }),
  domain_proof: ({ link }) => ({ why: 'mailbox', link }),
  domain_capture: ({ signInLink }) => ({ why: 'user', link: signInLink }),
  new_device: ({ at, origin, device, sessionsLink }) => ({
    why: 'user',
    link: sessionsLink,
    facts: [
      ['mail.when', at],
      ['mail.where', origin],
      ['mail.device', device],
    ],
  }),
  second_factor_guessed: ({ at, origin, resetLink }) => ({
    why: 'user',
    link: resetLink,
    facts: [
      ['mail.when', at],
      ['mail.where', origin],
    ],
  }),
  break_glass_used: ({ user, at, origin }) => ({
    why: 'manager',
    facts: [
      ['mail.by', user],
      ['mail.when', at],
      ['mail.where', origin],
    ],
  }),
  lock_notice: ({ at, administrators: names }) => ({
    why: 'user',
    facts: [['mail.when', at]],
    list: administrators(names),
  }),
};
