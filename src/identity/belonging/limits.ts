import type { Sql } from '#platform/database/sql.ts';
import { Refusal, type RefusalCode } from '../refusal.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

/** What one account may try: whoever adds people learns which addresses are registered. */
export const addsPerMinute = 60;
export const conflictsPerDay = 500;

/** The answers that tell whether an address is somebody's (behaviour.md section 6, rows 6 to 9). */
export const existenceAnswers: ReadonlySet<RefusalCode> = new Set([
  'user_in_other_account',
  'user_not_addable',
  'user_exists',
  'user_exists_other_domain',
]);

/**
 * Counts one try, before it is made, and outside its transaction: what is refused counts too.
 *
 * @throws {Refusal} `rate_limited`
 */
export async function takeAdd(sql: Sql, accountId: string, now: Date): Promise<void> {
  if (!(await conflictsLeft(sql, accountId, now)))
    throw new Refusal('rate_limited', { retryAfter: 3600 });
  const adds = await counted(sql, `adds:${accountId}`, 1, minute, now);
  if (adds > addsPerMinute) throw new Refusal('rate_limited', { retryAfter: 60 });
}

/** Whether the account may still learn today which addresses are registered. */
export async function conflictsLeft(sql: Sql, accountId: string, now: Date): Promise<boolean> {
  return (await counted(sql, conflictBucket(accountId), 0, day, now)) < conflictsPerDay;
}

/** Counts an answer that told that somebody has the address. */
export async function countConflict(
  sql: Sql,
  accountId: string,
  code: string,
  now: Date,
): Promise<void> {
  if ((existenceAnswers as ReadonlySet<string>).has(code))
    await counted(sql, conflictBucket(accountId), 1, day, now);
}

function conflictBucket(accountId: string): string {
  return `conflicts:${accountId}`;
}

/** Counts in windows that begin with the first one counted. Returns how many there were in it. */
export async function counted(
  sql: Sql,
  bucket: string,
  by: 0 | 1,
  windowMs: number,
  now: Date,
): Promise<number> {
  const since = new Date(now.getTime() - windowMs);
  if (by === 0) {
    const [row] = await sql.query<{ day_count: number }>(
      'select day_count from attempt_counters where bucket = $1 and day_start > $2',
      [bucket, since],
    );
    return row?.day_count ?? 0;
  }
  const [row] = await sql.query<{ day_count: number }>(
    `insert into attempt_counters as c (bucket, day_start, day_count, updated_at)
     values ($1, $2, 1, $2)
     on conflict (bucket) do update set
       day_count = case when c.day_start <= $3 then 1 else c.day_count + 1 end,
       day_start = case when c.day_start <= $3 then $2 else c.day_start end,
       updated_at = $2
     returning day_count`,
    [bucket, now, since],
  );
  return row!.day_count;
}
