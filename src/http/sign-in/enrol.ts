import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { addPasskey, addTotp, totpBeingSetUp } from '#identity/credentials/factors.ts';
import { passkeyCreation, readNewPasskey } from '#identity/credentials/passkey.ts';
import { Refusal } from '#identity/refusal.ts';
import type { Method } from '#identity/sign-in/assurance.ts';
import { unitOfWork, type Work } from '#identity/work.ts';
import { readForm } from '../body.ts';
import { originOf, sendPage } from '../context.ts';
import type { Interaction } from '../interactions.ts';
import { enrolPage, recoveryCodesPage } from '../pages/second-factor.ts';
import { sendRecoveryCodes, totpView } from '../totp-view.ts';
import { deviceName } from '../user-agent.ts';
import { pageOf, type Desk, type Known } from './desk.ts';
import type { Proved } from './proved.ts';
import type { SecondFactorStepDependencies } from './second-factor.ts';

type Proven = Known & { proof: NonNullable<Known['proof']> };

/** Who has to have a second factor and has none sets one up, right after the password. */
export function enrolStep(
  router: Router,
  desk: Desk,
  { recoveryKey }: SecondFactorStepDependencies,
  { proved }: Proved,
) {
  const { foundation, interactions, csrf } = desk;

  router.post('/enrol/app', async (ctx) => {
    const asked = await load(ctx);
    if (!asked) return;
    const { interaction, known, form } = asked;
    const name = pageOf(ctx, interaction, known.person).t('mfa.app.name');
    const enrolled = await as(ctx, known, (work) =>
      addTotp(work, foundation.vault, recoveryKey, known.person, {
        binding: interaction.uid,
        code: form['code'] ?? '',
        name,
      }),
    );
    if (!enrolled) return show(ctx, interaction, known, { error: 'wrong' });
    await added(ctx, interaction, known, 'totp', enrolled.recoveryCodes);
  });

  router.post('/enrol/passkey/options', async (ctx) => {
    const asked = await load(ctx);
    if (!asked) return;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = await passkeyCreation(foundation, asked.known.person, asked.interaction.uid);
  });

  router.post('/enrol/passkey', async (ctx) => {
    const asked = await load(ctx);
    if (!asked) return;
    const { interaction, known, form } = asked;
    const passkey = await readNewPasskey(
      foundation,
      known.person,
      interaction.uid,
      form['credential'] ?? '',
    );
    if (!passkey) return show(ctx, interaction, known, { error: 'passkey' });
    const name =
      deviceName(ctx.get('user-agent')) ??
      pageOf(ctx, interaction, known.person).t('mfa.passkey.name');
    try {
      const enrolled = await as(ctx, known, (work) =>
        addPasskey(work, recoveryKey, known.person, passkey, name),
      );
      const method = passkey.backedUp ? 'synced_passkey' : 'passkey';
      await added(ctx, interaction, known, method, enrolled.recoveryCodes);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      await show(ctx, interaction, known, { error: 'passkey' });
    }
  });

  /** The codes as a file, from the page that shows them: they are known nowhere else. */
  router.post('/enrol/codes', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (!interaction) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form, interaction.uid);
    sendRecoveryCodes(ctx, form['codes'] ?? '');
  });

  /** They have their recovery codes: the sign-in goes on. */
  router.post('/enrol/done', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (!interaction) return;
    csrf.check(ctx, await readForm(ctx), interaction.uid);
    const known = await desk.known(interaction);
    if (!known?.proof) return desk.back(ctx, interaction);
    await proved(ctx, interaction, known.person, known.proof);
  });

  return show;

  async function load(
    ctx: Context,
  ): Promise<{ interaction: Interaction; known: Proven; form: Record<string, string> } | null> {
    const interaction = await desk.load(ctx);
    if (!interaction) return null;
    const form = await readForm(ctx);
    csrf.check(ctx, form, interaction.uid);
    const known = await desk.known(interaction);
    if (!known?.proof || desk.step(interaction, known).step !== 'enrol') {
      desk.back(ctx, interaction);
      return null;
    }
    return { interaction, known: { ...known, proof: known.proof }, form };
  }

  function as<T>(ctx: Context, { person }: Known, command: (work: Work) => Promise<T>): Promise<T> {
    return unitOfWork(
      foundation,
      { actor: { type: 'user', id: person.id, email: person.email }, origin: originOf(ctx) },
      command,
    );
  }

  /** The factor is there, and was shown by setting it up. */
  async function added(
    ctx: Context,
    interaction: Interaction,
    { person, proof }: Proven,
    method: Method,
    recoveryCodes: string[] | null,
  ): Promise<void> {
    const { uid } = interaction;
    await interactions.keep(interaction, { ...proof, methods: [...proof.methods, method] });
    if (recoveryCodes === null) return desk.back(ctx, interaction);
    sendPage(
      ctx,
      200,
      recoveryCodesPage({
        ...pageOf(ctx, interaction, person),
        csrf: csrf.token(ctx, uid),
        codes: recoveryCodes,
        downloadAction: `/sign-in/${uid}/enrol/codes`,
        doneAction: `/sign-in/${uid}/enrol/done`,
      }),
    );
  }

  async function show(
    ctx: Context,
    interaction: Interaction,
    { person }: Known,
    { error }: { error?: 'wrong' | 'passkey' } = {},
  ): Promise<void> {
    const { uid, client } = interaction;
    const secret = await totpBeingSetUp(foundation, person.id, uid);
    sendPage(
      ctx,
      error ? 422 : 200,
      enrolPage({
        ...pageOf(ctx, interaction, person),
        csrf: csrf.token(ctx, uid),
        path: `/sign-in/${uid}/enrol`,
        email: person.email ?? '',
        app: totpView(secret, person.email ?? ''),
        error,
        clientName: client?.name,
      }),
    );
  }
}
