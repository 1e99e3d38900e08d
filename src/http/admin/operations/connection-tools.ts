import { z } from 'zod';
import { findRealm } from '#identity/federation/home-realm.ts';
import { findTrace } from '#identity/federation/kept-traces.ts';
import {
  readinessChecks,
  readinessFindings,
  readinessReport,
} from '#identity/federation/readiness.ts';
import { listSetupLinks, makeSetupLink, revokeSetupLink } from '#identity/federation/setup-link.ts';
import { assertionOf, simulate, type Simulated } from '#identity/federation/simulate.ts';
import { Refusal } from '#identity/refusal.ts';
import { translator } from '#messages/translate.ts';
import { isId } from '#platform/ids.ts';
import { readinessText } from '../../readiness-text.ts';
import { ConnectionFields } from '../connection-views.ts';
import { operation, type AnyOperation } from '../operation.ts';
import { listOf, Moment, text } from '../schemas.ts';
import { connectionOfAccount } from './connection-traces.ts';

/** The API speaks English; codes stand beside what it says. */
const english = translator('en');

const path = '/accounts/:accountId/connections/:connectionId' as const;
const tag = 'Connections';

export const ReadinessView = z
  .object({
    connectionId: z.string(),
    ready: z.boolean().describe('Whether nothing stands in the way of activation.'),
    members: z
      .object({
        total: z.number().int(),
        linked: z.number().int(),
        firstBind: z.number().int().describe('Have nothing to sign in with here.'),
        passwordEnds: z.number().int().describe('Have a password, which ends.'),
        stepUp: z.number().int().describe('Administrators, who show their password once more.'),
        breakGlass: z.number().int(),
        locked: z.number().int(),
      })
      .describe('What the first sign-in through it means for members of its domains.'),
    items: z.array(
      z.object({
        check: z.enum(readinessChecks),
        level: z.enum(['ok', 'info', 'warning', 'error']),
        count: z.number().int().nullable(),
        finding: z.enum(readinessFindings).describe('What exactly was found.'),
        detail: z.string().describe('The same in a sentence.'),
        people: z.array(z.string()).describe("Addresses of the account's own people, a few."),
      }),
    ),
  })
  .meta({ id: 'ConnectionReadiness' });

const Simulated = z.object({
  outcome: z.string(),
  reason: z.string().nullable().describe('Why nobody would come in.'),
  missing: z.array(z.string()),
  bound: z.boolean().describe('Whether the domain of the address leads to this connection.'),
  mapped: z.record(z.string(), z.unknown()),
  person: z
    .object({
      id: z.string().nullable().describe('Null for somebody who is not here yet.'),
      email: z.string().nullable().describe('Null where the address stays as it is.'),
      givenName: z.string(),
      familyName: z.string(),
      country: z.string().nullable(),
    })
    .nullable(),
  groups: z.object({ add: z.array(z.string()), remove: z.array(z.string()) }),
  roles: z.object({ add: z.array(z.string()), remove: z.array(z.string()) }),
});

export const SimulationView = z
  .object({
    saved: Simulated.describe('As the connection is saved.'),
    tried: Simulated.describe('With what is tried out.'),
    differences: z.array(z.string()).describe('What differs, such as `mapped.country`.'),
  })
  .meta({ id: 'ConnectionSimulation' });

const link = {
  id: z.string(),
  connectionId: z.string(),
  contact: z.string(),
  createdAt: Moment,
  expiresAt: Moment,
  lastUsedAt: Moment.nullable(),
};
export const SetupLinkView = z.object(link).meta({ id: 'SetupLink' });
export const NewSetupLinkView = z
  .object({ ...link, url: z.string().describe('Told once.') })
  .meta({ id: 'NewSetupLink' });

