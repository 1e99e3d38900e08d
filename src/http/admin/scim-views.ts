import { z } from 'zod';
import type { ExchangeDetail, ExchangeLine } from '#identity/scim/exchanges.ts';
import { directoryStates, type DirectoryHealth } from '#identity/scim/health.ts';
import { type Meaning, outcomes } from '#identity/scim/meaning.ts';
import { departurePolicies, domainPolicies } from '#identity/scim/caller.ts';
import { translator } from '#messages/translate.ts';
import { healthText, meaningText } from '../directory-text.ts';
import { listOf, Moment } from './schemas.ts';

/** What leaves about directories that speak SCIM to us. */

const id = z.string();

export const ScimTokenView = z
  .object({
    id,
    accountId: id,
    name: z.string(),
    clientId: z.string().nullable().describe('The client that stands in place of a secret.'),
    scopes: z
      .object({ users: z.boolean(), groups: z.boolean(), readOnly: z.boolean() })
      .describe('What it may reach, and whether it may change it.'),
    dryRun: z.boolean().describe('Everything is answered as if, and nothing is changed.'),
    domainPolicy: z
      .enum(domainPolicies)
      .describe('Addresses it may create: of domains you own, or of any that nobody else owns.'),
    departurePolicy: z
      .enum(departurePolicies)
      .describe(
        'Whom it may lock or remove: everybody, or people alone whom a directory brought or took over.',
      ),
    classicConfig: z
      .boolean()
      .describe(
        'Leaves out of ServiceProviderConfig and errors what strict clients of RFC 7643 refuse.',
      ),
    createdAt: Moment,
    expiresAt: Moment.nullable().describe('Null for a client: its secrets have their own end.'),
    lastUsedAt: Moment.nullable(),
    lastUsedIp: z.string().nullable(),
    limits: z
      .object({
        number: z.number().int().describe('So many people within the window.'),
        share: z.number().int().describe('Or so many in a hundred, once it is more than 20.'),
        minutes: z.number().int().describe('The length of the window.'),
      })
      .describe('How many people it may lock or remove before it is held.'),
    held: z
      .object({
        since: Moment,
        departures: z.number().int().describe('How many it would have come to.'),
        number: z.number().int(),
        share: z.number().int(),
        minutes: z.number().int(),
        keptAt: Moment.nullable().describe('When it was decided that it stays held.'),
      })
      .nullable()
      .describe('Its changes are answered 429 until an administrator decides.'),
  })
  .meta({ id: 'ScimToken' });
export const ScimTokenList = listOf(ScimTokenView);
export const NewScimTokenView = ScimTokenView.extend({
  secret: z.string().nullable().describe('Told once. Null for a client: it has its own.'),
}).meta({ id: 'NewScimToken' });

const MeaningView = z
  .object({
    kind: z.string().describe('What was asked, such as `user.create` or `bulk`.'),
    summary: z.string().describe('What it was and what came of it, in a sentence.'),
    changes: z.array(z.string()).describe('What changed; in a dry run, what would have.'),
    directory: z.string().nullable().describe('Whose way of speaking it was, where it is known.'),
    dialect: z.array(z.string()).describe('How it differs from the standard, and was understood.'),
    quirks: z.array(z.string()).describe('The same by name, such as `capital_operations`.'),
    rule: z
      .object({
        code: z.string(),
        says: z.string(),
        advice: z.string(),
        adviceCode: z.string().describe('The advice by name, such as `prove_domain`.'),
      })
      .nullable()
      .describe('The rule that refused it, and what to do.'),
  })
  .meta({ id: 'ScimMeaning' });

export const ScimRequestView = z
  .object({
    id,
    tokenId: id,
    token: z.string().describe('The name of the token.'),
    at: Moment,
    durationMs: z.number().int(),
    method: z.string(),
    target: z.string().describe('Path and query, below /scim/v2.'),
    status: z.number().int(),
    outcome: z.enum(outcomes),
    dryRun: z.boolean(),
    replayable: z.boolean(),
    meaning: MeaningView,
  })
  .meta({ id: 'ScimRequest' });
export const ScimRequestList = listOf(ScimRequestView);

export const ScimRequestDetailView = ScimRequestView.extend({
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
  request: z.unknown().describe('What was sent, without secrets.'),
  response: z.unknown().describe('What was answered; of a list, how many and whom.'),
}).meta({ id: 'ScimRequestDetail' });

export const ReplayedView = z
  .object({
    status: z.number().int().describe('What would be answered now.'),
    statusThen: z.number().int(),
    response: z.unknown(),
    meaning: MeaningView,
  })
  .meta({ id: 'ReplayedScimRequest' });

export const DirectoryHealthList = listOf(
  z
    .object({
      tokenId: id,
      name: z.string(),
      state: z.enum(directoryStates),
      says: z.string(),
      lastUsedAt: Moment.nullable(),
      lastSuccessAt: Moment.nullable(),
      lastSyncAt: Moment.nullable().describe(
        'The last time that it changed or confirmed something.',
      ),
      lastErrorAt: Moment.nullable(),
      lastError: z.string().nullable(),
      requests: z.number().int().describe('In the last 24 hours.'),
      errors: z.number().int(),
      errorRate: z.number().describe('0 to 1.'),
      errorsInRow: z.number().int().describe('Since the last success, counted to twenty.'),
      expiresAt: Moment.nullable(),
      daysLeft: z.number().int().nullable(),
      refusedAt: Moment.nullable().describe('When somebody last came with it in vain.'),
      heldSince: Moment.nullable(),
    })
    .meta({ id: 'DirectoryHealth' }),
);

/** The API speaks English; codes stand beside what it says. */
const t = translator('en');

export function meaningView(meaning: Meaning) {
  const { rule, ...text } = meaningText(meaning, t);
  return {
    ...text,
    kind: meaning.kind,
    quirks: meaning.dialect,
    rule: rule && { ...rule, adviceCode: meaning.rule!.advice },
  };
}

/** A line of the log, or all of one exchange. */
export function exchangeView<Line extends ExchangeLine | ExchangeDetail>(exchange: Line) {
  return { ...exchange, meaning: meaningView(exchange.meaning) };
}

export function healthView(health: DirectoryHealth) {
  return { ...health, says: healthText(health, t) };
}
