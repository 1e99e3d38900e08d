import { Router } from '@koa/router';
import { Refusal } from '#identity/refusal.ts';
import { cancelErasureByLink, openErasureLink } from '#identity/users/erase.ts';
import type { Foundation } from '#identity/work.ts';
import { readForm } from '../body.ts';
import { originOf, pageContext, queryText, referenceOf, sendPage } from '../context.ts';
import type { Csrf } from '../csrf.ts';
import { linkInvalidPage } from '../pages/password.ts';
import { stopPage } from '../pages/stop.ts';

export interface KeepAccountDependencies {
  foundation: Foundation;
  csrf: Csrf;
}

/** The link of the mail by which a person who asked to be deleted changes their mind (M16). */
export function keepAccountRoutes({ foundation, csrf }: KeepAccountDependencies): Router {
  const router = new Router();

  router.get('/keep-account', async (ctx) => {
    const token = queryText(ctx, 'token') ?? '';
    const found = await openErasureLink(foundation.database, token, foundation.clock());
    const page = pageContext(ctx, { profile: found?.person.language });
    if (!found) return sendPage(ctx, 410, linkInvalidPage(page));
    sendPage(
      ctx,
      200,
      stopPage({
        ...page,
        csrf: csrf.token(ctx),
        reason: 'locked.erasing',
        date: found.dueAt,
        keep: { csrf: csrf.token(ctx), token },
        reference: referenceOf(ctx),
      }),
    );
  });

  router.post('/keep-account', async (ctx) => {
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const { token = '', sign_in: signIn = '' } = form;
    try {
      await cancelErasureByLink(foundation, token, originOf(ctx));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return sendPage(ctx, 410, linkInvalidPage(pageContext(ctx)));
    }
    ctx.status = 303;
    ctx.redirect(/^[\w-]+$/.test(signIn) ? `/sign-in/${signIn}` : '/profile');
  });

  return router;
}
