import { describe, expect, it } from 'vitest';
import { automationIsOff, type DomainState } from '#identity/domains/domain.ts';
import { mayRecoverByMail, type RecoveryStanding } from '#identity/domains/recovery.ts';

const lost = new Date('2026-06-01T09:00:00Z');

describe('a mail that lets a person back in', () => {
  it.each<[string, RecoveryStanding | null, boolean]>([
    ['of a domain their organization never owned', null, true],
    ['of an owned domain', standing('owned'), true],
    ['of a domain at risk', standing('at_risk'), true],
    ['of a lapsed domain', standing('lapsed', { lapsedAt: lost }), false],
    ['of a domain that was let go', standing('released'), true],
    [
      'of a domain that was let go, and is another’s now',
      standing('released', { ownedByOther: true }),
      false,
    ],
    ['of a domain that was lost and let go', standing('released', { lapsedAt: lost }), false],
    [
      'of a domain that was transferred',
      standing('released', { lapsedAt: lost, ownedByOther: true }),
      false,
    ],
  ])('%s', (_, known, may) => {
    expect(mayRecoverByMail(known)).toBe(may);
  });
});

describe('what machines may do in a domain', () => {
  const days = (n: number) => new Date(lost.getTime() + n * 24 * 3600_000);

  it.each<[DomainState, Date | null, number, boolean]>([
    ['owned', null, 400, false],
    ['at_risk', lost, 0, false],
    ['at_risk', lost, 6.9, false],
    ['at_risk', lost, 7, true],
    ['at_risk', lost, 29, true],
    ['lapsed', lost, 30, true],
  ])('%s since %s, after %d days', (state, atRiskAt, after, off) => {
    expect(automationIsOff({ state, atRiskAt }, days(after))).toBe(off);
  });
});

function standing(
  state: DomainState,
  more: Partial<Omit<RecoveryStanding, 'state'>> = {},
): RecoveryStanding {
  return { state, lapsedAt: null, ownedByOther: false, ...more };
}
