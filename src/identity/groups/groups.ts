import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import { directoryOfGroups } from '../scim/authority.ts';
import { notEntitled } from '../users/entitlement.ts';
import type { Work } from '../work.ts';

/**
 * A part of an account: a team, a department, a subcontractor. Products are granted to entitlement
 * groups, which have a country. Groups hold people, never groups (behaviour.md F17).
 */
export interface Group {
  id: string;
  name: string;
  description: string;
  type: 'standard' | 'entitlement';
  entitlementCountry: string | null;
  /** Who says who is in it. What a directory says is read-only here. */
  source: 'local' | 'scim' | 'idp';
  members: number;
  createdAt: Date;
  updatedAt: Date;
  version: number;
}

export interface GroupFilter {
  accountId: string;
  q?: string | undefined;
  type?: Group['type'] | undefined;
  /** Only those that this person manages. */
  managedBy?: string | undefined;
  after?: string | undefined;
  limit: number;
}

const columns = `g.id, g.name, g.description, g.type, g.entitlement_country as "entitlementCountry",
  g.source, (select count(*)::int from group_members m where m.group_id = g.id) as members,
  g.created_at as "createdAt", g.updated_at as "updatedAt", g.version`;

/** By name. */
export function findGroups(
  sql: Sql,
  { accountId, q, type, managedBy, after, limit }: GroupFilter,
): Promise<Group[]> {
  return sql.query<Group>(
    `select ${columns} from groups g
     where g.account_id = $1 and ($2::text is null or strpos(lower(g.name), lower($2)) > 0)
       and ($3::text is null or g.type = $3)
       and ($4::uuid is null or exists (select from role_assignments r where r.group_id = g.id
         and r.user_id = $4 and r.role = 'group_manager'))
       and ($5::uuid is null or (lower(g.name), g.id) >
         (select lower(a.name), a.id from groups a where a.id = $5))
     order by lower(g.name), g.id limit $6`,
    [accountId, q ?? null, type ?? null, managedBy ?? null, after ?? null, limit],
  );
}

/** @throws {Refusal} `not_found` */
export async function groupById(sql: Sql, accountId: string, id: string): Promise<Group> {
  const [group] = await sql.query<Group>(
    `select ${columns} from groups g where g.id = $2 and g.account_id = $1`,
    [accountId, id],
  );
  if (!group) throw new Refusal('not_found');
  return group;
}

export interface NewGroup {
  name: string;
  description?: string | undefined;
  type?: Group['type'] | undefined;
  /** Required for an entitlement group, and for no other. */
  entitlementCountry?: string | null | undefined;
}

/** @throws {Refusal} `name_taken`, `invalid_country`, `invalid_value` */
export async function createGroup(
  work: Work,
  account: { id: string; countries: readonly string[] },
  { name, description = '', type = 'standard', entitlementCountry = null }: NewGroup,
): Promise<Group> {
  requireCountry(account, type, entitlementCountry);
  await requireFreeName(work, account.id, name, null);
  const id = newId(work.now.getTime());
  await work.query(
    `insert into groups (id, account_id, name, description, type, entitlement_country, created_at,
       updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7)`,
    [id, account.id, name, description, type, entitlementCountry, work.now],
  );
  work.record(
    'group.created',
    { type: 'group', id },
    { name, type, entitlementCountry },
    account.id,
  );
  return groupById(work, account.id, id);
}

export interface GroupChange {
  name?: string | undefined;
  description?: string | undefined;
  entitlementCountry?: string | undefined;
  version?: number | undefined;
}

/**
 * @throws {Refusal} `not_found`, `name_taken`, `invalid_country`, `invalid_value`,
 * `managed_by_directory`, `version_conflict`
 */
export async function changeGroup(
  work: Work,
  account: { id: string; countries: readonly string[] },
  id: string,
  { name, description, entitlementCountry, version }: GroupChange,
): Promise<Group> {
  const before = await lockGroup(work, account.id, id);
  if (version !== undefined && version !== before.version) throw new Refusal('version_conflict');
  if (name !== undefined && name !== before.name) {
    await requireLocal(work, account.id, before);
    await requireFreeName(work, account.id, name, id);
  }
  const country = entitlementCountry ?? before.entitlementCountry;
  requireCountry(account, before.type, country, before.entitlementCountry);
  await work.query(
    `update groups set name = coalesce($2, name), description = coalesce($3, description),
       entitlement_country = $4, updated_at = $5, version = version + 1
     where id = $1`,
    [id, name ?? null, description ?? null, country, work.now],
  );
  const after = await groupById(work, account.id, id);
  const told = ({ name, description, entitlementCountry }: Group): object => ({
    name,
    description,
    entitlementCountry,
  });
  work.record(
    'group.changed',
    { type: 'group', id },
    { before: told(before), after: told(after) },
    account.id,
  );
  return after;
}

/** @throws {Refusal} `not_found`, `managed_by_directory` */
export async function removeGroup(work: Work, accountId: string, id: string): Promise<void> {
  const group = await lockGroup(work, accountId, id);
  await requireLocal(work, accountId, group);
  await work.query('delete from groups where id = $1', [id]);
  work.record(
    'group.removed',
    { type: 'group', id },
    { name: group.name, members: group.members },
    accountId,
  );
}

export async function lockGroup(work: Work, accountId: string, id: string): Promise<Group> {
  await work.query('select 1 from groups where id = $1 and account_id = $2 for update', [
    id,
    accountId,
  ]);
  return groupById(work, accountId, id);
}

/**
 * What a directory says of its groups holds while the account has one that reaches them.
 *
 * @throws {Refusal} `managed_by_directory`
 */
export async function requireLocal(
  sql: Sql,
  accountId: string,
  { source, name }: Pick<Group, 'source' | 'name'>,
): Promise<void> {
  if (source === 'local') return;
  const directory = source === 'scim' ? await directoryOfGroups(sql, accountId) : null;
  if (source === 'scim' && directory === null) return;
  throw new Refusal(
    'managed_by_directory',
    { source, directory },
    [],
    directory &&
      `The group ${name} is managed by the directory ${directory} of the organization. Change it there.`,
  );
}

/** What stays as it was is not asked about: the countries of an account may have become fewer. */
function requireCountry(
  { countries }: { countries: readonly string[] },
  type: Group['type'],
  country: string | null,
  before: string | null = null,
): void {
  if (type === 'standard' && country !== null)
    throw new Refusal('invalid_value', { entitlementCountry: 'Only entitlement groups have one.' });
  if (type === 'entitlement' && country === null)
    throw new Refusal('invalid_country', { countries }, [], 'An entitlement group has a country.');
  if (country !== null && country !== before && !countries.includes(country))
    throw notEntitled(countries, country);
}

async function requireFreeName(
  work: Work,
  accountId: string,
  name: string,
  except: string | null,
): Promise<void> {
  const taken = await work.query(
    `select 1 from groups
     where account_id = $1 and lower(name) = lower($2) and id is distinct from $3::uuid`,
    [accountId, name, except],
  );
  if (taken.length > 0) throw new Refusal('name_taken', { name });
}
