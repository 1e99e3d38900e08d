import { hash } from 'node:crypto';
import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { canonicalJson } from '../audit/chain.ts';
import { Refusal } from '../refusal.ts';
import { revokeAccess } from '../users/revoke.ts';
import { unitOfWork, type Foundation, type Work } from '../work.ts';
import type { AccountStatus } from './account.ts';

/**
 * MERGE AND SPLIT
 *
 * An account goes into another whole, or a part of it becomes an account of its own. Both are the
 * same three steps (behaviour.md F34, security.md 3.2):
 *
 *     report   what would move, what clashes, who loses which role. Nothing is changed.
 *     begin    one transaction, with the digest of the report that was read: where something changed
 *              since, it is refused and there is a new report. What belongs to the accounts moves:
 *              domains, groups, contacts, invitations. A merged account is a signpost from now on.
 *     people   some in each transaction, until nobody is left; after a crash it goes on where it was.
 *
 * Nobody's role rises: an Account Administrator of the one is a Co-Administrator of the other, unless
 * the operator names them. Sessions end, because every token says where a person belongs.
 */
export interface MoveReport {
  kind: 'merge' | 'split';
  source: { id: string; name: string };
  /** The new account of a split has no id in a report. */
  target: { id: string | null; name: string };
  people: { members: number; invited: number };
  /** Whose role over others changes. `to` is null where it is lost. */
  roles: { userId: string; email: string; from: string; to: string | null }[];
  /** Who is entitled in a country that the other account has not, and loses it. */
  countriesLost: { country: string; people: number }[];
  domains: { domain: string; state: string; outcome: 'moves' | 'dropped' }[];
  groups: { id: string; name: string; newName: string }[];
  /** Memberships that end because the person goes and the group stays, or the other way round. */
  membershipsLost: number;
  contacts: { moving: number; afterwards: number };
  invitations: { moving: number; dropped: number };
  approvals: number;
  tokensRevoked: number;
  webhooksPaused: number;
  /** Why it cannot be done like this. Empty when it can. */
  problems: MoveProblem[];
}

export type MoveProblem =
  | { problem: 'account_not_active'; account: string; status: AccountStatus }
  | { problem: 'same_account' }
  | { problem: 'under_way' }
  | { problem: 'domain_not_owned'; domain: string }
  | { problem: 'not_a_member'; users: string[] }
  | { problem: 'group_not_found'; groups: string[] }
  | { problem: 'nobody_moves' }
  | { problem: 'no_administrator'; account: 'source' | 'target' }
  | { problem: 'no_contact'; account: 'source' | 'target' }
  | { problem: 'number_taken' };

/** What a report is recognised by when it is acted on. */
export function digestOf(report: MoveReport): string {
  return hash('sha256', canonicalJson(report), 'base64url');
}

/** @throws {Refusal} `version_conflict` with the report as it is now, `move_refused` */
export function requireConfirmed(report: MoveReport, confirm: string): void {
  if (report.problems.length > 0) throw new Refusal('move_refused', { problems: report.problems });
  if (confirm !== digestOf(report))
    throw new Refusal('version_conflict', { report, digest: digestOf(report) });
}

export interface Moving {
  id: string;
  name: string;
  number: string | null;
  status: AccountStatus;
  countries: string[];
}

/** Both rows, always in one order. @throws {Refusal} `account_not_found` */
export async function lockAccounts(work: Work, ids: readonly string[]): Promise<Moving[]> {
  const rows = await work.query<Moving>(
    `select id, name, number, status, countries from accounts where id = any ($1::uuid[])
     order by id for no key update`,
    [[...new Set(ids)]],
  );
  return ids.map((id) => {
    const found = rows.find((row) => row.id === id);
    if (!found) throw new Refusal('account_not_found');
    return found;
  });
}

export async function isUnderWay(sql: Sql, ids: readonly string[]): Promise<boolean> {
  const rows = await sql.query(
    `select 1 from account_moves
     where state = 'running' and (source_id = any ($1::uuid[]) or target_id = any ($1::uuid[]))`,
    [[...ids]],
  );
  return rows.length > 0;
}

/** What the batches need to know. */
export interface MoveOptions {
  /** What becomes of the source's Account Administrators. */
  administrators: 'co_administrator' | 'account_administrator' | 'none';
  /** Who is an Account Administrator of the target by the operator's word, whatever they were. */
  appoint: string[];
  /** Groups that stay where they are: who moves leaves them. Null: all groups move. */
  groups: string[] | null;
}

