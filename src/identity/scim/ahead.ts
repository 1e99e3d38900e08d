import type { Param, QueryOptions, Sql } from '#platform/database/sql.ts';

/**
 * A statement that reads what a request is about. `$1` is the account of who asks: it stands in the row
 * of their token, so both are read in one statement (`findScimToken`).
 */
export interface Ahead {
  text: string;
  /** The first one is not known yet. */
  params: readonly Param[];
}

/**
 * The database, with the answer to one statement at hand.
 *
 * @param rows null where nothing was read ahead
 */
export function knowing(sql: Sql, ahead: Ahead | null, rows: unknown[] | null): Sql {
  if (!ahead || !rows) return sql;
  return {
    query<Row>(text: string, params?: readonly Param[], options?: QueryOptions): Promise<Row[]> {
      return text === ahead.text
        ? Promise.resolve(rows as Row[])
        : sql.query<Row>(text, params, options);
    },
  };
}

const joined = new Map<string, string>();
/** So many forms of a question are kept; directories have a few. */
const mostJoined = 500;

/**
 * The statement that finds a token, with another behind it: `$1` of that is the account of the token,
 * and its other parameters follow the three of the token. One row is found, so the rows of the other
 * come in their order. A row of nulls says that there are none.
 */
export function withAhead(select: string, from: string, { text }: Ahead): string {
  let whole = joined.get(text);
  if (whole === undefined) {
    const read = text.replaceAll(/\$(\d+)/g, (_all, number: string) =>
      number === '1' ? 't.account_id' : `$${Number(number) + 2}`,
    );
    const [tables, where] = from.split(' where ', 2);
    whole = `select ${select}, r.* from ${tables} left join lateral (${read}) r on true where ${where}`;
    if (joined.size >= mostJoined) joined.clear();
    joined.set(text, whole);
  }
  return whole;
}
