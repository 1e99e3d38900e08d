import type { MessageKey } from '#messages/translate.ts';
import type { RefusalCode } from '#identity/refusal.ts';

/** How the rooms that are not about people say what only they can be refused. */
export const refusedInRooms: Partial<Record<RefusalCode, MessageKey>> = {
  second_factor_missing: 'mfa.refusal.missing',
  last_factor: 'mfa.refusal.last',
  claim_closed: 'rooms.refusal.claim_closed',
  domain_not_proved: 'rooms.refusal.domain_not_proved',
  transfer_refused: 'rooms.refusal.transfer_refused',
  domain_in_use: 'rooms.refusal.domain_in_use',
  public_mail_domain: 'rooms.refusal.public_mail_domain',
  public_suffix: 'rooms.refusal.public_suffix',
  invalid_client: 'rooms.refusal.invalid_client',
  client_not_found: 'rooms.refusal.client_not_found',
  resource_exists: 'rooms.refusal.resource_exists',
  version_exists: 'rooms.refusal.version_exists',
  terms_not_found: 'rooms.refusal.terms_not_found',
};
