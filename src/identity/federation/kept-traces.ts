import type { Param, Sql } from '#platform/database/sql.ts';
import type { FederationTrace, TraceStep } from './trace.ts';

/** How long a trace is kept: long enough for a ticket, short enough for what it says about people. */
export const traceLife = 30 * 24 * 3600_000;

/**
 * Keeps the trace as it is now, in the place of what was kept of it before: once when the browser
 * leaves, and once when all is decided. In a transaction, `sql` is the unit of work.
 */
export async function saveTrace(sql: Sql, trace: FederationTrace): Promise<void> {
  await sql.query(savedTrace(1), traceParams(trace));
}

/**
 * The same as part of a larger statement. `first` numbers the first of its parameters, which are
 * `traceParams`; `when` is a condition.
 */
export function savedTrace(first: number, when = 'true'): string {
  const types = ['uuid', 'uuid', 'uuid', 'text', 'text', 'uuid', 'jsonb', 'timestamptz'];
  return `insert into federated_traces (id, connection_id, account_id, purpose, outcome, user_id,
      steps, began_at)
    select ${types.map((type, index) => `$${first + index}::${type}`).join(', ')} where ${when}
    on conflict (id) do update set outcome = excluded.outcome, user_id = excluded.user_id,
      steps = excluded.steps`;
}

export function traceParams(trace: FederationTrace): Param[] {
  return [
    trace.id,
    trace.connectionId,
    trace.accountId,
    trace.purpose,
    trace.outcome,
    trace.userId,
    JSON.stringify(trace.steps.map(kept)),
    trace.beganAt,
  ];
}

export interface KeptTrace {
  id: string;
  connectionId: string;
  purpose: 'sign_in' | 'test';
  /** What it came to; null while the person is away, or never came back. */
  outcome: string | null;
  userId: string | null;
  beganAt: Date;
  steps: TraceStep[];
}

const columns = `t.id, t.connection_id as "connectionId", t.purpose, t.outcome,
  t.user_id as "userId", t.began_at as "beganAt"`;

/** The traces of a connection, the newest first. */
export function listTraces(
  sql: Sql,
  connectionId: string,
  {
    after,
    limit,
    outcome = null,
    since,
  }: {
    /** The id of the last one of the page before: ids lie in the order of time. */
    after: string | null;
    limit: number;
    /** `failed`, `succeeded`, or one outcome. */
    outcome?: string | null;
    since: Date;
  },
): Promise<Omit<KeptTrace, 'steps'>[]> {
  return sql.query(
    `select ${columns} from federated_traces t
     where t.connection_id = $1 and t.began_at > $2
       and ($3::uuid is null or t.id < $3)
       and case coalesce($4, 'all')
         when 'all' then true
         when 'succeeded' then t.outcome = any ($6)
         when 'failed' then t.outcome is not null and t.outcome <> all ($6)
         else t.outcome = $4 end
     order by t.id desc limit $5`,
    [connectionId, since, after, outcome, limit, goodOutcomes],
  );
}

/** What a trace came to where the person got in, or would have. */
export const goodOutcomes = ['sign_in', 'create', 'link', 'join', 'tested'];

/** One trace with its steps. A person who failed reads its id to their administrator. */
export async function findTrace(
  sql: Sql,
  connectionId: string,
  id: string,
  now: Date,
): Promise<KeptTrace | null> {
  const [row] = await sql.query<KeptTrace>(
    `select ${columns}, t.steps from federated_traces t
     where t.connection_id = $1 and t.id = $2 and t.began_at > $3`,
    [connectionId, id, new Date(now.getTime() - traceLife)],
  );
  return row ?? null;
}

/** The last test sign-in that came to an end; null where there was none. */
export async function latestTest(sql: Sql, connectionId: string): Promise<KeptTrace | null> {
  const [row] = await sql.query<KeptTrace>(
    `select ${columns}, t.steps from federated_traces t
     where t.connection_id = $1 and t.purpose = 'test' and t.outcome is not null
     order by t.id desc limit 1`,
    [connectionId],
  );
  return row ?? null;
}

/** Removes traces and used assertions whose time is over. Returns how many. */
export async function sweepTraces(sql: Sql, now: Date): Promise<number> {
  const old = await sql.query(
    `delete from federated_traces where id in (
       select id from federated_traces where began_at < $1 order by began_at limit 1000) returning 1`,
    [new Date(now.getTime() - traceLife)],
  );
  const used = await sql.query(
    `delete from saml_assertions where (connection_id, assertion_id) in (
       select connection_id, assertion_id from saml_assertions where until < $1 limit 1000)
     returning 1`,
    [now],
  );
  return old.length + used.length;
}

const longest = 2000;
const most = 200;
const secretNames =
  /^(code|state|nonce|password|client_secret|client_assertion|access_token|refresh_token|id_token|code_verifier|code_challenge|saml_?response|saml_?request|relay_?state|signature|assertion_xml|authorization|cookie|logout_token|at_hash|c_hash|s_hash|jti)$/i;

/** A step as it is kept: without secrets, and no longer than somebody reads. */
function kept({ at, kind, data }: TraceStep): TraceStep {
  return { at, kind, data: redacted(data) as Record<string, unknown> };
}

/**
 * Replaces what must not be read again by who may read traces: codes, tokens, keys. Whoever writes a
 * step leaves them out; this is for what a provider sends that nobody expected.
 */
export function redacted(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    const text = value.replaceAll('\0', '').toWellFormed();
    if (looksLikeToken(text)) return '[removed]';
    return text.length > longest ? `${text.slice(0, longest)}…` : text;
  }
  if (value === null || typeof value !== 'object') return value ?? null;
  if (depth > 8) return '[removed]';
  if (Array.isArray(value)) return value.slice(0, most).map((one) => redacted(one, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, most)
      .map(([name, one]) => [
        name,
        secretNames.test(name) && one !== null ? '[removed]' : redacted(one, depth + 1),
      ]),
  );
}

/** A JWT, or a private key. */
function looksLikeToken(text: string): boolean {
  return (
    /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*/.test(text) ||
    text.includes('PRIVATE KEY-----')
  );
}
