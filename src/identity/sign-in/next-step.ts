import { accessDecision, type ClientPolicy, type Denial } from '../access/access-decision.ts';
import type { Person } from '../users/person.ts';
import type { Standing } from './assurance.ts';

/** What a sign-in knows so far. */
export interface SignInProgress {
  /** The address that was typed, in canonical form. */
  identifier: string | null;
  /** Who proved to be who they are; null until then, or when that person is no more. */
  person: Person | null;
  /** Whether this is a proof the request accepts: fresh enough, the person asked for. */
  proved: boolean;
  /** How strong that proof is; null where the engine found it strong enough. */
  standing?: Standing | null;
  client: ClientPolicy | null;
  /** Whether the person said yes to what this application asks for, or need not. */
  consented: boolean;
}

export type Step =
  | {
      step:
        | 'identifier'
        | 'password'
        | 'second_factor'
        | 'enrol'
        | 'verify'
        | 'terms'
        | 'consent'
        | 'done';
    }
  | { step: 'refused'; denial: Denial };

/**
 * The one place that decides what a person signing in sees next. The pages ask it, and so does the
 * authorization endpoint when it decides whether to prompt: a session of last month meets the rules
 * of today.
 *
 * Pages never route to one another: each saves what it learned and comes back here. The order is
 * the policy: why somebody may not come in is told only after a proof, so nobody can ask which
 * addresses are locked; a second factor is set up right after the password, and before anything is
 * agreed to or given; consent comes last, so nobody agrees to what they may not have.
 */
export function nextStep({
  identifier,
  person,
  proved,
  standing = null,
  client,
  consented,
}: SignInProgress): Step {
  if (!proved || !person) return { step: identifier === null ? 'identifier' : 'password' };

  const decision = accessDecision(person, client, standing);
  if (decision.access === 'interact') {
    if (decision.need === 'terms') return { step: 'terms' };
    return { step: person.secondFactor.enrolled ? 'second_factor' : 'enrol' };
  }
  if (decision.access === 'deny') {
    if (decision.denial.reason === 'unverified') return { step: 'verify' };
    return { step: 'refused', denial: decision.denial };
  }
  return { step: consented ? 'done' : 'consent' };
}
