import type { Context, Middleware } from 'koa';
import type { Log } from '#platform/observability/log.ts';
import type { PasswordHasher } from '#platform/password-hash.ts';
import { bad, ScimError } from '#identity/scim/error.ts';
import { knowing } from '#identity/scim/ahead.ts';
import { changeAtOnce } from '#identity/scim/at-once.ts';
import { heldRefusal, hold } from '#identity/scim/brake.ts';
import {
  directoryWork,
  during,
  newExchange,
  type Exchange,
  type GivenAnswer,
  type SentRequest,
} from '#identity/scim/exchange.ts';
import type { Recorder } from '#identity/scim/recorder.ts';
import type { Rehearse } from '#identity/scim/replay.ts';
import { totals } from '#identity/scim/totals.ts';
import { tellSpared } from '#identity/scim/spared.ts';
import { findScimToken, type Admitted } from '#identity/scim/token.ts';
import type { ScimCaller } from '#identity/scim/caller.ts';
import type { Foundation, Origin } from '#identity/work.ts';
import { again } from '../again.ts';
import { originOf, referenceOf, sourceOf } from '../context.ts';
import { told } from '../errors.ts';
import { readJson } from '../json.ts';
import { rateLimit } from '../rate-limit.ts';
import { send, type ScimAnswer } from './answer.ts';
import { errorBody, toScimError, withoutDetail } from './errors.ts';
import { bodyLimit } from './limits.ts';
import { askedAhead, routeOf, type AskedAhead } from './operations.ts';
import type { Route, ScimRequest } from './request.ts';
import { turns } from './turns.ts';

export interface ScimDependencies {
  foundation: Foundation;
  hasher: PasswordHasher;
  log: Log;
  recorder: Pick<Recorder, 'note'>;
  /** Requests a second, for one token. */
  perSecond?: number;
}

export interface ScimDoor {
  /** Answers what is below `/scim`, and passes on the rest. */
  answer: Middleware;
  /** Asks again what was asked before, as a rehearsal. */
  rehearse: Rehearse;
}

/** What was asked before it was known who asks, and what was found. */
interface ReadAhead {
  ahead: AskedAhead | null;
  rows: unknown[] | null;
}

/** Requests a second, and how many at once for each of those (scim.md 5.9): Entra ID needs 25. */
const usualPerSecond = 50;
const burst = 4;
/** Bad tokens a minute from one address. */
const badPerMinute = 60;

/**
 * Large Bulk requests at once in a process, each of which holds one of the six connections for
 * transactions for seconds: the others are for everybody else. So many more of an account wait.
 */
const bulkTurns = { atOnce: 2, waiting: 10 };

/** Where the door is, with a version or without (RFC 7644, section 3.13). */
const below = /^\/scim(?:\/v(\d+))?(?=\/|$)/;

/** What is behind the door's address: clients put it together with a slash too many. */
function behind(path: string): string {
  return path
    .replace(below, '')
    .replaceAll(/\/{2,}/g, '/')
    .replace(/(?<=.)\/$/, '');
}

/**
 * The door for corporate directories: SCIM 2.0 (RFC 7643, 7644, 9865).
 *
 *     who (401; what is theirs is read with their token) -> how often (429) -> what may they (403)
 *       -> what is asked (400, 405, 413, 415) -> one exchange: one transaction for a change
 *
 * All of it is answered in SCIM's own words, errors too.
 */
