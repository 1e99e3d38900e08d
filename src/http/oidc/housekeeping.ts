import type { Database } from '#platform/database/database.ts';

const batch = 1000;

/**
 * Deletes what has expired, a bounded batch at a time. A consumed refresh token stays until its own
 * end, since only so can its replay be recognised.
 *
 * Returns how many rows went.
 */
export async function sweepEngine(database: Database, now: Date): Promise<number> {
  const statements = [
    'oidc_artifacts where expires_at < $1',
    'oidc_sessions where expires_at < $1',
    'oidc_grants where expires_at < $1',
    "one_time_tokens where expires_at < $1::timestamptz - interval '7 days'",
    'kept_forms where expires_at < $1',
    'trusted_devices where expires_at < $1',
    // A few slips are soon forgotten; a patient guesser is remembered for a month, whether anybody
    // has the name or not.
    `attempt_counters where locked_at is null and (
       updated_at < $1::timestamptz - interval '30 days' or
       (failures <= 4 and updated_at < $1::timestamptz - interval '2 days'))`,
    "idempotency_keys where created_at < $1::timestamptz - interval '1 day'",
  ];
  let gone = 0;
  for (const statement of statements) {
    const table = statement.split(' ')[0]!;
    let rows: unknown[];
    do {
      rows = await database.query(
        `delete from ${table} where ctid = any (array(
           select ctid from ${statement} limit ${batch})) returning 1`,
        [now],
      );
      gone += rows.length;
    } while (rows.length === batch);
  }
  return gone;
}
