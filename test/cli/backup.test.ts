import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { PGlite } from '@electric-sql/pglite';
import { expect } from 'vitest';
import { dump } from '#platform/database/backup.ts';
import type { Database } from '#platform/database/database.ts';
import { embeddedOver } from '#platform/database/embedded.ts';
import { parsers } from '#platform/database/types.ts';
import { it } from '#test/support/it.ts';
import { commands } from '../../src/cli/commands.ts';
import type { Ground } from '../../src/cli/ground.ts';
import { run } from '../../src/cli/run.ts';
import { entities } from '../../src/entities.ts';
import { emptyFolder } from './support.ts';

const migrationsFolder = join(import.meta.dirname, '..', '..', 'migrations');

/** A terminal on a machine with these databases. What a test opened the test closes. */
function machine(databases: Record<string, Database>) {
  const open = (name: string): Promise<Database> =>
    Promise.resolve({ ...databases[name]!, close: () => Promise.resolve() });
  return async (at: string, ...argv: string[]): Promise<{ status: number; said: string }> => {
    let said = '';
    const ground = {
      migrationsFolder,
      openDatabase: () => open(at),
      openDatabaseAt: (url) => open(url.replace(/^pglite:|^postgres:\/\//, '')),
    } as Ground;
    const told = (text: string): void => void (said += `${text}\n`);
    const status = await run(commands, argv, { api: {} as never, ground, out: told, err: told });
    return { status, said };
  };
}

async function linesOf(database: Database): Promise<string[]> {
  const lines: string[] = [];
  await dump(database, new Date(0), (line) => Promise.resolve(void lines.push(line)));
  return lines;
}

it('a backup puts everything back as it was, into an empty database and no other', async ({
  given,
  server,
}) => {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const ann = await given.user('ann@acme.example', {
    of: acme,
    familyName: `"O'\u00c9, \\N\t\u202e`,
  });
  await given.locked(ann, 'admin', 'Left.');
  await given.client();
  await given.terms('1');
  const there = server.app.foundation.database;
  const empty = await embeddedOver(await PGlite.create({ parsers }), entities);
  const at = machine({ there, empty });
  const file = join(emptyFolder(), 'ostiary.gz');
  try {
    const made = await at('there', 'backup', '--out', file);
    expect([made.status, made.said]).toEqual([0, expect.stringContaining('SECRET_KEY')]);
    expect((await at('there', 'backup', '--out', file)).said).toContain('(file_exists)');
    expect((await at('there', 'restore', file)).said).toContain('There is somebody in');

    // Nothing of what is not whole, or was changed on the way.
    const whole = gunzipSync(readFileSync(file)).toString();
    for (const [what, damaged] of [
      ['damaged', Buffer.from('this is no file of ours')],
      ['no backup', gzipSync('{"a":1}\n')],
      ['too early', gzipSync(whole.slice(0, whole.lastIndexOf('{"end"')))],
      ['not what was written', gzipSync(whole.replace('"Acme"', '"Beta"'))],
      ['newer version', gzipSync(whole.replace('_foundation"', '_foundation","Migration2099"'))],
    ] as const) {
      writeFileSync(`${file}.bad`, damaged);
      const refused = await at('empty', 'restore', `${file}.bad`);
      expect([what, refused.status, refused.said]).toEqual([
        what,
        1,
        expect.stringContaining(what),
      ]);
    }

    const restored = await at('empty', 'restore', file);
    expect([restored.status, restored.said]).toEqual([0, expect.stringContaining('Restored.')]);
    const [head, ...rows] = await linesOf(there);
    expect(await linesOf(empty)).toEqual([head, ...rows]);
    // What is made afterwards does not collide with what was put back.
    await empty.query(
      `insert into audit_events (at, actor, action) values (now(), '{}', 'user.added')`,
    );
    await expect(
      empty.query(`update users set account_id = gen_random_uuid() where id = $1`, [ann.id]),
    ).rejects.toThrow(/foreign key/);
    await expect(empty.query(`update terms_versions set version = '2'`)).rejects.toThrow(
      /append-only/,
    );
    expect((await at('', 'db', 'copy', '--from', 'pglite:nowhere', '--to', 'x')).status).toBe(1);
    const copied = await at('', 'db', 'copy', '--from', 'postgres://there', '--to', 'pglite:empty');
    expect(copied.said).toContain('There is somebody in the database already');
  } finally {
    await empty.close();
  }
}, 120_000);
