import { STATUS_CODES } from 'node:http';
import { Router } from '@koa/router';
import type { Context } from 'koa';
import { z } from 'zod';
import { isId } from '#platform/ids.ts';
import type { Log } from '#platform/observability/log.ts';
import { findApiToken, isWithinScopes, type ApiToken } from '#identity/access/api-token.ts';
import {
  mayEver,
  requireAccount,
  requirePerson,
  type Asking,
  type PermittedAccount,
} from '#identity/access/rights.ts';
import { Refusal, refusals, type Action, type RefusalCode } from '#identity/refusal.ts';
import type { Person } from '#identity/users/person.ts';
import { unitOfWork, type Work, type WorkContext } from '#identity/work.ts';
import { again } from '../again.ts';
import { originOf, referenceOf } from '../context.ts';
import { sendFile } from '../download.ts';
import { told } from '../errors.ts';
import { readText } from '../body.ts';
import { readJson } from '../json.ts';
import { Problem } from '../problem.ts';
import { rateLimit } from '../rate-limit.ts';
import { cursorOf } from '../cursor.ts';
import {
  claimKey,
  keepAnswer,
  keptAnswer,
  requestHash,
  turns,
  type Answer,
} from './idempotency.ts';
import type { AnyOperation, Asked, Download, Tools } from './operation.ts';
import { downloads, operations } from './operations.ts';
import { requestProblems, statuses } from './problems.ts';
import { noFields } from './schemas.ts';

export interface AdminDependencies extends Omit<Tools, 'vault'> {
  /** Tells every process what was committed. */
  announce: Record<NonNullable<AnyOperation['afterwards']>, () => Promise<void>>;
  log: Log;
  /** Requests a minute, for one token. */
  perMinute?: number;
}

/**
 * The administration API: every operation behind the same door.
 *
 *     route -> who (401) -> how often (429) -> what is asked (400, 413, 415, 422)
 *           -> one transaction: asked before? -> may they, here, to this person (403, 404) -> handle
 *
 * The answer is kept for a repeated `Idempotency-Key` in the same transaction as the change.
 */
