import { z } from 'zod';
import { failingFrom, findConnection } from '#identity/federation/connection.ts';
import { healthFigures } from '#identity/federation/health.ts';
import { findTrace, listTraces, traceLife } from '#identity/federation/kept-traces.ts';
import { Refusal } from '#identity/refusal.ts';
import type { Sql } from '#platform/database/sql.ts';
import type { Connection } from '#identity/federation/connection.ts';
import { isId } from '#platform/ids.ts';
import { operation, type AnyOperation } from '../operation.ts';
import { listOf, Moment, paging } from '../schemas.ts';

const path = '/accounts/:accountId/connections/:connectionId' as const;
const tag = 'Connections';

const summary = {
  id: z.string().describe('Shown to the person who failed.'),
  connectionId: z.string(),
  purpose: z.enum(['sign_in', 'test']),
  outcome: z
    .string()
    .nullable()
    .describe('What it came to; null while the person is away, or never came back.'),
  userId: z.string().nullable(),
  beganAt: Moment,
};

export const TraceSummaryView = z.object(summary).meta({ id: 'TraceSummary' });

export const TraceView = z
  .object({
    ...summary,
    steps: z.array(
      z.object({
        at: z.string(),
        kind: z.enum(['sent', 'received', 'mapped', 'decided']),
        data: z.record(z.string(), z.unknown()),
      }),
    ),
  })
  .meta({ id: 'Trace' });

const Counts = z.object({ succeeded: z.number().int(), failed: z.number().int() });

export const HealthView = z
  .object({
    connectionId: z.string(),
    state: z.string(),
    failing: z.boolean().describe(`Whether the provider failed ${failingFrom} times in a row.`),
    failingSince: Moment.nullable(),
    failuresInARow: z.number().int(),
    lastFailureAt: Moment.nullable(),
    lastFailure: z.string().nullable(),
    lastSuccessAt: Moment.nullable(),
    lastDay: Counts,
    lastMonth: Counts,
    reasons: z
      .array(z.object({ outcome: z.string(), count: z.number().int() }))
      .describe('What went wrong in the last 30 days, the most frequent first.'),
    ends: z
      .array(
        z.object({
          what: z.enum(['secret', 'own_certificate', 'provider_certificate']),
          name: z.string(),
          endsAt: Moment,
        }),
      )
      .describe('Secrets and certificates that are in use, the first to end first.'),
  })
  .meta({ id: 'ConnectionHealth' });

/** @throws {Refusal} `not_found` */
export async function connectionOfAccount(
  sql: Sql,
  accountId: string,
  id: string,
): Promise<Connection> {
  const connection = isId(id) ? await findConnection(sql, id) : null;
  if (!connection || connection.accountId !== accountId) throw new Refusal('not_found');
  return connection;
}

/** What happened on the way through a connection, and how it fares. */
export const traceOperations: readonly AnyOperation[] = [
  operation({
    id: 'listTraces',
    tag,
    method: 'get',
    path: `${path}/traces`,
    summary: 'Lists the sign-ins through a connection of the last 30 days, the latest first.',
    right: 'connections:read',
    query: z.strictObject({
      outcome: z
        .string()
        .regex(/^[a-z_]{1,50}$/)
        .optional()
        .describe('`failed`, `succeeded`, or one outcome.'),
      ...paging,
    }),
    result: listOf(TraceSummaryView),
    refusals: ['not_found'],
    async handle(work, { account, params, query: { limit, outcome }, cursor }) {
      const connection = await connectionOfAccount(work, account.id, params['connectionId']!);
      const rows = await listTraces(work, connection.id, {
        after: cursor.after ?? null,
        limit: limit + 1,
        outcome: outcome ?? null,
        since: new Date(work.now.getTime() - traceLife),
      });
      return cursor.page(rows, limit, ({ id }) => id);
    },
  }),

  operation({
    id: 'getTrace',
    tag,
    method: 'get',
    path: `${path}/traces/:traceId`,
    summary: 'Shows a sign-in step by step: what was sent, received, mapped and decided.',
    description: 'Codes, tokens, signatures and keys are not in it.',
    right: 'connections:read',
    result: TraceView,
    refusals: ['not_found'],
    async handle(work, { account, params }) {
      const connection = await connectionOfAccount(work, account.id, params['connectionId']!);
      const id = params['traceId']!;
      const trace = isId(id) ? await findTrace(work, connection.id, id, work.now) : null;
      if (!trace) throw new Refusal('not_found');
      return trace;
    },
  }),

  operation({
    id: 'getConnectionHealth',
    tag,
    method: 'get',
    path: `${path}/health`,
    summary: 'Shows how a connection fares, and what of it ends when.',
    right: 'connections:health',
    result: HealthView,
    refusals: ['not_found'],
    async handle(work, { account, params }) {
      const connection = await connectionOfAccount(work, account.id, params['connectionId']!);
      const figures = await healthFigures(work, connection.id, work.now);
      const { failures, failingSince, ...last } = connection.health;
      return {
        connectionId: connection.id,
        state: connection.state,
        failing: failingSince !== null,
        failingSince,
        failuresInARow: failures,
        ...last,
        lastDay: figures.day,
        lastMonth: figures.month,
        reasons: figures.reasons,
        ends: await whatEnds(work, connection),
      };
    },
  }),
];

async function whatEnds(
  sql: Sql,
  connection: Connection,
): Promise<z.output<typeof HealthView>['ends']> {
  const secrets = await sql.query<{ kind: string; id: string; expires_at: Date }>(
    `select kind, id, expires_at from connection_secrets
     where connection_id = $1 and revoked_at is null and expires_at is not null`,
    [connection.id],
  );
  const certificates = (connection.settings['certificates'] ?? []) as {
    fingerprint: string;
    notAfter: string;
  }[];
  return [
    ...secrets.map(({ kind, id, expires_at: endsAt }) => ({
      what: kind === 'saml_key' ? ('own_certificate' as const) : ('secret' as const),
      name: id,
      endsAt,
    })),
    ...certificates.map(({ fingerprint, notAfter }) => ({
      what: 'provider_certificate' as const,
      name: fingerprint,
      endsAt: new Date(notAfter),
    })),
  ].sort((one, other) => one.endsAt.getTime() - other.endsAt.getTime());
}
