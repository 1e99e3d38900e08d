import { fork, type ChildProcess } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';

/** What a process of the bench can be asked to do, by name. */
export type Handlers = Record<string, (params: never) => unknown>;

interface Question {
  id: number;
  name: string;
  params: unknown;
}

interface Reply {
  id: number;
  result?: unknown;
  error?: string;
}

/** A process of the bench, seen from the one that started it. */
export interface Service {
  readonly pid: number;
  /** @param patience milliseconds after which it is taken for dead */
  call<Result>(name: string, params?: unknown, patience?: number): Promise<Result>;
  stop(): Promise<void>;
}

const usualPatience = 120_000;

/**
 * Starts `services/<name>.ts` as a process of its own. It ends when it is told to, and when the
 * process that started it is gone, however that came about.
 */
export function startService(
  name: string,
  { env = {}, execArgv = [] }: { env?: Record<string, string>; execArgv?: string[] } = {},
): Service {
  const child: ChildProcess = fork(join(import.meta.dirname, 'services', `${name}.ts`), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
    execArgv,
    serialization: 'advanced',
  });
  const waiting = new Map<number, (reply: Reply) => void>();
  let said = '';
  let asked = 0;
  child.stderr!.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  child.on('message', (reply: Reply) => {
    waiting.get(reply.id)?.(reply);
    waiting.delete(reply.id);
  });
  const ended = new Promise<void>((resolve) => {
    child.on('exit', (code, signal) => {
      for (const [id, answer] of waiting)
        answer({ id, error: `${name} ended (${signal ?? code}).\n${said}` });
      waiting.clear();
      resolve();
    });
  });

  return {
    pid: child.pid!,

    call<Result>(
      question: string,
      params: unknown = {},
      patience = usualPatience,
    ): Promise<Result> {
      return new Promise((resolve, reject) => {
        if (!child.connected) {
          reject(new Error(`${name} is gone.\n${said}`));
          return;
        }
        const id = (asked += 1);
        const late = setTimeout(() => {
          waiting.delete(id);
          reject(new Error(`${name} did not answer "${question}" within ${patience / 1000} s.`));
        }, patience);
        waiting.set(id, ({ error, result }) => {
          clearTimeout(late);
          if (error === undefined) resolve(result as Result);
          else reject(new Error(error));
        });
        child.send({ id, name: question, params } satisfies Question);
      });
    },

    async stop() {
      if (child.connected) child.disconnect();
      const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(late);
    },
  };
}

/** Answers the process that started this one; `end` is called when that is gone or says so. */
export function serveParent(handlers: Handlers, end: () => Promise<void> | void = () => {}): void {
  const known: Handlers = { ...handlers, ...profiling() };
  process.on('message', ({ id, name, params }: Question) => {
    void (async () => {
      const reply: Reply = { id };
      try {
        reply.result = await known[name]!(params as never);
      } catch (error) {
        reply.error = error instanceof Error ? (error.stack ?? error.message) : String(error);
      }
      if (process.connected) process.send!(reply);
    })();
  });
  // Ctrl-C reaches every process of the terminal: this one waits for the first to say goodbye.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {});
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), 8000).unref();
    Promise.resolve()
      .then(end)
      .then(
        () => process.exit(0),
        () => process.exit(1),
      );
  });
}

/** A CPU profile of what is measured alone: what comes before would drown it. */
function profiling(): Handlers {
  let session: Session | undefined;
  return {
    async profileFrom() {
      session = new Session();
      session.connect();
      await session.post('Profiler.enable');
      await session.post('Profiler.setSamplingInterval', { interval: 250 });
      await session.post('Profiler.start');
    },
    async profileTo({ file }: { file: string }) {
      const { profile } = await session!.post('Profiler.stop');
      session!.disconnect();
      await writeFile(file, JSON.stringify(profile));
    },
  };
}
