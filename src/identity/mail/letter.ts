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
