import type { UpstreamProblemCode } from '#identity/federation/assertion.ts';
import type { FederatedOutcome, FederatedRefusal } from '#identity/federation/decide.ts';
import { mappedAttributes, type MappedAttribute } from '#identity/federation/mapping.ts';
import type { MessageKey, Translate } from '#messages/translate.ts';

/** How a sign-in by a company's provider ended, as traces and simulations name it. */
type Outcome =
  | FederatedOutcome['outcome']
  | FederatedRefusal
  | UpstreamProblemCode
  /** As those of a while ago say. */
  | 'tested';

const outcomes = {
  sign_in: 'outcome.sign_in',
  create: 'outcome.create',
  link: 'outcome.link',
  join: 'outcome.join',
  ask: 'outcome.ask',
  step_up: 'outcome.step_up',
  rejoin: 'outcome.rejoin',
  removed: 'outcome.removed',
  refuse: 'outcome.refuse',
  tested: 'outcome.tested',
  connection_disabled: 'outcome.connection_disabled',
  account_on_hold: 'outcome.account_on_hold',
  not_a_tester: 'outcome.not_a_tester',
  identifier_missing: 'outcome.identifier_missing',
  identifier_ambiguous: 'outcome.identifier_ambiguous',
  guest_refused: 'outcome.guest_refused',
  domain_not_owned: 'outcome.domain_not_owned',
  domain_not_bound: 'outcome.domain_not_bound',
  domain_owned_by_other: 'outcome.domain_owned_by_other',
  domain_pending: 'outcome.domain_pending',
  public_domain: 'outcome.public_domain',
  identity_conflict: 'outcome.identity_conflict',
  link_withdrawn: 'outcome.link_withdrawn',
  external_id_conflict: 'outcome.external_id_conflict',
  user_in_other_account: 'outcome.user_in_other_account',
  user_not_addable: 'outcome.user_not_addable',
  break_glass: 'outcome.break_glass',
  not_provisioned: 'outcome.not_provisioned',
  attributes_missing: 'outcome.attributes_missing',
  claim_missing: 'outcome.claim_missing',
  locked: 'outcome.locked',
  upstream_denied: 'outcome.upstream_denied',
  upstream_error: 'outcome.upstream_error',
  upstream_unreachable: 'outcome.upstream_unreachable',
  upstream_busy: 'outcome.upstream_busy',
  response_invalid: 'outcome.response_invalid',
  response_replayed: 'outcome.response_replayed',
  attempt_unknown: 'outcome.attempt_unknown',
} as const satisfies Record<Outcome, MessageKey>;

/** What it came to, in words; a name that nobody knows as it is, and what is still under way as `…`. */
export function outcomeText(outcome: string | null, t: Translate): string {
  if (outcome === null || outcome === '') return '…';
  return Object.hasOwn(outcomes, outcome) ? t(outcomes[outcome as Outcome]) : outcome;
}

/** What a mapping may fill in, in the order in which it is asked for. */
export const attributeFields: readonly MappedAttribute[] = mappedAttributes;
export type AttributeField = MappedAttribute;

/** What each is called. */
export const attributeTexts: Record<AttributeField, MessageKey> = {
  identifier: 'setup.identifier',
  givenName: 'setup.given_name',
  familyName: 'setup.family_name',
  country: 'setup.country',
  language: 'connection.attribute.language',
  phone: 'connection.attribute.phone',
  jobTitle: 'connection.attribute.job_title',
  externalId: 'connection.attribute.external_id',
  mail: 'connection.attribute.mail',
};
