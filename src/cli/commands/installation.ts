import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../command.ts';
import { Refused } from '../refused.ts';

export const installationCommands: Command[] = [
  {
    noun: 'serve',
    verb: null,
    summary: 'Runs the server until it is told to stop.',
    async run(_given, { ground }) {
      await ground.serve();
      return { json: {}, text: '' };
    },
  },
  {
    noun: 'migrate',
    verb: null,
    summary: 'Brings the database up to date. The server does so itself when it starts.',
    options: { check: { summary: 'Only says what is to be done; exit status 1 when there is.' } },
    async run(given, { ground }) {
      const { database: where } = ground.config();
      if (given.on('check') && where.kind === 'embedded' && !existsSync(where.folder))
        return { json: { pending: null }, text: 'There is no database yet.', status: 1 };
      const [database, { migrate, pendingMigrations }] = await Promise.all([
        ground.openDatabase(),
        import('#platform/database/migrate.ts'),
      ]);
      try {
        if (!given.on('check')) {
          const run = await migrate(database, ground.migrationsFolder);
          const text =
            run.length > 0 ? run.map((name) => `Done: ${name}`).join('\n') : 'Up to date.';
          return { json: { run }, text };
        }
        const pending = await pendingMigrations(database, ground.migrationsFolder);
        const text = pending.length > 0 ? pending.join('\n') : 'Up to date.';
        return { json: { pending }, text, status: pending.length > 0 ? 1 : 0 };
      } finally {
        await database.close();
      }
    },
  },
  {
    noun: 'demo',
    verb: 'reset',
    summary: 'Throws the demo database away. The next start makes a new one.',
    async run(_given, { ground }) {
      const { production, database, dataDir } = ground.config();
      if (production) throw new Refused('permission_denied', 'There is no demo in production.');
      if (database.kind !== 'embedded')
        throw new Refused(
          'permission_denied',
          'DATABASE_URL names a PostgreSQL; only an embedded database is thrown away.',
        );
      const { lockFolder } = await import('#platform/database/folder-lock.ts');
      // Taken while it goes, so that no server starts on the half of it.
      const lock = lockFolder(database.folder);
      try {
        for (const path of [database.folder, `${database.folder}.new`, join(dataDir, 'demo.json')])
          rmSync(path, { recursive: true, force: true });
      } finally {
        lock.release();
      }
      for (const suffix of ['', '-journal'])
        rmSync(`${database.folder}.lock${suffix}`, { force: true });
      return { json: { removed: database.folder }, text: `Removed ${database.folder}.` };
    },
  },
];
