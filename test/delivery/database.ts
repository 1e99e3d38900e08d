import { PGlite } from '@electric-sql/pglite';
import { embeddedOver } from '#platform/database/embedded.ts';
import type { Database } from '#platform/database/database.ts';
import { migrate } from '#platform/database/migrate.ts';
import { parsers } from '#platform/database/types.ts';

/** A database of its own, in memory, migrated. */
export async function memoryDatabase(): Promise<Database> {
  const database = await embeddedOver(await PGlite.create({ parsers }), []);
  await migrate(database, 'migrations');
  return database;
}
