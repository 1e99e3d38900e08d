import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from 'koa';
import type { Provider } from 'oidc-provider';
import type { Clock } from '#platform/clock.ts';
import type { CookieKeys } from '#platform/cookie-keys.ts';
import type { Database } from '#platform/database/database.ts';
import type { Person } from '#identity/users/person.ts';
import { again } from '../again.ts';
import { cookieNames } from './cookie-names.ts';
import { handlerOf } from './handler.ts';
import { type Proof, RequestScope, requestScopes, SpentMeanwhile } from './request-scope.ts';
import { keyOf } from './stored-key.ts';

/** An interaction as the engine keeps it, with the outcome it is to go on with. */
export interface Outcome {
  returnTo: string;
  params: Record<string, unknown>;
  result: Record<string, unknown>;
  parJti?: string;
}

/**
 * Where the browser goes on; or that something of the person changed since it was read; or that the
 * engine has something to show, for which it has an address of its own.
 */
export type Resumed = { to: string } | 'changed' | 'elsewhere';

export type Resume = (
  ctx: Context,
  uid: string,
  outcome: Outcome,
  person: Person,
  proof: Proof,
) => Promise<Resumed>;

export interface ResumeDependencies {
  current: () => Provider;
  database: Database;
  clock: Clock;
  keys: CookieKeys;
  issuer: string;
}

/**
 * Lets the engine go on with a sign-in within the answer to its last form: what a redirect to its own
 * address would do, without that redirect, without keeping the outcome for it and without reading it
 * again. What was proved, and the session, the grant and the code that come of it, are one statement.
 *
 * - The engine looks for its cookie, whose path is that address. The one of our pages was given to the
 *   same browser in the same answer, with the same value and as well signed, and `load` has checked it.
 * - The person is decided about as they were read when they proved who they are; that they still are
 *   so, and were not put out, is part of the statement (`stillAsRead`).
 * - Two answers to the same form, as by a click too many, both are answers: the browser shows the
 *   second, so that has to lead on too.
 * - Only a redirect is passed on. Pages, forms that send themselves, devices' pages and what stands on
 *   a pushed request, which is good once, are reached by the address: `elsewhere`, and nothing is kept.
 */
export function resuming({ current, database, clock, keys, issuer }: ResumeDependencies): Resume {
  const cookie = cookieNames(issuer).resume;
  const secure = issuer.startsWith('https:');
  const addresses = `${issuer}/oauth/authorize/`;
  return async (ctx, uid, outcome, person, proof) => {
    const { response_mode: mode, client_id: clientId } = outcome.params;
    if (outcome.returnTo !== addresses + uid || outcome.parJti !== undefined) return 'elsewhere';
    if (mode !== undefined && mode !== 'query') return 'elsewhere';

    const scope = new RequestScope(
      {
        ip: ctx.ip,
        userAgent: ctx.get('user-agent').slice(0, 400) || null,
        clientId: String(clientId),
      },
      proof,
    );
    scope.found(keyOf('Interaction', uid), outcome);
    scope.people.set(person.id, person);
    const signature = keys.sign(`${cookie}=${uid}`);
    const inner = requestOf(
      ctx,
      `/oauth/authorize/${uid}`,
      `${cookie}=${uid}; ${cookie}.sig=${signature}`,
    );
    inner.cookies.secure = secure;

    return requestScopes.run(scope, async () => {
      await handlerOf(current())(inner, () => Promise.resolve());
      const to = inner.response.get('Location');
      if (inner.status !== 303 || to === '') return 'elsewhere';
      try {
        // Whoever ends a lock or changes a password may hold what this one waits for.
        await again(() => scope.flush(database, clock()));
      } catch (error) {
        if (error instanceof SpentMeanwhile) return 'changed';
        throw error;
      }
      ctx.append('Set-Cookie', inner.response.get('Set-Cookie'));
      ctx.set('Cache-Control', 'no-store');
      return { to };
    });
  };
}

/** A request of the same browser, answered to nobody: what is to become of it is for the caller. */
function requestOf(ctx: Context, path: string, cookies: string): Context {
  const given = ctx.req.headers;
  const request = Object.create(ctx.req, {
    method: { value: 'GET' },
    url: { value: path, writable: true },
    originalUrl: { value: path, writable: true },
    // Ours first: what somebody planted under the same name is not looked at.
    headers: { value: { ...given, cookie: `${cookies}; ${given.cookie ?? ''}` } },
  }) as IncomingMessage;
  return ctx.app.createContext(request, new ServerResponse(request));
}
