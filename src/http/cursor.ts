import { keyedHash, sameSecret } from '#platform/secrets.ts';
import { Refusal } from '#identity/refusal.ts';

/**
 * Where the next page of one list begins. Signed, and good for that list with that filter alone, so
 * that what comes back is what was given out and never goes into a statement unlooked at.
 */
export interface Cursor {
  /** What the page before ended with, or undefined on the first. */
  readonly after: string | undefined;
  /**
   * A page from rows of which one more was read than is shown.
   *
   * @param key what a row is found by again.
   */
  page<Row>(
    rows: readonly Row[],
    limit: number,
    key: (row: Row) => string | number,
  ): { items: Row[]; nextCursor: string | null };
}

/** @throws {Refusal} `invalid_cursor` */
export function cursorOf(keys: readonly Buffer[], scope: string, text: string | undefined): Cursor {
  const sign = (key: Buffer, after: string): string => keyedHash(key, `${scope}\n${after}`);

  return {
    after: text === undefined ? undefined : opened(text),

    page(rows, limit, key) {
      const items = rows.slice(0, limit);
      if (rows.length <= limit) return { items, nextCursor: null };
      const after = String(key(items.at(-1)!));
      const encoded = Buffer.from(after).toString('base64url');
      return { items, nextCursor: `${encoded}.${sign(keys[0]!, after)}` };
    },
  };

  function opened(given: string): string {
    const [encoded = '', signature = ''] = given.split('.');
    const after = Buffer.from(encoded, 'base64url').toString();
    if (!keys.some((key) => sameSecret(signature, sign(key, after))))
      throw new Refusal('invalid_cursor');
    return after;
  }
}
