import type { MessageKey, Translate } from '#messages/translate.ts';
import type { ReadinessFinding, ReadinessItem } from '#identity/federation/readiness.ts';

const findings = {
  provider_trusted: 'readiness.provider_trusted',
  metadata_missing: 'readiness.metadata_missing',
  no_address: 'readiness.no_address',
  no_certificate: 'readiness.no_certificate',
  no_own_key: 'readiness.no_own_key',
  issuer_missing: 'readiness.issuer_missing',
  no_secret: 'readiness.no_secret',
  no_domain: 'readiness.no_domain',
  domain_lost: 'readiness.domain_lost',
  domain_at_risk: 'readiness.domain_at_risk',
  domains_owned: 'readiness.domains_owned',
  never_tested: 'readiness.never_tested',
  changed_since: 'readiness.changed_since',
  tested_at: 'readiness.tested_at',
  break_glass_there: 'readiness.break_glass_there',
  break_glass_missing: 'readiness.break_glass_missing',
  nothing_ends: 'readiness.nothing_ends',
  ended: 'readiness.ended',
  ends_soon: 'readiness.ends_soon',
  ends_later: 'readiness.ends_later',
  failing: 'readiness.failing',
  healthy: 'readiness.healthy',
  members: 'readiness.members',
  linked_by_domain: 'readiness.linked_by_domain',
  step_up: 'readiness.step_up',
  break_glass_members: 'readiness.break_glass_members',
  locked_members: 'readiness.locked_members',
  country_asked: 'readiness.country_asked',
  country_refused: 'readiness.country_refused',
  name_asked: 'readiness.name_asked',
  name_refused: 'readiness.name_refused',
  unknown_to_directory: 'readiness.unknown_to_directory',
  unknown_refused: 'readiness.unknown_refused',
  other_in_directory: 'readiness.other_in_directory',
  other_ids_refused: 'readiness.other_ids_refused',
  other_ids: 'readiness.other_ids',
  other_addresses: 'readiness.other_addresses',
  elsewhere: 'readiness.elsewhere',
  unaffiliated: 'readiness.unaffiliated',
  waiting: 'readiness.waiting',
  former_refused: 'readiness.former_refused',
  former_return: 'readiness.former_return',
  unverified: 'readiness.unverified',
  guests: 'readiness.guests',
} as const satisfies Record<ReadinessFinding, MessageKey>;

/** What was found, in a sentence. */
export function readinessText(
  { finding, values }: Pick<ReadinessItem, 'finding' | 'values'>,
  t: Translate,
): string {
  return t(findings[finding], {
    at: values.at ?? '',
    names: values.names?.join(', ') ?? '',
    detail: values.detail ?? '',
  });
}
