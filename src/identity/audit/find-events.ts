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
  before?: number | undefined;
  limit: number;
  /** Leaves out what changed in settings that decide about security. */
  withoutSettings?: boolean;
}

/** What happened, the latest first. */
export function findEvents(
  sql: Sql,
  { accountId, actor, target, action, since, before, limit, withoutSettings = false }: AuditFilter,
): Promise<AuditRecord[]> {
  const params: Param[] = [limit, withoutSettings];
  const conditions: string[] = ['true'];
  const add = (condition: (place: string) => string, value: Param): void => {
    params.push(value);
    conditions.push(condition(`$${params.length}`));
  };
  const whose = (text: string) => (place: string) =>
    canonicalEmail(text) === null
      ? place
      : `coalesce((select u.id::text from users u where u.email = ${place}), ${place})`;
  if (accountId !== null) add((place) => `e.account_id = ${place}::uuid`, accountId);
  if (before !== undefined) add((place) => `e.id < ${place}::bigint`, before);
  if (since !== undefined) add((place) => `e.at >= ${place}`, since);
  if (actor)
    add((place) => `e.actor ->> 'id' = ${whose(actor)(place)}`, canonicalEmail(actor) ?? actor);
  if (target)
    add((place) => `e.target_id = ${whose(target)(place)}`, canonicalEmail(target) ?? target);
  if (action?.endsWith('.*'))
    add((place) => `starts_with(e.action, ${place})`, action.slice(0, -1));
  else if (action) add((place) => `e.action = ${place}`, action);
  return sql.query<AuditRecord>(
    `select e.id, e.at, e.account_id as "accountId",
       jsonb_build_object('type', e.actor ->> 'type', 'id', e.actor ->> 'id',
         'name', coalesce(e.actor ->> 'name', e.actor ->> 'email')) as actor,
       e.action,
       case when e.target_id is not null then
         jsonb_build_object('type', e.target_type, 'id', e.target_id) end as target,
       case when $2 and e.action ~ '^(domain|connection|api_token|scim_token|account)[.]'
         then '{}'::jsonb else e.details end as details,
       e.ip, e.user_agent as "userAgent", e.reference, e.batch_id as "batchId"
     from audit_events e where ${conditions.join(' and ')}
     order by e.id desc limit $1`,
    params,
  );
}
