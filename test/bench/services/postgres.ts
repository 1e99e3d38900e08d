import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serveParent } from '../service.ts';

/**
 * A PostgreSQL of the bench's own, in a temporary folder, with the settings it comes with: every
 * commit is on the disk before it is acknowledged. This process looks after it, so that it ends even
 * when the bench is killed.
 */

const installed = '/usr/lib/postgresql';
let folder: string | undefined;
let postgres: ChildProcess | undefined;

serveParent(
  {
    /** Its address, or null where no PostgreSQL is installed. */
    async start() {
      const [version] = existsSync(installed)
        ? readdirSync(installed)
            .filter((one) => existsSync(join(installed, one, 'bin', 'initdb')))
            .sort((a, b) => Number(b) - Number(a))
        : [];
      if (version === undefined) return null;
      const bin = join(installed, version, 'bin');
      // PostgreSQL refuses to run as root.
      const as = process.getuid?.() === 0 ? postgresUser() : null;
      folder = mkdtempSync(join(tmpdir(), 'ostiary-bench-'));
      if (as) chownSync(folder, as.uid, as.gid);
      const data = join(folder, 'data');
      execFileSync(
        join(bin, 'initdb'),
        ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'],
        { ...as, cwd: folder, stdio: 'pipe' },
      );
      const port = await freePort();
      postgres = spawn(
        join(bin, 'postgres'),
        ['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1'],
        { ...as, cwd: folder, stdio: 'ignore' },
      );
      for (let attempt = 0; !answers(bin, port); attempt += 1) {
        if (attempt > 200 || postgres.exitCode !== null)
          throw new Error('PostgreSQL did not start.');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      return {
        version,
        tcp: `postgres://postgres@127.0.0.1:${port}/postgres`,
        socket: `postgres://postgres@localhost:${port}/postgres?host=${encodeURIComponent(folder)}`,
      };
    },
  },
  async () => {
    if (postgres && postgres.exitCode === null) {
      const ended = new Promise((resolve) => postgres!.once('exit', resolve));
      // Immediate: nobody needs what is in it.
      postgres.kill('SIGQUIT');
      await ended;
    }
    if (folder) rmSync(folder, { recursive: true, force: true });
  },
);

function answers(bin: string, port: number): boolean {
  return spawnSync(join(bin, 'pg_isready'), ['-q', '-h', folder!, '-p', String(port)]).status === 0;
}

function postgresUser(): { uid: number; gid: number } {
  const id = (flag: string): number =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
