import { z } from 'zod';
import { requireAccount } from '#identity/access/rights.ts';
import type { FederatedOutcome } from '#identity/federation/decide.ts';
import { findRealm, type Realm } from '#identity/federation/home-realm.ts';
import { findTrace } from '#identity/federation/kept-traces.ts';
import {
  readinessChecks,
  readinessFindings,
  readinessReport,
} from '#identity/federation/readiness.ts';
import { effects, reEvaluate } from '#identity/federation/re-evaluate.ts';
import { listSetupLinks, makeSetupLink, revokeSetupLink } from '#identity/federation/setup-link.ts';
import {
  assertionOf,
  pastedAssertion,
  simulate,
  type Simulated,
} from '#identity/federation/simulate.ts';
import { Refusal } from '#identity/refusal.ts';
import { unitOfWork } from '#identity/work.ts';
import type { Sql } from '#platform/database/sql.ts';
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

const trialFields = {
  mapping: ConnectionFields.mapping.optional(),
  provisioning: ConnectionFields.provisioning.optional(),
};

const Decided = z.object({
  outcome: z.string(),
  reason: z.string().nullable().describe('Why nobody would come in.'),
  missing: z.array(z.string()),
});

const Changes = z.object({ add: z.array(z.string()), remove: z.array(z.string()) });

const Simulated = Decided.extend({
  bound: z.boolean().describe('Whether the domain of the address leads to this connection.'),
  mapped: z.record(z.string(), z.unknown()),
  person: z
    .object({
      id: z.string().nullable().describe('Null for somebody who is not here yet.'),
      email: z.string().nullable().describe('Null where the address stays as it is.'),
      givenName: z.string(),
      familyName: z.string(),
      country: z.string().nullable(),
      language: z.string().nullable(),
      phone: z.string().nullable(),
      jobTitle: z.string().nullable(),
    })
    .nullable(),
  groups: Changes,
  roles: Changes,
});

export const SimulationView = z
  .object({
    saved: Simulated.describe('As the connection is saved.'),
    tried: Simulated.describe('With what is tried out.'),
    differences: z.array(z.string()).describe('What differs, such as `mapped.country`.'),
    issuedAt: Moment.nullable().describe('Of a SAMLResponse or an ID token that was pasted.'),
    unchecked: z
      .array(z.enum(['time', 'request', 'replay']))
      .describe('What of it was not looked at, as a sign-in would.'),
    unverified: z
      .string()
      .nullable()
      .describe('Why a sign-in would not believe the ID token, which is shown all the same.'),
  })
  .meta({ id: 'ConnectionSimulation' });

export const ReEvaluationView = z
  .object({
    counts: z
      .record(z.enum(effects), z.number().int())
      .describe('How many would come in, be refused, be asked, be written otherwise; or nothing.'),
    considered: z.number().int(),
    unknown: z.number().int().describe('Linked people of whom no sign-in of 30 days is known.'),
    more: z.boolean().describe('Whether there are more people than were looked at.'),
    affected: z.array(
      z.object({
        effect: z.enum(['enters', 'refused', 'asked', 'changes']),
        traceId: z.string(),
        at: Moment,
        userId: z.string().nullable(),
        email: z.string().nullable(),
        before: Decided,
        after: Decided,
        fields: z.array(
          z.object({
            name: z.string(),
            before: z.string().nullable(),
            after: z.string().nullable(),
          }),
        ),
        groups: Changes.describe('What would be given, and not given, otherwise than now.'),
        roles: Changes,
      }),
    ),
  })
  .meta({ id: 'ConnectionReEvaluation' });

