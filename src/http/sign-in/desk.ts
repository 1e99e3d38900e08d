import type { Context } from 'koa';
import { nextStep, type Step } from '#identity/sign-in/next-step.ts';
import type { Person } from '#identity/users/person.ts';
import type { Foundation } from '#identity/work.ts';
import { pageContext, referenceOf, sendPage } from '../context.ts';
import type { Csrf } from '../csrf.ts';
import type { Interaction, Interactions } from '../interactions.ts';
import type { PageContext } from '../layout.ts';
import { expiredPage } from '../pages/trouble.ts';

/** What every step of a sign-in works with. */
export interface Desk {
  readonly foundation: Foundation;
  readonly interactions: Interactions;
  readonly csrf: Csrf;
  /** The sign-in of this address and this browser; null once the person was told it is over. */
  load(ctx: Context): Promise<Interaction | null>;
  /** Back to GET, which shows the step that comes next. */
  back(ctx: Context, interaction: Interaction): void;
  /** Gives the engine what a step learned, and the browser to the engine. */
  proceed(ctx: Context, interaction: Interaction, result: Record<string, unknown>): Promise<void>;
  /** Tells the application that there is no sign-in, and why. */
  fail(
    ctx: Context,
    interaction: Interaction,
    error: string,
    description: string,
    options?: { forgetSession?: boolean },
  ): Promise<void>;
}

export function signInDesk({
  foundation,
  interactions,
  csrf,
}: Pick<Desk, 'foundation' | 'interactions' | 'csrf'>): Desk {
  const desk: Desk = {
    foundation,
    interactions,
    csrf,

    async load(ctx) {
      const interaction = await interactions.load(ctx, String(ctx['params'].uid));
      if (!interaction)
        sendPage(ctx, 400, expiredPage({ ...pageContext(ctx), reference: referenceOf(ctx) }));
      return interaction;
    },

    back(ctx, { uid }) {
      ctx.status = 303;
      ctx.redirect(`/sign-in/${uid}`);
    },

    async proceed(ctx, interaction, result) {
      const to = await interactions.finish(interaction, result);
      ctx.status = 303;
      ctx.redirect(to);
    },

    async fail(ctx, interaction, error, description, options = {}) {
      const result = { error, error_description: description };
      const to = await interactions.finish(interaction, result, options);
      ctx.status = 303;
      ctx.redirect(to);
    },
  };
  return desk;
}

/** What comes next for this person in this sign-in. */
export function stepOf(
  { prompt, client, identifier }: Interaction,
  person: Person | null,
  { proved = prompt.name !== 'login' }: { proved?: boolean } = {},
): Step {
  return nextStep({
    identifier,
    person,
    proved,
    client: client?.policy ?? null,
    consented: prompt.name !== 'consent',
  });
}

/** The application may ask for a language; the person's own choice in this browser comes first. */
export function pageOf(ctx: Context, { params }: Interaction, person?: Person): PageContext {
  return pageContext(ctx, { profile: person?.language, requested: params['ui_locales'] });
}
