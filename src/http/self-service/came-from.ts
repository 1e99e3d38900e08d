import type { Context } from 'koa';
import { queryText } from '../context.ts';

/**
 * The sign-in that somebody came from and goes back to, and nothing else: an address given in a query
 * is no place to go.
 */
export function cameFrom(ctx: Context): string | null {
  const uid = queryText(ctx, 'sign_in');
  return uid !== undefined && /^[A-Za-z0-9_-]{10,60}$/.test(uid) ? uid : null;
}
