import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { loadConfig } from '#config/load.ts';
import type { Config } from '#config/schema.ts';
import { seedDemo, type Demo } from '#config/demo.ts';
import type { Database } from '#platform/database/database.ts';
import { migrate } from '#platform/database/migrate.ts';
import { log as makeLog, type Log } from '#platform/observability/log.ts';
import { createApp } from './app.ts';
import { troubleOf } from './cli/trouble.ts';
import { corporateIdp, type CorporateIdp } from './http/dev/corporate-idp.ts';
import { openDatabase } from './database.ts';

/** Where the migrations are, whatever the working directory is. */
export const migrationsFolder = join(import.meta.dirname, '..', 'migrations');

/**
 * The server: settings, database, schema, demo, listen; and on SIGTERM no new requests, those under
 * way finished, everything closed. With WORKERS above one, the first process only looks after the
 * others.
 */
export async function serve(config: Config = loadConfig()): Promise<void> {
  const log = makeLog(config.logLevel);
  process.on('unhandledRejection', (error) => {
    log.error({ error }, 'a promise was rejected and nobody looked');
  });
  if (cluster.isPrimary) await requireFreePort(config);
  if (config.workers > 1 && cluster.isPrimary) return supervise(config, log);

  const database = await openDatabase(config, log);
  if (cluster.isPrimary) await prepare(database, config, log);
  const app = await createApp({ config, database, log });
  const demo = config.demo && cluster.isPrimary ? await seedDemo(app, config) : null;
  await app.start();
  const corporate = demo && (await startCorporateIdp(config, demo, log));

  const server = createServer(
    {
      requestTimeout: 30_000,
      headersTimeout: 15_000,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 32_768,
    },
    (request, response) => app.listener(request, response),
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, resolve);
  });
  log.info({ issuer: config.issuer, database: database.kind }, 'ready');
  if (cluster.isPrimary) greet(config, demo);

  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    const late = setTimeout(() => process.exit(1), 15_000);
    late.unref();
    server.close();
    server.closeIdleConnections();
    const finished = new Promise<void>((resolve) => server.once('close', resolve));
    setTimeout(() => server.closeAllConnections(), 8000).unref();
    finished
      .then(() => corporate?.close())
      .then(() => app.stop())
      .then(() => database.close())
      .then(() => process.exit(0))
      .catch((error: unknown) => {
        log.error({ error }, 'could not stop in order');
        process.exit(1);
      });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

/**
 * Asked before anything is made: a demo that is seeded has the address in it under which nobody
 * would find it.
 *
 * @throws `EADDRINUSE`, and whatever else stands against listening
 */
async function requireFreePort({ port, host }: Config): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host, exclusive: true }, resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}

/** What is done once, before anybody serves. */
async function prepare(database: Database, config: Config, log: Log): Promise<void> {
  const run = await migrate(database, migrationsFolder);
  if (run.length > 0)
    log.info({ migrations: run, database: config.database.kind }, 'schema brought up to date');
}

async function supervise(config: Config, log: Log): Promise<void> {
  const database = await openDatabase(config, log);
  await prepare(database, config, log);
  const app = await createApp({ config, database, log });
  const demo = config.demo ? await seedDemo(app, config) : null;
  await database.close();
  const corporate = demo && (await startCorporateIdp(config, demo, log));

  let stopping = false;
  for (let index = 0; index < config.workers; index += 1) cluster.fork();
  cluster.on('exit', (worker, code, signal) => {
    if (stopping) return lastOneOut();
    log.error({ worker: worker.id, code, signal }, 'a worker died and is replaced');
    setTimeout(() => stopping || cluster.fork(), 1000);
  });
  /** The workers finish what they began; what else listens here ends after them. */
  const lastOneOut = (): void => {
    if (Object.keys(cluster.workers ?? {}).length > 0) return;
    void Promise.resolve(corporate?.close()).finally(() => process.exit(0));
  };
  const stop = (signal: NodeJS.Signals): void => {
    stopping = true;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill(signal);
    lastOneOut();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  cluster.once('listening', () => greet(config, demo));
}

/** The provider of the demo's company. Without it the demo goes on: that company's people stay outside. */
async function startCorporateIdp(
  config: Config,
  demo: Demo,
  log: Log,
): Promise<CorporateIdp | null> {
  const { corporateIdp: kept, accounts } = demo;
  const globex = accounts.find(({ connection }) => connection);
  if (!kept || !globex) return null;
  const at = `${config.issuer}/federation/${globex.connection!.id}`;
  const provider = corporateIdp({
    issuer: kept.issuer,
    company: globex.name,
    client: {
      id: kept.client.client_id,
      secret: kept.client.client_secret,
      redirectUri: `${at}/callback`,
      signedOutUri: `${at}/signed-out`,
      backchannelLogoutUri: `${at}/backchannel-logout`,
    },
    users: kept.users,
  });
  try {
    await provider.listen(Number(new URL(kept.issuer).port), config.host);
    return provider;
  } catch (error) {
    log.warn(
      { error, issuer: kept.issuer },
      "the demo's corporate identity provider cannot listen",
    );
    return null;
  }
}

/** For the person at the terminal: where it is, and who to sign in as. */
function greet(config: Config, demo: Demo | null): void {
  const lines = [`Ostiary is at ${config.issuer}`];
  if (demo) {
    const [acme] = demo.accounts;
    lines.push(
      '',
      `Try a sign-in:       ${config.issuer}/dev/app`,
      `  as a person        ${acme!.users[0]!.email}   ${acme!.users[0]!.password}`,
      `  as a newcomer      ${acme!.newcomer!.email}   ${acme!.newcomer!.password}   (has terms to accept)`,
      `  as administrator   ${acme!.administrator.email}   ${acme!.administrator.password}`,
      ...(demo.corporateIdp
        ? [
            `  through a company  ${demo.corporateIdp.users[0]!.email}   ${demo.corporateIdp.users[0]!.password}   (at the company's own provider)`,
          ]
        : []),
      `Read the mails:      ${config.issuer}/dev/mailbox`,
      `Everything else:     ${join(config.dataDir, 'demo.json')}`,
    );
  }
  process.stdout.write(`\n${lines.join('\n')}\n\n`);
}

/** Why it could not start, for the person at the terminal: a stack only where it is our fault. */
export function whyNot(error: unknown): string {
  const trouble = troubleOf(error);
  if (!trouble)
    return `Ostiary could not start: ${error instanceof Error ? error.stack : String(error)}`;
  return trouble.code === 'file' ? `${trouble.message}. Look at DATA_DIR.` : trouble.message;
}

if (import.meta.main)
  serve().catch((error: unknown) => {
    process.stderr.write(`${whyNot(error)}\n`);
    process.exit(1);
  });
