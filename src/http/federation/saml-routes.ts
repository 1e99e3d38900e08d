import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { documentLimits } from '#platform/saml/raw-guard.ts';
import { spMetadata } from '#platform/saml/request.ts';
import { UpstreamProblem, type UpstreamAssertion } from '#identity/federation/assertion.ts';
import {
  keepAssertion,
  takeAttemptAnywhere,
  waitingAttempt,
  type Attempt,
} from '#identity/federation/attempt.ts';
import { findRealm } from '#identity/federation/home-realm.ts';
import { openSamlKeys } from '#identity/federation/saml/own-keys.ts';
import { ourAddresses, samlSettings } from '#identity/federation/saml/settings.ts';
import type { Foundation } from '#identity/work.ts';
import { readForm } from '../body.ts';
import { pageContext, queryText, sendPage, sourceOf } from '../context.ts';
import type { Csrf } from '../csrf.ts';
import { formPostPage } from '../pages/front.ts';
import { Problem } from '../problem.ts';
import { rateLimit } from '../rate-limit.ts';
import { rateLimited } from '../throttled.ts';
import type { SamlUpstream } from './saml.ts';
import type { TurnBack } from './turn-back.ts';

export interface SamlRoutesDependencies {
  foundation: Foundation;
  saml: SamlUpstream;
  csrf: Csrf;
  failed: TurnBack['failed'];
  stray: TurnBack['stray'];
  finishTest(ctx: Context, attempt: Attempt, assertion: UpstreamAssertion): Promise<void>;
}

/** A document of 256 KB in Base64, where each `+` may take three characters; and RelayState. */
const responseLimit = documentLimits.bytes * 2;
/** What one address, and one connection, may have verified in a minute. */
const perAddress = 60;
const perConnection = 1200;

/**
 * What SAML needs beside the way that all protocols share.
 *
 *     provider -> POST /federation/{id}/acs (another site: no cookies come along)
 *              -> the request is looked up by RelayState and used up, the response verified, kept
 *              -> GET /sign-in/{uid}/federated/{id}/{attempt} (with the cookies of this browser)
 *
 * Nothing is parsed for who cannot name a request that is waiting; and who can, but from another
 * browser, finds nothing at the address that follows (security.md 5.3, rules 2 and 8; D-09).
 */
export function samlRoutes(router: Router, dependencies: SamlRoutesDependencies): void {
  const { foundation, saml, csrf, failed, stray, finishTest } = dependencies;
  const { database, vault, clock, issuer } = foundation;
  const byAddress = rateLimit(perAddress, clock);
  const byConnection = rateLimit(perConnection, clock);

  router.get('/federation/:connectionId/metadata', async (ctx) => {
    const { connectionId = '' } = ctx.params;
    const realm = await findRealm(database, connectionId);
    if (realm?.connection.kind !== 'saml') throw nothingHere();
    const settings = samlSettings(realm.connection);
    const keys = openSamlKeys(realm, vault).map(({ certificate }) => certificate);
    if (keys.length === 0) throw nothingHere();
    ctx.type = 'application/samlmetadata+xml';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = spMetadata({
      ...ourAddresses(issuer, connectionId),
      signing: keys,
      encryption: settings.encryption ? keys : [],
      nameIdFormat: settings.nameIdFormat,
    });
  });

  /** The POST binding: our page carries the request, since a redirect cannot. */
  router.get('/federation/:connectionId/post', (ctx) => {
    const message = saml.openPost(ctx.params['connectionId'] ?? '', queryText(ctx, 'm') ?? '');
    if (!message?.form) throw nothingHere();
    const context = pageContext(ctx);
    sendPage(
      ctx,
      200,
      formPostPage({
        ...context,
        here: undefined,
        title: message.purpose === 'sign_in' ? context.t('federation.away') : undefined,
        action: message.url,
        fields: message.form,
      }),
    );
  });

  router.post('/federation/:connectionId/acs', async (ctx) => {
    const { connectionId = '' } = ctx.params;
    const wait = Math.max(byAddress.take(sourceOf(ctx)), byConnection.take(connectionId));
    if (wait > 0) throw rateLimited(wait);
    const form = await readForm(ctx, { limit: responseLimit });
    const attempt = await takeAttemptAnywhere(database, vault, {
      state: form['RelayState'] ?? '',
      connectionId,
      now: clock(),
    });
    if (attempt?.realm.connection.kind !== 'saml') return stray(ctx, connectionId);
    if (!(await arrived(ctx, attempt, form))) return;
    ctx.status = 303;
    ctx.set('Cache-Control', 'no-store');
    ctx.redirect(
      attempt.interaction === null
        ? `/federation/${connectionId}/tested/${attempt.id}`
        : `/sign-in/${attempt.interaction}/federated/${connectionId}/${attempt.id}`,
    );
  });

  /** The end of a test sign-in, in the browser that began it. */
  router.get('/federation/:connectionId/tested/:attemptId', async (ctx) => {
    const { connectionId = '', attemptId = '' } = ctx.params;
    const attempt = await waitingAttempt(database, vault, {
      id: attemptId,
      browser: csrf.browser(ctx),
      connectionId,
      now: clock(),
    });
    if (attempt?.purpose !== 'test') return stray(ctx, connectionId);
    await finishTest(ctx, attempt, attempt.assertion);
  });

  /** Verifies what was posted, and keeps it for who comes back with their cookies. False: that is shown. */
  async function arrived(
    ctx: Context,
    attempt: Attempt,
    form: Record<string, string>,
  ): Promise<boolean> {
    const { realm, remembered, trace, interaction } = attempt;
    const { connection } = realm;
    try {
      // Disabled while the person was away: nothing is read any more.
      if (interaction !== null && connection.state !== 'active' && connection.state !== 'testing')
        throw new UpstreamProblem('upstream_error', 'The connection was disabled meanwhile.');
      const url = new URL(`/federation/${connection.id}/acs`, issuer);
      const { once, ...assertion } = await saml.arrive(realm, { url, form }, remembered, trace);
      if (!(await keepAssertion(database, vault, attempt, assertion, 'return', once)))
        throw new UpstreamProblem('response_replayed', 'This assertion was used before.');
      return true;
    } catch (problem) {
      if (!(problem instanceof UpstreamProblem)) throw problem;
      const place = interaction === null ? null : { uid: interaction };
      await failed(ctx, { realm, trace, place, problem });
      return false;
    }
  }
}

function nothingHere(): Problem {
  return new Problem(404, 'not_found', 'There is nothing here.');
}
