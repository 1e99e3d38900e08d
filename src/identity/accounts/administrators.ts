import type { Sql } from '#platform/database/sql.ts';

export interface Administrator {
  id: string;
  name: string;
  email: string;
  language: string | null;
}

/** Who can help the people of an account: Account Administrators first (behaviour.md F25). */
export async function administratorsOf(
  sql: Sql,
  accountId: string | null,
): Promise<Administrator[]> {
  if (accountId === null) return [];
  return sql.query<Administrator>(
    `select u.id, trim(u.given_name || ' ' || u.family_name) as name, u.email_display as email,
            u.language
     from users u
     where u.account_id = $1 and u.affiliation = 'member' and u.identity = 'ready'
       and exists (select from role_assignments r where r.user_id = u.id and r.account_id = $1
                   and r.role in ('account_administrator', 'co_administrator'))
       and not exists (select from user_locks l where l.user_id = u.id and l.released_at is null)
     order by exists (select from role_assignments r where r.user_id = u.id
                      and r.account_id = $1 and r.role = 'account_administrator') desc,
              u.family_name, u.given_name
     limit 10`,
    [accountId],
  );
}

/** As they stand in a mail: "Fay Miller (fay@acme.example)". */
export async function administratorNames(sql: Sql, accountId: string | null): Promise<string[]> {
  const people = await administratorsOf(sql, accountId);
  return people.map(({ name, email }) => (name ? `${name} (${email})` : email));
}
