import type { Context, Middleware } from 'koa';
import type { Log } from '#platform/observability/log.ts';
import { Refusal } from '#identity/refusal.ts';
import { Overloaded } from '#platform/password-hash.ts';
import { routeOf } from './observe.ts';
import { pageContext, referenceOf, sendPage } from './context.ts';
import { Problem } from './problem.ts';
import { busyPage, errorPage } from './pages/trouble.ts';

/**
 * The last to see what went wrong, and the only one to log it: what was expected is told, anything
 * else is a bug and is told by its reference alone. In the language of the door: people get a page,
 * programs problem+json (RFC 9457).
 */
export function errorPages(log: Log): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && (ctx.body === undefined || ctx.body === null))
        throw new Problem(404, 'not_found', 'There is nothing at this address.');
      if (ctx.status === 405 && !ctx.body)
        throw new Problem(405, 'method_not_allowed', 'This address does not take that method.');
    } catch (error) {
      answer(ctx, told(error, log, ctx));
    }
  };
}

/** What is told of an error: a bug is written down, and told by its reference alone. */
export function told(error: unknown, log: Log, ctx: Context): Problem {
  if (error instanceof Problem) return error;
  // Of those who are at the same thing, one comes last: see `again`.
  if (error instanceof Refusal && error.code === 'version_conflict')
    return new Problem(409, error.code, error.message);
  if (error instanceof Overloaded)
    return new Problem(503, 'busy', error.message, { 'Retry-After': String(error.retryAfter) });
  const { status, expose, message } = error as {
    status?: number;
    expose?: boolean;
    message?: string;
  };
  if (status && status < 500 && expose)
    return new Problem(status, 'invalid_request', message ?? '');
  if (isUnavailable(error)) {
    log.error({ error, reference: referenceOf(ctx) }, 'the database cannot be reached');
    return new Problem(503, 'unavailable', 'Try again in a moment.', { 'Retry-After': '5' });
  }
  log.error(
    { error, method: ctx.method, route: routeOf(ctx), reference: referenceOf(ctx) },
    'a request failed',
  );
  return new Problem(500, 'server_error', 'Something went wrong here. It was written down.');
}

/** The database is away, starting, or too slow: nothing was done, and trying again makes sense. */
function isUnavailable(error: unknown): boolean {
  const { code = '' } = error as { code?: string };
  return (
    /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND)/.test(code) ||
    ['57P01', '57P02', '57P03', '57014', '55P03', '53300', '08006', '08001', '08003'].includes(
      code,
    ) ||
    /Connection terminated|timeout exceeded when trying to connect/.test(
      error instanceof Error ? error.message : '',
    )
  );
}

function answer(ctx: Context, { status, code, message, headers }: Problem): void {
  ctx.remove('Location');
  ctx.set(headers);
  const reference = referenceOf(ctx);
  if (ctx.accepts('html', 'json') !== 'json') {
    const page = { ...pageContext(ctx), reference };
    sendPage(
      ctx,
      status,
      code === 'busy'
        ? busyPage({ ...page, seconds: Number(headers['Retry-After']) })
        : errorPage({ ...page, status, detail: status >= 500 ? undefined : message, code }),
    );
    return;
  }
  ctx.status = status;
  ctx.type = 'application/problem+json';
  ctx.set('Cache-Control', 'no-store');
  // `error` and `error_description` are for OAuth clients, who look for them (RFC 6749, section 5.2).
  ctx.body = JSON.stringify({
    type: 'about:blank',
    title: titles[status] ?? 'Error',
    status,
    code,
    detail: message,
    ref: reference,
    error: code,
    error_description: message,
  });
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  421: 'Misdirected Request',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};
