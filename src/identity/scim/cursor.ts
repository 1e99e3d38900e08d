import { keyedHash, sameSecret } from '#platform/secrets.ts';
import { bad } from './error.ts';

/**
 * Where a page ended: the value it is sorted by, and an id; and how many there were when the walk began,
 * so that they are counted once for all its pages.
 */
export type Position = readonly [key: string, id: string, total: number];

/** How long a cursor is good (RFC 9865, section 2): the walk through a million people takes a while. */
export const cursorSeconds = 3600;

/**
 * A cursor is what was given out, and good for the same list of the same account alone: signed over
 * both, so that nothing made up gets near a statement. It holds no right: who asks is looked at each
 * time (RFC 9865, section 5). Only unreserved characters of RFC 3986.
 */
export function sealCursor(key: Buffer, scope: string, position: Position, now: Date): string {
  const expires = Math.floor(now.getTime() / 1000) + cursorSeconds;
  const encoded = Buffer.from(JSON.stringify([expires, ...position])).toString('base64url');
  return `${encoded}.${keyedHash(key, `${scope}\n${encoded}`)}`;
}

/** @throws {ScimError} 400 `invalidCursor`, `expiredCursor` */
export function openCursor(
  keys: readonly Buffer[],
  scope: string,
  cursor: string,
  now: Date,
): Position {
  const [encoded = '', signature = '', ...more] = cursor.split('.');
  if (
    more.length > 0 ||
    !keys.some((key) => sameSecret(signature, keyedHash(key, `${scope}\n${encoded}`)))
  )
    throw bad('invalidCursor', 'The cursor is not one that this list gave.');
  const [expires, ...position] = JSON.parse(Buffer.from(encoded, 'base64url').toString()) as [
    number,
    ...Position,
  ];
  if (expires * 1000 < now.getTime())
    throw bad('expiredCursor', 'The cursor is too old: begin again at the first page.');
  return position;
}
