import { lacksFactorBeside } from '../sign-in/assurance.ts';
import type { Person } from '../users/person.ts';
import type { Foundation, Origin } from '../work.ts';
import type { UpstreamAssertion } from './assertion.ts';
import type { Attempt } from './attempt.ts';
import type { FederatedFacts, FederatedOutcome, FederatedRefusal } from './decide.ts';
import { forSignOut } from './logout.ts';
import type { Federation } from './standing.ts';

export interface FederatedDependencies {
  foundation: Foundation;
  /** Seconds for which a provider's word is good: behaviour.md F31. */
  ceiling: number;
}

export interface Arrival {
  attempt: Attempt;
  assertion: UpstreamAssertion;
  clientId: string | null;
  origin: Origin;
  filledIn?: FederatedFacts['filledIn'];
  steppedUp?: boolean;
}

/** Those who come in, one way or another. */
export type Admitted = Extract<
  FederatedOutcome,
  { outcome: 'sign_in' | 'create' | 'link' | 'join' }
>;

/** What came of it, for whoever shows it. */
export type FederatedResult =
  | {
      outcome: 'signed_in';
      userId: string;
      /** Who that is, where it was read on the way. */
      person?: Person | null;
      federation: Federation;
      /** A second factor is to be shown here beside: only then the sign-in is done, and written down. */
      lacksFactor: boolean;
    }
  | Extract<FederatedOutcome, { outcome: 'ask' | 'step_up' }>
  | {
      outcome: 'refused';
      reason: FederatedRefusal;
      person: Person | null;
      lock: Extract<FederatedOutcome, { outcome: 'refuse' }>['lock'] | null;
      missing: readonly string[];
    };

/** They come in: as whom, and on what their session stands. */
export function signedIn(
  { foundation, ceiling }: FederatedDependencies,
  { attempt, assertion }: Arrival,
  userId: string,
  now: Date,
): Extract<FederatedResult, { outcome: 'signed_in' }> {
  const { connection } = attempt.realm;
  return {
    outcome: 'signed_in',
    userId,
    lacksFactor: lacksFactorBeside(connection.provisioning.secondFactor, assertion),
    federation: {
      connection: connection.id,
      at: now.toISOString(),
      until: new Date(
        Math.min(now.getTime() / 1000 + ceiling, assertion.sessionEnds ?? Infinity) * 1000,
      ).toISOString(),
      sid: assertion.sessionIndex,
      ...forSignOut(foundation.vault, connection, assertion),
    },
  };
}

export function refusedWith(
  reason: FederatedRefusal,
  person: Person | null,
): Extract<FederatedResult, { outcome: 'refused' }> {
  return { outcome: 'refused', reason, person, lock: null, missing: [] };
}