export function scimDoor({
  foundation,
  hasher,
  log,
  recorder,
  perSecond = usualPerSecond,
}: ScimDependencies): ScimDoor {
  const { database, vault, clock } = foundation;
  const base = new URL('/scim/v2', foundation.issuer).href;
  const cursorKeys = vault.derive('scim-cursors');
  const requests = rateLimit(perSecond * 60, clock, { burst: perSecond * burst });
  const badTokens = rateLimit(badPerMinute, clock);
  const bulks = turns(bulkTurns);
  const known = totals();
  return {
    async answer(ctx, next) {
      const [here, version = '2'] = below.exec(ctx.path) ?? [];
      if (here === undefined) return next();
      (ctx as { _matchedRoute?: unknown })._matchedRoute = '/scim/v2';
      if (version === '2') return answer(ctx);
      const known = `Version 2 of SCIM alone is spoken here: ${base}.`;
      return send(ctx, errorAnswer(bad('invalidVers', known), ctx));
    },
    rehearse,
  };

  async function answer(ctx: Context): Promise<void> {
    try {
      const ahead = askedAhead(ctx.method, behind(ctx.path), ctx.querystring, base);
      const { caller, rows } = await authenticate(ctx, ahead);
      const { body, ...result } = await exchanged(ctx, caller, { ahead, rows });
      const told = body && caller.classicConfig ? withoutDetail(body) : body;
      send(ctx, { ...result, ...(told && { body: told }) });
    } catch (error) {
      send(ctx, errorAnswer(error, ctx));
    }
  }

  /**
   * Everything between the token and the answer. What watches over an exchange (recorder, brake, dry
   * run) stands around `respond`, and here alone.
   */
  async function exchanged(ctx: Context, caller: ScimCaller, read: ReadAhead): Promise<ScimAnswer> {
    const exchange = newExchange(caller, clock());
    const sent: SentRequest = {
      method: ctx.method,
      target: behind(ctx.path) + ctx.search,
      body: undefined,
      userAgent: ctx.get('user-agent') || null,
      ip: ctx.ip,
    };
    const result = await during(exchange, () =>
      respond(ctx, exchange, sent, read).catch((error: unknown) => errorAnswer(error, ctx)),
    );
    if (exchange.audit.length > 0) known.forget(caller.accountId);
    if (exchange.excess && !exchange.rehearsal) await hold(foundation, caller, exchange.excess);
    if (exchange.spared && !exchange.rehearsal)
      await tellSpared(foundation, caller, exchange.spared);
    recorder.note(exchange, sent, { status: result.status, body: result.body });
    return result;
  }

  async function respond(
    ctx: Context,
    exchange: Exchange,
    sent: SentRequest,
    read: ReadAhead,
  ): Promise<ScimAnswer> {
    const { caller } = exchange;
    const wait = requests.take(caller.id);
    if (wait > 0)
      throw new ScimError(429, 'Too many requests. Try again later.', {
        headers: { 'Retry-After': String(wait) },
      });
    const { method } = ctx;
    const path = behind(ctx.path);
    const route = routeOf(method, path, caller);
    if (caller.held && changes(method, path)) throw heldRefusal();
    if (route.takesBody) {
      sent.body = await bodyOf(ctx, (text) => {
        sent.body = text;
      });
    }
    const request: ScimRequest = {
      method,
      path,
      query: ctx.querystring,
      body: sent.body,
      ifMatch: ctx.get('if-match') || undefined,
      ifNoneMatch: ctx.get('if-none-match') || undefined,
    };
    return carryOut(route, request, exchange, () => originOf(ctx), read);
  }

  async function carryOut(
    route: Route,
    request: ScimRequest,
    exchange: Exchange,
    origin: () => Origin,
    { ahead, rows }: ReadAhead = { ahead: null, rows: null },
  ): Promise<ScimAnswer> {
    const { caller } = exchange;
    const sql = ahead ? knowing(database, ahead.statement, rows) : database;
    return route.handle(request, {
      foundation,
      sql,
      list: ahead?.list,
      plan: ahead?.plan,
      caller,
      base,
      cursorKeys,
      totals: known,
      now: exchange.begun,
      change: (command) =>
        again(() =>
          directoryWork(foundation, exchange, origin(), (work) =>
            command({ work, caller, hasher }),
          ),
        ),
      changeUserAtOnce: (...given) => changeAtOnce({ sql, foundation, exchange, origin }, ...given),
      inTurn: (run) => bulks.take(caller.accountId, run),
      route: (method, path) => routeOf(method, path, caller),
      charge: (more) => requests.charge(caller.id, more),
    });
  }

  /** Conditions on a version are left out: they were about a moment that is over. */
  function rehearse(
    exchange: Exchange,
    { method, target, body }: Pick<SentRequest, 'method' | 'target' | 'body'>,
  ): Promise<GivenAnswer> {
    const [path = '', query = ''] = target.split('?', 2);
    const nothing = { ifMatch: undefined, ifNoneMatch: undefined };
    return during(exchange, async () => {
      try {
        const route = routeOf(method, path, exchange.caller);
        const request = { method, path, query, body, ...nothing };
        const answered = await carryOut(route, request, exchange, () => ({}));
        const { status, text } = answered;
        return { status, body: text === undefined ? answered.body : JSON.parse(text) };
      } catch (error) {
        const known = toScimError(error, { deleting: method === 'DELETE' });
        if (!known) throw error;
        return { status: known.status, body: errorBody(known) };
      }
    });
  }

  /** @throws {ScimError} 401 or 429 */
  async function authenticate(ctx: Context, ahead: AskedAhead | null): Promise<Admitted> {
    const [, secret] = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(ctx.get('authorization')) ?? [];
    const admitted =
      secret === undefined
        ? null
        : await findScimToken(database, secret, clock(), ctx.ip, ahead?.statement);
    if (admitted) return admitted;
    const wait = badTokens.take(sourceOf(ctx));
    if (wait > 0)
      throw new ScimError(429, 'Too many requests without a good token.', {
        headers: { 'Retry-After': String(wait) },
      });
    const challenge = 'Bearer realm="scim"';
    throw new ScimError(
      401,
      secret === undefined
        ? 'Send a token: Authorization: Bearer <token>.'
        : 'This token is not known, has ended or was revoked.',
      {
        headers: {
          'WWW-Authenticate':
            secret === undefined ? challenge : `${challenge}, error="invalid_token"`,
        },
      },
    );
  }

  function errorAnswer(error: unknown, ctx: Context): ScimAnswer {
    const known = toScimError(error, { deleting: ctx.method === 'DELETE' });
    if (known) return { status: known.status, headers: known.headers, body: errorBody(known) };
    const problem = told(error, log, ctx);
    const detail = `${problem.message} Reference: ${referenceOf(ctx)}.`;
    return {
      status: problem.status,
      headers: problem.headers,
      body: errorBody(new ScimError(problem.status, detail)),
    };
  }
}

/** Whether a request is more than a question. */
function changes(method: string, path: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && !path.toLowerCase().endsWith('/.search');
}

function bodyOf(ctx: Context, heard: (text: string) => void): Promise<unknown> {
  return readJson(ctx, {
    limit: bodyLimit,
    types: ['application/scim+json', 'application/json'],
    heard,
  }).then((body) => {
    if (body === undefined)
      throw new ScimError(400, 'A body is expected.', { scimType: 'invalidSyntax' });
    return body;
  });
}