export function adminApi({
  foundation,
  announce,
  log,
  perMinute = 600,
  ...rest
}: AdminDependencies): Router {
  const { database, vault, clock } = foundation;
  const tools: Tools = { vault, foundation, ...rest };
  const cursorKeys = vault.derive('cursors');
  const limit = rateLimit(perMinute, clock);
  const inTurn = turns();
  const router = new Router({ prefix: '/api/v1', strict: true, sensitive: true });

  // Before `/terms/:termsId`, which would take it for an id.
  for (const download of downloads)
    router.get(
      download.path,
      problems((ctx) => answerWithFile(ctx, download)),
    );
  for (const operation of operations)
    router[operation.method](
      operation.path,
      problems((ctx) => answerTo(ctx, operation)),
    );
  router.all(/^\/api\/v1(\/.*)?$/, problems(nothingHere));
  return router;

  async function answerTo(ctx: Context, operation: AnyOperation): Promise<void> {
    const token = await authenticate(ctx);
    const asking: Asking = { role: token.role, accountId: token.accountId, userId: null };
    const { method, path, right } = operation;
    if (!isWithinScopes(token, right)) throw new Refusal('permission_denied', { scope: right });
    if (!path.includes(':accountId') && !mayEver(asking.role, right))
      throw new Refusal('permission_denied');

    const params = paramsOf(ctx);
    const query = parsed('query', operation.query ?? noFields, queryOf(ctx));
    const unsafe = method !== 'get';
    const body = unsafe ? await bodyOf(ctx, operation) : undefined;
    const key = unsafe ? idempotencyKey(ctx) : null;
    const request = {
      token,
      asking,
      params,
      query,
      body: (unsafe
        ? parsed('body', operation.body ?? noFields, body === undefined ? {} : body)
        : undefined) as never,
      cursor: cursorOf(cursorKeys, scopeOf(operation, params, query), cursorIn(query)),
      tools,
    };
    const context: WorkContext = {
      actor: { type: 'api_token', id: token.id, name: token.name },
      origin: originOf(ctx),
    };
    const hashed = key && requestHash(ctx.method, ctx.path, queryOf(ctx), body);

    const done = async (): Promise<Answer & { repeated?: boolean }> => {
      if (key && hashed && operation.prepare) {
        const kept = await keptAnswer(database, vault, token.id, key, hashed, clock());
        if (kept) return { ...kept, repeated: true };
      }
      const prepared = (await operation.prepare?.({ ...request, context })) as never;
      return again(() =>
        unitOfWork(foundation, context, async (work): Promise<Answer & { repeated?: boolean }> => {
          if (key && hashed) {
            const kept = await claimKey(work, vault, token.id, key, hashed);
            if (kept) return { ...kept, repeated: true };
          }
          const result = await carriedOut(work, operation, { ...request, prepared });
          if (key) await keepAnswer(work, vault, token.id, key, result);
          return result;
        }),
      );
    };
    const noteRefusal = async (error: unknown): Promise<never> => {
      if (error instanceof Refusal) await operation.refused?.(error, { ...request, context });
      throw error;
    };
    const answer = await (
      key && operation.prepare ? inTurn(`${token.id} ${key}`, done) : done()
    ).catch(noteRefusal);
    if (operation.afterwards && !answer.repeated) await announce[operation.afterwards]();
    if (answer.repeated) ctx.set('Idempotent-Replayed', 'true');
    send(ctx, answer);
  }

  async function carriedOut(
    work: Work,
    operation: AnyOperation,
    request: Omit<Asked<string, never, never, never>, 'account' | 'person'>,
  ): Promise<Answer> {
    const { asking, params } = request;
    const { right, method, whom = 'member' } = operation;
    const { accountId, userId } = params;
    let account: PermittedAccount | undefined;
    let person: Person | undefined;
    if (accountId !== undefined)
      account = await requireAccount(work, asking, right, accountId, {
        guarded: userId !== undefined && method !== 'get',
      });
    if (userId !== undefined && whom !== 'unchecked')
      person = await requirePerson(work, asking, right, accountId!, userId, {
        former: whom === 'former',
      });
    const asked = { ...request, account, person } as unknown as Asked<string, never, never, never>;
    const result = await operation.handle(work, asked);
    if (!operation.result) return { status: operation.status ?? 204, body: null };
    const dry = (request.body as { mode?: string } | undefined)?.mode === 'dry-run';
    return {
      status: dry ? 200 : (operation.status ?? 200),
      body: z.encode(operation.result, result),
    };
  }

  async function answerWithFile(ctx: Context, download: Download): Promise<void> {
    const token = await authenticate(ctx);
    const { right, query = noFields, mediaType = 'text/csv' } = download;
    if (!isWithinScopes(token, right)) throw new Refusal('permission_denied', { scope: right });
    const asking: Asking = { role: token.role, accountId: token.accountId, userId: null };
    const params = paramsOf(ctx);
    const { accountId = null } = params;
    if (accountId === null && !mayEver(token.role, right)) throw new Refusal('permission_denied');
    const context: WorkContext = {
      actor: { type: 'api_token', id: token.id, name: token.name },
      origin: originOf(ctx),
    };
    const asked = { asking, accountId, params, query: parsed('query', query, queryOf(ctx)), tools };
    await unitOfWork(foundation, context, async (work) => {
      if (accountId !== null) await requireAccount(work, asking, right, accountId);
      await download.begun?.(work, asked);
    });
    sendFile(ctx, {
      name: download.fileName,
      type: mediaType,
      text: download.rows(database, asked),
    });
  }

  /** @throws {Problem} 401 or 429 */
  async function authenticate(ctx: Context): Promise<ApiToken> {
    const [, secret] =
      /^bearer +([A-Za-z0-9._~+/=-]{1,500})$/i.exec(ctx.get('authorization')) ?? [];
    if (secret === undefined) throw unauthorized('unauthorized', '');
    const token = await findApiToken(database, secret, clock(), ctx.ip);
    if (!token) throw unauthorized('invalid_token', ', error="invalid_token"');
    const wait = limit.take(token.id);
    if (wait > 0)
      throw new Problem(429, 'rate_limited', refusals.rate_limited, { 'Retry-After': `${wait}` });
    return token;
  }

  function unauthorized(code: 'unauthorized' | 'invalid_token', why: string): Problem {
    return new Problem(401, code, requestProblems[code].detail, {
      'WWW-Authenticate': `Bearer realm="ostiary"${why}`,
    });
  }

  /** Another method, or no address at all. */
  function nothingHere(ctx: Context): void {
    const methods = router
      .match(ctx.path, ctx.method)
      .path.filter((layer) => typeof layer.path === 'string')
      .flatMap((layer) => layer.methods);
    if (methods.length === 0) throw new Refusal('not_found');
    throw new Problem(405, 'method_not_allowed', requestProblems.method_not_allowed.detail, {
      Allow: [...new Set(methods)].join(', '),
    });
  }

  /** Says whatever went wrong as a problem, in the one form there is. */
  function problems(handler: (ctx: Context) => Promise<void> | void) {
    return async (ctx: Context): Promise<void> => {
      // Only programs call here: whatever they say they take, they are told in JSON.
      ctx.req.headers.accept = 'application/json';
      try {
        await handler(ctx);
      } catch (error) {
        const wait = error instanceof Refusal ? error.details['retryAfter'] : null;
        if (typeof wait === 'number') ctx.set('Retry-After', `${wait}`);
        if (error instanceof Malformed || error instanceof Refusal)
          sendProblem(ctx, {
            status: statuses[error.code],
            code: error.code,
            detail: error.message,
            ...(error instanceof Refusal
              ? { details: error.details, actions: error.actions }
              : { errors: error.errors }),
          });
        else {
          const { status, code, message, headers } = told(error, log, ctx);
          ctx.set(headers);
          sendProblem(ctx, { status, code, detail: message });
        }
      }
    };
  }

  function sendProblem(
    ctx: Context,
    {
      status,
      code,
      detail,
      details = {},
      actions = [],
      errors = [],
    }: {
      status: number;
      code: string;
      detail: string;
      details?: Readonly<Record<string, unknown>>;
      actions?: readonly Action[];
      errors?: readonly FieldError[];
    },
  ): void {
    ctx.status = status;
    ctx.set('Cache-Control', 'no-store');
    ctx.body = JSON.stringify({
      type: new URL(`/api/docs#${code}`, foundation.issuer).href,
      title: STATUS_CODES[status],
      status,
      code,
      detail,
      actions: actions.map(({ href, ...action }) => ({
        ...action,
        href: new URL(href, foundation.issuer).href,
      })),
      errors,
      ...(Object.keys(details).length > 0 && { details }),
      ref: referenceOf(ctx),
    });
    ctx.type = 'application/problem+json';
  }
}

