import type { Param, Sql } from '#platform/database/sql.ts';
import type { SecondFactorPolicy } from '../sign-in/second-factor-policy.ts';
import type { LockReason } from './locks.ts';

/**
 * All that decides whether a person may come in, as it stands in the database at this moment. Read
 * at each use, never kept: a lock set a second ago on another process must hold here.
 */
export interface Person {
  id: string;
  /** As the person wrote it; null once erased. */
  email: string | null;
  givenName: string;
  familyName: string;
  country: string | null;
  entitlementCountry: string | null;
  language: string | null;
  phone: string | null;
  identity: 'invited' | 'unverified' | 'ready' | 'erasing' | 'erased';
  emailVerified: boolean;
  affiliation: 'none' | 'pending' | 'provisional' | 'member';
  account: {
    id: string;
    number: string | null;
    name: string;
    status: 'active' | 'on_hold' | 'closing' | 'closed' | 'merged';
    holdReason: string | null;
    /** How long a sign-in lasts, where the account says so (`SessionPolicy`). */
    sessions?: {
      idleMinutes?: number | null;
      hours?: number | null;
      refreshDays?: number | null;
    } | null;
  } | null;
  locks: { reason: LockReason; until: string | null }[];
  roles: string[];
  groups: { id: string; name: string }[];
  /** The current versions of the terms this person has still to accept. */
  outstandingTerms: string[];
  secondFactor: {
    /** Whether they have an app or a passkey. */
    enrolled: boolean;
    /** Whether they, their domain or the mark of a break-glass administrator demand it of them. */
    required: boolean;
    /** The policy of their account. */
    account: SecondFactorPolicy | null;
  };
  /** Seconds since 1970. */
  updatedAt: number;
  /** How often they were put out, everywhere (`revokeAccess`). */
  putOut: number;
}

/**
 * The person as one JSON column. `user` is the SQL expression of the id, `now` the placeholder of
 * the moment. A fragment, not a function in the database: the planner sees through it, and one
 * prepared statement brings the person along with whatever else a request needs.
 *
 * It is part of nearly every request, and most of what it costs is setting it up: arrays and `json`
 * take two thirds of the time of aggregates and `jsonb`.
 *
 * Outstanding terms: the newest version of each kind that is in force, unless the person accepted
 * one after which none had to be accepted anew (behaviour.md F02).
 */
export function personJson(user: string, now: string): string {
  return `(
    select json_build_object(
      'id', u.id, 'email', u.email_display, 'givenName', u.given_name, 'familyName', u.family_name,
      'country', u.country, 'entitlementCountry', u.entitlement_country, 'language', u.language,
      'phone', u.phone, 'identity', u.identity, 'emailVerified', u.email_verified_at is not null,
      'affiliation', u.affiliation,
      'updatedAt', floor(extract(epoch from u.updated_at)), 'putOut', u.put_out,
      'account', case when a.id is not null then json_build_object(
        'id', a.id, 'number', a.number, 'name', a.name, 'status', a.status,
        'holdReason', a.hold_reason, 'sessions', a.settings -> 'sessions') end,
      'secondFactor', json_build_object(
        'enrolled', u.second_factor_at is not null,
        'required', u.second_factor_required or u.second_factor_anew or u.break_glass or exists (
          select from domains d
          where d.name = split_part(u.email, '@', 2) and d.state in ('owned', 'at_risk', 'lapsed')
            and d.second_factor_required),
        'account', a.settings ->> 'secondFactor'),
      'locks', array(
        select json_build_object('reason', l.reason, 'until', l.until) from user_locks l
        where l.user_id = u.id and l.released_at is null and (l.until is null or l.until > ${now})),
      'roles', array(
        select distinct r.role from role_assignments r where r.user_id = u.id order by r.role),
      'groups', array(
        select json_build_object('id', g.id, 'name', g.name)
        from group_members m join groups g on g.id = m.group_id
        where m.user_id = u.id order by g.name),
      'outstandingTerms', array(
        select v.id from terms_versions v
        where v.effective_at <= ${now}
          and not exists (
            select from terms_versions n
            where n.kind = v.kind and n.effective_at <= ${now}
              and (n.effective_at, n.published_at, n.id) > (v.effective_at, v.published_at, v.id))
          and not exists (
            select from terms_acceptances t join terms_versions w on w.id = t.version_id
            where t.user_id = u.id and w.kind = v.kind and not exists (
              select from terms_versions q
              where q.kind = v.kind and q.requires_reaccept
                and q.effective_at <= ${now} and q.effective_at > w.effective_at))))
    from users u left join accounts a on a.id = u.account_id
    where u.id = ${user})`;
}

const byId = `select ${personJson('$1::uuid', '$2::timestamptz')} as person`;
const byEmail = `
  select ${personJson("(select id from users where email = $1 and identity <> 'erased')", '$2::timestamptz')} as person`;

/** The person with this id, or null. */
export function findPerson(sql: Sql, id: string, now: Date): Promise<Person | null> {
  return one(sql, byId, [id, now]);
}

/** The person with this address in canonical form, or null. */
export function findPersonByEmail(sql: Sql, email: string, now: Date): Promise<Person | null> {
  return one(sql, byEmail, [email, now]);
}

async function one(sql: Sql, text: string, params: Param[]): Promise<Person | null> {
  const [row] = await sql.query<{ person: Person | null }>(text, params);
  return row?.person ?? null;
}
