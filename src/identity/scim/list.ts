import type { Param, Sql } from '#platform/database/sql.ts';
import { bad, shown as quoted } from './error.ts';
import { openCursor, sealCursor, type Position } from './cursor.ts';
import { readFilter, type Condition } from './filter/condition.ts';
import { conditionSql, isPlain, Params } from './filter/sql.ts';
import { groupColumns, groupResource, type GroupRow } from './group-record.ts';
import { orderOf, ordersOf, requireFew, type Order } from './order.ts';
import { projection, type Projection, type Wanted } from './projection.ts';
import type { Attribute, ResourceType } from './attribute.ts';
import { accountSchema, groups, users } from './schema.ts';
import type { Totals } from './totals.ts';
import { userPage, userTextPage, type UserText } from './user-page.ts';
import { ofAccount, userColumns, userResource, userTables, type UserRow } from './user-record.ts';
import type { Resource } from './value.ts';

/** What is asked of a list (RFC 7644, section 3.4.2; RFC 9865). */
export interface ListRequest {
  filter: string | undefined;
  sortBy: string | undefined;
  descending: boolean;
  /** From 1; undefined where it is gone through by cursors. */
  startIndex: number;
  count: number;
  /** Empty for the first page; undefined where it is gone through by index. */
  cursor: string | undefined;
  wanted: Wanted;
}

export interface Listed {
  total: number;
  startIndex: number;
  resources: { type: ResourceType; resource: Resource; shown: Projection }[];
  /** In their place, where all is wanted of people: each as the JSON it is given as. */
  texts: string[] | null;
  nextCursor: string | undefined;
}

export interface ListContext {
  sql: Sql;
  accountId: string;
  cursorKeys: readonly Buffer[];
  /** Where the door is. */
  base: string;
  now: Date;
  /** How many were found before, where it is gone through by index. */
  totals?: Totals | undefined;
  /** Made before for this request, of one type. */
  plan?: ListPlan | undefined;
}

/** A list of one type, or of all in one. */
export async function list(
  context: ListContext,
  types: readonly ResourceType[],
  request: ListRequest,
): Promise<Listed> {
  try {
    return await (types.length === 1
      ? listOne(context, types[0]!, request)
      : listAll(context, types, request));
  } catch (error) {
    // The database gave up: `statement_timeout`.
    if ((error as { code?: unknown }).code === '57014')
      throw bad('tooMany', 'This filter looks at too much. Narrow it down.');
    throw error;
  }
}

interface Table {
  tables: string;
  where: string;
  id: string;
  created: string;
}

const tableOf: Record<ResourceType['name'], Table> = {
  User: { tables: userTables, where: ofAccount, id: 'a.id', created: 'a.began_at' },
  Group: { tables: 'groups g', where: 'g.account_id = $1', id: 'g.id', created: 'g.created_at' },
};

/** What is asked of one type, as statements. */
export interface ListPlan {
  type: ResourceType;
  condition: Condition | null;
  order: Order;
  shown: Projection;
  /** `$1` is the account. */
  page: { text: string; params: Param[] };
  counting: { where: string; params: Params };
  /** The rows are `UserText`s. */
  asText: boolean;
  /** Always planned for its values where an index may serve or not. */
  anew: boolean;
}

