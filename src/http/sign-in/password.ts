import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { checkPassword, type PasswordDependencies } from '#identity/credentials/check-password.ts';
import { redeemSignInPass } from '#identity/sign-in/pass.ts';
import { refused, signedIn } from '#identity/sign-in/signed-in.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import type { Person } from '#identity/users/person.ts';
import { endSession } from '#identity/users/sessions.ts';
import { unitOfWork } from '#identity/work.ts';
import { readForm } from '../body.ts';
import { originOf, referenceOf, sendPage } from '../context.ts';
import type { DeviceCookie } from '../device-cookie.ts';
import type { Interaction } from '../interactions.ts';
import { passwordPage } from '../pages/identify.ts';
import { throttledPage } from '../pages/trouble.ts';
import { pageOf, stepOf, type Desk } from './desk.ts';
import { identifierOf } from './identifier.ts';
import { showRefusal } from './refused.ts';

export interface PasswordStepDependencies {
  passwords: PasswordDependencies;
  device: DeviceCookie;
  /** What a password sign-in says in `acr`. */
  acr: string;
}

/** Is it you? By password, or by the registration that was finished a moment ago. */
export function passwordStep(
  router: Router,
  desk: Desk,
  { passwords, device, acr }: PasswordStepDependencies,
) {
  const { foundation, interactions, csrf } = desk;
  const { database, clock } = foundation;

  router.post('/password', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (!interaction) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form, interaction.uid);
    // Whoever is asked for consent or terms has proved themselves already.
    if (interaction.prompt.name !== 'login') return desk.back(ctx, interaction);
    const email = canonicalEmail(form['email'] ?? '') ?? identifierOf(interaction);
    if (email === null) return desk.back(ctx, interaction);
    const password = form['password'] ?? '';
    const origin = originOf(ctx);
    if (password === '' || password.length > 1024)
      return show(ctx, interaction, email, { error: 'wrong' });

    const result = await checkPassword(passwords, {
      email,
      password,
      device: device.read(ctx),
      origin,
    });
    if (result.outcome === 'throttled') {
      ctx.set('Retry-After', String(result.minutes * 60));
      return sendPage(
        ctx,
        429,
        throttledPage({
          ...pageOf(ctx, interaction),
          minutes: result.minutes,
          reference: referenceOf(ctx),
        }),
      );
    }
    if (result.outcome !== 'right') return show(ctx, interaction, email, { error: result.outcome });

    await proved(ctx, interaction, result.person, {
      buckets: result.buckets,
      deviceId: result.device,
      remember: form['remember'] !== undefined && form['remember'] !== '',
    });
  });

  /** Back from a registration that began here: the password was chosen a moment ago. */
  router.get('/registered', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (!interaction) return;
    const { pass } = ctx.query;
    const person =
      interaction.prompt.name === 'login' && typeof pass === 'string'
        ? await redeemSignInPass(foundation, pass, csrf.browser(ctx))
        : null;
    if (!person) return desk.back(ctx, interaction);
    await proved(ctx, interaction, person, { buckets: [], deviceId: null, remember: false });
  });

  return show;

  /** A person proved who they are: they are signed in, or told why they may not be. */
  async function proved(
    ctx: Context,
    interaction: Interaction,
    person: Person,
    {
      buckets,
      deviceId,
      remember,
    }: { buckets: readonly string[]; deviceId: string | null; remember: boolean },
  ): Promise<void> {
    const origin = originOf(ctx);
    const about = {
      userId: person.id,
      accountId: person.account?.id ?? null,
      buckets,
      clientId: interaction.client?.id ?? null,
      origin,
    };
    const step = stepOf(interaction, person, { proved: true });
    // An address that was never proved is nobody's: its password opens nothing.
    if (step.step === 'verify')
      return show(ctx, interaction, person.email ?? '', { error: 'wrong' });
    if (step.step === 'refused' && step.denial.reason === 'locked') {
      await refused(foundation, { ...about, lock: step.denial.lock });
      return showRefusal(ctx, database, interaction, person, step.denial, {
        csrf: csrf.token(ctx, interaction.uid),
      });
    }

    const secret = await signedIn(foundation, { ...about, deviceId, method: 'password' });
    if (secret !== null) device.write(ctx, secret);

    // Somebody else was signed in in this browser: their session ends here.
    const other = interaction.person && interaction.person.id !== person.id;
    if (other && interaction.sessionUid !== null)
      await unitOfWork(foundation, { actor: { type: 'user', id: person.id }, origin }, (work) =>
        endSession(work, interaction.sessionUid!, 'another person signed in'),
      );
    ctx.status = 303;
    ctx.redirect(
      await interactions.finish(
        interaction,
        {
          login: {
            accountId: person.id,
            acr,
            amr: ['pwd'],
            remember,
            ts: Math.floor(clock().getTime() / 1000),
          },
        },
        { forgetSession: other ?? false },
      ),
    );
  }

  function show(
    ctx: Context,
    interaction: Interaction,
    email: string,
    { error }: { error?: 'wrong' | 'locked' } = {},
  ): void {
    const { uid, client } = interaction;
    sendPage(
      ctx,
      error ? 401 : 200,
      passwordPage({
        ...pageOf(ctx, interaction),
        csrf: csrf.token(ctx, uid),
        action: `/sign-in/${uid}/password`,
        changeHref: `/sign-in/${uid}?change`,
        email,
        error,
        forgotHref: `/forgot-password?sign_in=${uid}`,
        clientName: client?.name,
      }),
    );
  }
}