function send(ctx: Context, { status, body }: Answer): void {
  ctx.status = status;
  ctx.set('Cache-Control', 'no-store');
  if (status === 204) return;
  const made = (body as { id?: unknown }).id;
  if (status === 201 && typeof made === 'string')
    ctx.set('Location', `${ctx.path}/${encodeURIComponent(made)}`);
  ctx.body = body;
}

/** What is wrong with one field of a request. */
interface FieldError {
  in: 'query' | 'body';
  field: string;
  message: string;
}

class Malformed extends Error {
  readonly code: RefusalCode;
  readonly errors: readonly FieldError[];

  constructor(code: RefusalCode, errors: readonly FieldError[]) {
    super(refusals[code]);
    this.code = code;
    this.errors = errors;
  }
}

/** @throws {Malformed} with each place that is wrong */
function parsed(where: 'query' | 'body', schema: z.ZodType, value: unknown): never {
  const result = schema.safeParse(value);
  if (result.success) return result.data as never;
  const errors = result.error.issues.flatMap((issue): FieldError[] => {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        in: where,
        field: [...issue.path, key].join('.'),
        message: 'There is no such field.',
      }));
    return [{ in: where, field: issue.path.join('.'), message: issue.message }];
  });
  const codes = result.error.issues.map(
    (issue) => (issue.code === 'custom' && (issue.params?.['code'] as RefusalCode)) || null,
  );
  const only = codes.every((code) => code === codes[0]) ? codes[0] : null;
  throw new Malformed(only ?? 'invalid_value', errors);
}

/** Ids in the path, and what there is not when one has not even the form of an id. */
const ids: Record<string, RefusalCode> = {
  accountId: 'account_not_found',
  userId: 'user_not_found',
  tokenId: 'not_found',
  secretId: 'not_found',
  requestId: 'not_found',
  invitationId: 'not_found',
  groupId: 'not_found',
  contactId: 'not_found',
  moveId: 'not_found',
  proposalId: 'not_found',
  webhookId: 'not_found',
  deliveryId: 'not_found',
  connectionId: 'not_found',
  linkId: 'not_found',
  personId: 'user_not_found',
  termsId: 'terms_not_found',
  jobId: 'not_found',
};

/** What stands in the path by a name, and what there is not when that cannot be one. */
const names: Record<string, RefusalCode> = {
  domain: 'domain_not_found',
  clientId: 'client_not_found',
  roleKey: 'role_not_found',
};

/** @throws {Refusal} for what cannot be there */
function paramsOf(ctx: Context): Record<string, string> {
  const params = (ctx as Context & { params: Record<string, string> }).params;
  for (const [name, value] of Object.entries(params)) {
    if (value.includes('\0') || !value.isWellFormed())
      throw new Refusal(ids[name] ?? names[name] ?? 'not_found');
    if (name in ids && !isId(value)) throw new Refusal(ids[name]!);
  }
  return { ...params };
}

/** @throws {Problem} 400 for what is not text */
function queryOf(ctx: Context): Record<string, unknown> {
  for (const value of Object.values(ctx.query).flat())
    if (value?.includes('\0'))
      throw new Problem(400, 'invalid_field', 'A text holds what is not text.');
  return { ...ctx.query };
}

/** @throws {Problem} 400, 413 or 415 */
async function bodyOf(ctx: Context, { file }: AnyOperation): Promise<unknown> {
  if (!file) return readJson(ctx);
  const text = await readText(ctx.req, file.limit);
  if (text !== '' && !ctx.is([...file.types]))
    throw new Problem(415, 'unsupported_media_type', `Send ${file.types.join(' or ')}.`);
  return text;
}

function cursorIn(query: { cursor?: string } | undefined): string | undefined {
  return query?.cursor;
}

/** What a cursor is good for: this list of this account, under this filter. */
function scopeOf({ id }: AnyOperation, params: object, query: object | undefined): string {
  const { cursor, limit, ...filter } = (query ?? {}) as Record<string, unknown>;
  void cursor;
  void limit;
  return JSON.stringify([id, params, filter]);
}

/** @throws {Malformed} */
function idempotencyKey(ctx: Context): string | null {
  const key = ctx.get('idempotency-key');
  if (key === '') return null;
  if (!/^[\x21-\x7e]{1,200}$/.test(key))
    throw new Problem(400, 'invalid_field', 'Idempotency-Key: 1 to 200 letters without spaces.');
  return key;
}
