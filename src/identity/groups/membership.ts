import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { lockGroup, requireLocal, type Group } from './groups.ts';

export interface GroupMember {
  id: string;
  email: string;
  name: string;
  /** Where the person is entitled in. */
  entitlementCountry: string | null;
  /** The group grants in one country, and the person is entitled in another. */
  countryMismatch: boolean;
  manages: boolean;
  addedAt: Date;
}

/** Who is in a group, by the moment they were added. */
export function membersOf(
  sql: Sql,
  groupId: string,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<GroupMember[]> {
  return sql.query<GroupMember>(
    `select u.id, u.email_display as email, trim(u.given_name || ' ' || u.family_name) as name,
       u.entitlement_country as "entitlementCountry",
       g.type = 'entitlement' and u.entitlement_country is distinct from g.entitlement_country
         as "countryMismatch",
       exists (select from role_assignments r where r.user_id = u.id and r.group_id = g.id
         and r.role = 'group_manager') as manages,
       m.added_at as "addedAt"
     from group_members m join groups g on g.id = m.group_id join users u on u.id = m.user_id
     where m.group_id = $1 and ($2::uuid is null or u.id > $2)
     order by u.id limit $3`,
    [groupId, after ?? null, limit],
  );
}

/** Whether a person looks after a group (behaviour.md section 7: GM). */
export async function managesGroup(sql: Sql, userId: string, groupId: string): Promise<boolean> {
  const rows = await sql.query(
    `select 1 from role_assignments r join groups g on g.id = r.group_id
     join users u on u.id = r.user_id and u.account_id = g.account_id and u.affiliation = 'member'
     where r.user_id = $1 and r.group_id = $2 and r.role = 'group_manager'`,
    [userId, groupId],
  );
  return rows.length > 0;
}

/**
 * Puts people of the account into a group, and takes others out. Who is in already, or out already,
 * is no mistake. People who were invited may be put in: it holds once they join.
 *
 * @throws {Refusal} `not_found`, `managed_by_directory`, `user_not_found` with who is no member
 */
export async function changeMembers(
  work: Work,
  accountId: string,
  groupId: string,
  { add = [], remove = [] }: { add?: readonly string[]; remove?: readonly string[] },
): Promise<Group> {
  const group = await lockGroup(work, accountId, groupId);
  await requireLocal(work, accountId, group);
  if (add.length > 0) {
    const known = await work.query<{ id: string }>(
      `select id from users
       where id = any ($1::uuid[]) and account_id = $2 and identity not in ('erasing', 'erased')
       order by id for share`,
      [[...add], accountId],
    );
    const strangers = add.filter((id) => !known.some((one) => one.id === id));
    if (strangers.length > 0) throw new Refusal('user_not_found', { users: strangers });
  }
  const removed = await work.query<{ user_id: string }>(
    'delete from group_members where group_id = $1 and user_id = any ($2::uuid[]) returning user_id',
    [groupId, [...remove]],
  );
  // Who is not in it does not look after it.
  await work.query(
    'delete from role_assignments where group_id = $1 and user_id = any ($2::uuid[])',
    [groupId, [...remove]],
  );
  const added = await work.query<{ user_id: string }>(
    `insert into group_members (group_id, user_id, added_at)
     select $1, u, $3 from unnest($2::uuid[]) u on conflict do nothing returning user_id`,
    [groupId, [...new Set(add)], work.now],
  );
  for (const [action, rows] of [
    ['group.members_added', added],
    ['group.members_removed', removed],
  ] as const)
    for (const { user_id: user } of rows)
      work.record(action, { type: 'group', id: groupId }, { user }, accountId);
  return { ...group, members: group.members + added.length - removed.length };
}

/**
 * Has members look after their group, or not any more.
 *
 * @throws {Refusal} `not_found`, `user_not_found` for who is not in the group
 */
export async function changeManagers(
  work: Work,
  accountId: string,
  groupId: string,
  { add = [], remove = [] }: { add?: readonly string[]; remove?: readonly string[] },
): Promise<void> {
  await lockGroup(work, accountId, groupId);
  const inside = await work.query<{ user_id: string }>(
    'select user_id from group_members where group_id = $1 and user_id = any ($2::uuid[])',
    [groupId, [...add]],
  );
  const strangers = add.filter((id) => !inside.some((one) => one.user_id === id));
  if (strangers.length > 0) throw new Refusal('user_not_found', { users: strangers });
  const taken = await work.query<{ user_id: string }>(
    `delete from role_assignments
     where group_id = $1 and role = 'group_manager' and user_id = any ($2::uuid[])
     returning user_id`,
    [groupId, [...remove]],
  );
  const given = await work.query<{ user_id: string }>(
    `insert into role_assignments (id, user_id, role, account_id, group_id, granted_by, granted_at)
     select gen_random_uuid(), u, 'group_manager', $3, $1, $4, $5 from unnest($2::uuid[]) u
     on conflict do nothing returning user_id`,
    [groupId, [...new Set(add)], accountId, JSON.stringify(work.actor), work.now],
  );
  for (const [action, rows] of [
    ['role.granted', given],
    ['role.revoked', taken],
  ] as const)
    for (const { user_id: id } of rows)
      work.record(
        action,
        { type: 'user', id },
        { role: 'group_manager', group: groupId },
        accountId,
      );
}
