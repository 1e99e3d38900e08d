import { describeError, type Log } from './observability/log.ts';

/** Something that is done again and again until it is stopped. */
export interface Repeated {
  /** Does not wait for its time. */
  nudge(): void;
  /** Begins nothing more, and waits for what is under way. */
  stop(): Promise<void>;
}

/**
 * Does `work` at once, and then again a while after it ended; at once where it says that there is
 * more. What it throws is written to the log, and it is tried again at its time: a job that died
 * quietly would be missed weeks later.
 */
export function repeatedly(
  name: string,
  everyMs: number,
  work: (stopping: AbortSignal) => Promise<boolean | void>,
  log: Pick<Log, 'error'>,
): Repeated {
  const stopping = new AbortController();
  let wake = (): void => {};
  let nudged = false;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      nudged = false;
      let more: boolean | void = false;
      try {
        more = await work(stopping.signal);
      } catch (error) {
        if (!stopping.signal.aborted)
          log.error({ error: describeError(error), job: name }, 'a job failed');
      }
      if (more !== true && !nudged && !stopping.signal.aborted) await rest();
    }
  }

  function rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, everyMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  const running = run();
  return {
    nudge() {
      nudged = true;
      wake();
    },
    async stop() {
      stopping.abort();
      wake();
      await running;
    },
  };
}
