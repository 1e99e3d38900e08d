import { Refusal } from '#identity/refusal.ts';

/**
 * Tries again what collided with another transaction: by then the other is done, and what it did is
 * seen and judged. Twice; then the caller is told that somebody else is at the same thing.
 */
export async function again<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (!collisions.has(code) || error instanceof Refusal) throw error;
      if (tries === 2) throw new Refusal('version_conflict');
    }
  }
}

/** Unique violation, serialization failure, deadlock. */
const collisions = new Set<unknown>(['23505', '40001', '40P01']);
