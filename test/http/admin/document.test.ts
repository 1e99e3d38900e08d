import { expect } from 'vitest';
import { z } from 'zod';
import { it } from '#test/support/it.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import type { World } from '#test/support/world.ts';
import { caller, type Caller } from './support.ts';

type Json = Record<string, unknown>;

interface Described {
  operationId: string;
  path: string;
  method: string;
  parameters: { name: string; in: string; required: boolean }[];
  requestBody?: { content: Record<string, { schema: Json; example?: unknown }> };
  responses: Record<string, { content?: Record<string, { schema: Json }> }>;
}

/** The document, and what checks an answer against it: also that nothing is in it that is not told. */
async function documented(program: Agent) {
  const document = (await program.get('/api/openapi.json')).json as {
    paths: Record<string, Record<string, Omit<Described, 'path' | 'method'>>>;
    components: { schemas: Record<string, Json> };
  };
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
  const components = strict(document.components.schemas) as Json;
  /** Those of them that are referred to from here, and from there. */
  const neededBy = (schema: unknown, found: Json = {}): Json => {
    for (const [, name = ''] of JSON.stringify(schema).matchAll(/"#\/\$defs\/([^"]+)"/g))
      if (!(name in found)) {
        found[name] = components[name];
        neededBy(components[name], found);
      }
    return found;
  };
  const schemas = new Map<string, z.ZodType>();
  return {
    operations: Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, one]): Described => ({
        ...one,
        path: path.replace('/api/v1', ''),
        method,
      })),
    ),
    /** Why an answer is not as the document says, or null. */
    problemOf({ operationId, responses }: Described, answer: Answer): string | null {
      const declared = responses[answer.status];
      if (!declared) return `${answer.status} is not declared: ${answer.text.slice(0, 300)}`;
      const type = (answer.headers['content-type'] ?? '').split(';')[0]!;
      const content = Object.entries(declared.content ?? {});
      if (content.length === 0) return answer.text === '' ? null : 'there is a body';
      const [media, { schema }] = content[0]!;
      if (media !== type) return `${type} instead of ${media}`;
      if (!media.endsWith('json')) return null;
      const key = `${operationId} ${answer.status}`;
      if (!schemas.has(key)) {
        const own = strict(schema) as Json;
        schemas.set(key, z.fromJSONSchema({ ...own, $defs: neededBy(own) } as never));
      }
      const checked = schemas.get(key)!.safeParse(answer.json);
      return checked.success ? null : `${z.prettifyError(checked.error)} in ${answer.text}`;
    },
  };
}

/** Acme with somebody for every case, and a token of an operator. */
async function world(given: World, program: Agent) {
  const acme = await given.account('Initech', { owns: ['initech.example', 'labs.example'] });
  const fay = await given.user('fiona@initech.example', {
    of: acme,
    roles: ['account_administrator'],
  });
  const ann = await given.user('anna@initech.example', { of: acme });
  const beta = await given.account('Umbrella', { owns: ['umbrella.example'] });
  await given.waiting(await given.user('walt@initech.example'), acme);
  const operator = caller(program, await given.apiToken());
  return { acme, beta, fay, ann, operator };
}

const unknown = '01a201aa-a637-7dcc-b569-3b562a947439';

it('every operation answers as its document says, once for each key', async ({
  given,
  program,
  server,
}) => {
  const { operations, problemOf } = await documented(program);
  const { acme, beta, ann, operator } = await world(given, program);
  const known: Record<string, string> = {
    accountId: acme.id,
    userId: ann.id,
    personId: ann.id,
    domain: 'initech.example',
    clientId: (await given.client()).id,
  };
  /** What was made, by where it is found. */
  const made = new Map<string, string>();
  const problems: string[] = [];
  const succeeded = new Set<string>();
  let keys = 0;

  // What makes something comes first, and what takes it away last.
  const place = ({ method, path }: Described): number => {
    if (method === 'delete') return 3;
    if (method === 'get') return 1;
    return operations.some((one) => one.path.startsWith(`${path}/{`)) ? 0 : 2;
  };
  const ordered = operations.toSorted((one, other) => place(one) - place(other));
  for (const one of ordered) {
    const path = one.path.replaceAll(
      /\{(\w+)\}/g,
      (_, name: string, at: number) => known[name] ?? made.get(one.path.slice(0, at)) ?? unknown,
    );
    const ask = (key: string): Promise<Answer> =>
      request(operator, one, path, key, one.operationId === 'mergeAccount' ? beta : ann);
    const key = `k${(keys += 1)}`;
    const answer = await ask(key);
    const problem = problemOf(one, answer);
    if (problem) problems.push(`${one.operationId}: ${problem}`);
    if (answer.status >= 300) continue;
    succeeded.add(one.operationId);
    if (one.method === 'post' && answer.text.startsWith('{')) {
      const { id, key: named, identifier } = answer.json;
      made.set(`${one.path}/`, id ?? named ?? identifier ?? unknown);
    }
    if (one.method === 'get') continue;

    const again = await ask(key);
    if (again.status !== answer.status || again.text !== answer.text)
      problems.push(`${one.operationId}: sent again, it answers ${again.status} ${again.text}`);
    if (again.headers['idempotent-replayed'] !== 'true')
      problems.push(`${one.operationId}: sent again, it was done again`);
    const other = await operator.post('/api-tokens', { name: key }, { 'idempotency-key': key });
    if (other.json.code !== 'idempotency_conflict')
      problems.push(`${one.operationId}: its key is good for another request`);
  }
  expect(problems).toEqual([]);
  // What needs more of a world than this one has its own tests.
  const elsewhere = operations.map((one) => one.operationId).filter((id) => !succeeded.has(id));
  expect(elsewhere.length, elsewhere.join(' ')).toBeLessThan(operations.length * 0.3);
  expect(server.errors).toEqual([]);
}, 120_000);

