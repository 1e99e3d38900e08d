import * as fc from 'fast-check';
import { types } from 'pg';
import { describe, expect, it } from 'vitest';
import { readTimestamp } from '#platform/database/types.ts';

const number = (min: number, max: number, digits = 2): fc.Arbitrary<string> =>
  fc.integer({ min, max }).map((n) => String(n).padStart(digits, '0'));

describe('a moment as PostgreSQL writes it', () => {
  it('is read as the driver reads it, the short way and the long', () => {
    const driver = types.getTypeParser(1184) as (text: string) => unknown;
    const written = fc
      .tuple(
        number(1000, 12_000),
        number(1, 12),
        number(1, 28),
        number(0, 23),
        number(0, 59),
        number(0, 59),
        number(0, 999_999, 6),
        fc.constantFrom('+00', '+00', '+02', '-07', '+05:30', '+00 BC'),
      )
      .map(([year, month, day, hour, minute, second, micro, zone]) => {
        const fraction = micro.replace(/0+$/, '');
        return `${year}-${month}-${day} ${hour}:${minute}:${second}${fraction && `.${fraction}`}${zone}`;
      });
    fc.assert(
      fc.property(written, (text) => {
        expect(readTimestamp(text)).toEqual(driver(text));
      }),
      { numRuns: 500, seed: 22 },
    );
    expect(readTimestamp('infinity')).toBe(Infinity);
  });
});
