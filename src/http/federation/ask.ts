import type { Context } from 'koa';
import { checkCodeBeside } from '#identity/credentials/check-second-factor.ts';
import { checkPassword } from '#identity/credentials/check-password.ts';
import type { UpstreamAssertion } from '#identity/federation/assertion.ts';
import type { Attempt } from '#identity/federation/attempt.ts';
import { originOf, pageContext, sendPage } from '../context.ts';
import { countryOptions } from '../countries.ts';
import type { Interaction } from '../interactions.ts';
import {
  federationAskPage,
  federationStepUpPage,
  type FederationStepUpPage,
} from '../pages/federation.ts';
import type { PersonErrors, PersonFields } from '../pages/register.ts';
import { addressOf, mappedOf, type Way } from './way.ts';

/** Somebody who is proved by their provider, in a sign-in that waits for them. */
export interface Waiting {
  interaction: Interaction;
  attempt: Attempt;
  assertion: UpstreamAssertion;
}

/** The provider left something out, and the person fills it in. */
export function showAsk(
  { csrf }: Way,
  ctx: Context,
  { interaction, attempt, assertion }: Waiting,
  missing: readonly (keyof PersonFields)[],
  values: PersonFields | undefined,
  errors: PersonErrors,
): void {
  const context = pageContext(ctx, { requested: interaction.params['ui_locales'] });
  const asked = new Set<string>(missing);
  const wrong = Object.fromEntries(Object.entries(errors).filter(([name]) => asked.has(name)));
  sendPage(
    ctx,
    values ? 422 : 200,
    federationAskPage({
      ...context,
      csrf: csrf.token(ctx, interaction.uid),
      action: addressOf(interaction, attempt),
      account: attempt.realm.account.name,
      email: mappedOf(attempt, assertion).identifierDisplay,
      missing,
      values: values ?? {},
      errors: wrong,
      countries: countryOptions(context.t.locale),
      returnHref: `/sign-in/${interaction.uid}/return`,
    }),
  );
}

/** An administrator proves once that they are the person who has the address here. */
export function showStepUp(
  { csrf }: Way,
  ctx: Context,
  { interaction, attempt, assertion }: Waiting,
  error?: FederationStepUpPage['error'],
): void {
  sendPage(
    ctx,
    error ? 401 : 200,
    federationStepUpPage({
      ...pageContext(ctx, { requested: interaction.params['ui_locales'] }),
      csrf: csrf.token(ctx, interaction.uid),
      action: addressOf(interaction, attempt),
      account: attempt.realm.account.name,
      email: mappedOf(attempt, assertion).identifierDisplay,
      error,
      returnHref: `/sign-in/${interaction.uid}/return`,
    }),
  );
}

/**
 * The password of who has the address here, counted like every other guess; and their second factor,
 * where they have one (security.md 3.3).
 */
export async function checkOldPassword(
  { foundation, passwords, recoveryKey }: Way,
  ctx: Context,
  { attempt, assertion }: Waiting,
  password: string,
  code: string,
): Promise<'right' | NonNullable<FederationStepUpPage['error']>> {
  const email = mappedOf(attempt, assertion).identifier;
  if (email === null || password === '' || password.length > 1024) return 'wrong';
  const origin = originOf(ctx);
  const checked = await checkPassword(passwords, {
    email,
    password,
    device: null,
    origin,
    linking: true,
  });
  if (checked.outcome !== 'right') return checked.outcome === 'wrong' ? 'wrong' : 'locked';
  const shown = await checkCodeBeside(
    { ...foundation, recoveryKey },
    { person: checked.person, code, challenge: `federation:${attempt.id}`, origin },
  );
  if (shown === 'right') return 'right';
  return shown === 'throttled' ? 'locked' : shown === 'missing' ? 'code' : 'code_wrong';
}
