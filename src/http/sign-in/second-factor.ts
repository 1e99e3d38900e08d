import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { sourceBucket } from '#identity/credentials/check-password.ts';
import { checkCode, type CodeDependencies } from '#identity/credentials/check-second-factor.ts';
import { comesInHere } from '#identity/credentials/break-glass.ts';
import { factorKinds } from '#identity/credentials/factors.ts';
import { passkeyQuestion, readPasskeyAnswer } from '#identity/credentials/passkey.ts';
import type { Method } from '#identity/sign-in/assurance.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { findPerson } from '#identity/users/person.ts';
import { readForm } from '../body.ts';
import { originOf, queryText, referenceOf, sendPage } from '../context.ts';
import type { Interaction } from '../interactions.ts';
import { secondFactorPage, type FactorChoice } from '../pages/second-factor.ts';
import { throttledPage } from '../pages/trouble.ts';
import { Problem } from '../problem.ts';
import { rateLimit } from '../rate-limit.ts';
import { pageOf, type Desk, type Known } from './desk.ts';
import type { Proved } from './proved.ts';

export interface SecondFactorStepDependencies {
  /** Key of the recovery codes: see `AppSecrets`. */
  recoveryKey: Buffer;
}

/** Is it really you? By a code of an app, a passkey, or a recovery code. */
export function secondFactorStep(
  router: Router,
  desk: Desk,
  { recoveryKey }: SecondFactorStepDependencies,
  { proved }: Proved,
  showPassword: (
    ctx: Context,
    interaction: Interaction,
    email: string,
    why: { error: 'codes' },
  ) => void,
) {
  const { foundation, interactions, csrf } = desk;
  const codes: CodeDependencies = { ...foundation, recoveryKey };
  // Each question is a row, and anybody may ask: one network asks thirty a minute.
  const questions = rateLimit(30, foundation.clock);

  for (const [path, kind] of [
    ['/code', 'totp'],
    ['/recovery', 'recovery_code'],
  ] as const)
    router.post(path, async (ctx) => {
      const asked = await load(ctx);
      if (!asked) return;
      const { interaction, known, form } = asked;
      const code = form['code'] ?? '';
      const choice = kind === 'totp' ? 'totp' : 'recovery';
      if (code.trim() === '' || code.length > 64)
        return show(ctx, interaction, known, { choice, error: 'wrong' });
      const result = await checkCode(codes, {
        person: known.person,
        kind,
        code,
        challenge: `${interaction.uid}:${known.proof.at}`,
        origin: originOf(ctx),
      });
      switch (result.outcome) {
        case 'right':
          return shown(ctx, asked, kind);
        case 'wrong':
          return show(ctx, interaction, known, { choice, error: 'wrong' });
        case 'spent':
          await interactions.keep(interaction, null);
          return showPassword(ctx, interaction, known.person.email ?? '', { error: 'codes' });
        case 'throttled':
          ctx.set('Retry-After', '3600');
          return sendPage(
            ctx,
            429,
            throttledPage({
              ...pageOf(ctx, interaction, known.person),
              minutes: 60,
              codes: true,
              reference: referenceOf(ctx),
            }),
          );
      }
    });

  // --- A passkey in the place of a code, or of password and code

  router.post('/passkey/options', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (!interaction) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form, interaction.uid);
    if (interaction.prompt.name !== 'login') return desk.back(ctx, interaction);
    const source = sourceBucket(ctx.ip);
    const wait = source === '' ? 0 : questions.take(source);
    if (wait > 0)
      throw new Problem(429, 'rate_limited', 'Too many requests. Try again later.', {
        'Retry-After': String(wait),
      });
    const known = await desk.known(interaction);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = await passkeyQuestion(foundation, known?.person ?? null, interaction.uid);
  });

  router.post('/passkey', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (!interaction) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form, interaction.uid);
    if (interaction.prompt.name !== 'login') return desk.back(ctx, interaction);
    const known = await desk.known(interaction);
    const answer = await readPasskeyAnswer(
      foundation,
      known?.person ?? null,
      interaction.uid,
      form['credential'] ?? '',
    );
    const method = answer?.backedUp ? 'synced_passkey' : 'passkey';
    if (known?.proof) {
      const asked = { interaction, known: { ...known, proof: known.proof }, form };
      if (!answer) return show(ctx, interaction, known, { choice: 'passkey', error: 'passkey' });
      return shown(ctx, asked, method);
    }
    const now = foundation.clock();
    const person = answer && (await findPerson(foundation.database, answer.userId, now));
    if (!person) {
      ctx.status = 303;
      return ctx.redirect(`/sign-in/${interaction.uid}?passkey=unknown`);
    }
    const here = await comesInHere(foundation.database, person.id, now);
    if (here === 'no') {
      // Their company signs them in: they are sent there, as if they had typed their address.
      await interactions.identify(interaction, canonicalEmail(person.email) ?? '');
      return desk.back(ctx, interaction);
    }
    await proved(ctx, interaction, person, {
      userId: person.id,
      methods: [method],
      breakGlass: here === 'bypass',
      at: now.getTime(),
      putOut: person.putOut,
      signedInAt: null,
      deviceId: null,
      remember: false,
    });
  });

  return show;

  interface Asked {
    interaction: Interaction;
    known: Known & { proof: NonNullable<Known['proof']> };
    form: Record<string, string>;
  }

  /** The sign-in, where a second factor is what it is about now. */
  async function load(ctx: Context): Promise<Asked | null> {
    const interaction = await desk.load(ctx);
    if (!interaction) return null;
    const form = await readForm(ctx);
    csrf.check(ctx, form, interaction.uid);
    const known = await desk.known(interaction);
    if (!known?.proof || desk.step(interaction, known).step !== 'second_factor') {
      desk.back(ctx, interaction);
      return null;
    }
    return { interaction, known: { ...known, proof: known.proof }, form };
  }

  async function shown(
    ctx: Context,
    { interaction, known: { person, proof }, form }: Asked,
    method: Method,
  ): Promise<void> {
    await proved(
      ctx,
      interaction,
      person,
      { ...proof, methods: [...proof.methods, method] },
      { rememberFactor: form['remember_factor'] === 'yes' },
    );
  }

  async function show(
    ctx: Context,
    interaction: Interaction,
    { person }: Known,
    { choice, error }: { choice?: FactorChoice; error?: 'wrong' | 'passkey' } = {},
  ): Promise<void> {
    const { uid, client } = interaction;
    const has = await factorKinds(foundation.database, person.id);
    const choices = (['totp', 'passkey', 'recovery'] as const).filter((one) => has[one]);
    const wanted = choice ?? queryText(ctx, 'with');
    sendPage(
      ctx,
      error ? 401 : 200,
      secondFactorPage({
        ...pageOf(ctx, interaction, person),
        csrf: csrf.token(ctx, uid),
        path: `/sign-in/${uid}`,
        email: person.email ?? '',
        choices,
        choice: choices.find((one) => one === wanted) ?? choices[0] ?? 'recovery',
        rememberDays: desk.secondFactor.rememberDays,
        error,
        clientName: client?.name,
      }),
    );
  }
}
