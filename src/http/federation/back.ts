import type { Context } from 'koa';
import { UpstreamProblem, type UpstreamAssertion } from '#identity/federation/assertion.ts';
import {
  takeAttempt,
  waitingAttempt,
  type Attempt,
  type WaitingAttempt,
} from '#identity/federation/attempt.ts';
import { pageContext, queryText, referenceOf, sendPage } from '../context.ts';
import type { Interaction } from '../interactions.ts';
import { expiredPage } from '../pages/trouble.ts';
import type { Waiting } from './ask.ts';
import { placeOf, type TurnBack } from './turn-back.ts';
import { paramsOf, type Way } from './way.ts';

export interface Back {
  /** The sign-in of this address and this browser. Null where there is none any more: that is shown. */
  loginOf(ctx: Context, uid: string): Promise<Interaction | null>;
  /** The attempt whose answer this is, used up by it. */
  broughtBack(ctx: Context, connectionId: string): Promise<Attempt | null>;
  /** The attempt of this address, which waits for something of its person. Null: as `loginOf`. */
  waitingOf(ctx: Context): Promise<(Waiting & { attempt: WaitingAttempt }) | null>;
  /** What the provider's answer says, verified. Null where it says nothing: that is shown. */
  arrived(
    ctx: Context,
    attempt: Attempt,
    interaction: Interaction | null,
  ): Promise<UpstreamAssertion | null>;
}

/** The way back: what an address, a browser and an answer belong to. */
export function comingBack(way: Way, { failed, stray }: TurnBack): Back {
  const { foundation, interactions, csrf } = way;
  const { database, vault, clock, issuer } = foundation;
  const back: Back = {
    async loginOf(ctx, uid) {
      const interaction = await interactions.load(ctx, uid);
      if (interaction?.prompt.name === 'login') return interaction;
      sendPage(ctx, 400, expiredPage({ ...pageContext(ctx), reference: referenceOf(ctx) }));
      return null;
    },

    broughtBack: (ctx, connectionId) =>
      takeAttempt(database, vault, {
        state: queryText(ctx, 'state') ?? '',
        browser: csrf.browser(ctx),
        connectionId,
        now: clock(),
      }),

    async waitingOf(ctx) {
      const { uid = '', connectionId = '', attemptId = '' } = paramsOf(ctx);
      const interaction = await back.loginOf(ctx, uid);
      if (!interaction) return null;
      const attempt = await waitingAttempt(database, vault, {
        id: attemptId,
        browser: csrf.browser(ctx),
        connectionId,
        now: clock(),
      });
      if (attempt?.interaction !== uid) {
        await stray(ctx, connectionId);
        return null;
      }
      return { interaction, attempt, assertion: attempt.assertion };
    },

    async arrived(ctx, attempt, interaction) {
      const { realm, trace } = attempt;
      const { connection } = realm;
      try {
        // Disabled while the person was away: the provider is not even asked.
        if (connection.state !== 'active' && connection.state !== 'testing' && interaction)
          throw new UpstreamProblem('upstream_error', 'The connection was disabled meanwhile.');
        const url = new URL(`/federation/${connection.id}/callback?${ctx.querystring}`, issuer);
        return await way
          .protocol(connection)
          .arrive(realm, { url, form: null }, attempt.remembered, trace);
      } catch (problem) {
        if (!(problem instanceof UpstreamProblem)) throw problem;
        await failed(ctx, { realm, trace, place: placeOf(interaction), problem });
        return null;
      }
    },
  };
  return back;
}
