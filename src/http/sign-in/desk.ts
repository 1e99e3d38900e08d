import type { Context } from 'koa';
import {
  levelOf,
  levelOfAcr,
  takesOnlyFactor,
  type Method,
  type Standing,
} from '#identity/sign-in/assurance.ts';
import type { SecondFactorPolicy } from '#identity/sign-in/second-factor-policy.ts';
import { nextStep, type Step } from '#identity/sign-in/next-step.ts';
import { personOfProof, type PartialProof } from '#identity/sign-in/proof.ts';
import type { Person } from '#identity/users/person.ts';
import type { Foundation } from '#identity/work.ts';
import { pageContext, referenceOf, sendPage } from '../context.ts';
import type { Csrf } from '../csrf.ts';
import type { Interaction, Interactions, LoadOptions } from '../interactions.ts';
import type { PageContext } from '../layout.ts';
import { expiredPage } from '../pages/trouble.ts';

/** What the installation says about second factors. */
export interface SecondFactorRules {
  policy: SecondFactorPolicy;
  /** Days for which a browser may remember that one was shown; 0 where it never does. */
  rememberDays: number;
}

/** Who signs in, and what they proved so far. */
export interface Known {
  person: Person;
  /** Null where the engine found what was proved good enough. */
  proof: PartialProof | null;
}

/** What every step of a sign-in works with. */
export interface Desk {
  readonly foundation: Foundation;
  readonly interactions: Interactions;
  readonly csrf: Csrf;
  readonly secondFactor: SecondFactorRules;
  /** The sign-in of this address and this browser; null once the person was told it is over. */
  load(ctx: Context, options?: LoadOptions): Promise<Interaction | null>;
  /** Who proved to be who they are, as far as this sign-in accepts it; as they are now. */
  known(interaction: Interaction): Promise<Known | null>;
  /** What comes next. */
  step(interaction: Interaction, known: Known | null): Step;
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
  secondFactor,
}: Pick<Desk, 'foundation' | 'interactions' | 'csrf' | 'secondFactor'>): Desk {
  const desk: Desk = {
    foundation,
    interactions,
    csrf,
    secondFactor,

    async load(ctx, options) {
      const interaction = await interactions.load(ctx, String(ctx['params'].uid), options);
      if (!interaction)
        sendPage(ctx, 400, expiredPage({ ...pageContext(ctx), reference: referenceOf(ctx) }));
      return interaction;
    },

    async known(interaction) {
      const { prompt, person } = interaction;
      if (prompt.name !== 'login') return person && { person, proof: null };
      const now = foundation.clock();
      const proof = interaction.proof ?? proofOfSession(interaction, now);
      const whose = proof && (await personOfProof(foundation.database, proof, now));
      return whose && { person: whose, proof };
    },

    step(interaction, known) {
      const { identifier, client, prompt } = interaction;
      return nextStep({
        identifier,
        person: known?.person ?? null,
        proved: known !== null,
        standing: known?.proof ? standingOf(interaction, known.proof, secondFactor.policy) : null,
        client: client?.policy ?? null,
        consented: prompt.name !== 'consent',
      });
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

/** Only a second factor is missing from a session that is good otherwise. */
export const factorReasons: ReadonlySet<string> = new Set([
  'second_factor_missing',
  'acr_values',
  'essential_acr',
  'essential_acrs',
]);

/**
 * Who is signed in, and lacks but a second factor that they have, is asked for that alone. To set the
 * first one up a session is not enough: it may be weeks old, or in somebody else's hands.
 */
function proofOfSession(
  { person, prompt, sessionAcr, signedInAt }: Interaction,
  now: Date,
): PartialProof | null {
  if (!person?.secondFactor.enrolled || signedInAt === null) return null;
  if (!prompt.reasons.every((reason) => factorReasons.has(reason))) return null;
  const level = levelOfAcr(sessionAcr);
  if (level !== 'password' && level !== 'known_device') return null;
  const methods: Method[] = level === 'password' ? ['password'] : ['password', 'known_device'];
  return {
    userId: person.id,
    methods,
    at: now.getTime(),
    signedInAt,
    deviceId: null,
    remember: true,
  };
}

function standingOf(
  interaction: Interaction,
  { methods }: PartialProof,
  policy: SecondFactorPolicy,
): Standing {
  const asked = methods.includes('upstream_alone') || asksForFactor(interaction);
  return { level: levelOf(methods), policy, signingIn: true, asked };
}

/** Whether the application asks for a second factor, and takes nothing less. */
function asksForFactor({ params, prompt }: Interaction): boolean {
  const essential = prompt.details['acr'] as { value?: string; values?: string[] } | undefined;
  if (essential) return takesOnlyFactor(essential.values ?? [essential.value ?? '']);
  const values = params['acr_values'];
  return typeof values === 'string' && takesOnlyFactor(values.split(' '));
}

/** The application may ask for a language; the person's own choice in this browser comes first. */
export function pageOf(ctx: Context, { params }: Interaction, person?: Person): PageContext {
  return pageContext(ctx, { profile: person?.language, requested: params['ui_locales'] });
}
