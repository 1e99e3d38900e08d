import array from 'postgres-array';
import { types } from 'pg';

const int8 = 20;
const timestamp = 1114;
const timestamptz = 1184;
const date = 1082;
const textArray = 1009;
const uuidArray = 2951;

/**
 * How PostgreSQL's values become JavaScript's, the same for both drivers and for MikroORM: times are
 * `Date`, `int8` is a number (no count of ours passes 2^53), a `date` stays the day it names.
 */
export const parsers: Record<number, (value: string) => unknown> = {
  [int8]: Number,
  [timestamptz]: (value) => types.getTypeParser(timestamptz)(value),
  [timestamp]: (value) => value,
  [date]: (value) => value,
  [textArray]: (value) => array.parse(value),
  [uuidArray]: (value) => array.parse(value),
};
