import { z } from 'zod';
import type { Sql } from '#platform/database/sql.ts';
import { countWaiting } from '#identity/domains/existing-people.ts';
import {
  automationIsOff,
  domainStates,
  graceBeforeAutomationStops,
  graceBeforeLapse,
  proofMethods,
  signupModes,
  type Domain,
} from '#identity/domains/domain.ts';
import { typedDomain } from '#identity/domains/claimable.ts';
import {
  domainEntry,
  nextActions,
  type DomainAction,
  type DomainEntry,
} from '#identity/domains/list-domains.ts';
import type { Finding } from '#identity/domains/look-for-proof.ts';
import { proofRecord } from '#identity/domains/proof-record.ts';
import type { RequestSeen } from '#identity/domains/requests.ts';
import { Refusal, type Action } from '#identity/refusal.ts';
import { domainForPeople } from '#identity/users/email.ts';
import { line, listOf, Moment } from './schemas.ts';

const ActionView = z.object({ rel: z.string(), method: z.string(), href: z.string() });

export const DefaultsView = z.object({
  roles: z.array(z.string()),
  groups: z.array(z.string()),
  entitlementCountry: z.string().nullable(),
});

export const DomainView = z
  .object({
    domain: z.string().describe('In ASCII, as it is compared.'),
    displayName: z.string().describe('As people read it.'),
    state: z.enum(domainStates),
    proof: z
      .enum([...proofMethods, 'operator'])
      .nullable()
      .describe('What it is owned by.'),
    method: z.enum(proofMethods).nullable().describe('How it is to be proved.'),
    record: z
      .object({
        type: z.enum(['TXT', 'HTTPS', 'MAIL']),
        name: z.string().optional().describe('TXT: where it stands.'),
        alternativeName: z.string().optional().describe('TXT: where it may stand instead.'),
        url: z.string().optional().describe('HTTPS: where it is fetched.'),
        value: z.string().optional().describe('The text to publish, exactly this.'),
        mailboxes: z.array(z.string()).optional().describe('MAIL: who was written to.'),
      })
      .nullable()
      .describe('What is to be published.'),
    signup: z.enum(signupModes),
    automatic: z.boolean().describe('Whether people may come in without anybody looking.'),
    defaults: DefaultsView,
    includeSubdomains: z.boolean().describe('Whether what is below it is owned with it.'),
    cameAlong: z.boolean().describe('Whether it is owned with the domain above it.'),
    users: z.number().int().describe('Members with an address there.'),
    waiting: z.number().int().describe('People who wait for approval.'),
    openRequests: z.number().int(),
    message: z.string().nullable(),
    claimedAt: Moment.nullable(),
    ownedAt: Moment.nullable(),
    checkedAt: Moment.nullable(),
    expiresAt: Moment.nullable(),
    failingSince: Moment.nullable(),
    automationStopsAt: Moment.nullable(),
    lapsesAt: Moment.nullable(),
    lapsedAt: Moment.nullable(),
    releasedAt: Moment.nullable(),
    actions: z.array(ActionView),
    check: z
      .array(
        z.object({
          method: z.enum(['dns', 'https']),
          outcome: z.enum(['found', 'missing', 'unknown']),
          seen: z.array(z.string()).describe('What stands there instead.'),
          answers: z.array(z.object({ source: z.string(), answer: z.string() })),
        }),
      )
      .optional()
      .describe('What the look at the network found, where there was one just now.'),
  })
  .meta({ id: 'Domain' });
export const DomainList = listOf(DomainView);

type DomainShown = z.output<typeof DomainView>;

export function domainView(
  { domain, users, openRequests }: DomainEntry,
  waiting: number,
  now: Date,
  findings?: readonly Finding[],
): DomainShown {
  const { accountId, name, state, atRiskAt } = domain;
  const base = `/api/v1/accounts/${accountId}/domains`;
  const atRisk = state === 'at_risk' && atRiskAt;
  return {
    domain: name,
    displayName: domainForPeople(name),
    state,
    proof: domain.proof,
    method: domain.method,
    record: proofRecord(domain, domain.method),
    signup: domain.signup,
    automatic: domain.signup === 'auto' && domain.ownedAt !== null && !automationIsOff(domain, now),
    defaults: { roles: [], groups: [], entitlementCountry: null, ...domain.defaults },
    includeSubdomains: domain.includeSubdomains,
    cameAlong: domain.parentId !== null,
    users,
    waiting,
    openRequests,
    message: messageOf(domain),
    claimedAt: domain.claimedAt,
    ownedAt: domain.ownedAt,
    checkedAt: domain.checkedAt,
    expiresAt: domain.expiresAt,
    failingSince: domain.failingSince,
    automationStopsAt: atRisk ? new Date(atRisk.getTime() + graceBeforeAutomationStops) : null,
    lapsesAt: atRisk ? new Date(atRisk.getTime() + graceBeforeLapse) : null,
    lapsedAt: domain.lapsedAt,
    releasedAt: domain.releasedAt,
    actions: nextActions(domain, waiting).map((rel) => actionOf(base, name, rel)),
    ...(findings && { check: findings.map((finding) => ({ ...finding })) }),
  };
}

