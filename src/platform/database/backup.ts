import { createHash } from 'node:crypto';
import type { Database, Transaction } from './database.ts';
import { executedMigrations, knownMigrations, migrateExactly } from './migrate.ts';
import type { Sql } from './sql.ts';

/**
 * A database as lines of text, whichever database it is: PostgreSQL or the embedded one.
 *
 *     {"ostiary":1,"at":"...","migrations":["Migration..."]}
 *     {"table":"users","columns":["id","email",...]}
 *     ["01a2...","ann@acme.example",...]              each value as PostgreSQL writes it, or null
 *     {"end":true,"rows":17,"sha256":"..."}           of all lines before
 *
 * What is sealed stays sealed: it is of no use without SECRET_KEY, which is not in it.
 */
const version = 1;
const atOnce = 500;

/** It cannot be taken or put back, and why. */
export class BackupProblem extends Error {
  override readonly name = 'BackupProblem';
}

interface Head {
  ostiary: number;
  at: string;
  migrations: string[];
}

/**
 * Hands out every row there is, as of one moment, while others go on. Returns how many.
 *
 * @param write waits until there is room for the next line.
 */
export async function dump(
  database: Database,
  now: Date,
  write: (line: string) => Promise<void>,
): Promise<number> {
  const hash = createHash('sha256');
  const tell = (value: unknown): Promise<void> => {
    const line = JSON.stringify(value);
    hash.update(`${line}\n`);
    return write(line);
  };
  return database.transaction(async (tx) => {
    await tx.query('set transaction isolation level repeatable read, read only');
    await takeTime(tx, database);
    const migrations = await executedMigrations(tx);
    if (migrations.length === 0) throw new BackupProblem('The database is empty.');
    await tell({ ostiary: version, at: now.toISOString(), migrations } satisfies Head);
    let total = 0;
    for (const { table, columns } of await tablesOf(tx)) {
      await tell({ table, columns: columns.map(({ name }) => name) });
      const values = columns.map(({ name }) => `${quoted(name)}::text`).join(', ');
      await tx.query(
        `declare page no scroll cursor for
         select jsonb_build_array(${values})::text as line from ${quoted(table)}`,
      );
      for (;;) {
        const rows = await tx.query<{ line: string }>(`fetch ${atOnce} from page`);
        for (const { line } of rows) await tell(JSON.parse(line));
        total += rows.length;
        if (rows.length < atOnce) break;
      }
      await tx.query('close page');
    }
    await write(JSON.stringify({ end: true, rows: total, sha256: hash.digest('hex') }));
    return total;
  });
}

/**
 * Puts lines back into a database that nobody is in: the schema as it was then, and every row, or
 * nothing. What the schema has become since is for `migrate`, afterwards.
 *
 * @throws {BackupProblem} where somebody is in it, the lines are not whole, or newer than this program
 */
export async function load(
  database: Database,
  folder: string,
  lines: AsyncIterable<string>,
): Promise<number> {
  const reading = lines[Symbol.asyncIterator]();
  const hash = createHash('sha256');
  const next = async (): Promise<unknown> => {
    const { value, done } = await reading.next();
    if (done === true) throw new BackupProblem('The backup ends too early.');
    try {
      const read = JSON.parse(value) as unknown;
      if (!isEnd(read)) hash.update(`${value}\n`);
      return read;
    } catch {
      throw new BackupProblem('This is no backup of Ostiary, or it is damaged.');
    }
  };
  const head = (await next()) as Partial<Head> | null;
  if (head?.ostiary !== version || !Array.isArray(head.migrations))
    throw new BackupProblem('This is no backup of Ostiary.');
  await makeSchema(database, folder, head.migrations);

  return database.transaction(async (tx) => {
    await takeTime(tx, database);
    const tables = new Map((await tablesOf(tx)).map((one) => [one.table, one.columns]));
    const keys = await foreignKeys(tx);
    for (const { table, name } of keys)
      await tx.query(`alter table ${table} drop constraint ${quoted(name)}`);
    for (const table of tables.keys()) {
      await tx.query(`alter table ${quoted(table)} disable trigger user`);
      await tx.query(`delete from ${quoted(table)}`);
    }

    let into: ((rows: readonly unknown[]) => Promise<void>) | null = null;
    let waiting: unknown[] = [];
    let total = 0;
    let line = await next();
    for (; !isEnd(line); line = await next()) {
      const row = Array.isArray(line);
      if (row) waiting.push(line);
      if (into && (waiting.length === atOnce || !row)) {
        await into(waiting);
        total += waiting.length;
        waiting = [];
      }
      if (!row) into = intoTable(tx, tables, line);
    }
    if (into) await into(waiting);
    total += waiting.length;
    if (line.rows !== total || line.sha256 !== hash.digest('hex'))
      throw new BackupProblem('The backup is damaged: it is not what was written.');

    for (const table of tables.keys())
      await tx.query(`alter table ${quoted(table)} enable trigger user`);
    for (const { table, name, definition } of keys)
      await tx.query(`alter table ${table} add constraint ${quoted(name)} ${definition}`);
    for (const [table, columns] of tables)
      for (const { name, counted } of columns)
        if (counted)
          await tx.query(
            `select setval(pg_get_serial_sequence($1, $2),
               greatest((select max(${quoted(name)}) from ${quoted(table)}), 1))`,
            [table, name],
          );
    return total;
  });
}

