import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import { settingsOf } from '../accounts/settings.ts';
import { protectAccount } from '../users/affiliate.ts';
import type { Person } from '../users/person.ts';
import { revokeAccess } from '../users/revoke.ts';
import type { Work } from '../work.ts';
import { mayGrant, requirePerson, type Asking } from './rights.ts';
import { grantRole, rankOf, revokeRole } from './roles.ts';

export interface RoleChange {
  add?: readonly string[];
  remove?: readonly string[];
}

/**
 * Gives a member of an account roles and takes others. What is taken goes first, so one role can be
 * put in the place of another that needs the same third.
 *
 * Whoever loses a role that had rights over others is put out everywhere: what they opened with it
 * must not stay open (behaviour.md F14).
 *
 * @throws {Refusal} `role_not_found`, `invalid_value`, `cannot_grant_higher_role`,
 * `last_administrator`, `role_required_by_other`, `step_up_required`
 */
export async function changeRoles(
  work: Work,
  asking: Asking,
  person: Pick<Person, 'id' | 'roles'>,
  accountId: string,
  { add = [], remove = [] }: RoleChange,
): Promise<void> {
  const taken = remove.filter((role) => person.roles.includes(role));
  const given = add.filter((role) => !person.roles.includes(role) || taken.includes(role));
  if (!mayGrant(asking.role, [...taken, ...(await withRequired(work, given))]))
    throw new Refusal('cannot_grant_higher_role', { add, remove });
  // The last one stays, however well anybody proves who they are: that is told first.
  if (taken.includes('account_administrator'))
    await protectAccount(work, person.id, accountId, { contact: false });
  if ([...taken, ...given].includes('account_administrator'))
    await requireAdministratorGrant(work, asking, accountId);
  for (const role of await inOrderOfNeed(work, taken))
    await revokeRole(work, person.id, role, accountId);
  for (const role of given)
    await grantRole(work, person.id, role, role === 'operator' ? null : accountId);
  if (rankOf(taken) > 0 || (await revokes(work, taken)))
    await revokeAccess(work, person.id, { keepDevices: true });
}

/**
 * Many people, many roles, all or nothing: where one may not be, nobody is changed, and the refusal
 * names the person.
 *
 * @throws {Refusal} as `changeRoles` and `requirePerson`
 */
export async function changeManyRoles(
  work: Work,
  asking: Asking,
  accountId: string,
  userIds: readonly string[],
  change: RoleChange,
): Promise<void> {
  // In one order everywhere, so that two such calls do not wait for each other in a circle.
  for (const userId of [...new Set(userIds)].sort())
    try {
      const person = await requirePerson(work, asking, 'users:roles', accountId, userId);
      await changeRoles(work, asking, person, accountId, change);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      throw new Refusal(error.code, { ...error.details, user: userId }, error.actions);
    }
}

/**
 * An Account Administrator makes and unmakes others right after proving anew who they are: whoever
 * finds their browser open must not stay behind as an administrator. A token proves nothing anew, so
 * it may not, unless the operator said so for this account (`roles.accountAdminGrant`).
 *
 * @throws {Refusal} `cannot_grant_higher_role`, `step_up_required`
 */
export async function requireAdministratorGrant(
  work: Sql,
  asking: Asking,
  accountId: string,
): Promise<void> {
  const problem = await whyNoAdministratorGrant(work, asking, accountId);
  if (problem !== null) throw new Refusal(problem);
}

/** Why `requireAdministratorGrant` refuses; null where it does not. */
export async function whyNoAdministratorGrant(
  sql: Sql,
  { role, userId, provedAnew = false }: Asking,
  accountId: string,
): Promise<'cannot_grant_higher_role' | 'step_up_required' | null> {
  if (role === 'operator') return null;
  const { accountAdminGrant } = await settingsOf(sql, accountId);
  if (accountAdminGrant === 'operator') return 'cannot_grant_higher_role';
  if (userId !== null ? !provedAnew : accountAdminGrant !== 'account_admin_and_tokens')
    return 'step_up_required';
  return null;
}

async function revokes(work: Work, roles: readonly string[]): Promise<boolean> {
  if (roles.length === 0) return false;
  const rows = await work.query(
    'select 1 from roles where key = any ($1::text[]) and revoke_on_remove limit 1',
    [[...roles]],
  );
  return rows.length > 0;
}

/** The roles and all that come along with them, so that no role brings a higher one in by the back door. */
async function withRequired(work: Work, roles: readonly string[]): Promise<string[]> {
  if (roles.length === 0) return [];
  const known = await work.query<{ key: string; scope: string }>(
    `with recursive wanted (key) as (
       select unnest($1::text[])
       union select unnest(r.requires) from wanted w join roles r on r.key = w.key
     )
     select r.key, r.scope from wanted w join roles r on r.key = w.key`,
    [[...roles]],
  );
  const missing = roles.find((role) => !known.some(({ key }) => key === role));
  if (missing !== undefined) throw new Refusal('role_not_found', { role: missing });
  const inGroup = known.find(({ scope }) => scope === 'group');
  if (inGroup)
    throw new Refusal('invalid_value', { role: inGroup.key, why: 'It is given within a group.' });
  return known.map(({ key }) => key);
}

/** A role that needs another goes before it. */
async function inOrderOfNeed(work: Work, roles: readonly string[]): Promise<string[]> {
  if (roles.length < 2) return [...roles];
  const needs = new Map(
    (
      await work.query<{ key: string; requires: string[] }>(
        'select key, requires from roles where key = any ($1::text[])',
        [[...roles]],
      )
    ).map(({ key, requires }) => [key, requires]),
  );
  const depth = (role: string): number =>
    Math.max(0, ...(needs.get(role) ?? []).map((needed) => 1 + depth(needed)));
  return [...roles].sort((one, other) => depth(other) - depth(one));
}
