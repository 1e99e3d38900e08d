import type { Middleware } from 'koa';
import type { Log } from '#platform/observability/log.ts';
import type { Metrics } from '#platform/observability/metrics.ts';
import { referenceOf } from './context.ts';

/** One line and two measures per request. Never its query: there are codes and addresses in it. */
export function observe(log: Log, { requests, durations }: Metrics): Middleware {
  return async (ctx, next) => {
    const began = performance.now();
    try {
      await next();
    } finally {
      const took = performance.now() - began;
      const route = routeOf(ctx.path, (ctx as { _matchedRoute?: unknown })._matchedRoute);
      requests.inc({ method: ctx.method, route, status: String(ctx.status) });
      durations.observe({ route }, took / 1000);
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

/** A label with few values: the pattern where there is one, the engine's own paths, or `other`. */
function routeOf(path: string, matched: unknown): string {
  if (typeof matched === 'string') return matched;
  if (/^\/oauth\/[a-z_]+$|^\/\.well-known\/[a-z-]+$|^\/device$/.test(path)) return path;
  if (path.startsWith('/oauth/authorize/')) return '/oauth/authorize/:uid';
  if (path.startsWith('/assets/')) return '/assets';
  return 'other';
}
