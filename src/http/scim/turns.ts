import { ScimError } from '#identity/scim/error.ts';

export interface Turns {
  /**
   * Runs it when it is its turn.
   *
   * @param who waits in line with their own alone
   * @throws {ScimError} 429 where too many wait already
   */
  take<T>(who: string, run: () => Promise<T>): Promise<T>;
}

/** When a client that was sent away may ask again, in seconds. */
const retryAfter = 15;

/**
 * So many at once, and the others one after the other: of all who wait each is served in turn, however
 * many times one of them waits.
 *
 * @param atOnce how many run
 * @param waiting how many of one may wait
 */
export function turns({ atOnce, waiting }: { atOnce: number; waiting: number }): Turns {
  const lines = new Map<string, (() => void)[]>();
  let running = 0;

  function next(): void {
    const [first] = lines;
    if (!first || running >= atOnce) return;
    const [who, line] = first;
    // Behind all others, until it is their turn again.
    lines.delete(who);
    const begin = line.shift()!;
    if (line.length > 0) lines.set(who, line);
    running += 1;
    begin();
  }

  return {
    async take(who, run) {
      const line = lines.get(who) ?? [];
      if (line.length >= waiting)
        throw new ScimError(429, 'Too many Bulk requests wait already. Try again later.', {
          headers: { 'Retry-After': String(retryAfter) },
        });
      await new Promise<void>((begin) => {
        line.push(begin);
        lines.set(who, line);
        next();
      });
      try {
        return await run();
      } finally {
        running -= 1;
        next();
      }
    },
  };
}
