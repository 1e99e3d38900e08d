import { test } from 'vitest';
import type { Agent } from './agent.ts';
import { startServer, type TestServer } from './server.ts';
import { testDatabase } from './database.ts';
import type { World } from './world.ts';

interface Fixtures {
  server: TestServer;
  given: World;
  /** A browser without a screen. */
  browser: Agent;
  /** A program that calls us. */
  program: Agent;
}

/**
 * `it`, with a running server and an empty world for those who ask for one:
 * `it('...', async ({ given, browser }) => ...)`. A test that asks for none pays for none.
 */
export const it = test.extend<Fixtures>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads what a fixture needs from the pattern
  server: async ({}, use) => {
    const { database, reset } = await testDatabase();
    await reset();
    const server = await startServer(database);
    await use(server);
    await server.close();
  },
  given: async ({ server }, use) => {
    await use(server.given);
  },
  browser: async ({ server }, use) => {
    await use(server.agent());
  },
  program: async ({ server }, use) => {
    await use(server.agent({ cookies: false }));
  },
});
