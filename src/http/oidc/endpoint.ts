import type { Context, Middleware } from 'koa';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Federation } from '#identity/federation/standing.ts';
import { readText } from '../body.ts';
import { queryText } from '../context.ts';
import type { PreparedDocuments } from '../prepared.ts';
import { Problem } from '../problem.ts';
import { handlerOf } from './handler.ts';
import { dressFormPost } from './pages.ts';
import { signOutNow } from './sign-out-now.ts';
import type { PlainTokens } from './plain-tokens.ts';
import { RequestScope, requestScopes, SpentMeanwhile } from './request-scope.ts';

const paths =
  /^\/(oauth\/|device(\/|$)|\.well-known\/(openid-configuration|oauth-authorization-server)$)/;

/** Public, and the same for everybody. */
const documents = new Set([
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/oauth/jwks',
]);

/** Asked by programs, who are answered in JSON whatever they say they like (RFC 6749, section 5.2). */
const machines = new Set([
  '/oauth/token',
  '/oauth/userinfo',
  '/oauth/introspect',
  '/oauth/revoke',
  '/oauth/par',
  '/oauth/device_authorization',
]);

/** What an address takes. The engine says of what it does not that there is no such address. */
function methodsAt(path: string): readonly string[] {
  if (documents.has(path) || path === '/oauth/end_session/success')
    return ['GET', 'HEAD', 'OPTIONS'];
  if ((machines.has(path) && path !== '/oauth/userinfo') || path === '/oauth/end_session/confirm')
    return ['POST', 'OPTIONS'];
  return ['GET', 'HEAD', 'POST', 'OPTIONS'];
}

/** Longer authorization requests are for the pushed authorization request endpoint. */
const postLimit = 64 * 1024;

/** Where the browser goes before `onward`, so that a company's provider hears of the end too. */
export type SignOutThere = (
  ctx: Context,
  federation: Federation,
  onward: string,
) => Promise<string | null>;

export interface EndpointDependencies {
  database: Database;
  clock: Clock;
  issuer: string;
  prepared: PreparedDocuments;
  plain: PlainTokens;
  signOutThere: SignOutThere;
}

/**
 * The engine's endpoints. `current` gives the engine of the moment: it is another one after the keys
 * were rotated, and requests under way finish with the one they began with.
 */
export function engineEndpoints(
  current: () => Provider,
  { database, clock, issuer, prepared, plain, signOutThere }: EndpointDependencies,
): Middleware {
  const origin = new URL(issuer).origin;

  return async (ctx, next) => {
    if (!paths.test(ctx.path)) {
      await next();
      return;
    }
    if (machines.has(ctx.path)) ctx.req.headers.accept = 'application/json';
    const methods = methodsAt(ctx.path);
    if (!methods.includes(ctx.method))
      throw new Problem(405, 'method_not_allowed', 'This address does not take that method.', {
        Allow: methods.join(', '),
      });
    if (ctx.querystring.includes('%00'))
      throw new Problem(
        400,
        'invalid_request',
        'The request holds characters that are not allowed.',
      );
    if (await plain.answer(ctx)) return;
    if (await takePost(ctx, origin)) return;

    const provider = current();
    const scope = new RequestScope({
      ip: ctx.ip,
      userAgent: ctx.get('user-agent').slice(0, 400) || null,
      clientId: queryText(ctx, 'client_id') ?? null,
    });
    await requestScopes.run(scope, async () => {
      await handlerOf(provider)(ctx, () => Promise.resolve());
      if (isSignedOutAlready(ctx)) await signOutNow(ctx as unknown as KoaContextWithOIDC);
      try {
        await scope.flush(database, clock());
      } catch (error) {
        if (!(error instanceof SpentMeanwhile)) throw error;
        revokeSpent(ctx, scope, error);
        await scope.flush(database, clock());
        refuseSpent(ctx);
      }
    });
    const federation = endedFederation(ctx, scope);
    if (federation) {
      const first = await signOutThere(ctx, federation, ctx.response.get('Location'));
      if (first !== null) ctx.redirect(first);
    }
    dressFormPost(ctx);
    if (machines.has(ctx.path)) nameRightly(ctx, issuer);
    // A document of keys that were rotated meanwhile is answered, and not kept.
    if (
      ctx.method === 'GET' &&
      ctx.status === 200 &&
      documents.has(ctx.path) &&
      current() === provider
    ) {
      prepared.keep(ctx.path, JSON.stringify(ctx.body), ctx.response.get('content-type'));
      // The first answer is the same as those that follow.
      if (prepared.serve(ctx.req, ctx.res)) ctx.respond = false;
    }
    if (ctx.status === 404 && ctx.body === undefined) await next();
  };
}

