/**
 * Every reason the rules say no, with the text of behaviour.md sections 6 and 10.
 *
 * A refusal is expected: it has a name, and each door (admin API, SCIM, pages, command line) says it
 * in its own language through an exhaustive table. Anything else that is thrown is a bug.
 */
export const refusals = {
  invalid_email: 'Enter a valid e-mail address.',
  invalid_domain: 'Enter a valid domain name.',
  invalid_country: 'Enter a country as its two-letter code of ISO 3166-1.',
  invalid_value: 'A value is not valid.',
  invalid_cursor: 'The cursor is not one that this list gave.',
  account_not_found: 'There is no such account.',
  user_not_found: 'There is no such user in this account.',
  client_not_found: 'There is no such client.',
  terms_not_found: 'There is no such version of the terms.',
  role_not_found: 'There is no such role.',
  not_found: 'There is nothing here.',
  account_on_hold: "Your organization's account is on hold; users cannot be added.",
  already_member: 'This user is already in your account.',
  pending_approval: 'This user registered and is waiting for approval.',
  already_invited: 'This user was already invited.',
  only_invited:
    'This user has not accepted the invitation yet, and is not one of your users until then. You can take the invitation back.',
  domain_owned_by_other: 'Unable to add user as email domain is owned by a different organization.',
  domain_pending_ownership:
    'Unable to add user because the email domain is pending ownership by your organization.',
  domain_not_owned: 'The account does not own this email domain.',
  user_in_other_account:
    'Could not create user. This user already belongs to another account and must be removed from it first. The user can see the administrators on the profile page.',
  user_not_addable:
    'This user is not associated to any account and cannot be added. Contact support.',
  user_exists: "This user already exists. Click 'Add to account' to add to your account.",
  user_exists_other_domain:
    "This user already exists but their email domain isn't part of your organization. Click 'Invite to Account' to invite user to your account.",
  already_affiliated: 'This user already belongs to an account.',
  already_decided: 'This was decided already.',
  request_superseded: 'This request is no longer open here.',
  invitation_closed: 'This invitation is no longer open.',
  last_administrator: 'This is the last usable administrator of the account.',
  last_contact: 'This is the last fulfillment contact of the account.',
  limit_reached: 'The limit is reached.',
  user_is_fulfillment_contact: 'This user is a fulfillment contact. Remove that designation first.',
  cannot_grant_higher_role: 'You cannot grant or take a role higher than your own.',
  cannot_act_on_higher_role: 'You cannot act on a user with a higher role than your own.',
  cannot_act_on_self: 'You cannot do this to yourself.',
  role_required_by_other: 'Another role of this user requires this one.',
  domain_not_found: 'There is no such domain in this account.',
  claim_closed: 'This claim is no longer open. Claim the domain again.',
  domain_not_proved: 'Prove the domain first.',
  transfer_refused: 'The domain cannot be transferred now.',
  domain_in_use: 'The domain is in use by an active connection.',
  public_mail_domain: 'This is a public mail domain. Nobody can own it.',
  public_suffix: 'This is a public suffix. Nobody can own it.',
  too_many_rows: 'The file has too many rows.',
  invalid_file: 'The file is not one that can be read.',
  job_closed: 'This job is not in a state for that.',
  version_exists: 'This version was published before. Versions are immutable: publish a new one.',
  not_locked: 'This user is not locked for a reason that you may lift.',
  lock_not_yours: 'This lock cannot be lifted by you.',
  step_up_required: 'Sign in again to do this.',
  second_factor_missing: 'This user has no second factor.',
  last_factor: 'A second factor is required of this user. Add another before you remove the last.',
  managed_by_directory: "This is managed by the organization's directory.",
  directory_held:
    'This connection is held, because it would put out more people at once than it may. An administrator of the account decides about it.',
  permission_denied: 'You are not allowed to do this.',
  rate_limited: 'Too many requests. Try again later.',
  idempotency_conflict: 'This idempotency key was used for another request.',
  version_conflict: 'This was changed by someone else meanwhile. Load it again.',
  client_exists: 'A client with this id exists.',
  invalid_client: 'The metadata of the client is not good.',
  resource_exists: 'A resource server with this identifier exists.',
  account_number_exists: 'An account with this number exists.',
  name_taken: 'There is one of this name or kind already.',
  role_in_use: 'This role is in use.',
  account_closed: 'This account is closed or being closed, or was merged into another.',
  connection_not_ready: 'The connection is not ready for this.',
  provider_unreachable: 'The identity provider cannot be reached, or is not what it should be.',
  connection_in_use: 'The connection is in use. Disable it first.',
  move_refused: 'The accounts cannot be merged or split like this.',
  second_operator_required: 'Another operator has to confirm this.',
  proposal_closed: 'This proposal is no longer open.',
  weak_password: 'This password is not good enough.',
} as const;

export type RefusalCode = keyof typeof refusals;

/** What the caller could do instead. */
export interface Action {
  rel: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  href: string;
}

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: RefusalCode;
  readonly details: Readonly<Record<string, unknown>>;
  readonly actions: readonly Action[];

  constructor(
    code: RefusalCode,
    details: Record<string, unknown> = {},
    actions: readonly Action[] = [],
    /** What there is to say about this one case; the text of the code where it is left out. */
    message: string | null = null,
  ) {
    super(message ?? refusals[code]);
    this.code = code;
    this.details = details;
    this.actions = actions;
  }
}
