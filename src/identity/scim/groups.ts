import type { Sql } from '#platform/database/sql.ts';
import { isId, newId } from '#platform/ids.ts';
import { Refusal } from '../refusal.ts';
import type { Directory } from './context.ts';
import { bad, notFound, shown } from './error.ts';
import { requireMatch, type Conditions } from './etag.ts';
import type { Condition } from './filter/condition.ts';
import { conditionSql, Params } from './filter/sql.ts';
import { groupColumns, groupResource, type GroupRow } from './group-record.ts';
import { applyOperations, readOperations, type Operation } from './patch.ts';
import { resolve } from './path.ts';
import { accountGroupSchema, groups, named } from './schema.ts';
import { coerce, isObject, readResource, same, type Complex, type Resource } from './value.ts';

export const membersAttribute = named(groups.attributes, 'members')!;

/** The group with this id. @throws {ScimError} 404, also for another account's */
export async function readGroup(
  sql: Sql,
  accountId: string,
  id: string,
  { members }: { members: boolean } = { members: true },
): Promise<Resource> {
  const [row] = isId(id)
    ? await sql.query<GroupRow>(
        `select ${groupColumns({ members })} from groups g where g.account_id = $1 and g.id = $2`,
        [accountId, id],
      )
    : [];
  if (!row) throw notFound();
  return groupResource(row);
}

interface LockedGroup extends GroupRow {
  managed: boolean;
}

/** The group without its members, its row taken until the commit. */
async function lockedGroup({ work, caller }: Directory, id: string): Promise<LockedGroup> {
  const [row] = isId(id)
    ? await work.query<LockedGroup>(
        `select ${groupColumns({ members: false })},
           exists (select from role_assignments r where r.group_id = g.id) as managed
         from groups g where g.account_id = $1 and g.id = $2 for update`,
        [caller.accountId, id],
      )
    : [];
  if (!row) throw notFound();
  return row;
}

/**
 * A directory may change its own groups, and takes over one of ours that gives nothing: what products
 * are granted to, what somebody looks after, and what another source fills, is not its to change.
 *
 * @throws {ScimError} 400 `mutability`
 */
function requireReach({ type, source, managed }: LockedGroup): void {
  if (source === 'scim' || (source === 'local' && type === 'standard' && !managed)) return;
  throw bad(
    'mutability',
    'This group is looked after here: no directory changes it.',
    'group_protected',
  );
}

/** A group of ours that a directory fills from now on is the directory's. */
async function takeOver(
  { work }: Pick<Directory, 'work' | 'caller'>,
  row: LockedGroup,
): Promise<void> {
  requireReach(row);
  if (row.source === 'local')
    await work.query(`update groups set source = 'scim' where id = $1`, [row.id]);
}

/** @throws {ScimError} 400; @throws {Refusal} `name_taken` */
export async function createGroup({ work, caller }: Directory, body: unknown): Promise<Resource> {
  const given = readResource(groups, body);
  const name = requireName(given);
  await requireFreeName({ work, caller }, name, null);
  const id = newId(work.now.getTime());
  await work.query(
    `insert into groups (id, account_id, name, description, type, source, external_id, created_at,
       updated_at)
     values ($1, $2, $3, $4, 'standard', 'scim', $5, $6, $6)`,
    [id, caller.accountId, name, descriptionOf(given), externalIdOf(given), work.now],
  );
  work.record('group.created', { type: 'group', id }, { name, by: 'directory' }, caller.accountId);
  await addMembers({ work, caller }, id, idsOf(given['members']));
  return readGroup(work, caller.accountId, id);
}

/** Takes the place of what was said before, members too. */
export async function replaceGroup(
  { work, caller }: Directory,
  id: string,
  body: unknown,
  conditions: Conditions = {},
): Promise<Resource> {
  const row = await lockedGroup({ work, caller } as Directory, id);
  requireMatch(conditions, row.version);
  const given = readResource(groups, body);
  const before = groupResource(row);
  const after: Resource = { ...given, [accountGroupSchema]: before[accountGroupSchema] };
  const part = given[accountGroupSchema];
  if (isObject(part))
    after[accountGroupSchema] = { ...(before[accountGroupSchema] as Complex), ...part };
  await writeGroup({ work, caller }, row, before, after);
  await takeOver({ work, caller }, row);
  await setMembers({ work, caller }, row, idsOf(given['members']));
  return readGroup(work, caller.accountId, id);
}

/**
 * Changes a group by PATCH. Members are changed by statements over sets, one for each operation: the
 * list is never read, so two who change it at once lose nothing, and ten thousand are no more work
 * for us than one.
 *
 * @param members whether the group is given with its members
 * @throws {ScimError} 400
 */
