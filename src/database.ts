import type { Config } from '#config/schema.ts';
import type { Database } from '#platform/database/database.ts';
import { openEmbedded } from '#platform/database/embedded.ts';
import { openPostgres } from '#platform/database/postgres.ts';
import type { Log } from '#platform/observability/log.ts';
import { entities } from './entities.ts';

/** The database that the settings name. */
export function openDatabase({ database }: Pick<Config, 'database'>, log: Log): Promise<Database> {
  return database.kind === 'postgres'
    ? openPostgres(database.url, entities, (message) => log.warn({ message }, 'PostgreSQL'))
    : openEmbedded(database.folder, entities, (message) =>
        log.warn({ message }, 'embedded database'),
      );
}