function actionOf(base: string, name: string, rel: DomainAction): Action {
  if (rel === 'claim') return { rel, method: 'POST', href: base };
  const href = `${base}/${name}`;
  return rel === 'cancel_claim' || rel === 'release'
    ? { rel, method: 'DELETE', href }
    : { rel, method: 'POST', href: `${href}/${rel.replace('_', '-')}` };
}

/** What there is to say about a state. Who else is concerned is not said. */
function messageOf({ state, closedReason }: Domain): string | null {
  if (state === 'contested') return 'The domain is owned by a different organization.';
  if (state === 'cancelled' && closedReason === 'owned_by_other')
    return 'The domain is owned by a different organization.';
  if (state === 'expired') return 'Nobody proved the domain in time. Claim it again.';
  if (state === 'at_risk') return 'The proof is missing. Put it back.';
  if (state === 'lapsed') return 'The proof has been missing for too long. Put it back.';
  return null;
}

/** @throws {Refusal} `domain_not_found` */
export async function showDomain(
  sql: Sql,
  accountId: string,
  name: string,
  now: Date,
  findings?: readonly Finding[],
): Promise<DomainShown> {
  const entry = await domainEntry(sql, accountId, name, now);
  if (!entry) throw new Refusal('domain_not_found', { domain: name });
  return domainView(entry, await countWaiting(sql, accountId, name), now, findings);
}

/** The domain in a path. @throws {Refusal} `domain_not_found` for what is none. */
export function domainIn(params: Record<string, string>): string {
  const name = typedDomain(params['domain']);
  if (name === null) throw new Refusal('domain_not_found');
  return name;
}

export const ImpactView = z
  .object({
    domain: z.string(),
    counts: z.object({
      members: z.number().int(),
      unaffiliated: z.number().int(),
      waiting: z.number().int(),
      former: z.number().int(),
      elsewhere: z.number().int(),
      unverified: z.number().int(),
      invitedElsewhere: z.number().int(),
    }),
    people: z
      .array(
        z.object({
          id: z.string().nullable(),
          email: z.string(),
          standing: z.enum([
            'member',
            'unaffiliated',
            'waiting',
            'former',
            'elsewhere',
            'unverified',
          ]),
        }),
      )
      .describe('Addresses of the domain, once it is proved. Other accounts are never named.'),
  })
  .meta({ id: 'DomainImpact' });

export const RequestView = z
  .object({
    id: z.string(),
    kind: z.enum(['access', 'release', 'transfer']),
    domain: z.string(),
    direction: z.enum(['incoming', 'outgoing']),
    state: z.enum(['open', 'granted', 'refused', 'revoked', 'withdrawn', 'expired', 'done']),
    message: z.string().nullable(),
    claimant: z.string().nullable().describe('Who asks; told to the owner alone.'),
    contact: z.string().nullable(),
    requestedAt: Moment,
    decidedAt: Moment.nullable(),
    expiresAt: Moment.nullable(),
    dueAt: Moment.nullable().describe('From when a transfer may be carried out.'),
    actions: z.array(ActionView),
  })
  .meta({ id: 'DomainRequest' });
export const RequestList = listOf(RequestView);

export function requestView(accountId: string, request: RequestSeen): z.output<typeof RequestView> {
  const href = `/api/v1/accounts/${accountId}/domain-requests/${request.id}`;
  const decidable = request.direction === 'incoming' && request.state === 'open';
  const endable =
    request.state === 'granted' || (request.direction === 'outgoing' && request.state === 'open');
  return {
    ...request,
    actions:
      request.kind === 'transfer'
        ? []
        : [
            ...(decidable ? [{ rel: 'decide', method: 'POST', href: `${href}/decide` }] : []),
            ...(endable ? [{ rel: 'end', method: 'DELETE', href }] : []),
          ],
  };
}

export const requestMessage = line(500).optional().describe('The owner reads this.');
