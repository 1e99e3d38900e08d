import type { Context, Middleware } from 'koa';
import type { Log } from '#platform/observability/log.ts';
import type { Metrics } from '#platform/observability/metrics.ts';
import { referenceOf } from './context.ts';

/** One line and two measures per request. Never its query: there are codes and addresses in it. */
export function observe(log: Log, { requests, durations }: Metrics): Middleware {
  // Looking a label up costs more than counting: what counts is kept, by what it counts.
  const counters = new Map<string, { inc(): void }>();
  const timers = new Map<string, { observe(seconds: number): void }>();
  const count = (method: string, route: string, status: number): void => {
    const key = `${method} ${status} ${route}`;
    let counter = counters.get(key);
    if (!counter) {
      counter = requests.labels({ method, route, status: String(status) });
      counters.set(key, counter);
    }
    counter.inc();
  };
  const time = (route: string, seconds: number): void => {
    let timer = timers.get(route);
    if (!timer) {
      timer = durations.labels({ route });
      timers.set(route, timer);
    }
    timer.observe(seconds);
  };

  return async (ctx, next) => {
    const began = performance.now();
    try {
      await next();
    } finally {
      const took = performance.now() - began;
      const route = routeOf(ctx);
      count(ctx.method, route, ctx.status);
      time(route, took / 1000);
      log.debug(
        {
          method: ctx.method,
          route,
          status: ctx.status,
          ms: Math.round(took * 10) / 10,
          ...(ctx.status >= 400 && { reference: referenceOf(ctx) }),
        },
        'request',
      );
    }
  };
}

/** What the engine answers at, which no router of ours knows. */
const engine = new Set([
  ...['authorize', 'token', 'userinfo', 'jwks', 'introspect', 'revoke', 'par'].map(
    (name) => `/oauth/${name}`,
  ),
  '/oauth/device_authorization',
  '/oauth/end_session',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/device',
]);

/**
 * What is written of an address: the pattern where there is one, the engine's own paths, or `other`.
 * Few values, so that nobody fills the measures by asking for what there is not; and never a secret,
 * which stands in the path of some links.
 */
export function routeOf(ctx: Context): string {
  const { path } = ctx;
  const { _matchedRoute: matched } = ctx as { _matchedRoute?: unknown };
  if (typeof matched === 'string') return matched;
  if (engine.has(path)) return path;
  if (path.startsWith('/oauth/authorize/')) return '/oauth/authorize/:uid';
  if (path.startsWith('/assets/')) return '/assets';
  return 'other';
}