/** @throws {ScimError} 400 */
export function planOf(
  type: ResourceType,
  request: ListRequest,
  { accountId, base, after }: { accountId: string | null; base: string; after: Position | null },
): ListPlan {
  const condition = request.filter === undefined ? null : readFilter(type, request.filter);
  const order = orderOf(type, request.sortBy, tableOf[type.name].created);
  const shown = projection(type, request.wanted);
  const table = tableOf[type.name];
  const params = new Params(accountId);
  const filter = condition && conditionSql(condition, type, params);
  const where = `${table.where}${filter ? ` and ${filter}` : ''}`;
  const counting = { where, params: new Params(...params.values) };
  const keyset = after ? ` and ${afterSql(order, table, after, request, params)}` : '';
  const skipped = request.cursor === undefined ? request.startIndex - 1 : 0;
  const direction = request.descending ? 'desc' : 'asc';
  const limit = limitSql(request, skipped, params);
  const found = { where: `${where}${keyset}`, key: order.key, direction, limit } as const;
  const parts = {
    groups: shown.shows(null, attributeOf(users, 'groups')),
    account: accountAttributes.some((one) => shown.shows(accountSchema, one)),
  };
  // Of one or two, a look at each other table is quicker than a join with it.
  const few = condition !== null && namesOne(condition);
  const asText = type === users && shown.whole && !few;
  const columns =
    type === users
      ? userColumns(parts)
      : groupColumns({ members: shown.shows(null, attributeOf(groups, 'members')) });
  const text = asText
    ? userTextPage(found, params.add(JSON.stringify(base).slice(1, -1), 'text'))
    : type === users && !few
      ? userPage(parts, found)
      : `select ${columns}, ${order.key} as "sortKey"
         from ${table.tables} where ${found.where}
         order by ${order.key} ${direction}, ${table.id} ${direction} ${limit}`;
  const anew = condition !== null && !isPlain(condition);
  const page = { text, params: params.values };
  return { type, condition, order, shown, page, counting, asText, anew };
}

/** Where few can be meant, as with a name only one has: what it takes to read them at once. */
export function aheadOf(type: ResourceType, request: ListRequest, base: string): ListPlan | null {
  if (request.filter === undefined || request.cursor !== undefined || request.count === 0)
    return null;
  const plan = planOf(type, request, { accountId: null, base, after: null });
  return namesOne(plan.condition!) ? plan : null;
}

/** Equal to what a directory finds somebody by. */
function namesOne(condition: Condition): boolean {
  if (condition.op === 'and') return condition.of.some(namesOne) && condition.of.every(isPlain);
  if (condition.op !== 'compare' || condition.operator !== 'eq') return false;
  const { name, uniqueness } = condition.leaf.attribute;
  return uniqueness === 'server' || name === 'externalId';
}

async function listOne(
  context: ListContext,
  type: ResourceType,
  request: ListRequest,
): Promise<Listed> {
  const { sql, accountId, cursorKeys, base, now } = context;
  const scope = scopeOf(context, [type], request);
  const after = positionOf(context, scope, request);
  const plan = context.plan ?? planOf(type, request, { accountId, base, after });
  plan.page.params[0] = accountId;
  plan.counting.params.values[0] = accountId;
  const { condition, order, shown, asText, anew } = plan;
  const skipped = request.cursor === undefined ? request.startIndex - 1 : 0;
  const page = async (): Promise<Row[]> =>
    request.count === 0 ? [] : sql.query<Row>(plan.page.text, plan.page.params, { anew });

  let many = after?.[2] ?? null;
  if (order.most !== null) {
    many ??= await total(context, plan);
    requireFew(type, order, many);
  }
  // Where the number is known beforehand it is read beside the page. Else the page may say it: one that
  // is not full, and has somebody on it or is the first.
  let rows: Row[];
  if (condition === null && many === null)
    [rows, many] = await Promise.all([page(), total(context, plan)]);
  else rows = await page();
  const ends = rows.length <= request.count && request.count > 0;
  if (ends && !after && (rows.length > 0 || skipped === 0)) many = skipped + rows.length;
  many ??= await totalOfWalk(context, request, scope, rows.length, () => total(context, plan));

  const shownRows = rows.slice(0, request.count);
  const last = shownRows.at(-1);
  const more = rows.length > request.count && last !== undefined;
  return {
    total: many,
    startIndex: request.startIndex,
    resources: asText
      ? []
      : (shownRows as (UserRow | GroupRow)[]).map((row) => ({
          type,
          shown,
          resource: type === users ? userResource(row as UserRow) : groupResource(row as GroupRow),
        })),
    texts: asText ? (shownRows as UserText[]).map(({ text }) => text) : null,
    nextCursor:
      request.cursor !== undefined && more
        ? sealCursor(cursorKeys[0]!, scope, [keyOf(last), last.id, many], now)
        : undefined,
  };
}

