import { grantRole, revokeRole } from '../access/roles.ts';
import { revokeAccess } from '../users/revoke.ts';
import type { Work } from '../work.ts';
import type { Connection } from './connection.ts';
import { provenanceOf, type KnownPerson } from './facts.ts';
import type { GrantMapping, MappedPerson, Mapping } from './mapping.ts';

export interface GrantChanges {
  groups: { add: string[]; remove: string[] };
  roles: { add: string[]; remove: string[] };
}

/**
 * What a mapping gives and takes back, of a person as they are (peers.md F3). What somebody else gave
 * is not its own to take, even where it would have given the same. Where the claim was not sent at
 * all: `keep` changes nothing, `remove` takes back all that the mapping gave; `deny` never comes here.
 */
export function grantsToChange(
  mapping: Mapping,
  mapped: Pick<MappedPerson, 'groups' | 'roles'>,
  person: Pick<KnownPerson, 'groups' | 'roles'> | null,
): GrantChanges {
  return {
    groups: difference(
      mapping.groups,
      mapped.groups,
      (person?.groups ?? []).map(({ id, ours }) => ({ name: id, ours })),
    ),
    roles: difference(
      mapping.roles,
      mapped.roles,
      (person?.roles ?? []).map(({ key, ours }) => ({ name: key, ours })),
    ),
  };
}

function difference(
  mapping: GrantMapping<'group'> | GrantMapping<'role'> | null,
  wanted: readonly string[] | null,
  has: readonly { name: string; ours: boolean }[],
): { add: string[]; remove: string[] } {
  const ours = has.filter((one) => one.ours).map(({ name }) => name);
  // A mapping that is no more takes back what it gave.
  if (!mapping) return { add: [], remove: ours };
  if (wanted === null) return { add: [], remove: mapping.absent === 'remove' ? ours : [] };
  return {
    add: wanted.filter((name) => !has.some((one) => one.name === name)),
    remove: ours.filter((name) => !wanted.includes(name)),
  };
}

/**
 * Gives and takes, and writes beside what was given who gave it. What is no more by now, or is no
 * service role, is left out.
 */
export async function giveAndTake(
  work: Work,
  { id, accountId }: Pick<Connection, 'id' | 'accountId'>,
  userId: string,
  { groups, roles }: GrantChanges,
): Promise<void> {
  const provenance = provenanceOf(id);
  if (groups.add.length > 0) {
    const added = await work.query<{ group_id: string }>(
      `insert into group_members (group_id, user_id, added_at, provenance)
       select g.id, $1, $2, $5 from groups g
       where g.account_id = $3 and g.id::text = any ($4::text[])
       on conflict do nothing returning group_id`,
      [userId, work.now, accountId, groups.add, provenance],
    );
    for (const { group_id: group } of added)
      work.record(
        'group.members_added',
        { type: 'group', id: group },
        { users: [userId] },
        accountId,
      );
  }
  if (groups.remove.length > 0) {
    const removed = await work.query<{ group_id: string }>(
      `delete from group_members where user_id = $1 and provenance = $2
         and group_id::text = any ($3::text[]) returning group_id`,
      [userId, provenance, groups.remove],
    );
    for (const { group_id: group } of removed)
      work.record(
        'group.members_removed',
        { type: 'group', id: group },
        { users: [userId] },
        accountId,
      );
  }
  if (roles.add.length > 0) {
    const known = await work.query<{ key: string }>(
      `select key from roles
       where key = any ($1::text[]) and scope = 'account' and not built_in`,
      [roles.add],
    );
    for (const { key } of known) {
      await grantRole(work, userId, key, accountId);
      await work.query(
        `update role_assignments set provenance = $3
         where user_id = $1 and role = $2 and granted_at = $4 and provenance is null`,
        [userId, key, provenance, work.now],
      );
    }
  }
  let put = false;
  for (const role of roles.remove) {
    const [needed] = await work.query<{ needed: boolean; revokes: boolean }>(
      `select exists (select from role_assignments a join roles r on r.key = a.role
                where a.user_id = $1 and $2 = any (r.requires)) as needed,
              coalesce((select revoke_on_remove from roles where key = $2), false) as revokes`,
      [userId, role],
    );
    if (needed!.needed) continue;
    await revokeRole(work, userId, role, accountId);
    put ||= needed!.revokes;
  }
  if (put) await revokeAccess(work, userId, { keepDevices: true });
}
