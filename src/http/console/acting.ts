import type { Context } from 'koa';
import { isId } from '#platform/ids.ts';

/** In which account an operator acts: one at a time, for this session of this browser. */
export interface ActingCookie {
  read(ctx: Context, session: string): string | null;
  write(ctx: Context, session: string, accountId: string | null): void;
}

/** What it holds gives no right: whether somebody is an operator is read at each request. */
export function actingCookie(issuer: string): ActingCookie {
  const secure = issuer.startsWith('https:');
  const name = secure ? '__Host-ostiary_acting' : 'ostiary_acting';
  return {
    read(ctx, session) {
      const [bound, accountId] = (ctx.cookies.get(name, { signed: true }) ?? '').split('.');
      return bound === session && isId(accountId) ? accountId : null;
    },
    write(ctx, session, accountId) {
      ctx.cookies.set(name, accountId === null ? null : `${session}.${accountId}`, {
        signed: true,
        httpOnly: true,
        sameSite: 'lax',
        secure,
        overwrite: true,
      });
    },
  };
}