/** Without a key of their own they are in the order in which they came to be. */
type Row = ((UserRow | GroupRow) & { sortKey?: string | Date }) | UserText;

function keyOf(row: Row): string {
  return keyText(row.sortKey ?? (row as UserRow | GroupRow).created);
}

/** Users and groups in one list (RFC 7644, section 3.4.2.1): found by their ids, then read. */
async function listAll(
  context: ListContext,
  types: readonly ResourceType[],
  request: ListRequest,
): Promise<Listed> {
  const { sql, accountId, cursorKeys, now } = context;
  const scope = scopeOf(context, types, request);
  const after = positionOf(context, scope, request);
  const direction = request.descending ? 'desc' : 'asc';
  const skipped = request.cursor === undefined ? request.startIndex - 1 : 0;
  const orders = ordersOf(
    types.map((type) => [type, tableOf[type.name].created]),
    request.sortBy,
  );
  const params = new Params(accountId);
  const unknown = types.map(() => new Set<string>());
  // Each type gives as many as the page might take of it: no more are put in order than that.
  const most = params.add(skipped + request.count + 1, 'int');
  const parts = types.map((type, at) => {
    const table = tableOf[type.name];
    const order = orders[at]!;
    const condition =
      request.filter === undefined ? null : readFilter(type, request.filter, unknown[at]);
    const filter = condition ? ` and ${conditionSql(condition, type, params)}` : '';
    const where = `${table.where}${filter}`;
    const keyset = after ? ` and ${afterSql(order, table, after, request, params)}` : '';
    const text = `(select '${type.name}' as type, ${table.id} as id, ${order.key} as key
      from ${tablesFor(type, `${where} ${order.key}`)} where ${where}${keyset}
      order by ${order.key} ${direction}, ${table.id} ${direction} limit ${most})`;
    return { type, condition, text };
  });
  const [nowhere] = unknown.reduce((all, some) => all.intersection(some));
  if (nowhere !== undefined)
    throw bad('invalidFilter', `No resource has an attribute ${quoted(nowhere)}.`);
  const count = async (): Promise<number> => {
    const counts = parts.map(({ type, condition }) => {
      const own = new Params(accountId);
      const filter = condition ? ` and ${conditionSql(condition, type, own)}` : '';
      const counting = { where: `${tableOf[type.name].where}${filter}`, params: own };
      return total(context, { type, condition, counting, anew: true });
    });
    return (await Promise.all(counts)).reduce((all, one) => all + one, 0);
  };
  let many = after?.[2] ?? null;
  for (const [at, order] of orders.entries())
    if (order.most !== null) {
      many ??= await count();
      requireFew(types[at]!, order, many);
    }
  const rows = await sql.query<{ type: string; id: string; key: string | Date }>(
    `select l.type, l.id, l.key from (${parts.map(({ text }) => text).join(' union all ')}) l
     order by l.key ${direction}, l.id ${direction} ${limitSql(request, skipped, params)}`,
    params.values,
    { anew: true },
  );
  const ends = rows.length <= request.count && request.count > 0;
  if (ends && !after && (rows.length > 0 || skipped === 0)) many = skipped + rows.length;
  many ??= await totalOfWalk(context, request, scope, rows.length, count);
  const page = rows.slice(0, request.count);
  const found = new Map<string, Listed['resources'][number]>();
  for (const type of types) {
    const ids = page.filter((row) => row.type === type.name).map(({ id }) => id);
    if (ids.length === 0) continue;
    const shown = projection(type, request.wanted);
    for (const resource of await readAll(sql, type, accountId, ids))
      found.set(String(resource['id']), { type, resource, shown });
  }
  const last = page.at(-1);
  return {
    total: many,
    startIndex: request.startIndex,
    resources: page.flatMap(({ id }) => found.get(id) ?? []),
    texts: null,
    nextCursor:
      request.cursor !== undefined && rows.length > request.count && last
        ? sealCursor(cursorKeys[0]!, scope, [keyText(last.key), last.id, many], now)
        : undefined,
  };
}

