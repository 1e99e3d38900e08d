import type { Person } from '../users/person.ts';

export interface SessionLimits {
  /** Minutes without a visit; null: as long as the installation says. */
  idleMinutes: number | null;
  /** Hours, however often somebody visits. */
  hours: number | null;
  /** Days for which an application stays signed in. */
  refreshDays: number | null;
}

/**
 * How long a sign-in of this person lasts, by the policy of their account as it is now: a stricter one
 * holds for the sessions there are, too.
 */
export function sessionPolicy(person: Person | null | undefined): SessionLimits {
  const policy = person?.affiliation === 'member' ? person.account?.sessions : undefined;
  return {
    idleMinutes: policy?.idleMinutes ?? null,
    hours: policy?.hours ?? null,
    refreshDays: policy?.refreshDays ?? null,
  };
}
