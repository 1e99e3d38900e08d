import { Migrator } from '@mikro-orm/migrations';
import type { Database } from './database.ts';

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
  if (database.kind === 'embedded') return (await migrator.up()).map(({ name }) => name);
  return database.transaction(async (tx) => {
    await tx.query('set local statement_timeout = 0');
    await tx.query('set local lock_timeout = 0');
    await tx.query('select pg_advisory_xact_lock($1)', [advisoryLock]);
    const run = await migrator.up({ transaction: tx.em.getTransactionContext() });
    return run.map(({ name }) => name);
  });
}

/** The names of the migrations that have not been run yet. */
export async function pendingMigrations(database: Database, folder: string): Promise<string[]> {
  return (await migratorOf(database, folder).getPending()).map(({ name }) => name);
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
