import { sourceBucket } from '#identity/credentials/check-password.ts';
import type { Context, Middleware, ParameterizedContext } from 'koa';
import type { Html } from '#platform/html.ts';
import { isLocale, negotiateLocale } from '#platform/i18n.ts';
import { newReference } from '#platform/ids.ts';
import { translator } from '#messages/translate.ts';
import type { Origin } from '#identity/work.ts';
import type { PageContext } from './layout.ts';

/** Under https no neighbouring host can set it either. */
const localeCookie = (ctx: ParameterizedContext | Context): string =>
  ctx.secure ? '__Host-ostiary_locale' : 'ostiary_locale';

/** Whose requests are counted together: an address, or of IPv6 the network a customer has. */
export function sourceOf(ctx: ParameterizedContext | Context): string {
  return sourceBucket(ctx.ip) || ctx.ip;
}

/** What the address says of a parameter it names once. */
export function queryText(ctx: ParameterizedContext | Context, name: string): string | undefined {
  const value = ctx.query[name];
  return typeof value === 'string' ? value : undefined;
}

/**
 * What every page knows of the request it answers. The language is the one asked for in the address
 * (and then kept in a cookie), the one chosen before, the one the application asks for (`requested`,
 * the `ui_locales` of OpenID Connect), the person's own, or the browser's.
 */
export function pageContext(
  ctx: ParameterizedContext | Context,
  { profile, requested }: { profile?: string | null | undefined; requested?: unknown } = {},
): PageContext {
  const asked = queryText(ctx, 'ui_locales');
  const kept = ctx.cookies.get(localeCookie(ctx));
  if (asked !== undefined && asked.split(' ').some(isLocale) && !ctx.headerSent)
    ctx.cookies.set(localeCookie(ctx), asked.split(' ').find(isLocale), {
      maxAge: 365 * 24 * 3600_000,
      sameSite: 'lax',
      httpOnly: true,
      overwrite: true,
    });
  const locale = negotiateLocale({
    uiLocales: [asked, kept, requested].filter((one) => typeof one === 'string').join(' '),
    profile,
    acceptLanguage: ctx.get('accept-language'),
  });
  return { t: translator(locale), here: ctx.method === 'GET' ? ctx.url : undefined };
}

/** Answers with a page. */
export function sendPage(ctx: ParameterizedContext | Context, status: number, page: Html): void {
  ctx.status = status;
  ctx.type = 'text/html; charset=utf-8';
  ctx.set('Cache-Control', 'no-store');
  ctx.body = page.toString();
}

/** Where a request came from, for the audit log. The reference is the one the person is shown. */
export function originOf(ctx: ParameterizedContext | Context): Origin & { reference: string } {
  return {
    ip: ctx.ip,
    userAgent: ctx.get('user-agent').slice(0, 400) || null,
    reference: referenceOf(ctx),
  };
}

/** The short text by which support finds this request again. One per request. */
export function referenceOf(ctx: ParameterizedContext | Context): string {
  const state = ctx.state as { reference?: string };
  return (state.reference ??= newReference());
}

/**
 * The headers of every answer, set before anybody else so that the engine adds the hashes of its own
 * scripts to the policy (oidc.md P8).
 *
 * `form-action` is left open on the pages of a sign-in: browsers hold it against the whole chain of
 * redirects, and the last of them goes to the application (oidc.md P10). The forms themselves are
 * ours and hold no markup of others.
 */
export function securityHeaders(secure: boolean): Middleware {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self' data:",
    "script-src 'self'",
    "connect-src 'self'",
    "font-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  const headers = Object.entries({
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    // Not `no-referrer`: a form would then be sent with `Origin: null`.
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), browsing-topics=()',
    ...(secure && { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' }),
  });
  return ({ res }, next) => {
    for (const [name, value] of headers) res.setHeader(name, value);
    return next();
  };
}
