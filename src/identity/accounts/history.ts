import type { Sql } from '#platform/database/sql.ts';

/** Somebody who belonged to an account on a day. */
export interface Belonging {
  userId: string;
  /** Null once erased. */
  email: string | null;
  name: string;
  reason: string;
  beganAt: Date;
  /** Null while it goes on. */
  endedAt: Date | null;
}

/**
 * Who belonged to an account on a day, in UTC, were it for an hour only (peers.md M9). By the id of
 * the affiliation, which is by when it began.
 *
 * @param day such as `2026-11-22`
 */
export function belongedOn(
  sql: Sql,
  accountId: string,
  day: string,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<(Belonging & { id: string })[]> {
  return sql.query(
    `select f.id, f.user_id as "userId", u.email_display as email,
       trim(u.given_name || ' ' || u.family_name) as name, f.reason, f.began_at as "beganAt",
       f.ended_at as "endedAt"
     from affiliations f join users u on u.id = f.user_id
     where f.account_id = $1 and not f.provisional
       and f.began_at < ($2::date + 1)::timestamp at time zone 'UTC'
       and (f.ended_at is null or f.ended_at > $2::date::timestamp at time zone 'UTC')
       and ($3::uuid is null or f.id > $3)
     order by f.id limit $4`,
    [accountId, day, after ?? null, limit],
  );
}
