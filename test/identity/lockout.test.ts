import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { delayAfter, lockoutPolicy } from '#identity/credentials/lockout.ts';

describe('the wait after a wrong password', () => {
  it.each([
    [1, 0],
    [4, 0],
    [5, 60],
    [6, 120],
    [7, 240],
    [8, 480],
    [9, 900],
    [10, 900],
    [19, 900],
    [99, 900],
  ])('number %i is %i seconds', (failures, seconds) => {
    expect(delayAfter(failures, 1, lockoutPolicy)).toBe(seconds);
  });

  it.each([
    [20, 20, 3600],
    [20, 19, 900],
    [5, 20, 3600],
    [4, 20, 0],
  ])('number %i, the %ith of the day, is %i seconds', (failures, today, seconds) => {
    expect(delayAfter(failures, today, lockoutPolicy)).toBe(seconds);
  });

  it('never shrinks as guesses go on', () => {
    fc.assert(
      fc.property(fc.nat({ max: 200 }), fc.nat({ max: 200 }), (failures, today) => {
        const now = delayAfter(failures, today, lockoutPolicy);
        expect(delayAfter(failures + 1, today, lockoutPolicy)).toBeGreaterThanOrEqual(now);
        expect(delayAfter(failures, today + 1, lockoutPolicy)).toBeGreaterThanOrEqual(now);
      }),
    );
  });

  it('keeps within the hundred guesses that NIST SP 800-63B allows', () => {
    expect(lockoutPolicy.hardLimit).toBeLessThanOrEqual(100);
  });
});