const link = {
  id: z.string(),
  connectionId: z.string(),
  contact: z.string(),
  directory: z.boolean().describe('Whether it may connect a directory (SCIM), too.'),
  createdAt: Moment,
  expiresAt: Moment,
  lastUsedAt: Moment.nullable(),
  finishedAt: Moment.nullable().describe('When all was done, and who sent it was told.'),
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
      'Replays what a trace says was received, takes claims that you have, or reads a SAMLResponse or an ID token, and decides as a sign-in through the active connection would. Both are verified as in a sign-in, but for what `unchecked` names: a SAMLResponse that is not signed by the provider is refused, an ID token is shown, and `unverified` says why. Nothing is changed by it.',
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
        samlResponse: z
          .string()
          .min(1)
          .max(360_000)
          .optional()
          .describe('The field SAMLResponse as the provider posts it, in Base64.'),
        idToken: z
          .string()
          .min(1)
          .max(100_000)
          .optional()
          .describe('An ID token as the provider issues it.'),
        ...trialFields,
      })
      .refine(
        ({ traceId, assertion, samlResponse, idToken }) =>
          [traceId, assertion, samlResponse, idToken].filter((one) => one !== undefined).length ===
          1,
        'One of traceId, assertion, samlResponse and idToken.',
      ),
    example: {
      assertion: { subject: 'a1', claims: { email: 'ann@acme.example', given_name: 'Ann' } },
      mapping: { attributes: { givenName: ['given_name'] } },
    },
    result: SimulationView,
    refusals: ['not_found'],
    /** What was pasted is verified before there is a transaction. */
    async prepare({ asking, context, params, tools, body: { samlResponse, idToken } }) {
      const pasted =
        samlResponse !== undefined ? { samlResponse } : idToken !== undefined ? { idToken } : null;
      if (!pasted) return null;
      const realm = await unitOfWork(tools.foundation, context, async (work) => {
        await requireAccount(work, asking, 'connections:manage', params['accountId']!);
        return realmOfAccount(work, params['accountId']!, params['connectionId']!);
      });
      return tools.federation.read(realm, pasted);
    },
    async handle(work, { account, params, body, prepared }) {
      const {
        traceId,
        assertion: given,
        samlResponse: _response,
        idToken: _token,
        ...trial
      } = body;
      const realm = await realmOfAccount(work, account.id, params['connectionId']!);
      const { connection } = realm;
      const trace =
        traceId === undefined ? null : await findTrace(work, connection.id, traceId, work.now);
      const assertion =
        prepared?.assertion ??
        (given
          ? pastedAssertion(connection, given)
          : trace && assertionOf(connection, trace.steps));
      if (!assertion) throw new Refusal('not_found');
      const found = await simulate(work, realm, assertion, trial, work.now);
      return {
        ...found,
        saved: shown(found.saved),
        tried: shown(found.tried),
        issuedAt: prepared?.issuedAt ?? null,
        unchecked: prepared ? [...unchecked] : [],
        unverified: prepared?.unverified ?? null,
      };
    },
  }),

  operation({
    id: 'reEvaluateConnection',
    tag,
    method: 'post',
    path: `${path}/re-evaluate`,
    summary: 'Shows for everybody who came through it what another mapping would change.',
    description:
      'Decides anew about the latest sign-in of each person of the last 30 days (1,000 people at most), as the connection is saved and as it is tried. The first 200 who are affected are named. Nothing is changed by it.',
    right: 'connections:manage',
    body: z.strictObject(trialFields),
    example: { provisioning: { missing: 'reject' } },
    result: ReEvaluationView,
    refusals: ['not_found'],
    /** So many people are not asked about within one transaction: others would wait. */
    async prepare({ asking, context, params, tools, body }) {
      const realm = await unitOfWork(tools.foundation, context, async (work) => {
        await requireAccount(work, asking, 'connections:manage', params['accountId']!);
        return realmOfAccount(work, params['accountId']!, params['connectionId']!);
      });
      return reEvaluate(tools.foundation.database, realm, body, tools.foundation.clock());
    },
    async handle(_work, { prepared: { affected, ...found } }) {
      return {
        ...found,
        affected: affected.map(({ before, after, ...one }) => ({
          ...one,
          before: decided(before),
          after: decided(after),
        })),
      };
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
      directory: z
        .boolean()
        .default(false)
        .describe(
          'Lets them make a token for a directory (SCIM), too. It reads your people, and only tries until you let it change them. Needs the right to manage such tokens.',
        ),
    }),
    example: { contact: 'Ida of the IT', days: 7 },
    result: NewSetupLinkView,
    status: 201,
    refusals: ['not_found', 'limit_reached', 'connection_in_use'],
    async handle(work, { account, asking, params, body }) {
      if (body.directory) await requireAccount(work, asking, 'scim_tokens:manage', account.id);
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

/** What a document that was pasted cannot be asked: it is of another moment and browser. */
const unchecked = ['time', 'request', 'replay'] as const;

function shown({ mapped, outcome, person, grants, bound }: Simulated) {
  return { ...decided(outcome), bound, mapped: { ...mapped }, person, ...grants };
}

function decided(outcome: FederatedOutcome) {
  return {
    outcome: outcome.outcome,
    reason: outcome.outcome === 'refuse' ? outcome.reason : null,
    missing: 'missing' in outcome ? [...(outcome.missing ?? [])] : [],
  };
}

/** @throws {Refusal} `not_found` */
async function realmOfAccount(sql: Sql, accountId: string, connectionId: string): Promise<Realm> {
  const { id } = await connectionOfAccount(sql, accountId, connectionId);
  const realm = await findRealm(sql, id);
  if (!realm) throw new Refusal('not_found');
  return realm;
}
