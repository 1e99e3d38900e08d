import { newId } from '#platform/ids.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';

/** Roles that carry rights over other people, the higher first. Service roles carry none here. */
export const ranks: Readonly<Record<string, number>> = {
  operator: 3,
  account_administrator: 2,
  co_administrator: 1,
};

/** How high a set of roles reaches. */
export function rankOf(roles: readonly string[]): number {
  return Math.max(0, ...roles.map((role) => ranks[role] ?? 0));
}

/**
 * Gives a person a role. Whether the actor may is decided by the caller, in this transaction.
 *
 * @throws {Refusal} `role_not_found`
 */
export async function grantRole(
  work: Work,
  userId: string,
  role: string,
  accountId: string | null,
): Promise<void> {
  const [known] = await work.query<{ requires: string[] }>(
    'select requires from roles where key = $1',
    [role],
  );
  if (!known) throw new Refusal('role_not_found', { role });
  for (const required of known.requires) {
    const has = await work.query(
      'select 1 from role_assignments where user_id = $1 and role = $2',
      [userId, required],
    );
    if (has.length === 0) await grantRole(work, userId, required, accountId);
  }
  const added = await work.query(
    `insert into role_assignments (id, user_id, role, account_id, granted_by, granted_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict do nothing returning 1`,
    [newId(work.now.getTime()), userId, role, accountId, JSON.stringify(work.actor), work.now],
  );
  if (added.length > 0)
    work.record('role.granted', { type: 'user', id: userId }, { role }, accountId);
}

/**
 * Takes a role away.
 *
 * @throws {Refusal} `role_required_by_other` while another role of the person needs it.
 */
export async function revokeRole(
  work: Work,
  userId: string,
  role: string,
  accountId: string | null,
): Promise<void> {
  const needing = await work.query<{ key: string }>(
    `select r.key from role_assignments a join roles r on r.key = a.role
     where a.user_id = $1 and $2 = any (r.requires)`,
    [userId, role],
  );
  if (needing.length > 0)
    throw new Refusal('role_required_by_other', { role, by: needing.map(({ key }) => key) });
  const removed = await work.query(
    'delete from role_assignments where user_id = $1 and role = $2 returning 1',
    [userId, role],
  );
  if (removed.length > 0)
    work.record('role.revoked', { type: 'user', id: userId }, { role }, accountId);
}
