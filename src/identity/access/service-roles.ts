import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';

/** A role: one of ours, with rights over others, or one that an application gives a meaning to. */
export interface Role {
  key: string;
  name: string;
  description: string;
  scope: 'system' | 'account' | 'group';
  builtIn: boolean;
  /** Who has this role has these too. */
  requires: string[];
  /** The application it belongs to; null for one of every application. */
  clientId: string | null;
  /** Whether who loses it is put out everywhere at once, instead of at the next token. */
  revokeOnRemove: boolean;
  /** How many have it: in the account that asks, or everywhere. */
  assigned: number;
}

/** The roles there are. `accountId`: whose people are counted. */
export function findRoles(sql: Sql, accountId: string | null): Promise<Role[]> {
  return sql.query<Role>(
    `select r.key, r.name, r.description, r.scope, r.built_in as "builtIn", r.requires,
       r.client_id as "clientId", r.revoke_on_remove as "revokeOnRemove",
       (select count(distinct a.user_id)::int from role_assignments a
        where a.role = r.key and ($1::uuid is null or a.account_id = $1)) as assigned
     from roles r where $1::uuid is null or r.scope <> 'system'
     order by r.built_in desc, r.key`,
    [accountId],
  );
}

/** @throws {Refusal} `role_not_found` */
export async function roleByKey(sql: Sql, key: string): Promise<Role> {
  const role = (await findRoles(sql, null)).find((one) => one.key === key);
  if (!role) throw new Refusal('role_not_found', { role: key });
  return role;
}

export interface NewRole {
  key: string;
  name: string;
  description?: string | undefined;
  requires?: readonly string[] | undefined;
  clientId?: string | null | undefined;
  revokeOnRemove?: boolean | undefined;
}

/** @throws {Refusal} `name_taken`, `role_not_found`, `client_not_found`, `invalid_value` */
export async function createRole(
  work: Work,
  { key, name, description = '', requires = [], clientId = null, revokeOnRemove = false }: NewRole,
): Promise<Role> {
  const made = await work.query(
    `insert into roles (key, name, description, scope, requires, client_id, revoke_on_remove,
       created_at)
     values ($1, $2, $3, 'account', '{}', $4, $5, $6)
     on conflict do nothing returning 1`,
    [key, name, description, await knownClient(work, clientId), revokeOnRemove, work.now],
  );
  if (made.length === 0) throw new Refusal('name_taken', { key });
  await setRequired(work, key, requires);
  work.record('role.created', { type: 'role', id: key }, { name, requires, clientId });
  return roleByKey(work, key);
}

export interface RoleChange {
  name?: string | undefined;
  description?: string | undefined;
  requires?: readonly string[] | undefined;
  clientId?: string | null | undefined;
  revokeOnRemove?: boolean | undefined;
}

/**
 * Where it requires another role from now on, who has it without that one is not given it: the change
 * is refused, and says how many there are.
 *
 * @throws {Refusal} `role_not_found`, `invalid_value` for a role of ours, `role_in_use`
 */
export async function changeRole(work: Work, key: string, change: RoleChange): Promise<Role> {
  const before = await lockServiceRole(work, key);
  if (change.requires) {
    await setRequired(work, key, change.requires);
    const [lacking] = await work.query<{ people: number }>(
      `select count(distinct a.user_id)::int as people
       from role_assignments a, unnest($2::text[]) needed
       where a.role = $1 and not exists (
         select from role_assignments b where b.user_id = a.user_id and b.role = needed)`,
      [key, [...change.requires]],
    );
    if (lacking!.people > 0) throw new Refusal('role_in_use', { lacking: lacking!.people });
  }
  await work.query(
    `update roles set name = coalesce($2, name), description = coalesce($3, description),
       client_id = $4, revoke_on_remove = coalesce($5, revoke_on_remove)
     where key = $1`,
    [
      key,
      change.name ?? null,
      change.description ?? null,
      change.clientId === undefined ? before.clientId : await knownClient(work, change.clientId),
      change.revokeOnRemove ?? null,
    ],
  );
  const after = await roleByKey(work, key);
  work.record('role.changed', { type: 'role', id: key }, { before, after });
  return after;
}

/** @throws {Refusal} `role_not_found`, `invalid_value`, `role_in_use` */
export async function removeRole(work: Work, key: string): Promise<void> {
  const role = await lockServiceRole(work, key);
  const needing = (await findRoles(work, null)).filter((one) => one.requires.includes(key));
  if (role.assigned > 0 || needing.length > 0)
    throw new Refusal('role_in_use', {
      assigned: role.assigned,
      requiredBy: needing.map((one) => one.key),
    });
  await work.query('delete from roles where key = $1', [key]);
  work.record('role.removed', { type: 'role', id: key }, { name: role.name });
}

async function lockServiceRole(work: Work, key: string): Promise<Role> {
  await work.query('select 1 from roles where key = $1 for update', [key]);
  const role = await roleByKey(work, key);
  if (role.builtIn) throw new Refusal('invalid_value', { role: 'This role is built in.' });
  return role;
}

/** A role requires service roles only, and never itself, however far round. */
async function setRequired(work: Work, key: string, requires: readonly string[]): Promise<void> {
  const known = await work.query<{ key: string; built_in: boolean }>(
    'select key, built_in from roles where key = any ($1::text[])',
    [[...requires]],
  );
  const missing = requires.find((one) => !known.some((role) => role.key === one));
  if (missing !== undefined) throw new Refusal('role_not_found', { role: missing });
  const ours = known.find((role) => role.built_in);
  if (ours) throw new Refusal('invalid_value', { requires: ours.key });
  await work.query('update roles set requires = $2 where key = $1', [key, [...new Set(requires)]]);
  const [round] = await work.query(
    `with recursive needed (key) as (
       select unnest(requires) from roles where key = $1
       union select unnest(r.requires) from needed n join roles r on r.key = n.key
     )
     select 1 from needed where key = $1`,
    [key],
  );
  if (round) throw new Refusal('invalid_value', { requires: 'A role cannot require itself.' });
}

async function knownClient(work: Work, id: string | null): Promise<string | null> {
  if (id === null) return null;
  const [client] = await work.query('select 1 from clients where id = $1', [id]);
  if (!client) throw new Refusal('client_not_found');
  return id;
}
