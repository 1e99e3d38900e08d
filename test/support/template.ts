import { hash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { embeddedOver } from '#platform/database/embedded.ts';
import { migrate } from '#platform/database/migrate.ts';
import { openPostgres } from '#platform/database/postgres.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A dump of a migrated embedded database, or null. */
    templateFile: string | null;
    /** A migrated database on PostgreSQL to be cloned, or null. */
    templateUrl: string | null;
    /** What the names of this run's clones begin with. */
    clonePrefix: string;
  }
}

const migrations = join(import.meta.dirname, '..', '..', 'migrations');
const cache = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'ostiary');

/**
 * Migrates one database before all tests; each worker takes a copy. `TEST_DATABASE_URL` names a
 * PostgreSQL to use instead of the embedded database.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | void> {
  const url = process.env['TEST_DATABASE_URL'];
  project.provide('clonePrefix', `ostiary_test_${process.pid}_`);
  if (url) {
    const name = `ostiary_test_template_${process.pid}`;
    await administer(url, `drop database if exists ${name}`, `create database ${name}`);
    const templateUrl = databaseUrl(url, name);
    const database = await openPostgres(templateUrl, [], () => {});
    await migrate(database, migrations);
    await database.close();
    project.provide('templateUrl', templateUrl);
    project.provide('templateFile', null);
    return () => dropDatabases(url, `ostiary_test_${process.pid}_`, name);
  }
  project.provide('templateUrl', null);
  project.provide('templateFile', await embeddedTemplate());
}

/** Making a database takes seconds, so it is kept for as long as the migrations are the same. */
async function embeddedTemplate(): Promise<string> {
  const key = hash(
    'sha256',
    readdirSync(migrations)
      .sort()
      .map((file) => readFileSync(join(migrations, file), 'utf8'))
      .join('\0') + readFileSync('node_modules/@electric-sql/pglite/package.json', 'utf8'),
    'hex',
  ).slice(0, 16);
  const file = join(cache, `template-${key}.tar`);
  if (existsSync(file)) return file;
  mkdirSync(cache, { recursive: true });
  const pglite = await PGlite.create();
  const database = await embeddedOver(pglite, []);
  await migrate(database, migrations);
  const dump = await pglite.dumpDataDir('none');
  await database.close();
  writeFileSync(`${file}.${process.pid}`, Buffer.from(await dump.arrayBuffer()));
  renameSync(`${file}.${process.pid}`, file);
  return file;
}

/** Removes the template and what was cloned from it. */
async function dropDatabases(url: string, prefix: string, template: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl(url, 'postgres') });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>(
      'select datname from pg_database where starts_with(datname, $1) or datname = $2',
      [prefix, template],
    );
    for (const { datname } of rows)
      await client.query(`drop database if exists "${datname}" with (force)`);
  } finally {
    await client.end();
  }
}

export function databaseUrl(url: string, name: string): string {
  const renamed = new URL(url);
  renamed.pathname = `/${name}`;
  return renamed.href;
}

/** Sends statements that no transaction may hold. */
export async function administer(url: string, ...statements: string[]): Promise<void> {
  const client = new Client({ connectionString: databaseUrl(url, 'postgres') });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
