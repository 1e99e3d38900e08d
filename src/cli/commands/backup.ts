import { once } from 'node:events';
import { createReadStream, createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { Database } from '#platform/database/database.ts';
import { systemClock } from '#platform/clock.ts';
import type { Command } from '../command.ts';
import type { Ground } from '../ground.ts';
import { Refused } from '../refused.ts';

const keyHint =
  'SECRET_KEY is not in it, and nothing that is sealed can be read without: keep both.';

/** Nobody reads any more what is written: why, the reader says. */
class Unread extends Error {}

/** Writes lines into a stream that is read at its own pace. */
function linesInto(stream: Writable): (line: string) => Promise<void> {
  return async (line) => {
    if (stream.destroyed) throw new Unread();
    if (!stream.write(`${line}\n`))
      await Promise.race([once(stream, 'drain'), once(stream, 'close')]);
  };
}

/** Hands the database to `reading`, line by line. When it returns, both have ended. */
async function dumped<T>(
  database: Database,
  lines: PassThrough,
  reading: Promise<T>,
): Promise<[rows: number, read: T]> {
  const { dump } = await import('#platform/database/backup.ts');
  const writing = dump(database, systemClock(), linesInto(lines)).finally(() => lines.end());
  const [wrote, read] = await Promise.allSettled([writing, reading.finally(() => lines.destroy())]);
  if (wrote.status === 'rejected' && !(wrote.reason instanceof Unread)) throw wrote.reason;
  if (read.status === 'rejected') throw read.reason;
  return [(wrote as PromiseFulfilledResult<number>).value, read.value];
}

/** The lines of a file, or of another database, as `load` reads them. */
function linesOf(stream: Readable): AsyncIterable<string> {
  return createInterface({ input: stream, crlfDelay: Infinity });
}

async function put(database: Database, ground: Ground, lines: AsyncIterable<string>) {
  const [{ load }, { migrate }] = await Promise.all([
    import('#platform/database/backup.ts'),
    import('#platform/database/migrate.ts'),
  ]);
  const rows = await load(database, ground.migrationsFolder, lines);
  return { rows, migrations: await migrate(database, ground.migrationsFolder) };
}

function said({ rows, migrations }: { rows: number; migrations: string[] }): string {
  return [
    `${rows} rows.`,
    ...migrations.map((name) => `Brought up to date: ${name}`),
    'See whether all is well with: ostiary doctor',
  ].join('\n');
}

export const backupCommands: Command[] = [
  {
    noun: 'backup',
    verb: null,
    summary: 'Writes the whole database into a file, as of one moment.',
    options: {
      out: { value: 'file', summary: 'Where to; there must be none yet.', required: true },
    },
    async run(given, { ground }) {
      const file = given.text('out')!;
      if (existsSync(file)) throw new Refused('file_exists', `There is a file ${file} already.`);
      const database = await ground.openDatabase();
      const unfinished = `${file}.part`;
      try {
        const lines = new PassThrough();
        const written = createWriteStream(unfinished, { mode: 0o600 });
        const [rows] = await dumped(database, lines, pipeline(lines, createGzip(), written));
        renameSync(unfinished, file);
        return { json: { file, rows }, text: `${rows} rows in ${file}. ${keyHint}` };
      } finally {
        rmSync(unfinished, { force: true });
        await database.close();
      }
    },
  },
  {
    noun: 'restore',
    verb: null,
    summary: 'Puts a backup into the database of the settings, which must be empty.',
    takes: [{ name: 'file', summary: 'What `ostiary backup` wrote.' }],
    async run(given, { ground }) {
      const [file] = given.args as [string];
      if (!existsSync(file)) throw new Refused('not_found', `There is no file ${file}.`);
      const database = await ground.openDatabase();
      const packed = createReadStream(file);
      const lines = createGunzip();
      // What is wrong with the file is told by whoever reads the lines.
      const unpacking = pipeline(packed, lines).catch((error: unknown) => error);
      try {
        const done = await put(database, ground, linesOf(lines));
        return { json: done, text: `Restored. ${said(done)}` };
      } catch (error) {
        packed.destroy();
        const damage = await unpacking;
        if (damage instanceof Error && 'code' in damage && String(damage.code).startsWith('Z_'))
          throw new Refused('damaged', `${file} is no backup, or it is damaged.`);
        throw error;
      } finally {
        await database.close();
      }
    },
  },
  {
    noun: 'db',
    verb: 'copy',
    summary: 'Copies a database into another, such as the embedded one into a PostgreSQL.',
    options: {
      from: { value: 'address', summary: 'pglite:<folder> or postgres://…', required: true },
      to: { value: 'address', summary: 'One that is empty.', required: true },
    },
    async run(given, { ground }) {
      const [from, to] = [given.text('from')!, given.text('to')!];
      for (const address of [from, to])
        if (!/^(pglite:.|postgres(ql)?:\/\/)/.test(address))
          throw new Refused(
            'invalid_value',
            `${address} is no pglite:<folder> and no postgres://…`,
          );
      if (from.startsWith('pglite:') && !existsSync(from.slice('pglite:'.length)))
        throw new Refused('not_found', `There is no database in ${from.slice('pglite:'.length)}.`);
      const source = await ground.openDatabaseAt(from);
      try {
        const target = await ground.openDatabaseAt(to);
        try {
          const lines = new PassThrough();
          const [, done] = await dumped(source, lines, put(target, ground, linesOf(lines)));
          return { json: done, text: `Copied. ${said(done)}` };
        } finally {
          await target.close();
        }
      } finally {
        await source.close();
      }
    },
  },
];
