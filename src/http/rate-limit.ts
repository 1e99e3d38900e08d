import type { Clock } from '#platform/clock.ts';

/** So many at once, and so many a minute in the long run. */
export interface RateLimit {
  /** Seconds to wait, or 0 when there is room. */
  take(key: string): number;
  /** What somebody took more than one of, once it is known how many: they wait the longer after. */
  charge(key: string, more: number): void;
}

/**
 * A bucket of tokens for each key, in this process: it keeps one caller from taking the place of all
 * others. Nothing depends on its being exact.
 */
export function rateLimit(
  perMinute: number,
  clock: Clock,
  { burst = perMinute }: { burst?: number } = {},
): RateLimit {
  const buckets = new Map<string, { tokens: number; at: number }>();
  const perMs = perMinute / 60_000;

  return {
    take(key) {
      const now = clock().getTime();
      const known = buckets.get(key);
      const tokens = known
        ? Math.min(burst, known.tokens + Math.max(0, now - known.at) * perMs)
        : burst;
      // Whoever was quiet for a minute has a full bucket: nothing to remember.
      if (buckets.size > 10_000)
        for (const [other, { at }] of buckets) if (now - at > 60_000) buckets.delete(other);
      if (tokens < 1) {
        buckets.set(key, { tokens, at: now });
        return Math.ceil((1 - tokens) / perMs / 1000);
      }
      buckets.set(key, { tokens: tokens - 1, at: now });
      return 0;
    },

    charge(key, more) {
      const known = buckets.get(key);
      if (known) known.tokens -= more;
    },
  };
}
