import { z } from 'zod';
import type { Clock } from '#platform/clock.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import type { TestServer } from '#test/support/server.ts';
import { caller, type Caller } from '../support.ts';

type Json = Record<string, unknown>;

/** An operation as the document tells it. */
export interface Told {
  operationId: string;
  /** Below `/api/v1`, with `{name}` where a value goes. */
  path: string;
  method: string;
  parameters: { name: string; in: string; required: boolean }[];
  requestBody?: { content: Record<string, { schema: Json; example?: unknown }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
}

export interface Witness {
  operations: readonly Told[];
  /** A program whose answers are looked at: each is as the document says, or stands in `problems`. */
  caller(token: string | null, options?: { plainly?: boolean }): Caller;
  problems: string[];
  /** What the document tells that nobody saw. */
  missing(): string[];
  /** Holds an answer against the document that came by another way. */
  look(told: Told, answer: Answer): Answer;
}

/** Lets whatever changes something meanwhile collide with another transaction. */
export type Collide = <T>(act: () => Promise<T>) => Promise<T>;

export function colliding({ app: { foundation } }: TestServer): Collide {
  const { database } = foundation;
  const own = database.transaction.bind(database);
  return async (act) => {
    database.transaction = (work) =>
      own((tx) =>
        work({
          get em() {
            return tx.em;
          },
          flush: () => tx.flush(),
          forget: () => tx.forget(),
          last: (text, params) => tx.last(text, params),
          query: (text, params) =>
            text.includes('insert into idempotency_keys')
              ? Promise.reject(Object.assign(new Error('They collided.'), { code: '40001' }))
              : tx.query(text, params),
        }),
      );
    try {
      return await act();
    } finally {
      database.transaction = own;
    }
  };
}

interface Options {
  /** `operationId status` and `operationId code` of all that was answered. */
  seen: Set<string>;
  /** What was asked twice at the same time, and done once. */
  once: Set<string>;
  collide: Collide;
  clock: Clock;
}

/**
 * Reads the document, and holds every answer against it: its status is told, its body is what the
 * schema says and nothing that is not told stands in it.
 *
 * Whatever changes something is sent twice at the same time with one key the first time it is done: it
 * is done once, and both hear the same. And with a key that was good for something else it is refused.
 */
export async function witness(
  program: Agent,
  { seen, once, collide, clock }: Options,
): Promise<Witness> {
  const document = (await program.get('/api/openapi.json')).json as {
    paths: Record<string, Record<string, Omit<Told, 'path' | 'method'>>>;
    components: { schemas: Record<string, Json> };
  };
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, one]): Told => ({
      ...one,
      path: path.replace('/api/v1', ''),
      method,
    })),
  );
  const patterns = operations
    .map((one) => ({
      one,
      names: one.path.split('{').length,
      pattern: new RegExp(`^${one.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
    }))
    .toSorted((a, b) => a.names - b.names);
  const validators = validatorsOf(document.components.schemas);
  const problems: string[] = [];
  let keys = 0;

  const of = (method: string, path: string): Told => {
    const [bare = ''] = path.split('?');
    const found = patterns.find(
      ({ one, pattern }) => one.method === method.toLowerCase() && pattern.test(bare),
    );
    if (!found) throw new Error(`No operation ${method} ${path}`);
    return found.one;
  };

  const look = (told: Told, answer: Answer): Answer => {
    const { operationId } = told;
    const problem = validators(told, answer);
    if (problem) problems.push(`${operationId}: ${problem}`);
    seen.add(`${operationId} ${answer.status < 300 ? answer.status : answer.json.code}`);
    return answer;
  };

  const expected = ({ operationId, responses }: Told): string[] =>
    Object.entries(responses).flatMap(([status, { content }]) =>
      Number(status) < 300
        ? [`${operationId} ${status}`]
        : codesOf(content!).map((code) => `${operationId} ${code}`),
    );

  return {
    operations,
    problems,
    look,
    missing: () => operations.flatMap(expected).filter((one) => !seen.has(one)),

    caller(token, { plainly = false } = {}) {
      /** A key that was good for something else. */
      let spent: { key: string; until: number } | null = null;
      const spend = (key: string): void => {
        spent = { key, until: clock().getTime() + 23 * 3600_000 };
      };
      const inner = caller(program, token ?? 'none');
      const headersOf = (headers: Record<string, string>) =>
        token === null ? { ...headers, authorization: '' } : headers;

      const twice = async (
        told: Told,
        ask: (headers: Record<string, string>) => Promise<Answer>,
        headers: Record<string, string> = {},
      ): Promise<Answer> => {
        const { operationId, method } = told;
        if (plainly || method === 'get' || 'idempotency-key' in headers)
          return look(told, await ask(headers));
        if (
          spent &&
          spent.until > clock().getTime() &&
          !seen.has(`${operationId} idempotency_conflict`)
        )
          look(told, await ask({ ...headers, 'idempotency-key': spent.key }));
        if (once.has(operationId)) {
          const key = `k${(keys += 1)}`;
          const answer = look(told, await ask({ ...headers, 'idempotency-key': key }));
          if (answer.status < 300) spend(key);
          return answer;
        }
        if (!seen.has(`${operationId} version_conflict`))
          look(told, await collide(() => ask({ ...headers, 'idempotency-key': 'in-vain' })));
        const key = `k${(keys += 1)}`;
        const [one, other] = await Promise.all([
          ask({ ...headers, 'idempotency-key': key }),
          ask({ ...headers, 'idempotency-key': key }),
        ]);
        const [first, again] =
          one.headers['idempotent-replayed'] === 'true' ? [other, one] : [one, other];
        look(told, first);
        look(told, again);
        if (first.status >= 300) return first;
        once.add(operationId);
        spend(key);
        const replayed = [first, again].map((answer) => answer.headers['idempotent-replayed']);
        if (replayed[0] !== undefined || replayed[1] !== 'true')
          problems.push(`${operationId}: asked twice at once, it was done ${replayed.join()}`);
        if (first.status !== again.status || first.text !== again.text)
          problems.push(`${operationId}: asked twice at once, ${again.status} ${again.text}`);
        return first;
      };

      const send: Caller['send'] = (method, path, json, headers) =>
        twice(of(method, path), (more) => inner.send(method, path, json, headersOf(more)), headers);
      return {
        send,
        get: (path) => send('GET', path),
        post: (path, json = {}, headers) => send('POST', path, json, headers),
        patch: (path, json) => send('PATCH', path, json),
        delete: (path) => send('DELETE', path),
        file: (path, body, headers) =>
          twice(of('POST', path), (more) => inner.file(path, body, headersOf(more)), headers),
      };
    },
  };
}

function codesOf(content: Record<string, { schema: Json }>): string[] {
  const [{ schema }] = Object.values(content) as [{ schema: { allOf: Json[] } }];
  const [, own] = schema.allOf as [Json, { properties: { code: { enum: string[] } } }];
  return own.properties.code.enum;
}

/** Why an answer is not as the document says, or null. */
function validatorsOf(
  schemas: Record<string, Json>,
): (told: Told, answer: Answer) => string | null {
  const strict = (schema: unknown): unknown =>
    JSON.parse(
      JSON.stringify(schema).replaceAll('#/components/schemas/', '#/$defs/'),
      (_, value: unknown) => {
        const one = value as Json | null;
        return typeof one === 'object' && one?.['type'] === 'object' && one['properties']
          ? { additionalProperties: false, ...one }
          : value;
      },
    );
  const components = strict(schemas) as Json;
  /** Those of them that are referred to from here, and from there. */
  const neededBy = (schema: unknown, found: Json = {}): Json => {
    for (const [, name = ''] of JSON.stringify(schema).matchAll(/"#\/\$defs\/([^"]+)"/g))
      if (!(name in found)) {
        found[name] = components[name];
        neededBy(components[name], found);
      }
    return found;
  };
  const made = new Map<string, z.ZodType>();
  const validator = (key: string, schema: unknown): z.ZodType => {
    const known = made.get(key);
    if (known) return known;
    const own = strict(schema) as Json;
    const validate = z.fromJSONSchema({ ...own, $defs: neededBy(own) } as never);
    made.set(key, validate);
    return validate;
  };

  return ({ operationId, responses }, answer) => {
    const declared = responses[answer.status];
    if (!declared) return `${answer.status} is not declared: ${answer.text.slice(0, 300)}`;
    const type = (answer.headers['content-type'] ?? '').split(';')[0]!;
    const content = Object.entries(declared.content ?? {});
    if (content.length === 0) return answer.text === '' ? null : 'there is a body';
    const [media, { schema }] = content[0]!;
    if (media !== type) return `${type} instead of ${media}`;
    if (!media.endsWith('json')) return null;
    const body = answer.json as Json;
    // Every problem has one form; which codes there are is told for each status.
    if (answer.status >= 300 && !codesOf(declared.content!).includes(body['code'] as string))
      return `${answer.status} ${String(body['code'])} is not declared: ${String(body['detail'])}`;
    const checked = (
      answer.status >= 300
        ? validator('problem', schemas['Problem'])
        : validator(`${operationId} ${answer.status}`, schema)
    ).safeParse(body);
    return checked.success ? null : `${z.prettifyError(checked.error)} in ${answer.text}`;
  };
}
