import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { canonicalEmail } from '#identity/users/email.ts';
import { readForm } from '../body.ts';
import { queryText, sendPage } from '../context.ts';
import type { Interaction } from '../interactions.ts';
import { identifierPage } from '../pages/identify.ts';
import { pageOf, type Desk } from './desk.ts';

/** Who are you? The same for every address, whether anybody has it or not. */
export function identifierStep(router: Router, desk: Desk) {
  router.post('/identifier', async (ctx) => {
    const interaction = await desk.load(ctx);
    if (!interaction) return;
    const form = await readForm(ctx);
    desk.csrf.check(ctx, form, interaction.uid);
    const typed = (form['email'] ?? '').trim();
    const email = canonicalEmail(typed);
    if (email === null) return show(ctx, interaction, typed, typed === '' ? 'empty' : 'invalid');
    await desk.interactions.identify(interaction, email);
    // Somebody else, perhaps: what was proved so far proves nothing of them.
    if (interaction.proof) await desk.interactions.keep(interaction, null);
    desk.back(ctx, interaction);
    if (ctx.query['local'] !== undefined) ctx.redirect(`/sign-in/${interaction.uid}?local=1`);
  });

  return show;

  function show(
    ctx: Context,
    interaction: Interaction,
    email: string,
    error?: 'empty' | 'invalid',
  ): void {
    const { uid, client } = interaction;
    sendPage(
      ctx,
      error ? 422 : 200,
      identifierPage({
        ...pageOf(ctx, interaction),
        csrf: desk.csrf.token(ctx, uid),
        action: `/sign-in/${uid}/identifier${ctx.query['local'] === undefined ? '' : '?local=1'}`,
        email,
        error,
        registerHref: `/register?sign_in=${uid}`,
        forgotHref: `/forgot-password?sign_in=${uid}`,
        clientName: client?.name,
        passkeyAction: `/sign-in/${uid}/passkey`,
        passkeyUnknown: queryText(ctx, 'passkey') === 'unknown',
      }),
    );
  }
}

/** The address to sign in with: typed, hinted by the application, or of who is signed in here. */
export function identifierOf({ identifier, params, person, prompt }: Interaction): string | null {
  if (identifier !== null) return identifier;
  const hint = canonicalEmail(params['login_hint']);
  if (hint !== null) return hint;
  // Signing in again, and not as somebody else.
  if (prompt.name === 'login' && person?.email && !prompt.reasons.includes('account_unavailable'))
    return canonicalEmail(person.email);
  return null;
}
