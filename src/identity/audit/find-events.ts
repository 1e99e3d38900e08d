import type { Param, Sql } from '#platform/database/sql.ts';
import { canonicalEmail } from '../users/email.ts';

/** A row of the audit log, as it is shown. */
export interface AuditRecord {
  id: number;
  at: Date;
  accountId: string | null;
  actor: { type: string; id: string | null; name: string | null };
  action: string;
  target: { type: string; id: string } | null;
  details: Record<string, unknown>;
  ip: string | null;
  userAgent: string | null;
  reference: string | null;
  batchId: string | null;
}

export interface AuditFilter {
  /** Null for the whole log. */
  accountId: string | null;
  /** An id or an e-mail address. */
  actor?: string | undefined;
  target?: string | undefined;
  /** `user.locked`, or `user.*` for all that begins so. */
  action?: string | undefined;
  since?: Date | undefined;
  /** What happened at this moment or later is left out. */
  until?: Date | undefined;
  before?: number | undefined;
  limit: number;
  /** Leaves out what changed in settings that decide about security. */
  withoutSettings?: boolean;
  /** How an address that was erased is known again; without it only those of today are found. */
  addressMark?: ((email: string) => string) | undefined;
}

/** How the log is read from its beginning, for a file. */
export type AuditExport = Omit<AuditFilter, 'before' | 'limit'>;

/** What happened, the latest first. */
export function findEvents(
  sql: Sql,
  { before, limit, ...filter }: AuditFilter,
): Promise<AuditRecord[]> {
  const { conditions, params, add } = chosen(filter);
  if (before !== undefined) add((place) => `e.id < ${place}::bigint`, before);
  return sql.query<AuditRecord>(
    `select ${columns} from audit_events e where ${conditions.join(' and ')}
     order by e.id desc limit ${limit}`,
    params,
  );
}

/** A row with its place in the chain: all that is needed to compute its hash again. */
export interface ExportedRow extends AuditRecord {
  /** As it was sealed, without the name of today. */
  sealedActor: unknown;
  seq: number | null;
  previousHash: string | null;
  hash: string | null;
}

const atOnce = 500;

/** What happened, from the beginning, a page at a time: no transaction stays open meanwhile. */
export async function* exportEvents(sql: Sql, filter: AuditExport): AsyncGenerator<ExportedRow> {
  let after = 0;
  for (;;) {
    const { conditions, params, add } = chosen(filter);
    add((place) => `e.id > ${place}::bigint`, after);
    const rows = await sql.query<ExportedRow>(
      `select ${columns}, e.actor as "sealedActor", e.seq, e.prev_hash as "previousHash", e.hash
       from audit_events e where ${conditions.join(' and ')} order by e.id limit ${atOnce}`,
      params,
    );
    yield* rows;
    if (rows.length < atOnce) return;
    after = rows.at(-1)!.id;
  }
}

/** A person is named as they are called today, and not at all once they are erased. */
const columns = `e.id, e.at, e.account_id as "accountId",
  jsonb_build_object('type', e.actor ->> 'type', 'id', e.actor ->> 'id',
    'name', coalesce(e.actor ->> 'name', case when e.actor ->> 'type' = 'user' then
      (select u.email_display from users u where u.id = (e.actor ->> 'id')::uuid) end)) as actor,
  e.action,
  case when e.target_id is not null then
    jsonb_build_object('type', e.target_type, 'id', e.target_id) end as target,
  case when $1 and e.action ~ '^(domain|connection|api_token|scim_token|account|webhook)[.]'
    then '{}'::jsonb else e.details end as details,
  e.ip, e.user_agent as "userAgent", e.reference, e.batch_id as "batchId"`;

function chosen({
  accountId,
  actor,
  target,
  action,
  since,
  until,
  withoutSettings = false,
  addressMark,
}: Omit<AuditFilter, 'before' | 'limit'>): {
  conditions: string[];
  params: Param[];
  add: (condition: (place: string) => string, value: Param) => void;
} {
  const params: Param[] = [withoutSettings];
  const conditions: string[] = ['$1::boolean is not null'];
  const add = (condition: (place: string) => string, value: Param): void => {
    params.push(value);
    conditions.push(condition(`$${params.length}`));
  };
  const by = (column: string, text: string): void => {
    const email = canonicalEmail(text);
    if (email === null) {
      add((place) => `${column} = ${place}`, text);
      return;
    }
    // Whoever has the address, and whoever had it and was erased.
    add(
      (place) => `${column} in (select u.id::text from users u
        where u.email = (${place}::text[])[1] or u.former_email_mark = (${place}::text[])[2])`,
      [email, addressMark?.(email) ?? ''],
    );
  };
  if (accountId !== null) add((place) => `e.account_id = ${place}::uuid`, accountId);
  if (since !== undefined) add((place) => `e.at >= ${place}`, since);
  if (until !== undefined) add((place) => `e.at < ${place}`, until);
  if (actor) by(`e.actor ->> 'id'`, actor);
  if (target) by('e.target_id', target);
  if (action?.endsWith('.*'))
    add((place) => `starts_with(e.action, ${place})`, action.slice(0, -1));
  else if (action) add((place) => `e.action = ${place}`, action);
  return { conditions, params, add };
}
