import { hash } from 'node:crypto';

/** A value a statement takes. Arrays become PostgreSQL arrays; JSON is passed as text. */
export type Param = string | number | boolean | Date | null | readonly (string | number)[];

/** Gives a value its place among the parameters of a statement that is put together: `$1`, `$2` ... */
export type Place = (value: Param) => string;

/**
 * One statement, with `$1`, `$2` ... for its parameters, sent as it is.
 *
 * Rows come back with PostgreSQL's types as JavaScript's: `timestamptz` as `Date`, `int8` as
 * `number`, `jsonb` parsed, on both drivers.
 */
export interface Sql {
  query<Row = Record<string, unknown>>(
    text: string,
    params?: readonly Param[],
    options?: QueryOptions,
  ): Promise<Row[]>;
}

export interface QueryOptions {
  /**
   * What it makes may be lost when the database crashes in the next moment: it is not waited for
   * until it is on the disk. Only for what nobody relies on yet, or what the next thing waits for: never
   * for what is spent or revoked. Everybody sees it at once all the same.
   */
  fleeting?: boolean;
  /**
   * Planned for these very values: for a condition that an index serves with some values and not with
   * others. A statement that is planned once for all of them would look at everything for the rare.
   */
  anew?: boolean;
}

const names = new Map<string, string>();

/** The name a statement is prepared under: the same text has the same name on each connection. */
export function statementName(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `s${hash('sha256', text, 'hex').slice(0, 20)}`;
    names.set(text, name);
  }
  return name;
}

/** Where a statement goes is a matter of speed alone: one that is mistaken for a read still writes. */
export function onlyReads(text: string): boolean {
  return /^\s*select\b/i.test(text);
}
