import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { Refusal } from '#identity/refusal.ts';
import { exportPerson } from '#identity/users/export.ts';
import { managerOf, requestErasure } from '#identity/users/erase.ts';
import { sendPage } from '../../context.ts';
import { dataPage, type DataError } from '../../pages/profile/data.ts';
import type { CurrentSession } from '../../sessions.ts';
import type { ProfileDesk } from './desk.ts';

/** `/profile/data`: all that is kept of somebody, and its end (behaviour.md F35). */
export function dataRoutes(router: Router, desk: ProfileDesk): void {
  const { passwords, sessions, forms, as, pageOf, done, doneText } = desk;
  const { database, clock } = passwords;

  router.get('/data', async (ctx) => {
    const session = await sessions.require(ctx);
    if (session) await showData(ctx, session);
  });

  router.get('/data/export.json', async (ctx) => {
    const session = await sessions.stepUp(ctx);
    if (!session) return;
    ctx.set('Content-Disposition', 'attachment; filename="my-data.json"');
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'application/json';
    ctx.body = JSON.stringify(await exportPerson(database, session.person.id, clock()), null, 2);
  });

  router.get('/data/delete', (ctx) => {
    ctx.redirect('/profile/data');
  });

  router.post('/data/delete', async (ctx) => {
    const sent = await forms.read(ctx, { anew: true });
    if (!sent) return;
    const { session, form } = sent;
    if (form['understood'] !== 'yes') return showData(ctx, session, { error: 'missing' });
    try {
      const outcome = await as(ctx, session.person, (work) => requestErasure(work, session.person));
      if (outcome === 'requested') return done(ctx, '/profile/data', 'requested');
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const why = error.code === 'last_administrator' ? 'administrator' : 'contact';
      return showData(ctx, session, { error: why });
    }
    ctx.status = 303;
    ctx.redirect('/');
  });

  async function showData(
    ctx: Context,
    session: CurrentSession,
    { error }: { error?: DataError } = {},
  ): Promise<void> {
    const page = pageOf(ctx, session);
    sendPage(
      ctx,
      error ? 422 : 200,
      dataPage({
        ...page,
        done: doneText(ctx, page),
        failed: error !== undefined,
        managedBy: await managerOf(database, session.person),
        account: session.person.account?.name,
        error,
      }),
    );
  }
}