it('every operation says no as its document says', async ({ given, program, server }) => {
  const { operations, problemOf } = await documented(program);
  const { acme, ann, operator } = await world(given, program);
  const narrow = (await operator.post('/api-tokens', { name: 'narrow', scopes: ['token:read'] }))
    .json.secret;
  const nobody = caller(program, narrow);
  const authorization = `Bearer ${await given.apiToken()}`;
  const known: Record<string, string> = { accountId: acme.id, userId: ann.id };
  const problems: string[] = [];
  const paths = new Set<string>();
  for (const one of operations) {
    const { method, operationId, requestBody } = one;
    const upper = method.toUpperCase();
    const path = one.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => known[name] ?? unknown);
    const expected = async (
      status: number,
      code: string | null,
      sent: Promise<Answer>,
    ): Promise<void> => {
      const answer = await sent;
      const problem = answer.status === 405 ? null : problemOf(one, answer);
      if (answer.status !== status || (code && answer.json.code !== code) || problem)
        problems.push(`${operationId}: ${answer.status} ${answer.text}, not ${code}. ${problem}`);
    };
    await expected(401, 'unauthorized', program.send(`/api/v1${path}`, { method: upper }));
    const nowhere = one.path.replaceAll(/\{\w+\}/g, unknown);
    const said = await operator.send(upper, nowhere, method === 'get' ? undefined : {});
    const problem = problemOf(one, said);
    if (problem) problems.push(`${operationId}: ${problem}`);
    if (operationId !== 'getToken')
      await expected(403, 'permission_denied', request(nobody, one, path, 'k'));
    if (!paths.has(path)) await expected(405, 'method_not_allowed', operator.send('PUT', path));
    paths.add(path);
    if (method === 'get') continue;

    const send = (body: string, headers: Record<string, string>): Promise<Answer> =>
      program.send(`/api/v1${path}${queryOf(one)}`, {
        method: upper,
        body,
        headers: { authorization, ...headers },
      });
    const [type = 'application/json'] = Object.keys(requestBody?.content ?? {});
    const wrong = type === 'text/csv' ? 'application/json' : 'text/csv';
    await expected(415, 'unsupported_media_type', send('{}', { 'content-type': wrong }));
    await expected(
      413,
      'too_large',
      send('{}', { 'content-type': type, 'content-length': '99000000' }),
    );
    if (type === 'application/json')
      await expected(422, 'invalid_value', send('{"nonsense":1}', { 'content-type': type }));
  }
  expect(problems).toEqual([]);
  expect(server.errors).toEqual([]);
}, 120_000);

/** What has to stand in the address. */
function queryOf({ parameters, operationId }: Described): string {
  const values: Record<string, string> = {
    kind: 'add',
    on: '2026-01-01',
    email: 'ann@initech.example',
    q: 'ann',
  };
  const required = parameters.filter((one) => one.in === 'query' && one.required);
  const query = new URLSearchParams(
    required.map(({ name }) => [name, values[name] ?? `no ${name} for ${operationId}`]),
  );
  return query.size > 0 ? `?${query}` : '';
}

function request(
  as: Caller,
  one: Described,
  path: string,
  key: string,
  whom: { id: string } = { id: unknown },
): Promise<Answer> {
  const [content] = Object.values(one.requestBody?.content ?? {});
  const example = content?.example ?? {};
  const text = JSON.stringify(example).replaceAll(unknown, whom.id);
  const body = JSON.parse(
    one.operationId === 'createAccount' ? text : text.replaceAll('acme.example', 'initech.example'),
  ) as unknown;
  const address = `${path}${queryOf(one)}`;
  if (one.method === 'get') return as.get(address);
  const headers: Record<string, string> = { 'idempotency-key': key };
  if (typeof body === 'string') return as.file(address, body, headers);
  return as.send(one.method.toUpperCase(), address, body, headers);
}
