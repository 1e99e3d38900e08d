import type { Sql } from '#platform/database/sql.ts';

/**
 * Counts one guess at a code against a budget, before the code is looked at. The window begins with
 * its first guess, and anew after `since`.
 *
 * @param most how many a window allows.
 * @returns how many were paid within the window with this one, or null where there is none left.
 */
export async function payAttempt(
  sql: Sql,
  bucket: string,
  now: Date,
  since: Date,
  most: number,
): Promise<number | null> {
  const [row] = await sql.query<{ count: number }>(
    `insert into attempt_counters as c (bucket, failures, day_start, day_count, updated_at)
     values ($1, 1, $2, 1, $2)
     on conflict (bucket) do update set
       failures = c.failures + 1,
       day_start = case when c.day_start < $3 then $2 else c.day_start end,
       day_count = case when c.day_start < $3 then 1 else c.day_count + 1 end,
       updated_at = $2
     where c.day_start < $3 or c.day_count < $4::int
     returning c.day_count as count`,
    [bucket, now, since, most],
  );
  return row?.count ?? null;
}