async function readAll(
  sql: Sql,
  type: ResourceType,
  accountId: string,
  ids: readonly string[],
): Promise<Resource[]> {
  const table = tableOf[type.name];
  const where = `${table.where} and ${table.id} = any ($2::uuid[])`;
  const text =
    type === users
      ? userPage(
          { groups: true, account: true },
          { where, key: 'a.began_at', direction: 'asc', limit: '' },
        )
      : `select ${groupColumns({ members: true })} from ${table.tables} where ${where}`;
  const rows = await sql.query<UserRow | GroupRow>(text, [accountId, ids]);
  return rows.map((row) =>
    type === users ? userResource(row as UserRow) : groupResource(row as GroupRow),
  );
}

/** Both columns go the same way: one index serves. */
function afterSql(
  order: Order,
  { id }: Table,
  [key, last]: Position,
  { descending }: ListRequest,
  params: Params,
): string {
  return `(${order.key}, ${id}) ${descending ? '<' : '>'}
    (${params.add(key, order.cast)}, ${params.add(last, 'uuid')})`;
}

/**
 * One more than is shown, to see whether there are more. As a number in the text: a plan for any number
 * of rows looks dear, and the statement would be planned anew each time.
 */
function limitSql({ count }: ListRequest, skipped: number, params: Params): string {
  const limit = `limit ${Math.trunc(count) + 1}`;
  return skipped === 0 ? limit : `${limit} offset ${params.add(skipped, 'int')}`;
}

function keyText(key: string | Date): string {
  return key instanceof Date ? key.toISOString() : key;
}

function scopeOf(
  { accountId }: ListContext,
  types: readonly ResourceType[],
  { filter, sortBy, descending }: ListRequest,
): string {
  return JSON.stringify([accountId, types.map(({ name }) => name), filter, sortBy, descending]);
}

function positionOf(
  { cursorKeys, now }: ListContext,
  scope: string,
  { cursor }: ListRequest,
): Position | null {
  return cursor ? openCursor(cursorKeys, scope, cursor, now) : null;
}

/** The same, of a list that is walked through by index: counted at its first page. */
async function totalOfWalk(
  { accountId, totals, now }: ListContext,
  { filter, startIndex, cursor }: ListRequest,
  scope: string,
  found: number,
  counted: () => Promise<number>,
): Promise<number> {
  if (!totals || filter === undefined || cursor !== undefined) return counted();
  const known = startIndex > 1 ? totals.known(accountId, scope, now) : null;
  // Where there is more than was known of, people came meanwhile.
  if (known !== null && known >= startIndex - 1 + found) return known;
  const many = await counted();
  totals.keep(accountId, scope, many, now);
  return many;
}

/** How many there are: of all users of an account it is known, of others counted. */
async function total(
  { sql, accountId }: ListContext,
  {
    type,
    condition,
    counting: { where, params },
    anew,
  }: Pick<ListPlan, 'type' | 'condition' | 'counting' | 'anew'>,
): Promise<number> {
  const [row] =
    condition === null && type === users
      ? await sql.query<{ total: number }>(
          `select coalesce(sum(people), 0)::int as total from affiliation_counts
           where account_id = $1`,
          [accountId],
        )
      : await sql.query<{ total: number }>(
          `select count(*)::int as total from ${tablesFor(type, where)} where ${where}`,
          params.values,
          { anew },
        );
  return row!.total;
}

/** To be counted, people need to be looked up only where the filter is about what stands there. */
function tablesFor({ name }: ResourceType, where: string): string {
  return name === 'User' && !/\bu\./.test(where) ? 'affiliations a' : tableOf[name].tables;
}

const accountAttributes = users.extensions.find(({ schema }) => schema.id === accountSchema)!.schema
  .attributes;

function attributeOf(type: ResourceType, name: string): Attribute {
  return type.attributes.find((one) => one.name === name)!;
}
