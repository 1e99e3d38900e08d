import { Router } from '@koa/router';
import type { Context, ParameterizedContext } from 'koa';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import { keyedHash, sameSecret } from '#platform/secrets.ts';
import { accessDecision } from '#identity/access/access-decision.ts';
import type { Client } from '#identity/applications/client.ts';
import {
  acrs,
  amrOf,
  lacksSecondFactor,
  levelOfAcr,
  type Method,
} from '#identity/sign-in/assurance.ts';
import type { SecondFactorPolicy } from '#identity/sign-in/second-factor-policy.ts';
import { federationStands } from '#identity/federation/standing.ts';
import { personJson, type Person } from '#identity/users/person.ts';
import { sessionPolicy } from '#identity/sign-in/session-policy.ts';
import { Problem } from '../problem.ts';
import type { CurrentSession, Sessions } from '../sessions.ts';
import { keyOf } from './stored-key.ts';
import { cookieNames } from './cookie-names.ts';

/** The client that our own pages are. It is in no table: it is there as long as the program is. */
export function ownClient(issuer: string): Client {
  return {
    id: 'ostiary',
    name: 'Ostiary',
    metadata: {
      application_type: issuer.startsWith('https:') ? 'web' : 'native',
      token_endpoint_auth_method: 'none',
      redirect_uris: [`${issuer}${wayBack}`],
      post_logout_redirect_uris: [`${issuer}/`],
      response_types: ['none'],
      grant_types: [],
    },
    firstParty: true,
    // People without an account have a profile too; administrators read while theirs is on hold.
    policy: {
      requiresAccount: false,
      requiresActiveAccount: false,
      allowedAccounts: [],
      requiredRoles: [],
    },
    resources: [],
    mayIntrospect: false,
    secrets: [],
    version: 1,
  };
}

const wayBack = '/signed-in';

/** A form that was sent without a session is not sent again by itself: its page is shown anew. */
function hereOf(ctx: Context | ParameterizedContext): string {
  return ctx.method === 'GET' ? ctx.url : ctx.path;
}

const read = `
  select s.uid, (s.payload ->> 'loginTs')::int as signed_in_at, s.payload ->> 'acr' as acr,
         ${personJson('s.user_id', '$2::timestamptz')} as person
  from oidc_sessions s
  where s.id_hash = $1 and s.expires_at > $2
    and ${federationStands('s.federation', 's.user_id', '$2')}`;

/**
 * Our own pages sign people in as any application does, by the authorization endpoint; but they need
 * no tokens, since the session is ours: the response type is `none` (OAuth 2.0 Multiple Response
 * Types, section 4), and the state carries where to go, signed.
 */
export function ownSessions(
  database: Database,
  clock: Clock,
  issuer: string,
  key: Buffer,
  { policy, stepUpSeconds }: { policy: SecondFactorPolicy; stepUpSeconds: number },
): Sessions {
  const cookie = cookieNames(issuer).session;
  const isRecent = ({ signedInAt }: Pick<CurrentSession, 'signedInAt'>): boolean =>
    clock().getTime() / 1000 - signedInAt <= stepUpSeconds;
  /** Whether they have a second factor and did not show it, here and lately. */
  const lacksOwnFactor = ({ person, level }: CurrentSession): boolean =>
    lacksSecondFactor(person, { level, policy, asked: person.secondFactor.enrolled });
  const sessions: Sessions = {
    async current(ctx) {
      const id = ctx.cookies.get(cookie, { signed: true });
      if (!id) return null;
      const [row] = await database.query<{
        uid: string;
        signed_in_at: number | null;
        acr: string | null;
        person: Person | null;
      }>(read, [keyOf('Session', id), clock()]);
      if (!row?.person || row.signed_in_at === null) return null;
      const { hours } = sessionPolicy(row.person);
      if (hours !== null && clock().getTime() / 1000 - row.signed_in_at > hours * 3600) return null;
      const level = levelOfAcr(row.acr);
      if (accessDecision(row.person, null, { level, policy }).access !== 'allow') return null;
      return { uid: row.uid, person: row.person, signedInAt: row.signed_in_at, level };
    },

    async require(ctx, { secondFactor = false, back } = {}) {
      const session = await sessions.current(ctx);
      const lacks = session && secondFactor && lacksOwnFactor(session);
      if (session && !lacks) return session;
      sessions.signIn(ctx, await (back?.() ?? hereOf(ctx)), { secondFactor: lacks ?? false });
      return null;
    },

    async stepUp(ctx, { back } = {}) {
      const session = await sessions.current(ctx);
      if (session && sessions.isProvedAnew(session)) return session;
      sessions.proveAnew(ctx, await (back?.() ?? hereOf(ctx)), session);
      return null;
    },

    isProvedAnew: (session) => isRecent(session) && !lacksOwnFactor(session),

    proveAnew(ctx, path, session) {
      // Who signed in a moment ago lacks a second factor alone, and is asked for that.
      const fresh = session !== null && isRecent(session);
      sessions.signIn(ctx, path, {
        anew: session !== null && !fresh,
        secondFactor: session?.person.secondFactor.enrolled ?? false,
      });
    },

    async strengthen({ uid, level }, method) {
      const methods: Method[] = level === 'upstream' ? ['upstream', method] : ['password', method];
      await database.query(
        `update oidc_sessions set payload = payload || $2::jsonb where uid = $1`,
        [uid, JSON.stringify({ acr: acrs.second_factor, amr: amrOf(methods) })],
      );
    },

    signIn(ctx, path, { loginHint, anew, secondFactor } = {}) {
      const query = new URLSearchParams({
        client_id: 'ostiary',
        response_type: 'none',
        scope: 'openid',
        redirect_uri: `${issuer}${wayBack}`,
        state: `${keyedHash(key, `path:${path}`)}.${Buffer.from(path).toString('base64url')}`,
        ...(loginHint && { login_hint: loginHint }),
        ...(anew && { prompt: 'login' }),
        ...(secondFactor && { acr_values: acrs.second_factor }),
      });
      ctx.status = 303;
      ctx.redirect(`/oauth/authorize?${query}`);
    },

    routes() {
      const router = new Router();
      router.get(wayBack, (ctx) => {
        const [mac = '', encoded = ''] = String(ctx.query['state'] ?? '').split('.');
        const path = Buffer.from(encoded, 'base64url').toString();
        if (!sameSecret(mac, keyedHash(key, `path:${path}`)) || !/^\/(?![/\\])/.test(path))
          throw new Problem(400, 'invalid_request', 'This is no way back that we gave.');
        ctx.status = 303;
        ctx.redirect(typeof ctx.query['error'] === 'string' ? '/' : path);
      });
      return router;
    },
  };
  return sessions;
}
