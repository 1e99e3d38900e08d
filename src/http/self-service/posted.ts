import type { Context, Middleware } from 'koa';
import { readForm } from '../body.ts';
import { pageContext, queryText, sendPage } from '../context.ts';
import type { Csrf, Whose } from '../csrf.ts';
import type { KeptForms } from '../kept-forms.ts';
import type { CurrentSession, Sessions } from '../sessions.ts';

export interface PostedDependencies {
  sessions: Sessions;
  csrf: Csrf;
  kept: KeptForms;
}

/** Forms of the profile. What is typed into them outlasts a sign-in on the way. */
export interface Posted {
  /** The `csrf` of a form that is shown to this person. */
  token(ctx: Context, session: CurrentSession): string;
  /** Who sends a form, and its fields. Null where they were sent to sign in first, or it was done. */
  read(
    ctx: Context,
    options?: { anew?: boolean },
  ): Promise<{ session: CurrentSession; form: Readonly<Record<string, string>> } | null>;
  /** Offers who is back from a sign-in what they had sent. */
  offers: Middleware;
}

export function posted({ sessions, csrf, kept }: PostedDependencies): Posted {
  const whoseOf = ({ person }: CurrentSession): Whose => ({ person: person.id, about: '' });
  const token = (ctx: Context, session: CurrentSession): string =>
    csrf.token(ctx, undefined, whoseOf(session));
  return {
    token,

    async read(ctx, { anew = false } = {}) {
      const back = async (): Promise<string> => {
        const sent = await readForm(ctx);
        return kept.keep(ctx, sent, csrf.whose(ctx, sent));
      };
      const session = await (anew
        ? sessions.stepUp(ctx, { back })
        : sessions.require(ctx, { back }));
      if (!session) return null;
      const sent = await readForm(ctx);
      csrf.check(ctx, sent);
      const form = await kept.fieldsOf(ctx, sent, whoseOf(session));
      await kept.forget(sent);
      if (form) return { session, form };
      ctx.status = 303;
      ctx.redirect(ctx.path);
      return null;
    },

    async offers(ctx, next) {
      if (ctx.method !== 'GET' || queryText(ctx, 'kept') === undefined) {
        await next();
        return;
      }
      const session = await sessions.require(ctx);
      if (!session) return;
      const page = {
        ...pageContext(ctx, { profile: session.person.language }),
        csrf: token(ctx, session),
      };
      const offer = await kept.offer(ctx, page, whoseOf(session));
      if (offer) sendPage(ctx, 200, offer);
      else await next();
    },
  };
}
