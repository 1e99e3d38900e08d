import type { Context } from 'koa';
import { isId } from '#platform/ids.ts';
import { administratorsOf } from '#identity/accounts/administrators.ts';
import type { UpstreamAssertion, UpstreamProblem } from '#identity/federation/assertion.ts';
import type { Attempt } from '#identity/federation/attempt.ts';
import type { FederatedRefusal } from '#identity/federation/decide.ts';
import type { Realm } from '#identity/federation/home-realm.ts';
import type { FederatedResult } from '#identity/federation/arrival.ts';
import type { FederationTrace } from '#identity/federation/trace.ts';
import { answerWithoutAttempt, upstreamFailed } from '#identity/federation/turned-back.ts';
import type { Person } from '#identity/users/person.ts';
import { originOf, pageContext, referenceOf, sendPage, sourceOf } from '../context.ts';
import type { Interaction } from '../interactions.ts';
import { federationStopPage, type FederationStop } from '../pages/federation.ts';
import { expiredPage } from '../pages/trouble.ts';
import { rateLimit } from '../rate-limit.ts';
import { showRefusal } from '../refused.ts';
import { showTest } from './try-out.ts';
import { mappedOf, type Way } from './way.ts';

/** A provider did not say who somebody is. */
export interface FailedWay {
  realm: Realm;
  trace: FederationTrace;
  /** The sign-in it was for; null for a test. */
  place: { uid: string; requested?: unknown } | null;
  problem: UpstreamProblem;
}

export interface TurnBack {
  /** Decided: nobody comes in. What is shown is what whom the provider has proved may know. */
  refuse(
    ctx: Context,
    interaction: Interaction,
    attempt: Attempt,
    assertion: UpstreamAssertion,
    result: Extract<FederatedResult, { outcome: 'refused' }>,
  ): Promise<void>;
  failed(ctx: Context, failed: FailedWay): Promise<void>;
  /** An answer that nobody here waits for: nothing is done, and it is written down. */
  stray(ctx: Context, connectionId: string | undefined): Promise<void>;
}

/** Where somebody who failed may go on: the sign-in they were in. */
export function placeOf(interaction: Interaction | null): FailedWay['place'] {
  return interaction && { uid: interaction.uid, requested: interaction.params['ui_locales'] };
}

/** The ends of the way where nobody comes in. */
export function turningBack({ foundation, csrf }: Way): TurnBack {
  const { database, clock } = foundation;
  const strays = rateLimit(30, clock);
  return {
    async refuse(ctx, interaction, attempt, assertion, { reason, person, lock, missing }) {
      if (reason === 'locked' && person && lock)
        return showRefusal(ctx, { foundation, csrf }, interaction, person, {
          reason: 'locked',
          lock,
        });
      const { account, connection } = attempt.realm;
      const stop = stops[reason];
      sendPage(
        ctx,
        403,
        federationStopPage({
          ...pageContext(ctx, {
            profile: person?.language,
            requested: interaction.params['ui_locales'],
          }),
          reason: stop,
          email: mappedOf(attempt, assertion).identifierDisplay || null,
          missing: missing.length > 0 ? missing : ['identifier'],
          account: account.name,
          administrators: await helpers(stop, account.id, person),
          trace: attempt.id,
          localHref: localHref(interaction, connection.mode),
          returnHref: `/sign-in/${interaction.uid}/return`,
        }),
      );
    },

    async failed(ctx, { realm, trace, place, problem }) {
      const { connection } = realm;
      await upstreamFailed(foundation, {
        connection,
        trace,
        problem,
        origin: originOf(ctx),
      });
      if (!place) return showTest(ctx, realm, trace, { problem });
      const stop = problemStops[problem.code];
      const away = stop === 'unreachable';
      if (away) ctx.set('Retry-After', '30');
      sendPage(
        ctx,
        away ? 503 : 403,
        federationStopPage({
          ...pageContext(ctx, { requested: place.requested }),
          reason: stop,
          error: problem.detail,
          trace: trace.id,
          retryHref: away ? `/sign-in/${place.uid}` : undefined,
          localHref: localHref(place, connection.mode),
          returnHref: `/sign-in/${place.uid}/return`,
        }),
      );
    },

    async stray(ctx, connectionId) {
      if (isId(connectionId) && strays.take(sourceOf(ctx)) === 0)
        await answerWithoutAttempt(foundation, connectionId, originOf(ctx));
      sendPage(ctx, 400, expiredPage({ ...pageContext(ctx), reference: referenceOf(ctx) }));
    },
  };

  /** Who looks after the account is told to its own people, whom the provider has proved. */
  async function helpers(stop: FederationStop, accountId: string, person: Person | null) {
    const own = stop === 'removed' || person?.account?.id === accountId;
    return own ? administratorsOf(database, accountId) : [];
  }

  /** While passwords are good for anybody of the domain, there is a way to them. */
  function localHref({ uid }: { uid: string }, mode: string): string | undefined {
    return mode === 'optional' ? `/sign-in/${uid}?local=1` : undefined;
  }
}

const problemStops: Record<UpstreamProblem['code'], FederationStop> = {
  upstream_denied: 'denied',
  upstream_error: 'error',
  upstream_unreachable: 'unreachable',
  upstream_busy: 'unreachable',
  response_invalid: 'invalid',
  response_replayed: 'invalid',
  attempt_unknown: 'invalid',
};

/** What is told to whom the provider has proved; why exactly, the trace tells administrators. */
const stops: Record<FederatedRefusal, FederationStop> = {
  connection_disabled: 'unavailable',
  account_on_hold: 'unavailable',
  not_a_tester: 'unavailable',
  identifier_missing: 'attributes',
  identifier_ambiguous: 'attributes',
  guest_refused: 'domain',
  domain_not_owned: 'domain',
  domain_not_bound: 'domain',
  domain_owned_by_other: 'domain',
  domain_pending: 'domain',
  public_domain: 'domain',
  identity_conflict: 'conflict',
  link_withdrawn: 'conflict',
  external_id_conflict: 'conflict',
  user_in_other_account: 'conflict',
  user_not_addable: 'conflict',
  break_glass: 'conflict',
  not_provisioned: 'not_provisioned',
  attributes_missing: 'attributes',
  claim_missing: 'attributes',
  removed: 'removed',
  locked: 'unavailable',
};
