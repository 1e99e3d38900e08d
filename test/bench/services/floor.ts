import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Koa, { type Context } from 'koa';
import { Pool, type PoolClient } from 'pg';
import { parsers } from '#platform/database/types.ts';
import { statementName } from '#platform/database/sql.ts';
import { newId } from '#platform/ids.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import { groupSchema, userSchema } from '#identity/scim/schema.ts';
import { userPage } from '#identity/scim/user-page.ts';
import { ofAccount, userColumns, userTables, type UserRow } from '#identity/scim/user-record.ts';
import { serveParent } from '../service.ts';
import type { ScimPlace } from '../flows.ts';

/**
 * The floor under SCIM: the statements it takes, with the rows that have to be written beside, sent as
 * they are from Koa. No rules, no schema, no filter language, nothing checked.
 */

let pool: Pool;
let scim: ScimPlace;
let statements = 0;

serveParent(
  {
    async start(given: { url: string; scim: ScimPlace }) {
      scim = given.scim;
      pool = new Pool({
        connectionString: given.url,
        max: 10,
        types: {
          getTypeParser: ((oid: number) => parsers[oid] ?? ((text: string) => text)) as never,
        },
      });
      const app = new Koa();
      app.use((ctx) => answer(ctx));
      const server = createServer(app.callback());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return (server.address() as AddressInfo).port;
    },
    sample() {
      const { user, system } = process.cpuUsage();
      return { cpu: (user + system) / 1000, statements, rss: process.memoryUsage.rss() };
    },
  },
  () => pool.end(),
);

type Client = Pool | PoolClient;

async function run<Row>(client: Client, text: string, values: unknown[] = []): Promise<Row[]> {
  statements += 1;
  const { rows } = await client.query({ name: statementName(text), text, values });
  return rows as Row[];
}

async function transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } finally {
    client.release();
  }
}

const parts = { groups: true, account: true };
const columns = userColumns(parts);
/** By when they came; of whom `where` says, and `limit`. */
const page = (where: string, limit: string): string =>
  userPage(parts, {
    where: `${ofAccount} and ${where}`,
    key: 'a.began_at',
    direction: 'asc',
    limit,
  });

/** What was asked is kept here too, many requests in one statement. */
let recorded: object[] = [];

function record(row: object): void {
  recorded.push(row);
  if (recorded.length === 1) setTimeout(() => void keep(), 200).unref();
}

async function keep(): Promise<void> {
  const rows = JSON.stringify(recorded);
  recorded = [];
  await run(
    pool,
    `insert into scim_exchanges (id, token_id, account_id, at, duration_ms, method, target, kind,
       status, outcome, dialect, subjects, changes, request, dry_run)
     select r.id, r.token_id, $2::uuid, r.at, 1, r.method, r.target, 'floor', r.status, 'read', '{}',
       array[r.target], '[]', r.request, false
     from jsonb_to_recordset($1::jsonb) as r(id uuid, token_id uuid, at timestamptz, method text,
       target text, status int, request jsonb)`,
    [rows, scim.accountId],
  );
}

async function answer(ctx: Context): Promise<void> {
  const [, secret = ''] = ctx.get('authorization').split(' ');
  const [token] = await run<{ id: string }>(
    pool,
    `select t.id, a.status from scim_tokens t join accounts a on a.id = t.account_id
     where t.secret_hash = $1 and t.revoked_at is null`,
    [secretHash(secret)],
  );
  await carryOut(ctx);
  record({
    id: newId(),
    token_id: token!.id,
    at: new Date(),
    method: ctx.method,
    target: ctx.url,
    status: ctx.status,
    request: (ctx.state as { body?: unknown }).body ?? null,
  });
}

async function carryOut(ctx: Context): Promise<void> {
  const [, kind, id] = ctx.path.slice('/scim/v2'.length).split('/');
  ctx.type = 'application/scim+json';
  if (kind === 'Groups') return groups(ctx, id);
  if (ctx.method === 'POST') return create(ctx);
  if (ctx.method === 'PATCH') return patch(ctx, id!);
  if (id !== undefined) {
    const [row] = await run<UserRow>(
      pool,
      `select ${columns} from ${userTables} where ${ofAccount} and a.id = $2`,
      [scim.accountId, id],
    );
    ctx.body = JSON.stringify(shown(row!));
    return undefined;
  }
  return list(ctx);
}