/**
 * What the engine calls a request that is not valid, by the name that it has: an application that may
 * not do this, one that did not say who it is (RFC 6749, section 5.2); and a token that nobody can be
 * told about is not active, which is no mistake of who asks (RFC 7662, section 2.2).
 */
function nameRightly(ctx: Context, issuer: string): void {
  const body = ctx.body as { error?: string; error_description?: string } | undefined;
  if (ctx.status !== 400 || body?.error === undefined) return;
  if (ctx.path === '/oauth/introspect' && body.error === 'unsupported_token_type') {
    ctx.status = 200;
    ctx.body = { active: false };
  }
  if (body.error !== 'invalid_request') return;
  if (body.error_description?.endsWith('is not allowed for this client'))
    body.error = 'unauthorized_client';
  if (body.error_description === 'no client authentication mechanism provided') {
    body.error = 'invalid_client';
    ctx.status = 401;
    ctx.set('WWW-Authenticate', `Basic realm="${issuer}", error="invalid_client"`);
  }
}

/** Somebody signs out who is not signed in: there is nothing to ask, and the application waits. */
function isSignedOutAlready(ctx: Context): boolean {
  if (ctx.path !== '/oauth/end_session' || ctx.status !== 200) return false;
  return !(ctx as unknown as KoaContextWithOIDC).oidc.session?.accountId;
}

/** What the session that has just been signed out of stood on; null where none was, or none of others. */
function endedFederation(ctx: Context, scope: RequestScope): Federation | null {
  if (!/^\/oauth\/end_session(\/confirm)?$/.test(ctx.path) || ctx.status !== 303) return null;
  if (!(ctx as unknown as KoaContextWithOIDC).oidc.params?.['logout']) return null;
  const [ended] = scope.sessions.values();
  return ended?.federation ?? null;
}

/**
 * What was used twice was known to two, and one of them may be a thief: what the first use gave is
 * taken back, as a later replay has it (RFC 6749, section 4.1.2; RFC 9700, section 4.14.2). But for
 * the refresh token of a public client, whose tabs refresh at the same moment (oidc.md A5): there the
 * first keeps what it got.
 */
function revokeSpent(ctx: Context, scope: RequestScope, { spent }: SpentMeanwhile): void {
  const { client } = (ctx as unknown as KoaContextWithOIDC).oidc;
  const open = client?.clientAuthMethod === 'none';
  for (const { kind, grantId } of spent) {
    if (kind === 'RefreshToken' && open) continue;
    scope.revokeGrant(grantId);
    scope.destroyGrant(grantId);
  }
}

/** Two requests spent the same code or token; this one was second. */
function refuseSpent(ctx: Context): void {
  ctx.remove('Set-Cookie');
  ctx.remove('Location');
  if (ctx.path !== '/oauth/token')
    throw new Problem(400, 'invalid_request_uri', 'This request was used already.');
  ctx.status = 400;
  ctx.body = { error: 'invalid_grant', error_description: 'grant request is invalid' };
}

/**
 * Authorization and logout requests may come as forms (OpenID Connect Core 1.0, section 3.1.2.1).
 * The engine takes them as queries. Its own switch for forms would make every cookie SameSite=None.
 *
 * A browser that posts from another site leaves our cookies at home, so the person would look signed
 * out: it is sent round by a redirect, and brings them along.
 *
 * Returns whether it was sent round.
 */
async function takePost(ctx: Context, origin: string): Promise<boolean> {
  if (ctx.method !== 'POST') return false;
  if (ctx.path !== '/oauth/authorize' && ctx.path !== '/oauth/end_session') return false;
  if (!ctx.is('urlencoded')) throw new Problem(415, 'invalid_request', 'A form was expected.');
  const form = await readText(ctx.req, postLimit);
  if (form.includes('%00'))
    throw new Problem(400, 'invalid_request', 'The request holds characters that are not allowed.');
  const foreign = ctx.get('origin') !== '' && ctx.get('origin') !== origin;
  if (foreign && ctx.get('cookie') === '' && form.length < 8000) {
    ctx.status = 303;
    ctx.redirect(`${ctx.path}?${form}`);
    return true;
  }
  ctx.method = 'GET';
  ctx.querystring = form;
  return false;
}
