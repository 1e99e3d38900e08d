import type { Sql } from '#platform/database/sql.ts';
import { ranks } from '../access/roles.ts';
import { passwordsRefused } from '../federation/standing.ts';

export interface Factorless {
  /** Who has rights over others. */
  admins: number;
  all: number;
  domains: { domain: string; people: number }[];
}

/**
 * Whom a stricter policy would stop at the next sign-in, to set a second factor up: who of the account
 * signs in here by a password, and has nothing beside it. Who signs in at their company is not asked.
 */
export async function factorlessOf(sql: Sql, accountId: string, now: Date): Promise<Factorless> {
  const domains = await sql.query<{ domain: string; people: number; admins: number }>(
    `select e.domain, count(*)::int as people, (count(*) filter (where e.admin))::int as admins
     from (
       select split_part(u.email, '@', 2) as domain,
              exists (select from role_assignments r
                      where r.user_id = u.id and r.role = any ($2)) as admin
       from users u join passwords p on p.user_id = u.id and p.disabled_at is null
       where u.account_id = $1 and u.affiliation = 'member' and u.second_factor_at is null
     ) e
     where not ${passwordsRefused('e.domain', '$3::timestamptz')}
     group by e.domain order by e.domain`,
    [accountId, Object.keys(ranks), now],
  );
  return {
    admins: domains.reduce((sum, { admins }) => sum + admins, 0),
    all: domains.reduce((sum, { people }) => sum + people, 0),
    domains: domains.map(({ domain, people }) => ({ domain, people })),
  };
}
