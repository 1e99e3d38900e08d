import type { Sql } from '#platform/database/sql.ts';
import type { TermsKind } from './terms.ts';

export interface Stopped {
  /** Who would have to accept at their next sign-in. */
  people: number;
  /** Of those, who signed in within the last thirty days: they meet it soon. */
  soon: number;
}

/**
 * Whom a new version of the terms would stop: everybody where it has to be accepted anew, and
 * otherwise who has accepted none of its kind so far.
 */
export async function stoppedBy(
  sql: Sql,
  { kind, requiresReaccept }: { kind: TermsKind; requiresReaccept: boolean },
  now: Date,
): Promise<Stopped> {
  const [row] = await sql.query<Stopped>(
    `select count(*)::int as people,
       (count(*) filter (where u.last_login_at > $3))::int as soon
     from users u
     where u.identity in ('ready', 'invited', 'unverified') and ($2 or not exists (
       select from terms_acceptances a join terms_versions v on v.id = a.version_id
       where a.user_id = u.id and v.kind = $1))`,
    [kind, requiresReaccept, new Date(now.getTime() - 30 * 24 * 3600_000)],
  );
  return row!;
}