function shown(row: UserRow): unknown {
  return {
    schemas: [userSchema],
    id: row.id,
    externalId: row.externalId,
    meta: {
      resourceType: 'User',
      created: row.created.toISOString(),
      lastModified: row.modified.toISOString(),
      version: `W/"${row.version}"`,
      location: `http://localhost/scim/v2/Users/${row.id}`,
    },
    userName: row.userName,
    name: { familyName: row.familyName, givenName: row.givenName },
    displayName: row.displayName,
    title: row.title,
    active: row.active,
    emails: row.emails,
    groups: row.groups,
    'urn:ostiary:params:scim:schemas:extension:account:1.0:User': {
      lockReasons: row.locks,
      lastLogin: row.lastLogin,
      emailVerified: row.emailVerified,
      termsAcceptedAt: row.termsAcceptedAt,
      entitlementCountry: row.entitlementCountry,
    },
  };
}

async function list(ctx: Context): Promise<void> {
  const { filter, count = '100', cursor } = ctx.query as Record<string, string>;
  const limit = Number(count);
  const order = 'order by a.began_at, a.id';
  let rows: UserRow[];
  let total: number;
  const [, operator, value = ''] = /^userName (eq|sw|co) "(.*)"$/.exec(filter ?? '') ?? [];
  if (operator === 'eq') {
    rows = await run(
      pool,
      `select ${columns} from ${userTables} where ${ofAccount} and a.user_name_key = $2 ${order}`,
      [scim.accountId, value],
    );
    total = rows.length;
  } else if (operator) {
    const condition =
      operator === 'sw'
        ? `a.user_name_key >= $2 and a.user_name_key < $2 || U&'\\+10FFFF'`
        : `a.user_name_key like '%' || $2 || '%'`;
    statements += 2;
    const [found, counted] = await Promise.all([
      pool.query(page(condition, `limit ${limit + 1}`), [scim.accountId, value]),
      pool.query(
        `select count(*)::int as total from ${userTables} where ${ofAccount} and ${condition}`,
        [scim.accountId, value],
      ),
    ]);
    rows = found.rows as UserRow[];
    total = (counted.rows[0] as { total: number }).total;
  } else {
    const [created, id] = cursor
      ? (JSON.parse(Buffer.from(cursor, 'base64url').toString()) as [string, string])
      : [new Date(0).toISOString(), '00000000-0000-0000-0000-000000000000'];
    const [found, [counted]] = await Promise.all([
      run<UserRow>(
        pool,
        page('(a.began_at, a.id) > ($2::timestamptz, $3::uuid)', 'limit $4::int'),
        [scim.accountId, created, id, limit + 1],
      ),
      run<{ total: number }>(
        pool,
        'select sum(people)::int as total from affiliation_counts where account_id = $1',
        [scim.accountId],
      ),
    ]);
    rows = found;
    total = counted!.total;
  }
  const resources = rows.slice(0, limit);
  const last = resources.at(-1);
  ctx.body = JSON.stringify({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: total,
    itemsPerPage: resources.length,
    ...(cursor !== undefined &&
      rows.length > limit &&
      last && {
        nextCursor: Buffer.from(JSON.stringify([last.created.toISOString(), last.id])).toString(
          'base64url',
        ),
      }),
    Resources: resources.map(shown),
  });
}

async function bodyOf<T>(ctx: Context): Promise<T> {
  const chunks: Buffer[] = [];
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = JSON.parse(Buffer.concat(chunks).toString()) as T;
  (ctx.state as { body?: T }).body = body;
  return body;
}

/** As if it were sealed: nobody else is to work on what was written here. */
const audit = `insert into audit_events (at, account_id, actor, action, target_type, target_id, details, hash)
  select $1, $2::uuid, '{}', r.action, 'user', r.id, '{}', 'floor'
  from jsonb_to_recordset($3::jsonb) as r(action text, id text)`;

