import { Router } from '@koa/router';
import type { Context } from 'koa';
import { endSession } from '#identity/users/sessions.ts';
import { unitOfWork } from '#identity/work.ts';
import { readForm } from '../body.ts';
import { originOf } from '../context.ts';
import type { Interaction } from '../interactions.ts';
import { consentStep } from './consent.ts';
import { takesOnlyFactor, acrs } from '#identity/sign-in/assurance.ts';
import { factorReasons, signInDesk, type Desk } from './desk.ts';
import { identifierOf, identifierStep } from './identifier.ts';
import { passwordStep, type PasswordStepDependencies } from './password.ts';
import { enrolStep } from './enrol.ts';
import { provedAt } from './proved.ts';
import { showRefusal } from '../refused.ts';
import { secondFactorStep, type SecondFactorStepDependencies } from './second-factor.ts';
import type { UpstreamDoor } from '../upstream.ts';
import { termsStep } from './terms.ts';

export interface SignInDependencies
  extends
    Pick<Desk, 'foundation' | 'interactions' | 'csrf' | 'secondFactor'>,
    PasswordStepDependencies,
    SecondFactorStepDependencies {
  upstream: UpstreamDoor;
}

/**
 * The pages of a sign-in, under `/sign-in/{uid}` of one interaction of the engine: one step, one
 * file, its page and its POST.
 *
 * GET shows the step that `nextStep` names. Each POST saves what it learned and redirects to GET, or
 * gives the engine its outcome; the one that proves somebody is answered by what the engine makes of
 * it. No page routes to another (architecture.md, section 1.3).
 */
export function signInRoutes(dependencies: SignInDependencies): Router {
  const router = new Router({ prefix: '/sign-in/:uid' });
  const desk = signInDesk(dependencies);
  const { foundation, csrf } = desk;
  const showIdentifier = identifierStep(router, desk);
  const proving = provedAt(desk, dependencies.device);
  const showPassword = passwordStep(router, desk, dependencies, proving);
  const showFactor = secondFactorStep(router, desk, dependencies, proving, showPassword);
  const showEnrol = enrolStep(router, desk, dependencies, proving);
  const showTerms = termsStep(router, desk);
  const showConsent = consentStep(router, desk);

  router.get('/', async (ctx) => {
    const interaction = await desk.load(ctx, { leads: true });
    if (interaction) await show(ctx, interaction);
  });

  router.post('/decline', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (!interaction) return;
    csrf.check(ctx, await readForm(ctx), interaction.uid);
    const { person } = interaction;
    const terms = interaction.prompt.name === 'terms';
    await unitOfWork(
      foundation,
      {
        actor: person ? { type: 'user', id: person.id } : { type: 'anonymous' },
        origin: originOf(ctx),
      },
      async (work) => {
        if (person)
          work.record(
            terms ? 'terms.declined' : 'consent.refused',
            { type: 'user', id: person.id },
            { client: interaction.client?.id },
            person.account?.id,
          );
        // Without the terms nobody stays signed in (behaviour.md F02).
        if (terms && interaction.sessionUid !== null)
          await endSession(work, interaction.sessionUid, 'terms declined');
      },
    );
    await desk.fail(ctx, interaction, 'access_denied', 'the end-user declined', {
      forgetSession: terms,
    });
  });

  /** Back to the application without having signed in. */
  router.get('/return', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (interaction)
      await desk.fail(
        ctx,
        interaction,
        'access_denied',
        'the end-user may not sign in to this client',
      );
  });

  router.post('/sign-out', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (!interaction) return;
    csrf.check(ctx, await readForm(ctx), interaction.uid);
    const { person, sessionUid } = interaction;
    if (person && sessionUid !== null)
      await unitOfWork(
        foundation,
        { actor: { type: 'user', id: person.id }, origin: originOf(ctx) },
        (work) => endSession(work, sessionUid, 'signed out'),
      );
    await desk.fail(ctx, interaction, 'access_denied', 'the end-user signed out', {
      forgetSession: true,
    });
  });

  return router;

  async function show(ctx: Context, interaction: Interaction): Promise<void> {
    const impossible = whyImpossible(interaction);
    if (impossible) return desk.fail(ctx, interaction, ...impossible);

    const change = ctx.query['change'] !== undefined;
    const identifier = identifierOf(interaction);
    const known = change ? null : await desk.known(interaction);
    const step = desk.step({ ...interaction, identifier: change ? null : identifier }, known);
    const person = known?.person;
    switch (step.step) {
      case 'identifier':
        return showIdentifier(ctx, interaction, identifier ?? '');
      case 'password':
        // Past the company's provider goes who asks for it: see `checkPassword` for who may.
        if (
          ctx.query['local'] === undefined &&
          (await dependencies.upstream.leave(ctx, interaction, identifier!))
        )
          return;
        return showPassword(ctx, interaction, identifier!);
      case 'second_factor':
        return showFactor(ctx, interaction, known!);
      case 'enrol':
        return showEnrol(ctx, interaction, known!);
      default:
    }
    // Nothing is left to be proved: the engine is told, and asks for what comes after it.
    if (known?.proof) return proving.proved(ctx, interaction, known.person, known.proof);
    switch (step.step) {
      case 'terms':
        return showTerms(ctx, interaction, person!);
      case 'consent':
        return showConsent(ctx, interaction, person!);
      case 'refused':
        return showRefusal(ctx, { foundation, csrf }, interaction, person!, step.denial);
      case 'verify':
      case 'done':
        // What stopped the request is no longer so, such as a hold that was lifted meanwhile.
        return desk.proceed(ctx, interaction, { [interaction.prompt.name]: {} });
    }
  }
}

/**
 * What no sign-in could fulfil: then the application is told instead of the person being asked for
 * ever (OpenID Connect Core Unmet Authentication Requirements 1.0).
 */
function whyImpossible({
  prompt,
  lastSubmission,
}: Interaction): [error: string, description: string] | null {
  if (prompt.name !== 'login') return null;
  const wanted = prompt.details['acr'] as { value?: string; values?: string[] } | undefined;
  const signedIn = lastSubmission['login'] !== undefined;
  const only = (reasons: ReadonlySet<string>): boolean =>
    prompt.reasons.every((reason) => reasons.has(reason));
  if (wanted) {
    const values = wanted.values ?? [wanted.value ?? ''];
    const reachable = takesOnlyFactor(values) || values.includes(acrs.password);
    if (!reachable || (signedIn && only(factorReasons)))
      return [
        'unmet_authentication_requirements',
        'the requested acr is not one that can be reached',
      ];
  }
  if (signedIn && only(anotherSubject))
    return ['login_required', 'the end-user who signed in is not the one that was asked for'];
  return null;
}

const anotherSubject = new Set(['id_token_hint', 'claims_id_token_sub_value']);
