import type { Context } from 'koa';
import type { Flash } from '../pages/console/frame.ts';

/** What was done, carried over the redirect to the next page. */
export interface FlashCookie {
  write(ctx: Context, flash: Flash): void;
  /** The one that waits, once. */
  take(ctx: Context): Flash | undefined;
}

/** Signed: a page of ours says only what we wrote. */
export function flashCookie(issuer: string): FlashCookie {
  const secure = issuer.startsWith('https:');
  const name = 'ostiary_flash';
  const options = {
    signed: true,
    httpOnly: true,
    sameSite: 'lax',
    secure,
    overwrite: true,
    path: '/console',
  } as const;
  return {
    write(ctx, flash) {
      const value = Buffer.from(JSON.stringify(flash)).toString('base64url');
      // A browser keeps four kilobytes; what is longer than that is told without its undo.
      const short = Buffer.from(
        JSON.stringify({ tone: flash.tone, text: flash.text.slice(0, 600) }),
      ).toString('base64url');
      ctx.cookies.set(name, value.length < 3500 ? value : short, {
        ...options,
        maxAge: 60_000,
      });
    },
    take(ctx) {
      const value = ctx.cookies.get(name, { signed: true });
      if (!value) return undefined;
      ctx.cookies.set(name, null, options);
      return JSON.parse(Buffer.from(value, 'base64url').toString()) as Flash;
    },
  };
}
