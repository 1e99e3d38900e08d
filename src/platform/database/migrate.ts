import { Migrator } from '@mikro-orm/migrations';
import type { SqlEntityManager } from '@mikro-orm/postgresql';
import type { Database } from './database.ts';
import type { Sql } from './sql.ts';

const advisoryLock = 7_268_411_590;

/**
 * Brings the schema up to date. MikroORM's migrator takes no lock of its own: four processes that
 * start at once would run each migration four times, and three would crash. PostgreSQL's advisory
 * lock lets one work and the rest find it done; the embedded database has one process anyway.
 *
 * Returns the names of the migrations that were run.
 */
export async function migrate(database: Database, folder: string): Promise<string[]> {
  const migrator = migratorOf(database, folder);
  return up(database, migrator);
}

async function up(database: Database, migrator: Migrator, only?: string[]): Promise<string[]> {
  const these = only && { migrations: only };
  if (database.kind === 'embedded') return (await migrator.up(these)).map(({ name }) => name);
  // A transaction of MikroORM's own: each migration is a part of it.
  return (database.orm.em.fork() as SqlEntityManager).transactional(async (em) => {
    await em.execute('set local statement_timeout = 0');
    await em.execute('set local lock_timeout = 0');
    await em.execute(`select pg_advisory_xact_lock(${advisoryLock})`);
    const run = await migrator.up({ ...these, transaction: em.getTransactionContext() });
    return run.map(({ name }) => name);
  });
}

/** The names of the migrations that have not been run yet. */
export async function pendingMigrations(database: Database, folder: string): Promise<string[]> {
  return (await migratorOf(database, folder).getPending()).map(({ name }) => name);
}

/** Every migration that this program has. */
export async function knownMigrations(database: Database, folder: string): Promise<string[]> {
  const pending = await pendingMigrations(database, folder);
  return [...new Set([...pending, ...(await executedMigrations(database))])];
}

/** The names of the migrations that were run, in their order. */
export async function executedMigrations(sql: Sql): Promise<string[]> {
  const [there] = await sql.query<{ there: boolean }>(
    "select to_regclass('public.schema_migrations') is not null as there",
  );
  if (!there!.there) return [];
  const rows = await sql.query<{ name: string }>('select name from schema_migrations order by id');
  return rows.map(({ name }) => name);
}

/** Makes the schema that these migrations make, on a database that has none. */
export async function migrateExactly(
  database: Database,
  folder: string,
  names: readonly string[],
): Promise<void> {
  await up(database, migratorOf(database, folder), [...names]);
}

function migratorOf(database: Database, folder: string): Migrator {
  database.orm.config.set('migrations', {
    ...database.orm.config.get('migrations'),
    path: folder,
    glob: 'Migration*.ts',
    tableName: 'schema_migrations',
    snapshot: false,
    allOrNothing: true,
    silent: true,
  });
  return new Migrator(database.orm.em as ConstructorParameters<typeof Migrator>[0]);
}
