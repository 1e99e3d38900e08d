import type { Param, Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import type { LockReason } from './locks.ts';
import { statusSql, type UserStatus } from './status.ts';
import type { Affiliation, Source } from './user.ts';

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

export interface UserFilter {
  accountId: string;
  /** Part of the address or of the name. */
  q?: string | undefined;
  status?: UserStatus | undefined;
  role?: string | undefined;
  /** In canonical form. */
  domain?: string | undefined;
  userId?: string | undefined;
  /** The id that the page before ended with. */
  after?: string | undefined;
  limit: number;
}

/** The people of an account, members and invited ones, in the order in which they came. */
export async function findUsers(
  sql: Sql,
  { accountId, q, status, role, domain, userId, after, limit }: UserFilter,
  now: Date,
): Promise<UserRecord[]> {
  const params: Param[] = [accountId, now, limit];
  const conditions = ['u.account_id = $1'];
  const add = (condition: (place: string) => string, value: Param): void => {
    params.push(value);
    conditions.push(condition(`$${params.length}`));
  };
  if (userId !== undefined) add((place) => `u.id = ${place}::uuid`, userId);
  if (after !== undefined) add((place) => `u.id > ${place}::uuid`, after);
  if (q)
    add(
      (place) => `(u.email ilike ${place} or u.given_name || ' ' || u.family_name ilike ${place})`,
      `%${likeText(q)}%`,
    );
  if (domain !== undefined) add((place) => `split_part(u.email, '@', 2) = ${place}`, domain);
  if (role !== undefined)
    add(
      (place) =>
        `exists (select from role_assignments r where r.user_id = u.id and r.role = ${place})`,
      role,
    );
  if (status !== undefined) add((place) => `x.status = ${place}`, status);

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
       u.updated_at as "updatedAt", u.version
     from users u join accounts a on a.id = u.account_id
     cross join lateral (${locksSql}) l
     cross join lateral (select ${statusSql('l.reasons')} as status) x
     where ${conditions.join(' and ')}
     order by u.id limit $3`,
    params,
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

/**
 * The open locks of `u`, and the wait that wrong passwords bring, which is no lock in the books but
 * looks like one to the person and to whoever is asked for help (security.md 3.9).
 */
const locksSql = `
  select coalesce(jsonb_agg(jsonb_build_object('reason', k.reason, 'since', k.since,
           'until', k.until, 'by', k.by, 'note', k.note) order by k.since), '[]') as locks,
         coalesce(array_agg(k.reason), '{}') as reasons
  from (
    select k.reason, k.set_at as since, k.until, k.note,
      coalesce(k.set_by ->> 'name', (select s.email_display from users s
        where k.set_by ->> 'type' = 'user' and s.id::text = k.set_by ->> 'id'),
        k.set_by ->> 'id') as by
    from user_locks k
    where k.user_id = u.id and k.released_at is null and (k.until is null or k.until > $2)
    union all
    select 'too_many_attempts', c.updated_at, c.next_at, null, null
    from attempt_counters c
    where c.bucket = 'user:' || u.id and c.next_at > $2
      and not exists (select from user_locks k where k.user_id = u.id
        and k.reason = 'too_many_attempts' and k.released_at is null)
  ) k`;

/** Text that stands for itself in a LIKE pattern. */
export function likeText(text: string): string {
  return text.replace(/[\\%_]/g, (character) => `\\${character}`);
}