interface End {
  end: true;
  rows: number;
  sha256: string;
}

function isEnd(line: unknown): line is End {
  return typeof line === 'object' && line !== null && 'end' in line;
}

/** @throws {BackupProblem} */
async function makeSchema(
  database: Database,
  folder: string,
  migrations: readonly string[],
): Promise<void> {
  const known = new Set(await knownMigrations(database, folder));
  const unknown = migrations.filter((name) => !known.has(name));
  if (unknown.length > 0)
    throw new BackupProblem(`The backup is of a newer version: ${unknown.join(', ')}.`);
  const there = await executedMigrations(database);
  if (there.length === 0) return migrateExactly(database, folder, migrations);
  const [full] = await database.query(
    'select 1 where exists (select from accounts) or exists (select from users)',
  );
  if (full)
    throw new BackupProblem('There is somebody in the database already. It stays as it is.');
  if (there.length !== migrations.length || !there.every((name) => migrations.includes(name)))
    throw new BackupProblem(
      'The database has tables of another version. Put the backup into one that has none.',
    );
}

/** A statement here may take as long as it takes. */
async function takeTime(tx: Transaction, { kind }: Database): Promise<void> {
  if (kind === 'embedded') return;
  for (const limit of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'])
    await tx.query(`set local ${limit} = 0`);
}

interface Column {
  name: string;
  type: string;
  /** It counts by itself. */
  counted: boolean;
}

/** Every table but the one that says which migrations were run. */
async function tablesOf(sql: Sql): Promise<{ table: string; columns: Column[] }[]> {
  return sql.query(
    `select c.relname as table, jsonb_agg(jsonb_build_object('name', a.attname,
       'type', format_type(a.atttypid, a.atttypmod), 'counted', a.attidentity <> '')
       order by a.attnum) as columns
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
       and c.relname <> 'schema_migrations'
       and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
     group by c.relname order by c.relname`,
  );
}

function foreignKeys(sql: Sql): Promise<{ table: string; name: string; definition: string }[]> {
  return sql.query(
    `select conrelid::regclass::text as table, conname as name,
       pg_get_constraintdef(oid) as definition
     from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace
     order by 1, 2`,
  );
}

/** @throws {BackupProblem} */
function intoTable(
  tx: Transaction,
  tables: ReadonlyMap<string, readonly Column[]>,
  line: unknown,
): (rows: readonly unknown[]) => Promise<void> {
  const { table, columns } = line as { table?: string; columns?: string[] };
  const types = tables.get(table ?? '');
  const cast = columns?.map((name, index) => {
    const known = types?.find((one) => one.name === name);
    return known && `(r ->> ${index})::${known.type}`;
  });
  if (!cast || cast.includes(undefined))
    throw new BackupProblem(`The backup has what there is no place for: ${String(table)}.`);
  const statement = `
    insert into ${quoted(table!)} (${columns!.map(quoted).join(', ')}) overriding system value
    select ${cast.join(', ')} from jsonb_array_elements($1::jsonb) r`;
  return async (rows) => {
    if (rows.length > 0) await tx.query(statement, [JSON.stringify(rows)]);
  };
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
