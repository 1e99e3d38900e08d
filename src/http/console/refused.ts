import type { MessageKey } from '#messages/translate.ts';
import type { Refusal, RefusalCode } from '#identity/refusal.ts';
import type { ConsoleFrame } from '../pages/console/frame.ts';
import { refusedInRooms } from './refused-rooms.ts';

/** How the console says each refusal; one that is missing here is said in English. */
const texts: Partial<Record<RefusalCode, MessageKey>> = {
  ...refusedInRooms,
  invalid_email: 'refusal.invalid_email',
  invalid_domain: 'refusal.invalid_domain',
  invalid_country: 'refusal.invalid_country',
  invalid_value: 'refusal.invalid_value',
  account_not_found: 'refusal.account_not_found',
  user_not_found: 'refusal.user_not_found',
  role_not_found: 'refusal.role_not_found',
  not_found: 'refusal.not_found',
  account_on_hold: 'refusal.account_on_hold',
  already_member: 'refusal.already_member',
  pending_approval: 'refusal.pending_approval',
  already_invited: 'refusal.already_invited',
  domain_owned_by_other: 'refusal.domain_owned_by_other',
  domain_pending_ownership: 'refusal.domain_pending_ownership',
  domain_not_owned: 'refusal.domain_not_owned',
  user_in_other_account: 'refusal.user_in_other_account',
  user_not_addable: 'refusal.user_not_addable',
  user_exists: 'refusal.user_exists',
  user_exists_other_domain: 'refusal.user_exists_other_domain',
  already_affiliated: 'refusal.already_affiliated',
  already_decided: 'refusal.already_decided',
  request_superseded: 'refusal.request_superseded',
  invitation_closed: 'refusal.invitation_closed',
  last_administrator: 'refusal.last_administrator',
  last_contact: 'refusal.last_contact',
  limit_reached: 'refusal.limit_reached',
  user_is_fulfillment_contact: 'refusal.user_is_fulfillment_contact',
  cannot_grant_higher_role: 'refusal.cannot_grant_higher_role',
  cannot_act_on_higher_role: 'refusal.cannot_act_on_higher_role',
  cannot_act_on_self: 'refusal.cannot_act_on_self',
  role_required_by_other: 'refusal.role_required_by_other',
  domain_not_found: 'refusal.domain_not_found',
  not_locked: 'refusal.not_locked',
  lock_not_yours: 'refusal.lock_not_yours',
  step_up_required: 'refusal.step_up_required',
  managed_by_directory: 'refusal.managed_by_directory',
  permission_denied: 'refusal.permission_denied',
  rate_limited: 'refusal.rate_limited',
  version_conflict: 'refusal.version_conflict',
  name_taken: 'refusal.name_taken',
  job_closed: 'bulk.closed',
  role_in_use: 'refusal.role_in_use',
  account_closed: 'refusal.account_closed',
  account_number_exists: 'refusal.account_number_exists',
  client_not_found: 'refusal.client_not_found',
  terms_not_found: 'refusal.terms_not_found',
  too_many_rows: 'refusal.too_many_rows',
  invalid_file: 'refusal.invalid_file',
  version_exists: 'refusal.version_exists',
  directory_held: 'refusal.directory_held',
  client_exists: 'refusal.client_exists',
  invalid_client: 'refusal.invalid_client',
  resource_exists: 'refusal.resource_exists',
  connection_not_ready: 'refusal.connection_not_ready',
  provider_unreachable: 'refusal.provider_unreachable',
  connection_in_use: 'refusal.connection_in_use',
  move_refused: 'refusal.move_refused',
  second_operator_required: 'refusal.second_operator_required',
  proposal_closed: 'refusal.proposal_closed',
  weak_password: 'refusal.weak_password',
};

/** Those that name an address, where none is known. */
const unnamed: Partial<Record<RefusalCode, MessageKey>> = {
  already_member: 'refusal.already_member_unnamed',
  pending_approval: 'refusal.pending_approval_unnamed',
  already_invited: 'refusal.already_invited_unnamed',
};

/** A refusal in the reader's language, beside its cause. */
export function refusalText({ t }: Pick<ConsoleFrame, 't'>, refusal: Refusal): string {
  const { code, details, message } = refusal;
  const { email, invitedAt } = details;
  const named = typeof email === 'string' && (code !== 'already_invited' || Boolean(invitedAt));
  const key = (named ? null : unnamed[code]) ?? texts[code];
  if (!key) return message;
  return t(key, {
    ...(typeof email === 'string' && { email }),
    ...(typeof invitedAt === 'string' && { date: new Date(invitedAt) }),
  });
}

/** 404 for what is not there, 403 for what one may not do, 409 for what cannot be now. */
export function refusalStatus({ code }: Refusal): number {
  if (code === 'not_found' || code.endsWith('_not_found')) return 404;
  if (forbidden.has(code)) return 403;
  return code === 'rate_limited' ? 429 : 409;
}

const forbidden = new Set<RefusalCode>([
  'permission_denied',
  'cannot_grant_higher_role',
  'cannot_act_on_higher_role',
  'account_on_hold',
]);