export async function changeGroup(
  directory: Directory,
  id: string,
  body: unknown,
  conditions: Conditions = {},
  { members }: { members: boolean } = { members: false },
): Promise<Resource> {
  const { work, caller } = directory;
  const row = await lockedGroup(directory, id);
  requireMatch(conditions, row.version);
  const operations = readOperations(groups, body).flatMap(membersApart);
  const about = operations.filter(({ path }) => path?.target.attribute !== membersAttribute);
  const before = groupResource(row);
  const after = applyOperations(groups, before, about);
  await writeGroup(directory, row, before, after);
  const aboutMembers = operations.filter((one) => !about.includes(one));
  if (aboutMembers.length > 0) await takeOver(directory, row);
  for (const operation of aboutMembers) await changeMembers(directory, row, operation);
  return readGroup(work, caller.accountId, id, { members });
}

/** A change without a path that names members, as several: those about members for themselves. */
function membersApart(operation: Operation): Operation[] {
  const { op, path, value } = operation;
  if (path || !isObject(value)) return [operation];
  const rest: Complex = {};
  const apart: Operation[] = [];
  for (const [name, one] of Object.entries(value).flatMap(ofGroup)) {
    const target = resolve(groups, name);
    if (target?.attribute !== membersAttribute) rest[name] = one;
    else apart.push({ op, path: { target, filter: null, text: name }, value: one });
  }
  return [...(Object.keys(rest).length > 0 ? [{ op, path, value: rest }] : []), ...apart];
}

/** What stands under the name of the schema is the group's own. */
function ofGroup([name, value]: [string, unknown]): [string, unknown][] {
  const own = name.toLowerCase() === groups.schema.id.toLowerCase() && isObject(value);
  return own ? Object.entries(value) : [[name, value]];
}

async function changeMembers(
  directory: Directory,
  row: LockedGroup,
  { op, path, value }: Operation,
): Promise<void> {
  const { target, filter, text } = path!;
  if (target.sub) {
    // `members.value` with ids; a member has nothing else that could be changed.
    if (target.sub.name !== 'value' || op === 'replace' || filter)
      throw bad('mutability', `${text}: a member is in the group or not; it is not changed.`);
    const list: unknown[] = Array.isArray(value) ? value : [value];
    return op === 'add'
      ? addMembers(directory, row.id, idsOf(readMembers(list, text)))
      : removeMembers(directory, row.id, idsOf(readMembers(list, text)));
  }
  if (op === 'remove') {
    if (filter) return removeMatching(directory, row.id, filter);
    // Entra ID names those who go in the value; without one, all go.
    return value === undefined || value === null
      ? setMembers(directory, row, [])
      : removeMembers(directory, row.id, idsOf(readMembers(value, text)));
  }
  if (filter) throw bad('noTarget', `${text}: a member is in the group or not; it is not changed.`);
  const ids = idsOf(readMembers(value, text));
  return op === 'add' ? addMembers(directory, row.id, ids) : setMembers(directory, row, ids);
}

function readMembers(value: unknown, path: string): unknown {
  const list: unknown[] = Array.isArray(value) ? value : value === null ? [] : [value];
  return coerce(membersAttribute, list, path);
}

/** @throws {ScimError} 400 `invalidValue` for what names a group */
function idsOf(members: unknown): string[] {
  const list = (members ?? []) as Complex[];
  for (const [index, { type }] of list.entries()) {
    if (typeof type === 'string' && type.toLowerCase() === 'group')
      throw bad('invalidValue', `members[${index}]: groups hold users, not groups.`);
  }
  return [...new Set(list.map((one) => String(one['value'])))];
}

/** @throws {ScimError} 400 `invalidValue` naming who is no user of the account */
async function addMembers(
  { work, caller }: Pick<Directory, 'work' | 'caller'>,
  groupId: string,
  ids: readonly string[],
): Promise<void> {
  if (ids.length === 0) return;
  // Those who are found are taken, so that none of them leaves meanwhile.
  const found = await work.query<{ id: string; user_id: string; added: boolean }>(
    `with found as materialized (
       select a.id, a.user_id from affiliations a join users u on u.id = a.user_id
       where a.account_id = $1 and a.ended_at is null and a.id = any ($2::uuid[])
         and u.identity not in ('erasing', 'erased')
       order by u.id for share of u
     ), added as (
       insert into group_members (group_id, user_id, added_at)
       select $3, f.user_id, $4 from found f on conflict do nothing returning user_id
     )
     select f.id, f.user_id, n.user_id is not null as added
     from found f left join added n on n.user_id = f.user_id`,
    [caller.accountId, ids.filter(isId), groupId, work.now],
  );
  if (found.length < ids.length) {
    const known = new Set(found.map(({ id }) => id));
    const unknown = ids.filter((id) => !known.has(id));
    throw bad(
      'invalidValue',
      `members: there is no user ${unknown.slice(0, 3).map(shown).join(', ')}${unknown.length > 3 ? ` and ${unknown.length - 3} more` : ''}.`,
      'unknown_reference',
    );
  }
  const added = found.filter((one) => one.added);
  tell({ work, caller }, 'group.members_added', groupId, added);
}

