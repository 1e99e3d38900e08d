import { Router } from '@koa/router';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Metrics } from '#platform/observability/metrics.ts';
import { pageContext, sendPage } from './context.ts';
import { landingPage, statusPage, type ComponentState } from './pages/front.ts';

export interface SystemDependencies {
  database: Database;
  clock: Clock;
  metrics: Metrics;
  /** Whether this process still takes requests. */
  serving: () => boolean;
  /** Links to try things out, in development. */
  devLinks: { href: string; title: string }[];
}

/** `/`, and what watches the server: alive, able to serve, how it goes. */
export function systemRoutes({
  database,
  clock,
  metrics,
  serving,
  devLinks,
}: SystemDependencies): Router {
  const router = new Router();

  router.get('/', (ctx) => {
    sendPage(ctx, 200, landingPage({ ...pageContext(ctx), signInHref: '/profile', devLinks }));
  });

  router.get('/healthz', (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { status: 'ok' };
  });

  router.get('/readyz', async (ctx) => {
    const checks = await look();
    const ready = serving() && checks.database === 'ok' && checks.keys === 'ok';
    ctx.status = ready ? 200 : 503;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { status: ready ? 'ok' : 'unavailable', checks };
  });

  router.get('/metrics', async (ctx) => {
    const [row] = await database
      .query<{ waiting: number }>(
        `select count(*)::int as waiting from outbox
         where delivered_at is null and failed_at is null`,
      )
      .catch(() => []);
    if (row) metrics.outbox.set(row.waiting);
    ctx.type = metrics.registry.contentType;
    ctx.body = await metrics.registry.metrics();
  });

  router.get('/status', async (ctx) => {
    const checks = await look();
    const page = pageContext(ctx);
    const { t } = page;
    sendPage(
      ctx,
      200,
      statusPage({
        ...page,
        checkedAt: clock(),
        components: [
          { name: t('status.sign_in'), state: checks.keys === 'ok' ? checks.database : 'down' },
          { name: t('status.database'), state: checks.database },
          { name: t('status.mail'), state: checks.mail },
        ],
      }),
    );
  });

  return router;

  async function look(): Promise<Record<'database' | 'keys' | 'mail', ComponentState>> {
    try {
      const [row] = await database.query<{ keys: number; late: number }>(
        `select (select count(*)::int from signing_keys where state = 'current') as keys,
                (select count(*)::int from outbox where delivered_at is null and failed_at is null
                 and kind = 'mail' and created_at < now() - interval '10 minutes') as late`,
      );
      return {
        database: 'ok',
        keys: row!.keys >= 2 ? 'ok' : 'down',
        mail: row!.late > 0 ? 'degraded' : 'ok',
      };
    } catch {
      return { database: 'down', keys: 'down', mail: 'down' };
    }
  }
}
