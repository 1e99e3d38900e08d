import array from 'postgres-array';
import { types } from 'pg';

const int8 = 20;
const timestamp = 1114;
const timestamptz = 1184;
const date = 1082;
const textArray = 1009;
const uuidArray = 2951;

const anyTimestamp = types.getTypeParser(timestamptz) as (text: string) => unknown;

/**
 * `2026-11-22 13:20:35.123+00`, as a session in UTC writes it, is read digit by digit, in a quarter of
 * the time; whatever is written otherwise by the driver. A page of a hundred people has two hundred.
 */
export function readTimestamp(text: string): unknown {
  const { length } = text;
  if (length < 22 || length > 29 || text[4] !== '-' || text[10] !== ' ' || !text.endsWith('+00'))
    return anyTimestamp(text);
  const digit = (at: number): number => text.charCodeAt(at) - 48;
  const two = (at: number): number => digit(at) * 10 + digit(at + 1);
  let milliseconds = 0;
  for (let at = 20, worth = 100; worth >= 1 && at < length - 3; at += 1, worth /= 10)
    milliseconds += digit(at) * worth;
  return new Date(
    Date.UTC(two(0) * 100 + two(2), two(5) - 1, two(8), two(11), two(14), two(17), milliseconds),
  );
}

/**
 * How PostgreSQL's values become JavaScript's, the same for both drivers and for MikroORM: times are
 * `Date`, `int8` is a number (no count of ours passes 2^53), a `date` stays the day it names.
 */
export const parsers: Record<number, (value: string) => unknown> = {
  [int8]: Number,
  [timestamptz]: readTimestamp,
  [timestamp]: (value) => value,
  [date]: (value) => value,
  [textArray]: (value) => array.parse(value),
  [uuidArray]: (value) => array.parse(value),
};
