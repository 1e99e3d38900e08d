import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileCache } from '#test/platform/process.ts';
import type { TestServer } from '#test/support/server.ts';
import { apiClient } from '../../src/cli/api.ts';
import { commands } from '../../src/cli/commands.ts';
import type { Ground } from '../../src/cli/ground.ts';
import { run } from '../../src/cli/run.ts';

const file = join(import.meta.dirname, '..', '..', 'src', 'cli.ts');

export interface Ended {
  status: number | null;
  out: string;
  err: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test looks into it knows
  json(): any;
}

/** An empty folder: no settings and no data of this machine reach the command. */
export function emptyFolder(): string {
  return mkdtempSync(join(tmpdir(), 'ostiary-cli-'));
}

/** Begins the real command line, as a shell would. */
export function begin(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [file, ...args], {
    cwd: env['DATA_DIR'] ?? tmpdir(),
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...compileCache, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs the real command line to its end. */
export function ostiary(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = begin(args, env);
    let out = '';
    let err = '';
    child.stdout!.on('data', (data: Buffer) => (out += data.toString()));
    child.stderr!.on('data', (data: Buffer) => (err += data.toString()));
    child.on('error', reject);
    child.on('close', (status) =>
      resolve({ status, out, err, json: () => JSON.parse(out) as unknown }),
    );
  });
}

/**
 * Somebody at a terminal, with a token. In this process, over HTTP to the server: starting a program
 * costs half a second each time, and a few of these tests do.
 */
export function terminal(server: Pick<TestServer, 'url'>, token: string) {
  const api = apiClient(() => ({ url: server.url, token }));
  return async (line: string, ...more: string[]): Promise<Ended> => {
    const ended = { out: '', err: '', json: () => JSON.parse(ended.out) as unknown };
    const status = await run(commands, [...line.split(' '), ...more], {
      api,
      ground: {} as Ground,
      out: (text) => (ended.out += `${text}\n`),
      err: (text) => (ended.err += `${text}\n`),
    });
    return { ...ended, status };
  };
}
