import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** A process that starts takes its compiled sources from here: a quarter of what its start costs. */
export const compileCache = {
  NODE_COMPILE_CACHE: join(root, 'node_modules', '.cache', 'ostiary-compiled'),
};

/** The server as it runs: a process of its own. */
export interface ServerProcess {
  url: string;
  child: ChildProcess;
  /** What it wrote so far. */
  output(): string;
  /** Resolves with how it ended. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Starts a process; whether it comes up is another question: `ready`. */
export function spawnServer(port: number, settings: Record<string, string>): ServerProcess {
  let written = '';
  const child = spawn(process.execPath, [join(root, 'src', 'main.ts')], {
    cwd: root,
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      ...compileCache,
      NODE_ENV: 'development',
      PORT: String(port),
      ISSUER: `http://localhost:${port}`,
      LOG_LEVEL: 'info',
      SECRET_KEY: Buffer.alloc(32, 7).toString('base64'),
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (written += chunk.toString()));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  );
  return {
    url: `http://localhost:${port}`,
    child,
    output: () => written,
    ended,
    kill(signal) {
      child.kill(signal);
      return ended;
    },
  };
}

/** Waits until it serves. */
export async function ready(server: ServerProcess, withinSeconds = 60): Promise<ServerProcess> {
  let over = false;
  void server.ended.then(() => (over = true));
  for (const deadline = Date.now() + withinSeconds * 1000; Date.now() < deadline;) {
    if (over) throw new Error(`It ended:\n${server.output()}`);
    const answer = await fetch(`${server.url}/readyz`).catch(() => null);
    if (answer?.status === 200) return server;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Not ready in time:\n${server.output()}`);
}
