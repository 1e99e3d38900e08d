import type { AccessDecision, Denial } from '#identity/access/access-decision.ts';

/** For the developer of the application: why there are no tokens. The person is told on a page. */
export function sayDecision(decision: Exclude<AccessDecision, { access: 'allow' }>): string {
  if (decision.access === 'interact')
    return decision.need === 'terms'
      ? 'interaction_required: the terms have to be accepted'
      : 'interaction_required: a second factor has to be shown';
  return told[decision.denial.reason];
}

const told: Record<Denial['reason'], string> = {
  unknown: 'the end-user is no more',
  unverified: 'the end-user has not finished registering',
  locked: 'the end-user is locked',
  account_on_hold: "the end-user's account is on hold",
  account_closed: "the end-user's account is closed",
  pending: 'the end-user is waiting for approval',
  unaffiliated: 'the end-user belongs to no account',
  not_permitted: 'the end-user may not use this client',
};
