import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { documentLimits } from '#platform/saml/raw-guard.ts';
import { sameSecret } from '#platform/secrets.ts';
import { UpstreamProblem } from '#identity/federation/assertion.ts';
import { newState } from '#identity/federation/attempt.ts';
import { findRealm } from '#identity/federation/home-realm.ts';
import { openHint, upstreamLogout } from '#identity/federation/logout.ts';
import type { Federation } from '#identity/federation/standing.ts';
import { readForm } from '../body.ts';
import { originOf, queryText, sourceOf } from '../context.ts';
import { Problem } from '../problem.ts';
import { rateLimit } from '../rate-limit.ts';
import { rateLimited } from '../throttled.ts';
import type { Way } from './way.ts';

/** Where the engine sends who signed out and came from nowhere. */
const signedOutPath = '/oauth/end_session/success';
const cookieLife = 10 * 60_000;
/** What fits into a cookie, with its name and attributes. */
const cookieLimit = 3500;
/** What one address may have verified in a minute. */
const perAddress = 60;

export interface SignOut {
  /**
   * The session that stood on a provider's word has ended here; and there, too, where the connection
   * says so. Returns where the browser goes first: it comes back and goes `onward` then. Null where
   * there is nowhere to go: no provider keeps anybody from signing out here.
   */
  there(ctx: Context, federation: Federation, onward: string): Promise<string | null>;
  addTo(router: Router): void;
}

/** What waits while the browser is at the provider; it keeps it itself. */
interface SigningOut {
  connection: string;
  state: string;
  onward: string;
}

/**
 * The end of a session, in both directions (behaviour.md F31).
 *
 *     here -> /oauth/end_session/confirm -> ended -> the provider -> /federation/{id}/signed-out or /slo
 *          -> the application
 *     there -> /federation/{id}/backchannel-logout, or /federation/{id}/slo -> ended here
 */
export function signingOut(way: Way): SignOut {
  const { foundation, oidc, saml } = way;
  const { database, vault, clock, issuer } = foundation;
  const byAddress = rateLimit(perAddress, clock);
  const secure = issuer.startsWith('https:');
  const cookie = secure ? '__Secure-ostiary_signing_out' : 'ostiary_signing_out';
  const cookieOptions = {
    httpOnly: true,
    sameSite: 'lax',
    secure,
    path: '/federation',
    overwrite: true,
  } as const;

  return { there, addTo };

  async function there(
    ctx: Context,
    federation: Federation,
    onward: string,
  ): Promise<string | null> {
    const realm = await findRealm(database, federation.connection);
    if (!realm?.connection.signOutUpstream) return null;
    const { connection } = realm;
    const state = newState();
    const waiting = vault.seal(
      JSON.stringify({ connection: connection.id, state, onward } satisfies SigningOut),
      cookie,
    );
    if (waiting.length > cookieLimit) return null;
    try {
      const url = await way.protocol(connection).signOut(realm, openHint(vault, federation), state);
      if (!url) return null;
      ctx.cookies.set(cookie, waiting, { ...cookieOptions, maxAge: cookieLife });
      return url.href;
    } catch (problem) {
      if (!(problem instanceof UpstreamProblem)) throw problem;
      return null;
    }
  }

  /** The provider is done, or says that it is: it was asked to, and nothing here depends on it. */
  function goOnward(ctx: Context, connectionId: string, state: string): void {
    const kept = ctx.cookies.get(cookie);
    const waiting = kept === undefined ? null : opened(kept);
    const good =
      waiting !== null && waiting.connection === connectionId && sameSecret(waiting.state, state);
    if (good) ctx.cookies.set(cookie, null, cookieOptions);
    ctx.set('Cache-Control', 'no-store');
    ctx.status = 303;
    ctx.redirect(good ? waiting.onward : signedOutPath);
  }

  function opened(kept: string): SigningOut | null {
    try {
      return JSON.parse(vault.open(kept, cookie)) as SigningOut;
    } catch {
      return null;
    }
  }

  function addTo(router: Router): void {
    /** Back from an OpenID provider (RP-Initiated Logout 1.0, section 3). */
    router.get('/federation/:connectionId/signed-out', (ctx) => {
      goOnward(ctx, ctx.params['connectionId'] ?? '', queryText(ctx, 'state') ?? '');
    });

    /** Back-channel logout of the provider (OpenID Connect Back-Channel Logout 1.0, section 2.7). */
    router.post('/federation/:connectionId/backchannel-logout', async (ctx) => {
      ctx.set('Cache-Control', 'no-store');
      const { connectionId = '' } = ctx.params;
      const realm = await findRealm(database, connectionId);
      const form = await readForm(ctx);
      const token = form['logout_token'] ?? '';
      try {
        if (!realm || realm.connection.kind !== 'oidc')
          throw new UpstreamProblem('upstream_error', 'There is no such connection.');
        const said = await oidc.logout(realm, token);
        await upstreamLogout(foundation, realm.connection, said, originOf(ctx));
        ctx.status = 200;
        ctx.body = '';
      } catch (problem) {
        if (!(problem instanceof UpstreamProblem)) throw problem;
        ctx.status = 400;
        ctx.body = { error: 'invalid_request' };
      }
    });

    /**
     * SAML single logout (SAML profiles 4.4), by redirect or by POST: the answer to a request of ours, or
     * the provider's own request. The browser it comes by need not be the one that is signed out.
     */
    router.get('/federation/:connectionId/slo', async (ctx) => {
      const relayState = queryText(ctx, 'RelayState') ?? '';
      if (queryText(ctx, 'SAMLResponse') !== undefined)
        return goOnward(ctx, ctx.params['connectionId'] ?? '', relayState);
      requireRoom(ctx);
      await askedBySaml(ctx, { query: ctx.querystring }, relayState);
    });

    router.post('/federation/:connectionId/slo', async (ctx) => {
      requireRoom(ctx);
      const form = await readForm(ctx, { limit: documentLimits.bytes * 2 });
      const relayState = form['RelayState'] ?? '';
      if (form['SAMLResponse'] === undefined)
        return askedBySaml(ctx, { field: form['SAMLRequest'] ?? '' }, relayState);
      // From another site no cookie comes along; with the next address it does.
      ctx.set('Cache-Control', 'no-store');
      ctx.status = 303;
      ctx.redirect(
        `/federation/${encodeURIComponent(ctx.params['connectionId'] ?? '')}/signed-out?${new URLSearchParams({ state: relayState.slice(0, 200) })}`,
      );
    });
  }

  /** One address does not keep the verifier from all others. */
  function requireRoom(ctx: Context): void {
    const wait = byAddress.take(sourceOf(ctx));
    if (wait > 0) throw rateLimited(wait);
  }

  /** Ends here what the provider says has ended there, where it is the provider that says so. */
  async function askedBySaml(
    ctx: Context,
    sent: { query: string } | { field: string },
    relayState: string,
  ): Promise<void> {
    const realm = await findRealm(database, ctx.params['connectionId'] ?? '');
    if (realm?.connection.kind !== 'saml')
      throw new Problem(404, 'not_found', 'There is nothing here.');
    ctx.set('Cache-Control', 'no-store');
    try {
      const { said, answer } = await saml.logout(realm, sent);
      await upstreamLogout(foundation, realm.connection, said, originOf(ctx));
      ctx.status = 303;
      ctx.redirect(answer(relayState)?.href ?? signedOutPath);
    } catch (problem) {
      if (!(problem instanceof UpstreamProblem)) throw problem;
      throw new Problem(400, 'invalid_request', 'This is no request to sign out that we follow.');
    }
  }
}
