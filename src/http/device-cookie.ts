import type { Context, ParameterizedContext } from 'koa';
import { deviceLifetime } from '#identity/sign-in/signed-in.ts';

type Ctx = Context | ParameterizedContext;

/** The cookie by which a browser is known as one the person has signed in with before. */
export interface DeviceCookie {
  read(ctx: Ctx): string | null;
  write(ctx: Ctx, secret: string): void;
}

export function deviceCookie(issuer: string): DeviceCookie {
  const secure = issuer.startsWith('https:');
  const name = secure ? '__Host-ostiary_device' : 'ostiary_device';
  return {
    read: (ctx) => ctx.cookies.get(name, { signed: true }) ?? null,
    write(ctx, secret) {
      ctx.cookies.set(name, secret, {
        signed: true,
        httpOnly: true,
        sameSite: 'lax',
        secure,
        path: '/',
        maxAge: deviceLifetime,
        overwrite: true,
      });
    },
  };
}