/** Who is new, with the way to a first password, and the mail that leads there. */
async function create(ctx: Context): Promise<void> {
  const user = await bodyOf<{
    userName: string;
    externalId: string;
    name: { givenName: string; familyName: string };
  }>(ctx);
  const now = new Date();
  const [userId, id] = [newId(), newId()];
  const [written] = await transaction(async (client) => {
    await run(
      client,
      `insert into users (id, email, email_display, given_name, family_name, identity, source,
         affiliation, account_id, created_at, updated_at)
       values ($1, $2, $2, $3, $4, 'invited', 'scim', 'member', $5, $6, $6)`,
      [userId, user.userName, user.name.givenName, user.name.familyName, scim.accountId, now],
    );
    const made = await run<{ version: number }>(
      client,
      `insert into affiliations (id, user_id, account_id, reason, began_at, external_id, attributes)
       values ($1, $2, $3, 'floor', $4, $5, '{"enterprise": {"department": "Bridges"}}')
       returning version`,
      [id, userId, scim.accountId, now, user.externalId],
    );
    await run(
      client,
      `insert into one_time_tokens (id, purpose, user_id, secret_hash, created_at, expires_at)
       values ($1, 'activation', $2, $3, $4, $5)`,
      [newId(), userId, secretHash(newSecret()), now, new Date(now.getTime() + 86_400_000)],
    );
    await run(client, audit, [
      now,
      scim.accountId,
      JSON.stringify([
        { action: 'user.added', id: userId },
        { action: 'user.affiliated', id: userId },
      ]),
    ]);
    await run(
      client,
      `insert into outbox (kind, subject, payload, created_at, available_at, delivered_at)
       values ('mail', $1, '{}', $2, $2, $2)`,
      [userId, now],
    );
    return made;
  });
  ctx.status = 201;
  ctx.set('Location', `http://localhost/scim/v2/Users/${id}`);
  ctx.body = JSON.stringify({ ...user, id, meta: { version: `W/"${written!.version}"` } });
}

async function patch(ctx: Context, id: string): Promise<void> {
  const { Operations } = await bodyOf<{ Operations: { value: string }[] }>(ctx);
  const now = new Date();
  const row = await transaction(async (client) => {
    const [before] = await run<UserRow>(
      client,
      `select ${columns} from ${userTables} where ${ofAccount} and a.id = $2 for update of u, a`,
      [scim.accountId, id],
    );
    await run(
      client,
      `update affiliations set display_name = $2, display_name_key = folded($2), modified_at = $3,
         version = version + 1 where id = $1`,
      [id, Operations[0]!.value, now],
    );
    await run(client, audit, [
      now,
      scim.accountId,
      JSON.stringify([{ action: 'user.changed', id: before!.userId }]),
    ]);
    return before!;
  });
  ctx.body = JSON.stringify(shown(row));
}

async function groups(ctx: Context, id: string | undefined): Promise<void> {
  const now = new Date();
  if (id === undefined) {
    const { displayName } = await bodyOf<{ displayName: string }>(ctx);
    const made = newId();
    await run(
      pool,
      `insert into groups (id, account_id, name, source, created_at, updated_at)
       values ($1, $2, $3, 'scim', $4, $4)`,
      [made, scim.accountId, displayName, now],
    );
    ctx.status = 201;
    ctx.body = JSON.stringify({ schemas: [groupSchema], id: made, displayName });
    return;
  }
  const { Operations } = await bodyOf<{
    Operations: { op: string; value?: { value: string }[] }[];
  }>(ctx);
  await transaction(async (client) => {
    await run(client, 'select 1 from groups where id = $1 for update', [id]);
    const changed: { user_id: string }[] = [];
    for (const { op, value } of Operations)
      changed.push(
        ...(await run<{ user_id: string }>(
          client,
          op === 'add'
            ? `insert into group_members (group_id, user_id, added_at)
               select $1, a.user_id, $3 from affiliations a where a.id = any ($2::uuid[])
               on conflict do nothing returning user_id`
            : `delete from group_members m using affiliations a
               where m.group_id = $1 and a.user_id = m.user_id and $3::timestamptz is not null
                 and ($2::uuid[] is null or a.id = any ($2::uuid[])) returning m.user_id`,
          [id, value?.map((one) => one.value) ?? null, now],
        )),
      );
    await run(client, audit, [
      now,
      scim.accountId,
      JSON.stringify(changed.map((one) => ({ action: 'group.members', id: one.user_id }))),
    ]);
  });
  ctx.status = 204;
}
