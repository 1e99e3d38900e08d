import type { Param } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import type { LockReason } from './locks.ts';
import { statusSql, type UserStatus } from './status.ts';
import type { Source } from './user.ts';

/** In which order people are listed; with `-` in front from the other end. */
export const userSorts = [
  'joined',
  '-joined',
  'email',
  '-email',
  'name',
  '-name',
  'lastLogin',
  '-lastLogin',
] as const;
export type UserSort = (typeof userSorts)[number];

export interface UserFilter {
  accountId: string;
  /** Words; each is part of the address or of the name. */
  q?: string | undefined;
  status?: UserStatus | undefined;
  role?: string | undefined;
  /** In canonical form. */
  domain?: string | undefined;
  /** Locked for this reason, whatever the others. */
  lock?: LockReason | undefined;
  /** The id of a group. */
  group?: string | undefined;
  source?: Source | undefined;
  /** Who has not signed in since then, or never. */
  notSignedInSince?: Date | undefined;
  /** Who is entitled in no country of the account (behaviour.md F24). */
  countryMissing?: boolean | undefined;
  userId?: string | undefined;
  sort?: UserSort | undefined;
  /** The `position` that the page before ended with. */
  after?: string | undefined;
  limit: number;
}

/** A statement's text with its parameters; `$1` is the account, `$2` the moment, `$3` the limit. */
export interface Page {
  /** Selects `id`, `position` and `place`, by which the page is ordered. */
  text: string;
  params: Param[];
}

/**
 * One page of the people of an account, members and invited ones; or of those who wait for approval,
 * where that is the status asked for. An index leads to each order, so a page costs the same at the
 * end of a million as at their beginning.
 *
 * @throws {Refusal} `invalid_cursor`
 */
export function pageOfUsers(filter: UserFilter, now: Date): Page {
  const { accountId, sort = 'joined', after, limit } = filter;
  const params: Param[] = [accountId, now, limit];
  const place = (value: Param): string => `$${params.push(value)}`;
  const conditions = conditionsOf(filter, place);

  const descending = sort.startsWith('-');
  const keys = orders[sort.replace('-', '') as Order];
  const row = keys.map(({ sql }) => sql).join(', ');
  if (after !== undefined) {
    const bounds = positionOf(after, keys.length).map(
      (value, index) => `${place(value)}::text::${keys[index]!.type}`,
    );
    conditions.push(`(${row}) ${descending ? '<' : '>'} (${bounds.join(', ')})`);
  }
  const direction = descending ? ' desc' : '';
  const order = keys.map(({ sql }) => `${sql}${direction}`).join(', ');
  const reasons =
    filter.status === undefined
      ? ''
      : `cross join lateral (select coalesce(array_agg(k.reason), '{}') as reasons
           from (${openLocks}) k) l`;
  return {
    text: `
      select u.id, jsonb_build_array(${row})::text as position,
        row_number() over (order by ${order}) as place
      from users u left join accounts a on a.id = u.account_id ${reasons}
      where ${conditions.join(' and ')}
      order by ${order} limit $3`,
    params,
  };
}

function conditionsOf(filter: UserFilter, place: (value: Param) => string): string[] {
  const { status, q, domain, role, lock, group, source, notSignedInSince, userId } = filter;
  const conditions = [
    status === 'pending-approval'
      ? `u.id in (select q.user_id from approval_requests q
           where q.account_id = $1 and q.state = 'open')`
      : 'u.account_id = $1',
  ];
  const add = (condition: (placed: string) => string, value: Param): void => {
    conditions.push(condition(place(value)));
  };
  if (userId !== undefined) add((placed) => `u.id = ${placed}::uuid`, userId);
  const words = wordsOf(q);
  if (words.length > 0) conditions.push(found(words, status, place));
  if (domain !== undefined) add((placed) => `split_part(u.email, '@', 2) = ${placed}`, domain);
  if (role !== undefined)
    add(
      (placed) => `u.id in (select r.user_id from role_assignments r
        where r.role = ${placed} and (r.account_id = $1 or r.account_id is null))`,
      role,
    );
  if (lock !== undefined) add((placed) => `u.id in (${lockedFor(`${placed}::text`)})`, lock);
  if (group !== undefined)
    add(
      (placed) => `u.id in (select m.user_id from group_members m
        join groups g on g.id = m.group_id
        where g.id = ${placed}::uuid and g.account_id = $1)`,
      group,
    );
  if (source !== undefined) add((placed) => `u.source = ${placed}`, source);
  if (notSignedInSince !== undefined)
    add(
      (placed) => `coalesce(u.last_login_at, '-infinity'::timestamptz) < ${placed}`,
      notSignedInSince,
    );
  if (filter.countryMissing === true)
    conditions.push(
      '(u.entitlement_country is null or not u.entitlement_country = any (a.countries))',
    );
  if (status !== undefined) {
    const needed = narrowed[status];
    if (needed) conditions.push(needed);
    add((placed) => `${statusSql('l.reasons')} = ${placed}`, status);
  }
  return conditions;
}

