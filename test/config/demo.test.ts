import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readDemo, seedDemo } from '#config/demo.ts';
import { loadConfig } from '#config/load.ts';
import { vault } from '#platform/secrets.ts';
import { testDatabase } from '#test/support/database.ts';
import { startServer } from '#test/support/server.ts';
import { serve, whyNot } from '../../src/main.ts';

const folder = mkdtempSync(join(tmpdir(), 'ostiary-demo-'));
afterAll(() => rmSync(folder, { recursive: true }));

const at = (port: number) =>
  loadConfig({ NODE_ENV: 'test', DATA_DIR: folder, PORT: String(port), DEMO: '1' });

describe('the demo', () => {
  it('follows to another address: who had no port 3000 begins again on 3001', async () => {
    const { database, reset } = await testDatabase();
    await reset();
    const server = await startServer(database, { config: { dataDir: folder } });
    try {
      const before = (await seedDemo(server.app, at(3000)))!;
      await database.query(
        `insert into federated_links (id, user_id, connection_id, issuer, subject, domain, how,
           linked_at, last_used_at)
         select gen_random_uuid(), u.id, c.id, c.issuer, 'gina', 'globex.example', 'test', now(), now()
         from connections c, users u where u.email = 'gina@globex.example'`,
      );
      const after = (await seedDemo(server.app, at(3001)))!;

      expect(after).toEqual(readDemo(folder));
      expect(statSync(join(folder, 'demo.json')).mode & 0o777).toBe(0o600);
      expect(after.issuer).toBe('http://localhost:3001');
      expect(after.corporateIdp!.issuer).toBe('http://localhost:3002');
      expect(after.clients['devApp']).toMatchObject({
        client_secret: before.clients['devApp']!['client_secret'],
        redirect_uri: 'http://localhost:3001/dev/app/callback',
        post_logout_redirect_uri: 'http://localhost:3001/dev/app',
      });
      // Nothing else is another: the same people, passwords, tokens, applications.
      const elsewhere = JSON.parse(
        JSON.stringify(before).replaceAll(':3001', ':3002').replaceAll(':3000', ':3001'),
      ) as typeof before;
      expect(after).toEqual(elsewhere);

      expect(
        await database.query(
          `select c.issuer, l.issuer as linked, a.metadata #>> '{redirect_uris,0}' as back
           from connections c join federated_links l on l.connection_id = c.id, clients a
           where a.id = 'dev-app'`,
        ),
      ).toEqual([
        {
          issuer: 'http://localhost:3002',
          linked: 'http://localhost:3002',
          back: 'http://localhost:3001/dev/app/callback',
        },
      ]);
      expect(await seedDemo(server.app, at(3001))).toEqual(after);
    } finally {
      await server.close();
    }
  });
});

describe('a server that cannot start', () => {
  it('makes nothing where its port is in use, and says so without a stack', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const empty = mkdtempSync(join(tmpdir(), 'ostiary-none-'));
    const { port } = other.address() as AddressInfo;
    try {
      const config = loadConfig({
        DATA_DIR: empty,
        PORT: String(port),
        LOG_LEVEL: 'silent',
        SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
      });
      const error: unknown = await serve(config).catch((reason: unknown) => reason);
      expect(whyNot(error)).toMatch(/^The port is in use: .*\. Set PORT\.$/);
      expect(readdirSync(empty)).toEqual([]);
    } finally {
      other.close();
      rmSync(empty, { recursive: true });
    }
  });

  it.for([
    [{ syscall: 'connect', code: 'ECONNREFUSED' }, 'DATABASE_URL'],
    [{ code: '28P01' }, 'DATABASE_URL'],
    [{ code: '3D000' }, 'DATABASE_URL'],
    [{ syscall: 'getaddrinfo', code: 'ENOTFOUND' }, 'HOST'],
    [{ syscall: 'mkdir', code: 'EACCES' }, 'DATA_DIR'],
  ] as const)('names what to look at: %o', ([error, setting]) => {
    const said = whyNot(Object.assign(new Error('it failed'), error));
    expect(said).toContain(setting);
    expect(said).not.toMatch(/\n\s+at /);
  });

  it('says that its key is another than what is kept was sealed with', () => {
    const sealed = vault([Buffer.alloc(32, 1)]).seal('told to nobody', 'a secret');
    const other = vault([Buffer.alloc(32, 2)]);
    let said = '';
    try {
      other.open(sealed, 'a secret');
    } catch (error) {
      said = whyNot(error);
    }
    expect(said).toBe('Nothing opens a secret: SECRET_KEY is not the one it was sealed with.');
  });
});
