#!/usr/bin/env node
import { join } from 'node:path';
import { databaseAt, loadApiSettings, loadConfig } from '#config/load.ts';
import { apiClient } from './cli/api.ts';
import { commands } from './cli/commands.ts';
import { run } from './cli/run.ts';

// What is heavy is loaded by the commands that need it.
const status = await run(commands, process.argv.slice(2), {
  api: apiClient(() => loadApiSettings()),
  ground: {
    config: () => loadConfig(),
    async openDatabase() {
      const [{ openDatabase }, { log }] = await Promise.all([
        import('./database.ts'),
        import('#platform/observability/log.ts'),
      ]);
      return openDatabase(loadConfig(), log('silent'));
    },
    async openDatabaseAt(url) {
      const [{ openDatabase }, { log }] = await Promise.all([
        import('./database.ts'),
        import('#platform/observability/log.ts'),
      ]);
      return openDatabase({ database: databaseAt(url) }, log('silent'));
    },
    migrationsFolder: join(import.meta.dirname, '..', 'migrations'),
    async serve() {
      const { serve } = await import('./main.ts');
      await serve();
      // It runs until a signal comes, and then ends the process itself.
      await new Promise(() => {});
    },
  },
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
});
process.exitCode = status;
// A server that could not start leaves open what it began: it would stay, and serve nobody.
if (status !== 0 && process.argv[2] === 'serve') process.exit();