/** Who is in it and not named goes, who is named comes. */
async function setMembers(
  directory: Pick<Directory, 'work' | 'caller'>,
  row: LockedGroup,
  ids: readonly string[],
): Promise<void> {
  const { work } = directory;
  const removed = await work.query<{ user_id: string }>(
    `delete from group_members m where m.group_id = $1 and not exists (
       select from affiliations a where a.user_id = m.user_id and a.ended_at is null
         and a.id = any ($2::uuid[]))
     returning user_id`,
    [row.id, ids.filter(isId)],
  );
  await forgetManagers(directory, row.id, removed);
  await addMembers(directory, row.id, ids);
}

async function removeMembers(
  directory: Pick<Directory, 'work' | 'caller'>,
  groupId: string,
  ids: readonly string[],
): Promise<void> {
  const { work, caller } = directory;
  const removed = await work.query<{ user_id: string }>(
    `delete from group_members m using affiliations a
     where m.group_id = $1 and a.user_id = m.user_id and a.account_id = $2 and a.ended_at is null
       and a.id = any ($3::uuid[])
     returning m.user_id`,
    [groupId, caller.accountId, ids.filter(isId)],
  );
  await forgetManagers(directory, groupId, removed);
}

/** `members[value eq "..."]`, and whatever else a filter says of members. */
async function removeMatching(
  directory: Pick<Directory, 'work' | 'caller'>,
  groupId: string,
  filter: Condition,
): Promise<void> {
  const { work, caller } = directory;
  const params = new Params(caller.accountId, groupId);
  const removed = await work.query<{ user_id: string }>(
    `delete from group_members m using affiliations e
     where m.group_id = $2 and e.user_id = m.user_id and e.account_id = $1 and e.ended_at is null
       and ${conditionSql(filter, groups, params)}
     returning m.user_id`,
    params.values,
  );
  await forgetManagers(directory, groupId, removed);
}

/** Who is not in it does not look after it. */
async function forgetManagers(
  { work, caller }: Pick<Directory, 'work' | 'caller'>,
  groupId: string,
  removed: readonly { user_id: string }[],
): Promise<void> {
  if (removed.length === 0) return;
  await work.atEnd(
    'delete from role_assignments where group_id = $1 and user_id = any ($2::uuid[])',
    [groupId, removed.map((one) => one.user_id)],
  );
  tell({ work, caller }, 'group.members_removed', groupId, removed);
}

function tell(
  { work, caller }: Pick<Directory, 'work' | 'caller'>,
  action: 'group.members_added' | 'group.members_removed',
  groupId: string,
  rows: readonly { user_id: string }[],
): void {
  for (const { user_id: user } of rows)
    work.record(
      action,
      { type: 'group', id: groupId },
      { user, by: 'directory' },
      caller.accountId,
    );
}

/** What of a group is no member: written where it is another than before. */
async function writeGroup(
  { work, caller }: Pick<Directory, 'work' | 'caller'>,
  row: LockedGroup,
  before: Resource,
  after: Resource,
): Promise<void> {
  const name = requireName(after);
  const unchanged =
    name === row.displayName &&
    externalIdOf(after) === row.externalId &&
    descriptionOf(after) === row.description;
  if (unchanged) return;
  requireReach(row);
  if (name !== row.displayName) await requireFreeName({ work, caller }, name, row.id);
  await work.query(
    `update groups set name = $2, external_id = $3, description = $4, source = 'scim',
       updated_at = $5, version = version + 1
     where id = $1`,
    [row.id, name, externalIdOf(after), descriptionOf(after), work.now],
  );
  const changed = ['displayName', 'externalId', accountGroupSchema].filter(
    (one) => !same(before[one], after[one]),
  );
  work.record(
    'group.changed',
    { type: 'group', id: row.id },
    {
      changed: changed.map((one) => (one === accountGroupSchema ? 'description' : one)),
      by: 'directory',
    },
    caller.accountId,
  );
}

/** @throws {ScimError} 404, 412, 400 */
export async function removeGroup(
  directory: Directory,
  id: string,
  conditions: Conditions = {},
): Promise<null> {
  const { work, caller } = directory;
  const row = await lockedGroup(directory, id);
  requireMatch(conditions, row.version);
  requireReach(row);
  await work.query('delete from groups where id = $1', [id]);
  work.record(
    'group.removed',
    { type: 'group', id },
    { name: row.displayName, by: 'directory' },
    caller.accountId,
  );
  return null;
}

function requireName(resource: Resource): string {
  const name = resource['displayName'];
  if (typeof name !== 'string' || name.trim() === '')
    throw bad('invalidValue', 'displayName is required.');
  return name;
}

function externalIdOf(resource: Resource): string | null {
  return typeof resource['externalId'] === 'string' ? resource['externalId'] : null;
}

function descriptionOf(resource: Resource): string {
  const { description } = (resource[accountGroupSchema] ?? {}) as { description?: string };
  return description ?? '';
}

/** @throws {Refusal} `name_taken` */
async function requireFreeName(
  { work, caller }: Pick<Directory, 'work' | 'caller'>,
  name: string,
  except: string | null,
): Promise<void> {
  const taken = await work.query(
    `select 1 from groups where account_id = $1 and lower(name) = lower($2)
       and id is distinct from $3::uuid`,
    [caller.accountId, name, except],
  );
  if (taken.length > 0) throw new Refusal('name_taken', { name });
}