interface Key {
  sql: string;
  type: 'text' | 'uuid' | 'timestamptz';
}

const id: Key = { sql: 'u.id', type: 'uuid' };

type Order = 'joined' | 'email' | 'name' | 'lastLogin';

/** What each order goes by. The last is always one of its own for each person. */
const orders: Record<Order, readonly Key[]> = {
  joined: [id],
  email: [{ sql: 'u.email', type: 'text' }, id],
  name: [
    { sql: 'lower(u.family_name)', type: 'text' },
    { sql: 'lower(u.given_name)', type: 'text' },
    id,
  ],
  lastLogin: [
    { sql: `coalesce(u.last_login_at, '-infinity'::timestamptz)`, type: 'timestamptz' },
    id,
  ],
};

/** @throws {Refusal} `invalid_cursor` */
function positionOf(text: string, length: number): string[] {
  let position: unknown;
  try {
    position = JSON.parse(text);
  } catch {
    throw new Refusal('invalid_cursor');
  }
  const parts: unknown[] = Array.isArray(position) ? position : [];
  if (parts.length !== length || !parts.every((part) => typeof part === 'string'))
    throw new Refusal('invalid_cursor');
  return parts;
}

function wordsOf(q: string | undefined): string[] {
  return (q ?? '').split(/\s+/).filter(Boolean).slice(0, 10);
}

/**
 * Whoever all the words are found in. Triples of letters lead there; whether it is so, the text says.
 * One letter or two are the beginning of a word.
 */
function found(
  words: readonly string[],
  status: UserStatus | undefined,
  place: (value: Param) => string,
): string {
  const inText = words.map((word) => `s.words like lower(${place(`%${likeText(word)}%`)})`);
  const triples = words
    .map((word) => {
      const typed = `lower(${place(word)})`;
      return Array.from(word).length > 2 ? ` || text_triples(${typed})` : ` || ('^' || ${typed})`;
    })
    .join('');
  const inAccount = status === 'pending-approval' ? `'{}'::text[]` : 'array[$1::uuid::text]';
  return `u.id in (select s.user_id from user_search s
    where s.triples @> (${inAccount}${triples}) and ${inText.join(' and ')})`;
}

/** Text that stands for itself in a LIKE pattern. */
export function likeText(text: string): string {
  return text.replace(/[\\%_]/g, (character) => `\\${character}`);
}

/**
 * The open locks of `u`, and the wait that wrong passwords bring, which is no lock in the books but
 * looks like one to the person and to whoever is asked for help (security.md 3.9).
 */
export const openLocks = `
  select k.reason, k.set_at as since, k.until, k.note, k.set_by
  from user_locks k
  where k.user_id = u.id and k.released_at is null and (k.until is null or k.until > $2)
  union all
  select 'too_many_attempts', c.updated_at, c.next_at, null, null
  from attempt_counters c
  where c.bucket = 'user:' || u.id and c.next_at > $2
    and not exists (select from user_locks k where k.user_id = u.id
      and k.reason = 'too_many_attempts' and k.released_at is null)`;

/** The same from the other end: who is locked for a reason, or for any. */
function lockedFor(reason: string | null): string {
  const of = (name: string): string => (reason === null ? '' : `and ${name} = ${reason}`);
  return `
    select k.user_id from user_locks k
    where k.released_at is null and (k.until is null or k.until > $2) ${of('k.reason')}
    union
    select substr(c.bucket, 6)::uuid from attempt_counters c
    where c.bucket >= 'user:' and c.bucket < 'user;' and c.next_at > $2
      ${of(`'too_many_attempts'`)}`;
}

/**
 * What a status asks for at the least, said so that an index leads to it. Only who passes is looked
 * at closely: the status itself is `statusSql`'s to say.
 */
const narrowed: Partial<Record<UserStatus, string>> = {
  erased: `u.identity = 'erased'`,
  erasing: `u.id in (
    select e.id from users e where e.identity = 'erasing' and e.account_id = $1
    union
    select k.user_id from user_locks k where k.released_at is null and k.reason = 'erasing')`,
  locked: `u.id in (${lockedFor(null)})`,
  suspended: `(a.status <> 'active' or u.id in (
    select k.user_id from user_locks k
    where k.released_at is null and k.reason in ('directory', 'operator')))`,
  invited: `(u.identity = 'invited' or u.affiliation = 'provisional')`,
  'registered-unverified': `u.identity = 'unverified'`,
  'pending-approval': `u.affiliation = 'pending'`,
  unaffiliated: `u.affiliation = 'none'`,
  active: `u.identity = 'ready' and u.affiliation = 'member'`,
};
