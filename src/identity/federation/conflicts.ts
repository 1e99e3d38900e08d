import { isId, newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { administratorsOf } from '../accounts/administrators.ts';
import { accountName } from '../domains/tell.ts';
import { mail } from '../mail/mail.ts';
import { toReader } from '../mail/recipient.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';

/** Why somebody who came by a provider does not fit who is known here. */
export const conflictReasons = [
  /** At the account whose connection it was: they belong to another one. */
  'user_in_other_account',
  /** At the account whose person it is: another account's provider names them. */
  'member_elsewhere',
  /** The provider names them otherwise than when they were linked. */
  'identity_conflict',
  'external_id_conflict',
  'link_withdrawn',
  /** They came in, and kept their address: the new one is somebody else's. */
  'email_conflict',
] as const;
export type ConflictReason = (typeof conflictReasons)[number];

/** What an administrator has to decide about; there until it is decided, or is none any more. */
export interface Conflict {
  id: string;
  reason: ConflictReason;
  /** The person, where they belong to the account that reads it; null for another's. */
  userId: string | null;
  email: string;
  /** Null where the connection is another account's. */
  connectionId: string | null;
  traceId: string | null;
  times: number;
  firstAt: Date;
  lastAt: Date;
}

const day = 24 * 3600_000;
/** Who did not come back for so long is nobody's task any more. */
const conflictLife = 90 * day;

/**
 * Conflict `c` about person `u` is one still: who left the other account, or this one, is none. `$1` the
 * account, or null for all.
 */
export const openConflicts = `
  from federation_conflicts c join users u on u.id = c.user_id
  where ($1::uuid is null or c.account_id = $1) and c.closed_at is null and u.identity <> 'erased'
    and case c.reason when 'user_in_other_account'
      then u.affiliation <> 'none' and u.account_id is distinct from c.account_id
      else u.account_id is not distinct from c.account_id end`;

/**
 * Puts a conflict before the administrators of an account (behaviour.md F30; security.md 3.3). They are
 * written to when it is new, once a day at most.
 */
export async function openConflict(
  work: Work,
  about: {
    accountId: string;
    connectionId: string | null;
    reason: ConflictReason;
    userId: string;
    email: string;
    traceId: string | null;
  },
): Promise<void> {
  const { accountId, connectionId, reason, userId, email, traceId } = about;
  const [{ opened } = { opened: false }] = await work.query<{ opened: boolean }>(
    `insert into federation_conflicts as c
       (id, account_id, connection_id, reason, user_id, email, trace_id, first_at, last_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
     on conflict (account_id, reason, user_id) where closed_at is null
     do update set times = c.times + 1, last_at = excluded.last_at, email = excluded.email,
       trace_id = excluded.trace_id, connection_id = excluded.connection_id
     returning times = 1 as opened`,
    [newId(work.now.getTime()), accountId, connectionId, reason, userId, email, traceId, work.now],
  );
  if (!opened) return;
  const account = await accountName(work, accountId);
  const today = work.now.toISOString().slice(0, 10);
  for (const to of await administratorsOf(work, accountId))
    mail(
      work,
      toReader(to),
      {
        kind: 'sign_in_conflict',
        account,
        reason,
        email,
        conflictsLink: work.link('/console/connections/conflicts'),
      },
      { dedupKey: `federation_conflict:${accountId}:${to.id}:${today}` },
    );
}

/** Somebody came in by a connection after all: what stood in their way is decided. */
export async function settleConflicts(
  work: Work,
  connectionId: string,
  userId: string,
): Promise<void> {
  await work.query(
    `update federation_conflicts set closed_at = $3
     where connection_id = $1 and user_id = $2 and closed_at is null and reason <> 'email_conflict'`,
    [connectionId, userId, work.now],
  );
}

/** The latest first. `after`: the id of the last one before. */
export async function listConflicts(
  sql: Sql,
  accountId: string,
  { after = null, limit }: { after?: string | null; limit: number },
): Promise<Conflict[]> {
  return sql.query<Conflict>(
    `select c.id, c.reason, case when u.account_id = $1 then u.id end as "userId", c.email,
       c.connection_id as "connectionId", c.trace_id as "traceId", c.times,
       c.first_at as "firstAt", c.last_at as "lastAt"
     ${openConflicts} and ($2::uuid is null or c.id < $2) order by c.id desc limit $3`,
    [accountId, after, String(limit)],
  );
}

/**
 * An administrator has seen to it, or lets it be. Should it happen again, it is a new one.
 *
 * @throws {Refusal} `not_found`
 */
export async function closeConflict(work: Work, accountId: string, id: string): Promise<void> {
  if (!isId(id)) throw new Refusal('not_found');
  const [closed] = await work.query<{
    reason: ConflictReason;
    user_id: string | null;
    connection_id: string | null;
  }>(
    `update federation_conflicts c set closed_at = $3 from users u
     where u.id = c.user_id and c.account_id = $1 and c.id = $2 and c.closed_at is null
     returning c.reason, c.connection_id, case when u.account_id = $1 then u.id end as user_id`,
    [accountId, id, work.now],
  );
  if (!closed) throw new Refusal('not_found');
  const { reason, user_id: userId, connection_id: connectionId } = closed;
  work.record(
    'federation.conflict_closed',
    userId === null ? { type: 'connection', id: connectionId! } : { type: 'user', id: userId },
    { reason, conflict: id },
    accountId,
  );
}

/** Removes those that are decided or forgotten. Returns how many. */
export async function sweepConflicts(sql: Sql, now: Date): Promise<number> {
  const old = await sql.query(
    `delete from federation_conflicts where id in (
       select id from federation_conflicts where last_at < $1 order by last_at limit 1000)
     returning 1`,
    [new Date(now.getTime() - conflictLife)],
  );
  return old.length;
}