/** What helps to set a connection up, and to change it without surprises. */
export const connectionToolOperations: readonly AnyOperation[] = [
  operation({
    id: 'getConnectionReadiness',
    tag,
    method: 'get',
    path: `${path}/readiness`,
    summary: 'Reports whether a connection can be activated, and what that will mean for whom.',
    right: 'connections:read',
    result: ReadinessView,
    refusals: ['not_found'],
    async handle(work, { account, params }) {
      const connection = await connectionOfAccount(work, account.id, params['connectionId']!);
      const report = await readinessReport(work, connection, work.now);
      const items = report.items.map(({ values, ...one }) => ({
        ...one,
        detail: readinessText({ ...one, values }, english),
      }));
      return { ...report, items };
    },
  }),

  operation({
    id: 'simulateSignIn',
    tag,
    method: 'post',
    path: `${path}/simulate`,
    summary: 'Shows what a sign-in would come to, with another mapping, before it is saved.',
    description:
      'Replays what a trace says was received, or takes claims that you have, and decides as a sign-in through the active connection would. Nothing is changed by it.',
    right: 'connections:manage',
    body: z
      .strictObject({
        traceId: z.uuid().optional(),
        assertion: z
          .strictObject({
            issuer: z.string().max(1024).optional().describe("The connection's, if left out."),
            subject: z.string().min(1).max(1024),
            claims: z
              .record(z.string().max(255), z.unknown())
              .describe('Claims, or SAML attributes by name.'),
          })
          .optional(),
        mapping: ConnectionFields.mapping.optional(),
        provisioning: ConnectionFields.provisioning.optional(),
      })
      .refine(
        ({ traceId, assertion }) => (traceId === undefined) !== (assertion === undefined),
        'Either traceId or assertion.',
      ),
    example: {
      assertion: { subject: 'a1', claims: { email: 'ann@acme.example', given_name: 'Ann' } },
      mapping: { attributes: { givenName: ['given_name'] } },
    },
    result: SimulationView,
    refusals: ['not_found'],
    async handle(work, { account, params, body: { traceId, assertion: pasted, ...trial } }) {
      const connection = await connectionOfAccount(work, account.id, params['connectionId']!);
      const realm = (await findRealm(work, connection.id))!;
      const trace =
        traceId === undefined ? null : await findTrace(work, connection.id, traceId, work.now);
      const assertion = pasted
        ? {
            issuer: pasted.issuer ?? connection.issuer ?? '',
            subject: pasted.subject,
            claims: pasted.claims,
            acr: null,
            amr: [],
            authTime: null,
            sessionIndex: null,
          }
        : trace && assertionOf(connection, trace.steps);
      if (!assertion) throw new Refusal('not_found');
      const found = await simulate(work, realm, assertion, trial, work.now);
      return { ...found, saved: shown(found.saved), tried: shown(found.tried) };
    },
  }),

  operation({
    id: 'listSetupLinks',
    tag,
    method: 'get',
    path: `${path}/setup-links`,
    summary: 'Lists the links by which the IT of the company may set the connection up.',
    right: 'connections:read',
    result: listOf(SetupLinkView),
    refusals: ['not_found'],
    async handle(work, { account, params }) {
      const connection = await connectionOfAccount(work, account.id, params['connectionId']!);
      return { items: await listSetupLinks(work, connection.id, work.now), nextCursor: null };
    },
  }),

  operation({
    id: 'createSetupLink',
    tag,
    method: 'post',
    path: `${path}/setup-links`,
    summary: 'Makes a link by which the IT of the company sets the connection up. Told once.',
    description:
      'Whoever has it needs no account here. They prove domains, connect the provider, choose the mapping and try it out; they neither activate the connection nor see the people of the account. It ends at its time, when it is revoked, and once the connection is active.',
    right: 'connections:manage',
    body: z.strictObject({
      contact: text(200).default('').describe('Whom it is for, in your words.'),
      days: z.int().min(1).max(30).default(7),
    }),
    example: { contact: 'Ida of the IT', days: 7 },
    result: NewSetupLinkView,
    status: 201,
    refusals: ['not_found', 'limit_reached', 'connection_in_use'],
    async handle(work, { account, params, body }) {
      const connection = await connectionOfAccount(work, account.id, params['connectionId']!);
      return makeSetupLink(work, connection, body);
    },
  }),

  operation({
    id: 'revokeSetupLink',
    tag,
    method: 'delete',
    path: `${path}/setup-links/:linkId`,
    summary: 'Revokes a link. It opens nothing any more.',
    right: 'connections:manage',
    result: null,
    refusals: ['not_found'],
    async handle(work, { account, params }) {
      const connection = await connectionOfAccount(work, account.id, params['connectionId']!);
      if (!isId(params['linkId'])) throw new Refusal('not_found');
      await revokeSetupLink(work, connection, params['linkId']);
    },
  }),
];

function shown({ mapped, outcome, person, grants, bound }: Simulated) {
  return {
    outcome: outcome.outcome,
    reason: outcome.outcome === 'refuse' ? outcome.reason : null,
    missing: 'missing' in outcome ? [...(outcome.missing ?? [])] : [],
    bound,
    mapped: { ...mapped },
    person,
    ...grants,
  };
}
