import type { Sql } from '#platform/database/sql.ts';
import type { Connection } from './connection.ts';

export type Standing =
  | 'member'
  | 'elsewhere'
  | 'unaffiliated'
  | 'waiting'
  | 'former'
  | 'unverified';

/** Everybody with an address of these domains, as the account may know of them. */
export function peopleOf(
  sql: Sql,
  accountId: string,
  domains: readonly string[],
): Promise<{ standing: Standing; count: number }[]> {
  return sql.query(
    `select case
         when u.affiliation = 'member' and u.account_id = $1 then 'member'
         when u.affiliation = 'member' then 'elsewhere'
         when u.identity = 'unverified' then 'unverified'
         when exists (select from approval_requests q where q.user_id = u.id
           and q.state = 'open' and q.account_id = $1) then 'waiting'
         when exists (select from user_locks l where l.user_id = u.id and l.released_at is null
           and l.reason = 'unaffiliated' and l.account_id = $1) then 'former'
         else 'unaffiliated' end as standing, count(*)::int as count
     from users u
     where u.email is not null and split_part(u.email, '@', 2) = any ($2)
     group by 1`,
    [accountId, domains],
  );
}

export interface Members {
  total: number;
  linked: number;
  firstBind: number;
  passwordEnds: number;
  otherAddresses: number;
  /** Of any of whom the address says who they are: what they sign in with here ends. */
  linkedByDomain: string[];
  breakGlass: string[];
  stepUp: string[];
  locked: string[];
  /** Whom no directory wrote, where the account has one. */
  unknownToDirectory: string[];
  /** Whom the directory knows by another address. */
  otherInDirectory: string[];
  /** Whom the provider and the directory name by different ids. */
  otherIds: string[];
  withoutCountry: string[];
  withoutName: string[];
}

/** The account's own members, sorted by what their first sign-in through the provider means. */
export async function membersOf(sql: Sql, connection: Connection, now: Date): Promise<Members> {
  const [row] = await sql.query<Record<string, number> & Record<string, string[]>>(
    `with said as materialized (${lastSaid}),
     directory as materialized (
       select exists (select from scim_tokens t where t.account_id = $1 and t.revoked_at is null
         and (t.expires_at is null or t.expires_at > $4)) as there
     ), m as (
       select u.email_display as email, u.email as canonical, u.country, u.given_name, u.family_name, u.break_glass,
         split_part(u.email, '@', 2) = any ($2) as covered,
         exists (select from federated_links k where k.user_id = u.id and k.connection_id = $3
           and k.unlinked_at is null) as linked,
         exists (select from passwords p where p.user_id = u.id and p.disabled_at is null)
           as password,
         exists (select from role_assignments r where r.user_id = u.id and r.role in
           ('operator', 'account_administrator', 'co_administrator')) as administrator,
         exists (select from user_locks l where l.user_id = u.id and l.released_at is null
           and (l.until is null or l.until > $4) and l.reason <> 'too_many_attempts') as locked,
         a.provisioned_by is not null as provisioned, a.user_name_key, a.external_id,
         coalesce(
           (select k.external_id from federated_links k where k.user_id = u.id
              and k.connection_id = $3 and k.unlinked_at is null),
           (select s.external_id from said s where s.identifier = u.email)) as said_id
       from users u
       left join affiliations a on a.user_id = u.id and a.account_id = $1 and a.ended_at is null
       where u.account_id = $1 and u.affiliation = 'member' and u.email is not null
     ), c as (select * from m where covered)
     select
       (select count(*)::int from c) as "total",
       (select count(*)::int from c where linked) as "linked",
       (select count(*)::int from c where not linked and not break_glass and not password)
         as "firstBind",
       (select count(*)::int from c where not linked and not break_glass and password
          and not administrator) as "passwordEnds",
       (select count(*)::int from m where not covered) as "otherAddresses",
       ${list('not linked and not break_glass and not (password and administrator)')}
         as "linkedByDomain",
       ${list('break_glass')} as "breakGlass",
       ${list('not linked and not break_glass and password and administrator')} as "stepUp",
       ${list('locked')} as "locked",
       ${list('country is null')} as "withoutCountry",
       ${list("given_name = '' or family_name = ''")} as "withoutName",
       ${list('not provisioned and not break_glass and (select there from directory)')}
         as "unknownToDirectory",
       ${list('provisioned and user_name_key <> canonical')} as "otherInDirectory",
       ${list('provisioned and external_id <> said_id')} as "otherIds"`,
    [connection.accountId, connection.domains, connection.id, now],
  );
  return row as unknown as Members;
}

/** What the latest sign-ins said of who somebody is in the company's directory, by address. */
const lastSaid = `
  select distinct on (identifier) identifier, external_id from (
    select t.id, m.step -> 'data' ->> 'identifier' as identifier,
      m.step -> 'data' ->> 'externalId' as external_id
    from (select id, steps from federated_traces where connection_id = $3
          order by id desc limit 1000) t
    cross join lateral (
      select step from jsonb_array_elements(t.steps) step where step ->> 'kind' = 'mapped' limit 1) m
  ) s where external_id is not null order by identifier, id desc`;

/** Whom it is about, by address; enough to count them in what is shown. */
function list(condition: string): string {
  return `array(select email from c where ${condition} order by email limit 1000)`;
}