/** The role over others that a person has after the move. */
export function roleAfter(
  roles: readonly string[],
  userId: string,
  { administrators, appoint }: MoveOptions,
): string | null {
  if (appoint.includes(userId)) return 'account_administrator';
  const co = roles.includes('co_administrator') ? 'co_administrator' : null;
  if (!roles.includes('account_administrator')) return co;
  return administrators === 'none' ? co : administrators;
}

export async function beginMove(
  work: Work,
  move: {
    kind: 'merge' | 'split';
    sourceId: string;
    targetId: string;
    options: MoveOptions;
    report: MoveReport;
    reason: string;
    people: readonly string[];
  },
): Promise<string> {
  const id = newId(work.now.getTime());
  await work.query(
    `insert into account_moves (id, kind, source_id, target_id, options, report, reason,
       requested_by, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      id,
      move.kind,
      move.sourceId,
      move.targetId,
      JSON.stringify(move.options),
      JSON.stringify(move.report),
      move.reason,
      JSON.stringify(work.actor),
      work.now,
    ],
  );
  await work.query(
    `insert into account_move_people (move_id, user_id)
     select $1, u from unnest($2::uuid[]) u`,
    [id, [...move.people]],
  );
  return id;
}

export interface MoveState {
  id: string;
  kind: 'merge' | 'split';
  sourceId: string;
  targetId: string;
  state: 'running' | 'done';
  moved: number;
  total: number;
  reason: string;
  report: MoveReport;
  createdAt: Date;
  finishedAt: Date | null;
}

/** @throws {Refusal} `not_found` */
export async function moveById(sql: Sql, id: string): Promise<MoveState> {
  const [move] = await sql.query<MoveState>(
    `select m.id, m.kind, m.source_id as "sourceId", m.target_id as "targetId", m.state, m.reason,
       m.report, m.created_at as "createdAt", m.finished_at as "finishedAt",
       (select count(*)::int from account_move_people p where p.move_id = m.id
         and p.moved_at is not null) as moved,
       (select count(*)::int from account_move_people p where p.move_id = m.id) as total
     from account_moves m where m.id = $1`,
    [id],
  );
  if (!move) throw new Refusal('not_found');
  return move;
}

/** How many people move in one transaction. */
const batch = 50;

/** Goes on with a merge or split that was begun. Returns whether there is more to do. */
export async function continueMoves(foundation: Foundation): Promise<boolean> {
  const running = await foundation.database.query(
    `select 1 from account_moves where state = 'running' limit 1`,
  );
  if (running.length === 0) return false;
  const actor = { type: 'system', id: 'moving' } as const;
  return unitOfWork(foundation, { actor }, async (work) => {
    const [move] = await work.query<Running>(
      `select m.id, m.kind, m.source_id, m.target_id, m.options, t.countries
       from account_moves m join accounts t on t.id = m.target_id
       where m.state = 'running' order by m.created_at limit 1 for update of m skip locked`,
    );
    if (!move) return false;
    const people = await work.query<{ user_id: string }>(
      `select user_id from account_move_people where move_id = $1 and moved_at is null
       order by user_id limit $2`,
      [move.id, batch],
    );
    for (const { user_id: userId } of people) await movePerson(work, move, userId);
    await work.query(
      `update account_move_people set moved_at = $3
       where move_id = $1 and user_id = any ($2::uuid[])`,
      [move.id, people.map((one) => one.user_id), work.now],
    );
    if (people.length < batch) {
      await work.query(`update account_moves set state = 'done', finished_at = $2 where id = $1`, [
        move.id,
        work.now,
      ]);
      for (const account of [move.source_id, move.target_id])
        work.record(
          'account.move_done',
          { type: 'account', id: account },
          { move: move.id },
          account,
        );
    }
    return true;
  });
}

interface Running {
  id: string;
  kind: 'merge' | 'split';
  source_id: string;
  target_id: string;
  options: MoveOptions;
  countries: string[];
}

async function movePerson(work: Work, move: Running, userId: string): Promise<void> {
  const [person] = await work.query<{
    account_id: string | null;
    affiliation: string;
    entitlement_country: string | null;
  }>(
    `select account_id, affiliation, entitlement_country from users
     where id = $1 and identity <> 'erased' for update`,
    [userId],
  );
  // Left, or was removed, since it was begun.
  if (person?.account_id !== move.source_id) return;
  const from = move.source_id;
  const to = move.target_id;

  const country =
    person.entitlement_country && move.countries.includes(person.entitlement_country)
      ? person.entitlement_country
      : null;
  await work.query(
    `update users set account_id = $2, entitlement_country = $3::text,
       entitlement_pinned = entitlement_pinned and $3 is not null, updated_at = $4,
       version = version + 1
     where id = $1`,
    [userId, to, country, work.now],
  );
  if (person.affiliation === 'member') {
    await work.query(
      `update affiliations set ended_at = $2, ended_by = $3
       where user_id = $1 and ended_at is null`,
      [userId, work.now, move.kind],
    );
    await work.query(
      `insert into affiliations (id, user_id, account_id, reason, began_at)
       values ($1, $2, $3, $4, $5)`,
      [newId(work.now.getTime()), userId, to, move.kind, work.now],
    );
  }
  const roles = await moveRoles(work, move, userId);
  await work.query(
    `update user_locks set account_id = $3
     where user_id = $1 and account_id = $2 and released_at is null`,
    [userId, from, to],
  );
  await work.query(
    `update fulfillment_contacts set account_id = $3 where user_id = $1 and account_id = $2`,
    [userId, from, to],
  );
  await work.query(
    `delete from group_members m using groups g
     where g.id = m.group_id and m.user_id = $1 and g.account_id = $2`,
    [userId, from],
  );
  await revokeAccess(work, userId, { keepDevices: true });
  work.record('user.moved', { type: 'user', id: userId }, { to, move: move.id }, from);
  work.record(
    'user.moved',
    { type: 'user', id: userId },
    { from, move: move.id, roles, entitlementCountry: country },
    to,
  );
}

async function moveRoles(
  work: Work,
  { source_id: from, target_id: to, options }: Running,
  userId: string,
): Promise<{ before: string[]; after: string[] }> {
  const before = (
    await work.query<{ role: string }>(
      `select role from role_assignments
       where user_id = $1 and account_id = $2 and group_id is null order by role`,
      [userId, from],
    )
  ).map(({ role }) => role);
  const over = roleAfter(before, userId, options);
  // Roles within a group went with the group, or end here.
  await work.query(
    `delete from role_assignments where user_id = $1 and account_id = $2
       and (group_id is not null or role in ('account_administrator', 'co_administrator'))`,
    [userId, from],
  );
  await work.query(
    'update role_assignments set account_id = $3 where user_id = $1 and account_id = $2',
    [userId, from, to],
  );
  if (over)
    await work.query(
      `insert into role_assignments (id, user_id, role, account_id, granted_by, granted_at)
       values ($1, $2, $3, $4, $5, $6)`,
      [newId(work.now.getTime()), userId, over, to, JSON.stringify(work.actor), work.now],
    );
  const others = before.filter((role) => !/^(account|co)_administrator$/.test(role));
  return { before, after: over ? [over, ...others] : others };
}

/** Where an account is now: itself, or the one it went into in the end. */
export async function currentAccountId(sql: Sql, id: string): Promise<string | null> {
  const [row] = await sql.query<{ id: string }>(
    `with recursive way (id, next) as (
       select id, merged_into from accounts where id = $1
       union select a.id, a.merged_into from way w join accounts a on a.id = w.next
     )
     select id from way where next is null`,
    [id],
  );
  return row?.id ?? null;
}

/** Who moves, with what decides about them. */
export interface MovingPerson {
  id: string;
  email: string;
  affiliation: 'member' | 'provisional';
  country: string | null;
  roles: string[];
}

export function peopleOf(sql: Sql, accountId: string): Promise<MovingPerson[]> {
  return sql.query<MovingPerson>(
    `select u.id, u.email_display as email, u.affiliation, u.entitlement_country as country,
       array(select r.role from role_assignments r where r.user_id = u.id and r.account_id = $1
         and r.group_id is null order by r.role) as roles
     from users u where u.account_id = $1 order by u.id`,
    [accountId],
  );
}

/** The parts of a report that are about people alone. */
export function aboutPeople(
  people: readonly MovingPerson[],
  countries: readonly string[],
  options: MoveOptions,
): Pick<MoveReport, 'people' | 'roles' | 'countriesLost'> {
  const lost = new Map<string, number>();
  for (const { country } of people)
    if (country !== null && !countries.includes(country))
      lost.set(country, (lost.get(country) ?? 0) + 1);
  return {
    people: {
      members: people.filter(({ affiliation }) => affiliation === 'member').length,
      invited: people.filter(({ affiliation }) => affiliation === 'provisional').length,
    },
    roles: people.flatMap(({ id, email, roles }) => {
      const from = highest(roles);
      const to = roleAfter(roles, id, options);
      return from === to ? [] : [{ userId: id, email, from: from ?? 'none', to }];
    }),
    countriesLost: [...lost]
      .map(([country, count]) => ({ country, people: count }))
      .sort((one, other) => (one.country < other.country ? -1 : 1)),
  };
}

function highest(roles: readonly string[]): string | null {
  return ['account_administrator', 'co_administrator'].find((role) => roles.includes(role)) ?? null;
}
