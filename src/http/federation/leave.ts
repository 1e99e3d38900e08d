import type { Context } from 'koa';
import { newId } from '#platform/ids.ts';
import { UpstreamProblem } from '#identity/federation/assertion.ts';
import { beginAttempt, newState } from '#identity/federation/attempt.ts';
import { homeRealm, type Realm } from '#identity/federation/home-realm.ts';
import { FederationTrace } from '#identity/federation/trace.ts';
import type { UpstreamRequest } from '#identity/federation/upstream.ts';
import type { Interaction } from '../interactions.ts';
import { placeOf, type TurnBack } from './turn-back.ts';
import type { Way } from './way.ts';

/** What the way back carries besides the secret: which sign-in it belongs to, or that it is a test. */
export const testMark = 'test';

export interface Leave {
  /**
   * Sends the person to their company's provider, where their address leads to one; or shows why
   * that cannot be now. False where they prove themselves here.
   */
  leave(ctx: Context, interaction: Interaction, email: string): Promise<boolean>;
  /** Sends the browser to a provider, to try the connection out. */
  tryOut(ctx: Context, realm: Realm): Promise<void>;
}

/** The way there: the attempt is kept, and the browser sent away. */
export function leaving(way: Way, { failed }: TurnBack): Leave {
  const { foundation, csrf } = way;
  const { database, vault, clock } = foundation;
  return {
    async leave(ctx, interaction, email) {
      const { params, leads } = interaction;
      const realm = leads?.email === email ? leads.realm : await homeRealm(database, email);
      if (!realm) return false;
      await depart(ctx, realm, interaction, {
        loginHint: email,
        prompt: forwarded(params['prompt']),
        maxAge: maxAgeOf(params),
        acrValues: textOf(params['acr_values']),
      });
      return true;
    },

    tryOut: (ctx, realm) =>
      depart(ctx, realm, null, { loginHint: null, prompt: null, maxAge: null, acrValues: null }),
  };

  async function depart(
    ctx: Context,
    realm: Realm,
    interaction: Interaction | null,
    wanted: Omit<UpstreamRequest, 'state'>,
  ): Promise<void> {
    const { connection } = realm;
    const now = clock();
    const trace = new FederationTrace({
      id: newId(now.getTime()),
      connectionId: connection.id,
      accountId: connection.accountId,
      purpose: interaction ? 'sign_in' : 'test',
      beganAt: now,
    });
    const state = `${interaction?.uid ?? testMark}.${newState()}`;
    try {
      const { redirectTo, remember } = await way
        .protocol(connection)
        .depart(realm, { state, ...wanted }, trace);
      await beginAttempt(database, vault, {
        state,
        browser: csrf.browser(ctx),
        interaction: interaction?.uid ?? null,
        identifier: wanted.loginHint,
        remembered: remember,
        trace,
      });
      ctx.status = 303;
      ctx.redirect(redirectTo.href);
    } catch (problem) {
      if (!(problem instanceof UpstreamProblem)) throw problem;
      await failed(ctx, { realm, trace, place: placeOf(interaction), problem });
    }
  }
}

/** What of `prompt` is the provider's business: that the person proves anew who they are. */
function forwarded(prompt: unknown): string | null {
  const asked = typeof prompt === 'string' ? prompt.split(' ') : [];
  return asked.includes('login') ? 'login' : null;
}

function maxAgeOf(params: Record<string, unknown>): number | null {
  const age = Number(params['max_age']);
  return params['max_age'] !== undefined && Number.isSafeInteger(age) && age >= 0 ? age : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
