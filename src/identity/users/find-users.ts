import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import type { LockReason } from './locks.ts';
import { statusSql, type UserStatus } from './status.ts';
import type { Affiliation, Source } from './user.ts';
import { openLocks, pageOfUsers, type UserFilter } from './user-filter.ts';

export { likeText, userSorts, type UserFilter, type UserSort } from './user-filter.ts';

/** A person as administrators see them. */
export interface UserRecord {
  id: string;
  email: string | null;
  givenName: string;
  familyName: string;
  country: string | null;
  entitlementCountry: string | null;
  language: string | null;
  status: UserStatus;
  affiliation: Affiliation;
  source: Source;
  locks: UserLock[];
  roles: string[];
  groups: { id: string; name: string }[];
  fulfillmentContact: boolean;
  hasPassword: boolean;
  lastLoginAt: Date | null;
  createdAt: Date;
  updatedAt: Date;
  version: number;
  /** Where a list goes on behind them: what the cursor of the next page is made of. */
  position: string;
}

/** One reason for which somebody is locked: what the padlock says when it is pointed at. */
export interface UserLock {
  reason: LockReason;
  since: Date;
  /** When it ends by itself, or null. */
  until: Date | null;
  /** Who set it: a name, an address, or what it was. */
  by: string | null;
  note: string | null;
}

/**
 * A page of the people of an account, as `filter` wants them, and all there is to show of each. Which
 * ones is decided first: what is looked up about them is looked up for the page alone.
 *
 * @throws {Refusal} `invalid_cursor`
 */
export async function findUsers(sql: Sql, filter: UserFilter, now: Date): Promise<UserRecord[]> {
  const page = pageOfUsers(filter, now);
  const rows = await sql.query<Row>(
    `select u.id, u.email_display as email, u.given_name as "givenName",
       u.family_name as "familyName", u.country, u.entitlement_country as "entitlementCountry",
       u.language, x.status, u.affiliation, u.source, l.locks,
       array(select r.role from role_assignments r where r.user_id = u.id order by r.role) as roles,
       coalesce((select jsonb_agg(jsonb_build_object('id', g.id, 'name', g.name) order by g.name)
         from group_members m join groups g on g.id = m.group_id where m.user_id = u.id),
         '[]') as groups,
       exists (select from fulfillment_contacts f where f.user_id = u.id and f.account_id = $1)
         as "fulfillmentContact",
       exists (select from passwords p where p.user_id = u.id) as "hasPassword",
       u.last_login_at as "lastLoginAt", u.created_at as "createdAt",
       u.updated_at as "updatedAt", u.version, page.position
     from (${page.text}) page
     join users u on u.id = page.id left join accounts a on a.id = u.account_id
     cross join lateral (${locksSql}) l
     cross join lateral (select ${statusSql('l.reasons')} as status) x
     order by page.place`,
    page.params,
  );
  return rows.map(({ locks, ...row }) => ({
    ...row,
    locks: locks.map(({ since, until, ...lock }) => ({
      ...lock,
      since: new Date(since),
      until: until === null ? null : new Date(until),
    })),
  }));
}

/** @throws {Refusal} `user_not_found` */
export async function userOfAccount(
  sql: Sql,
  accountId: string,
  userId: string,
  now: Date,
): Promise<UserRecord> {
  const [user] = await findUsers(sql, { accountId, userId, limit: 1 }, now);
  if (!user) throw new Refusal('user_not_found');
  return user;
}

type Row = Omit<UserRecord, 'locks'> & {
  locks: {
    reason: LockReason;
    since: string;
    until: string | null;
    by: string | null;
    note: string | null;
  }[];
};

/** What the padlock says when it is pointed at, and the reasons alone. */
const locksSql = `
  select coalesce(jsonb_agg(jsonb_build_object('reason', k.reason, 'since', k.since,
           'until', k.until, 'by', k.by, 'note', k.note) order by k.since), '[]') as locks,
         coalesce(array_agg(k.reason), '{}') as reasons
  from (
    select o.*, coalesce(o.set_by ->> 'name', (select s.email_display from users s
        where s.id = case when o.set_by ->> 'type' = 'user' then (o.set_by ->> 'id')::uuid end),
        o.set_by ->> 'id') as by
    from (${openLocks}) o
  ) k`;
