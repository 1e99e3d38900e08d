import type { Sql } from '#platform/database/sql.ts';

/** What a list of the people of an account can be narrowed by. A hundred groups are enough to choose from. */
export interface ListChoices {
  roles: { key: string; name: string }[];
  groups: { id: string; name: string }[];
  domains: string[];
}

export async function listChoices(sql: Sql, accountId: string): Promise<ListChoices> {
  const [row] = await sql.query<ListChoices>(
    `select
       coalesce((select jsonb_agg(jsonb_build_object('key', r.key, 'name', r.name)
         order by r.built_in desc, r.name) from roles r where r.scope <> 'system'), '[]') as roles,
       coalesce((select jsonb_agg(to_jsonb(g)) from (
         select g.id, g.name from groups g where g.account_id = $1
         order by lower(g.name) limit 100) g), '[]') as groups,
       array(select d.name from domains d where d.account_id = $1
         and d.state in ('owned', 'at_risk', 'lapsed') order by d.name limit 100) as domains`,
    [accountId],
  );
  return row!;
}

/** People of an account by their ids, for a page that says whom something is about. */
export function peopleOf(
  sql: Sql,
  accountId: string,
  ids: readonly string[],
): Promise<{ id: string; email: string | null; givenName: string; familyName: string }[]> {
  return sql.query(
    `select id, email_display as email, given_name as "givenName", family_name as "familyName"
     from users where account_id = $1 and id = any ($2::uuid[])
     order by lower(family_name), lower(given_name), id`,
    [accountId, [...ids]],
  );
}
