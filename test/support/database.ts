import { readFile } from 'node:fs/promises';
import { PGlite } from '@electric-sql/pglite';
import { inject } from 'vitest';
import type { Database } from '#platform/database/database.ts';
import { embeddedOver } from '#platform/database/embedded.ts';
import { openPostgres } from '#platform/database/postgres.ts';
import { parsers } from '#platform/database/types.ts';
import { entities } from '../../src/entities.ts';
import { administer, databaseUrl } from './template.ts';

/** What a reset leaves: what is the same in every installation and slow to make. */
const kept = new Set(['schema_migrations', 'signing_keys', 'app_secrets', 'roles']);

const own = globalThis as { ostiaryTestDatabase?: Promise<TestDatabase> };

export interface TestDatabase {
  database: Database;
  /** Where another process may reach it; null for the embedded one. */
  url: string | null;
  /** Empties every table. */
  reset(): Promise<void>;
}

/** The database of this worker: a migrated copy, opened once. */
export function testDatabase(): Promise<TestDatabase> {
  return (own.ostiaryTestDatabase ??= open());
}

async function open(): Promise<TestDatabase> {
  const templateUrl = inject('templateUrl');
  const url = templateUrl === null ? null : await clone(templateUrl);
  const database =
    url === null
      ? await embeddedOver(
          await PGlite.create({
            loadDataDir: new Blob([await readFile(inject('templateFile')!)]),
            parsers,
          }),
          entities,
        )
      : await openPostgres(url, entities, () => {});
  const tables = (
    await database.query<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'public'`,
    )
  )
    .map(({ name }) => name)
    .filter((name) => !kept.has(name));
  const [{ roles }] = (await database.query<{ roles: unknown }>(
    'select jsonb_agg(to_jsonb(r)) as roles from roles r where built_in',
  )) as [{ roles: unknown }];
  const findFilled = `select array_remove(array[${tables
    .map((name) => `case when exists (select from ${name}) then '${name}' end`)
    .join(', ')}], null) as filled`;
  return {
    database,
    url,
    async reset() {
      // Most tables are empty most of the time, and emptying one takes longer than looking.
      const [{ filled }] = (await database.query<{ filled: string[] }>(findFilled)) as [
        { filled: string[] },
      ];
      // Quicker than truncating; without triggers, because some tables refuse to forget.
      if (filled.length > 0)
        await database.query(`do $$ begin
          perform set_config('session_replication_role', 'replica', true);
          ${filled.map((name) => `delete from ${name};`).join(' ')}
        end $$`);
      // A role may belong to a client, so they go with the clients.
      await database.query('delete from roles where not built_in');
      await database.query(
        `insert into roles select * from jsonb_populate_recordset(null::roles, $1)
         on conflict do nothing`,
        [JSON.stringify(roles)],
      );
    },
  };
}

async function clone(templateUrl: string): Promise<string> {
  const template = new URL(templateUrl).pathname.slice(1);
  const name = `${inject('clonePrefix')}${process.pid}`;
  await administer(
    templateUrl,
    `drop database if exists ${name} with (force)`,
    `create database ${name} template ${template}`,
  );
  return databaseUrl(templateUrl, name);
}
