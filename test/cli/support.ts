import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
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
