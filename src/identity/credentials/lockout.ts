/**
 * How many wrong passwords, and what they cost (security.md 3.9).
 *
 * The danger is on both sides: too lax, and passwords are guessed; too strict, and anybody can lock
 * out anybody whose address they know. So the guesses of strangers and those from a device the
 * person has signed in on are counted apart: strangers wait longer and longer, the person's own
 * device does not. At the hard limit the password itself stops working, wherever it is typed, until
 * it is reset or an administrator unlocks.
 *
 * An attempt is counted before the hash is computed, in the statement that reads the hash; so two
 * hundred guesses at once cannot be more than the budget. Names nobody has are counted the same way.
 */
export interface LockoutPolicy {
  /** Wrong guesses from unknown devices that cost nothing but themselves. */
  free: number;
  /** What the next ones cost, in seconds, one after the other; the last one repeats. */
  delays: readonly number[];
  /** From so many within a day, each costs `dailyDelay` seconds. */
  dailyLimit: number;
  dailyDelay: number;
  /** Wrong guesses from a trusted device before it is trusted no more. */
  deviceLimit: number;
  /** Wrong guesses since the last right one, after which the password is locked. */
  hardLimit: number;
}

/**
 * Four are free. The fifth costs a minute, as behaviour.md F22 has it: security.md's two seconds
 * would let a patient script try 20 passwords a minute before the hour-long steps begin.
 */
export const lockoutPolicy: LockoutPolicy = {
  free: 4,
  delays: [60, 120, 240, 480, 900],
  dailyLimit: 20,
  dailyDelay: 3600,
  deviceLimit: 10,
  hardLimit: 100,
};

/** Seconds to wait after the `failures`th wrong guess in a row, the `today`th of the day. */
export function delayAfter(failures: number, today: number, policy: LockoutPolicy): number {
  if (failures <= policy.free) return 0;
  const step = policy.delays[Math.min(failures - policy.free, policy.delays.length) - 1]!;
  return today >= policy.dailyLimit ? Math.max(step, policy.dailyDelay) : step;
}
