import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { ExpectedLogout, LogoutMessage, VerifiedLogout } from './logout.ts';
import type { IdpMetadata } from './metadata.ts';
import { SamlRefused } from './refused.ts';
import type { Expected, VerifiedAssertion } from './verify.ts';
import type { Done, Job } from './worker.ts';

export interface SamlLimits {
  workers: number;
  /** How long one document may take, in milliseconds. */
  deadlineMs: number;
  /** How many may wait. */
  queue: number;
  /** What one worker may hold, in megabytes. */
  memoryMb: number;
  /** After so many milliseconds without work a thread is given back. */
  idleMs: number;
}

const limits: SamlLimits = {
  // One processor is left to everybody else.
  workers: Math.max(1, Math.min(2, availableParallelism() - 1)),
  deadlineMs: 3000,
  queue: 20,
  memoryMb: 192,
  idleMs: 5 * 60_000,
};

/** Parses and verifies SAML away from the event loop. */
export interface SamlVerifier {
  /** @param xml as `decodeMessage` gave it. @throws {SamlRefused} */
  verify(xml: string, expected: Expected): Promise<VerifiedAssertion>;
  /** @throws {SamlRefused} */
  logout(message: LogoutMessage, expected: ExpectedLogout): Promise<VerifiedLogout>;
  /** @throws {SamlRefused} */
  metadata(xml: string): Promise<IdpMetadata>;
  /** How much of a processor the last document took, in milliseconds. */
  readonly lastTook: number;
  stop(): Promise<void>;
}

interface Waiting {
  job: Job;
  settle(result: unknown): void;
  fail(error: Error): void;
}

interface Slot {
  worker: Worker;
  ready: boolean;
  current: Waiting | null;
  timer: NodeJS.Timeout | undefined;
}

/**
 * Two threads at most, started when there is something to do. One that takes longer than its
 * deadline, or more memory than it may, is ended and replaced; whoever sent the document is refused,
 * and nobody else notices (security.md 5.3, rule 2).
 */
export function samlVerifier(options: Partial<SamlLimits> = {}): SamlVerifier {
  const { workers, deadlineMs, queue, memoryMb, idleMs } = { ...limits, ...options };
  const waiting: Waiting[] = [];
  const slots = new Set<Slot>();
  let lastTook = 0;
  let stopped = false;

  function ask(job: Job): Promise<unknown> {
    if (stopped || waiting.length >= queue)
      return Promise.reject(new SamlRefused('busy', 'Too many documents wait to be verified.'));
    return new Promise((settle, fail) => {
      waiting.push({ job, settle, fail });
      serve();
    });
  }

  function serve(): void {
    for (const slot of slots) if (slot.ready && !slot.current) begin(slot);
    const starting = [...slots].filter(({ ready }) => !ready).length;
    if (waiting.length > starting && slots.size < workers) open();
  }

  function begin(slot: Slot): void {
    const next = waiting.shift();
    if (!next) return;
    clearTimeout(slot.timer);
    slot.current = next;
    slot.worker.ref();
    slot.timer = setTimeout(
      () =>
        drop(
          slot,
          new SamlRefused('deadline', `It took longer than ${deadlineMs / 1000} seconds.`),
        ),
      deadlineMs,
    );
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    slot.worker.postMessage(next.job);
  }

  function open(): void {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
    });
    const slot: Slot = { worker, ready: false, current: null, timer: undefined };
    slots.add(slot);
    worker.on('message', (message: 'ready' | Done) => {
      if (message === 'ready') slot.ready = true;
      else finish(slot, message);
      serve();
      if (!slot.current) rest(slot);
    });
    worker.on('error', (error) => {
      const tooMuch = (error as { code?: string }).code === 'ERR_WORKER_OUT_OF_MEMORY';
      drop(slot, tooMuch ? new SamlRefused('too_complex', 'It takes too much memory.') : error);
    });
  }

  function rest(slot: Slot): void {
    slot.worker.unref();
    slot.timer = setTimeout(() => drop(slot, new Error('It was not needed.')), idleMs);
    slot.timer.unref();
  }

  function finish(slot: Slot, { result, problem, error, took }: Done): void {
    const { current } = slot;
    clearTimeout(slot.timer);
    slot.current = null;
    lastTook = took;
    if (problem) current?.fail(new SamlRefused(problem.code, problem.message));
    else if (error !== undefined) current?.fail(new Error(`The SAML worker failed: ${error}`));
    else current?.settle(result);
  }

  function drop(slot: Slot, error: Error): void {
    clearTimeout(slot.timer);
    if (!slots.delete(slot)) return;
    slot.current?.fail(error);
    slot.current = null;
    void slot.worker.terminate();
    // A thread that cannot even start must not be started for ever.
    if (!slot.ready && !stopped) for (const one of waiting.splice(0)) one.fail(error);
    serve();
  }

  return {
    verify: (xml, expected) =>
      ask({ kind: 'response', xml, expected }) as Promise<VerifiedAssertion>,
    logout: (message, expected) =>
      ask({ kind: 'logout', message, expected }) as Promise<VerifiedLogout>,
    metadata: (xml) => ask({ kind: 'metadata', xml }) as Promise<IdpMetadata>,
    get lastTook() {
      return lastTook;
    },
    async stop() {
      stopped = true;
      for (const one of waiting.splice(0)) one.fail(new SamlRefused('busy', 'The server stops.'));
      await Promise.all(
        [...slots].map(async (slot) => {
          slots.delete(slot);
          clearTimeout(slot.timer);
          slot.current?.fail(new SamlRefused('busy', 'The server stops.'));
          await slot.worker.terminate();
        }),
      );
    },
  };
}
