import type { Clock } from '#platform/clock.ts';
import { UpstreamProblem } from '#identity/federation/assertion.ts';

/** So many wait for one provider at the same time; more are told to come back (security.md R5). */
const inFlightLimit = 20;
/** So many failures in a row, and it is left alone for a while. */
const failuresToOpen = 5;
const restMs = 30_000;

interface State {
  inFlight: number;
  failures: number;
  openUntil: number;
}

/**
 * One provider that is slow or dead must harm nobody else: of each connection only so many requests
 * wait at a time, and one that fails again and again is not asked for half a minute; then one request
 * tries.
 */
export class Bulkheads {
  readonly #states = new Map<string, State>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param failed whether an error is the provider's failure to answer.
   * @throws {UpstreamProblem} `upstream_busy` where it is not even tried.
   */
  async through<T>(
    connectionId: string,
    act: () => Promise<T>,
    failed: (error: unknown) => boolean,
  ): Promise<T> {
    const state = this.#stateOf(connectionId);
    const now = this.#clock().getTime();
    if (state.openUntil > now)
      throw new UpstreamProblem('upstream_busy', 'It failed several times just now.');
    if (state.inFlight >= inFlightLimit)
      throw new UpstreamProblem('upstream_busy', 'Too many wait for it already.');
    // Only one tries whether it is back.
    if (state.failures >= failuresToOpen) state.openUntil = now + restMs;
    state.inFlight += 1;
    try {
      const result = await act();
      state.failures = 0;
      state.openUntil = 0;
      return result;
    } catch (error) {
      if (failed(error)) {
        state.failures += 1;
        if (state.failures >= failuresToOpen) state.openUntil = this.#clock().getTime() + restMs;
      } else {
        state.failures = 0;
        state.openUntil = 0;
      }
      throw error;
    } finally {
      state.inFlight -= 1;
    }
  }

  /** A connection that was changed starts afresh. */
  forget(connectionId: string): void {
    this.#states.delete(connectionId);
  }

  #stateOf(connectionId: string): State {
    let state = this.#states.get(connectionId);
    if (!state) {
      if (this.#states.size > 10_000) this.#states.clear();
      this.#states.set(connectionId, (state = { inFlight: 0, failures: 0, openUntil: 0 }));
    }
    return state;
  }
}
