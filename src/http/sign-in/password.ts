import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { checkPassword, type PasswordDependencies } from '#identity/credentials/check-password.ts';
import { redeemSignInPass } from '#identity/sign-in/pass.ts';
import type { PartialProof } from '#identity/sign-in/proof.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import type { Person } from '#identity/users/person.ts';
import { readForm } from '../body.ts';
import { originOf, referenceOf, sendPage } from '../context.ts';
import type { DeviceCookie } from '../device-cookie.ts';
import type { Interaction } from '../interactions.ts';
import { passwordPage } from '../pages/identify.ts';
import { forgotPasswordPage } from '../pages/password.ts';
import { throttledPage } from '../pages/trouble.ts';
import { pageOf, type Desk } from './desk.ts';
import { identifierOf } from './identifier.ts';
import type { Proved } from './proved.ts';

export interface PasswordStepDependencies {
  passwords: PasswordDependencies;
  device: DeviceCookie;
}

/** Is it you? By password, or by the registration that was finished a moment ago. */
export function passwordStep(
  router: Router,
  desk: Desk,
  { passwords, device }: PasswordStepDependencies,
  { proved }: Proved,
) {
  const { foundation, csrf } = desk;

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

    await proved(
      ctx,
      interaction,
      result.person,
      proofOf(result.person, {
        deviceId: result.device,
        remember: form['remember'] !== undefined && form['remember'] !== '',
        breakGlass: result.bypass,
      }),
      {
        buckets: result.buckets,
        // An address that was never proved is nobody's: its password opens nothing.
        unproved: () => show(ctx, interaction, result.person.email ?? '', { error: 'wrong' }),
      },
    );
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
    await proved(ctx, interaction, person, proofOf(person, { deviceId: null, remember: false }));
  });

  // Whoever typed the address here need not type it again.
  router.get('/forgot', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (!interaction) return;
    const { uid } = interaction;
    sendPage(
      ctx,
      200,
      forgotPasswordPage({
        ...pageOf(ctx, interaction),
        csrf: csrf.token(ctx),
        action: `/forgot-password?sign_in=${uid}`,
        email: identifierOf(interaction) ?? undefined,
        backHref: `/sign-in/${uid}`,
      }),
    );
  });

  return show;

  function proofOf(
    { id, putOut }: Person,
    rest: Pick<PartialProof, 'deviceId' | 'remember' | 'breakGlass'>,
  ): PartialProof {
    const at = foundation.clock().getTime();
    return { userId: id, methods: ['password'], at, putOut, signedInAt: null, ...rest };
  }

  function show(
    ctx: Context,
    interaction: Interaction,
    email: string,
    { error }: { error?: 'wrong' | 'locked' | 'codes' } = {},
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
        forgotHref: `/sign-in/${uid}/forgot`,
        clientName: client?.name,
      }),
    );
  }
}
