import { passwordHasher } from '#platform/password-hash.ts';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadConfig } from '#config/load.ts';
import type { Config } from '#config/schema.ts';
import type { Database } from '#platform/database/database.ts';
import { describeError, type Log } from '#platform/observability/log.ts';
import { samlVerifier, type SamlVerifier } from '#platform/saml/verifier.ts';
import { openPostgres } from '#platform/database/postgres.ts';
import { createApp, type App, type AppOptions } from '../../src/app.ts';
import { entities } from '../../src/entities.ts';
import { Agent } from './agent.ts';
import { testDatabase } from './database.ts';
import { World } from './world.ts';

/** A clock that a test can move. */
export interface TestClock {
  (): Date;
  advance(seconds: number): void;
}

export function testClock(): TestClock {
  let ahead = 0;
  const clock = () => new Date(Date.now() + ahead);
  return Object.assign(clock, {
    advance(seconds: number) {
      ahead += seconds * 1000;
    },
  });
}

export interface TestServer {
  url: string;
  app: App;
  given: World;
  clock: TestClock;
  /** What was logged as an error: a test that is not about errors finds nothing here. */
  errors: unknown[];
  agent(options?: { cookies?: boolean }): Agent;
  close(): Promise<void>;
}

/** The threads that verify SAML documents take longer to start than a server: one pool for all. */
const saml = sharedVerifier();

function sharedVerifier(): SamlVerifier {
  const shared = samlVerifier();
  return {
    verify: (xml, expected) => shared.verify(xml, expected),
    logout: (message, expected) => shared.logout(message, expected),
    metadata: (xml) => shared.metadata(xml),
    get lastTook() {
      return shared.lastTook;
    },
    stop: () => Promise.resolve(),
  };
}

/**
 * What a password costs is paid thousands of times here and proves nothing: tests about its time or
 * its strength bring the real one, `passwordHasher()`.
 */
const cheap = passwordHasher({ cost: { memory: 64, passes: 1 } });

/** The whole program, listening on a port of its own, over the given database. */
export async function startServer(
  database: Database,
  options: Partial<Omit<AppOptions, 'database' | 'config'>> & { config?: Partial<Config> } = {},
): Promise<TestServer> {
  const server: Server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const clock = testClock();
  const errors: unknown[] = [];
  const config: Config = {
    ...loadConfig({ NODE_ENV: 'test', SECRET_KEY: Buffer.alloc(32, 7).toString('base64') }),
    issuer: url,
    ...options.config,
  };
  const app = await createApp({
    clock,
    saml,
    log: testLog(errors),
    hasher: cheap,
    ...options,
    config,
    database,
  });
  server.on('request', (request, response) => app.listener(request, response));
  // Applications are looked up anew by each test; a real server hears of changes by itself.
  const given = new World(app.foundation, () => database.notify('ostiary_clients', ''), app.hasher);
  return {
    url,
    app,
    given,
    clock,
    errors,
    agent: (agentOptions) => new Agent(url, agentOptions),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await app.stop();
    },
  };
}

/**
 * Another process of the same installation: on PostgreSQL it has connections of its own, so that
 * nothing is shared but what is committed. On the embedded database it shares those of the first.
 */
export async function startAnother(): Promise<TestServer> {
  const { database, url } = await testDatabase();
  const own = url === null ? database : await openPostgres(url, entities, () => {});
  const other = await startServer(own);
  return {
    ...other,
    async close() {
      await other.close();
      if (own !== database) await own.close();
    },
  };
}

function testLog(errors: unknown[]): Log {
  const keep = (details: unknown, message?: unknown): void => {
    const { error } = (details ?? {}) as { error?: unknown };
    errors.push({ message, error: error ? describeError(error) : details });
    if (process.env['TEST_LOG']) process.stderr.write(`${JSON.stringify(errors.at(-1))}\n`);
  };
  const quiet = (): void => {};
  return { info: quiet, debug: quiet, warn: quiet, error: keep, fatal: keep };
}
