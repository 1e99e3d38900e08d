import { describe, expect } from 'vitest';
import type { Agent, Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { startServer, type TestServer } from '#test/support/server.ts';
import type { World } from '#test/support/world.ts';
import { unaffiliate } from '#identity/users/affiliate.ts';
import { someone, type Caller } from './support.ts';
import { it as withNet } from '../../identity/domains/support.ts';
import { connections } from './document/connections.ts';
import { domains } from './document/domains.ts';
import { accounts, filesAndFactors, programs } from './document/installation.ts';
import { beingIn, comingIn } from './document/people.ts';
import { sceneOf, unknown } from './document/scene.ts';
import { colliding, witness, type Told } from './document/witness.ts';

/** All that was answered in this file: at its end the document tells nothing that nobody saw. */
const seen = new Set<string>();
const once = new Set<string>();

async function opened(server: TestServer, program: Agent, given: World) {
  const watched = await witness(program, {
    seen,
    once,
    collide: colliding(server),
    clock: server.clock,
  });
  const operator = watched.caller(await given.apiToken());
  return { ...watched, operator };
}

describe('every operation', () => {
  it('refuses what is no request, or nobody’s, as its document says', async ({
    given,
    program,
    server,
  }) => {
    const { operations, caller, operator, problems, look } = await opened(server, program, given);
    const acme = await given.account('Acme');
    const narrow = (await operator.post('/api-tokens', { name: 'n', scopes: ['token:read'] })).json;
    const none = (await operator.post('/api-tokens', { name: 'n', scopes: ['roles:define'] })).json;
    const [nobody, stranger] = [caller(null), caller('ost_nobody')];
    const [reader, definer] = [caller(narrow.secret), caller(none.secret)];
    let token = '';
    for (const [index, one] of operations.entries()) {
      // A token may ask six hundred times a minute.
      if (index % 40 === 0) token = await given.apiToken();
      const method = one.method.toUpperCase();
      const path = addressOf(one, { accountId: acme.id });
      const bare = path.split('?')[0]!;
      await nobody.send(method, path);
      await stranger.send(method, path);
      await (one.operationId === 'getToken' ? definer : reader).send(method, path);
      const as = caller(token);
      const send = async (body: string | Buffer, headers: Record<string, string>) =>
        look(
          one,
          await program.send(`/api/v1${path}`, {
            method,
            body,
            headers: { authorization: `Bearer ${token}`, ...headers },
          }),
        );
      if (method === 'GET') {
        await as.get(`${bare}?q=%00`);
        await as.get(`${bare}?nonsense=1`);
        if (one.parameters.some(({ name }) => name === 'cursor'))
          await as.get(`${path}${path.includes('?') ? '&' : '?'}cursor=nonsense`);
        continue;
      }
      const [type = 'application/json'] = Object.keys(one.requestBody?.content ?? {});
      const typed = { 'content-type': type };
      await send('{}', { 'content-type': type === 'text/csv' ? 'application/json' : 'text/csv' });
      await send('{}', { ...typed, 'content-length': '99000000' });
      await send('{}', { ...typed, 'content-encoding': 'gzip' });
      await send(Buffer.from([0xff]), typed);
      await send('{}', { ...typed, 'idempotency-key': 'two words' });
      if (type === 'text/csv') {
        await as.file(`${path}&nonsense=1`, '');
        continue;
      }
      await send('{"nonsense":1}', typed);
      await send('{', typed);
      await send('['.repeat(40), typed);
      await send('{"a":1,"a":2}', typed);
    }
    expect(problems).toEqual([]);
    expect(server.errors).toEqual([]);
  }, 120_000);

  it('says when to come back, to who asks too often and while the database is away', async ({
    given,
    server: { app },
  }) => {
    const { database } = app.foundation;
    const strict = await startServer(database, { apiPerMinute: 0.01 });
    try {
      const program = strict.agent({ cookies: false });
      const { operations, caller, problems } = await opened(strict, program, given);
      const hasty = caller(await given.apiToken(), { plainly: true });
      const asked = async (status: number, one: Told): Promise<void> => {
        const answer = await hasty.send(one.method.toUpperCase(), addressOf(one, {}));
        if (answer.status !== status || !(Number(answer.headers['retry-after']) > 0))
          problems.push(`${one.operationId}: ${answer.status} ${answer.headers['retry-after']}`);
      };
      for (const one of operations) await asked(429, one);
      const { query } = database;
      try {
        database.query = () =>
          Promise.reject(Object.assign(new Error('Refused.'), { code: 'ECONNREFUSED' }));
        for (const one of operations) await asked(503, one);
      } finally {
        database.query = query;
      }
      expect(problems).toEqual([]);
      const said = strict.errors.map((one) => (one as { message: string }).message);
      expect(new Set(said)).toEqual(new Set(['the database cannot be reached']));
    } finally {
      await strict.close();
    }
  }, 120_000);

  it('does what it is for, once for each key', async ({ given, program, server }) => {
    const { operations, caller, problems } = await opened(server, program, given);
    const acme = await given.account('Initech', { owns: ['initech.example', 'labs.example'] });
    const beta = await given.account('Umbrella', { owns: ['umbrella.example'] });
    await given.user('fiona@initech.example', { of: acme, roles: ['account_administrator'] });
    const ann = await given.user('anna@initech.example', { of: acme });
    await given.waiting(await given.user('walt@initech.example'), acme);
    const known: Record<string, string> = {
      accountId: acme.id,
      userId: ann.id,
      personId: ann.id,
      domain: 'initech.example',
      clientId: (await given.client()).id,
    };
    /** What was made, by where it is found. */
    const made = new Map<string, string>();
    // What makes something comes first, and what takes it away last.
    const place = ({ method, path }: Told): number => {
      if (method === 'delete') return 3;
      if (method === 'get') return 1;
      return operations.some((one) => one.path.startsWith(`${path}/{`)) ? 0 : 2;
    };
    const ordered = operations.toSorted((a, b) => place(a) - place(b));
    let operator!: Caller;
    for (const [index, one] of ordered.entries()) {
      // A token may ask six hundred times a minute; its first key is good for something else then.
      if (index % 50 === 0) {
        operator = caller(await given.apiToken());
        await operator.post('/api-tokens', { name: 'another' });
      }
      const path = one.path.replaceAll(
        /\{(\w+)\}/g,
        (_, name: string, at: number) => known[name] ?? made.get(one.path.slice(0, at)) ?? unknown,
      );
      const whom = one.operationId === 'mergeAccount' ? beta.id : ann.id;
      const answer = await asked(operator, { ...one, path }, whom, 'initech.example');
      if (one.method !== 'post' || answer.status >= 300 || !answer.text.startsWith('{')) continue;
      const { id, key, identifier } = answer.json;
      made.set(`${one.path}/`, encodeURIComponent(id ?? key ?? identifier ?? unknown));
    }
    expect(problems).toEqual([]);
    expect(server.errors).toEqual([]);
  }, 120_000);

  it('tells of nobody and nothing that is not there, on hold or beyond reach', async ({
    given,
    program,
    server,
  }) => {
    const { operations, caller, problems } = await opened(server, program, given);
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const held = await given.account('Held', { owns: ['held.example'] });
    await given.hold(held);
    const inviting = caller(await given.apiToken(acme), { plainly: true });
    const guest = (await inviting.post(`/accounts/${acme.id}/users`, someone('guest@free.example')))
      .json.user as { id: string };
    // Of Acme, and a higher role than any of its administrators has.
    const oda = await given.user('oda@acme.example', { of: acme, roles: ['operator'] });
    const olaf = await given.user('olaf@acme.example', { of: acme, roles: ['operator'] });
    await given.work((work) => unaffiliate(work, olaf.id, acme.id, 'administrator'));
    const [ofAcme, ofHeld] = [
      caller(await given.apiToken(acme), { plainly: true }),
      caller(await given.apiToken(held), { plainly: true }),
    ];
    let operator = caller(await given.apiToken(), { plainly: true });
    for (const [index, one] of operations.entries()) {
      // A token may ask six hundred times a minute.
      if (index % 150 === 149) operator = caller(await given.apiToken(), { plainly: true });
      const at = (known: Record<string, string>) => ({ ...one, path: addressOf(one, known) });
      if (one.path.includes('{')) await asked(operator, at({}));
      if (!one.path.includes('{accountId}')) continue;
      // An operator vouches for any domain, so that it is there from then on.
      const domain = one.operationId === 'attestDomain' ? 'nothing' : 'nowhere.example';
      if (/\{.*\{/.test(one.path)) await asked(operator, at({ accountId: acme.id, domain }));
      if (one.responses['403']?.description.includes('`account_on_hold`'))
        await asked(ofHeld, at({ accountId: held.id }));
      if (one.responses['403']?.description.includes('`cannot_act_on_higher_role`'))
        for (const userId of [oda.id, olaf.id])
          await asked(ofAcme, at({ accountId: acme.id, userId }));
      if (one.responses['409']?.description.includes('`only_invited`'))
        await asked(ofAcme, at({ accountId: acme.id, userId: guest.id }));
    }
    expect(problems).toEqual([]);
    expect(server.errors).toEqual([]);
  }, 120_000);
});

describe('what each operation refuses, and does once it may', () => {
  it.for([
    ['people who come in', comingIn],
    ['people who are in', beingIn],
    ['connections', connections],
    ['accounts', accounts],
    ['programs', programs],
    ['files and factors', filesAndFactors],
  ] as const)('%s', async ([, play], { given, program, server }) => {
    const watched = await opened(server, program, given);
    await play(sceneOf({ given, program, server }, watched, watched.operator));
    expect(watched.problems).toEqual([]);
    expect(server.errors).toEqual([]);
  });
});

withNet('and domains', async ({ given, program, server, net }) => {
  const watched = await opened(server, program, given);
  await domains(sceneOf({ given, program, server }, watched, watched.operator), net);
  expect(watched.problems).toEqual([]);
  expect(server.errors).toEqual([]);
});

it('tells of nothing that nobody saw', async ({ given, program, server }) => {
  const { missing, operations } = await opened(server, program, given);
  expect(missing()).toEqual([]);
  const changing = operations.filter(({ method }) => method !== 'get');
  // And each that changes something was asked for twice at once with one key, and done once.
  expect(changing.map((one) => one.operationId).filter((id) => !once.has(id))).toEqual([]);
});

/** Asks for an operation as its example shows. */
function asked(as: Caller, told: Told, whom = unknown, domain = 'acme.example'): Promise<Answer> {
  const [content] = Object.values(told.requestBody?.content ?? {});
  const text = JSON.stringify(content?.example ?? {}).replaceAll(unknown, whom);
  const body = JSON.parse(
    told.operationId === 'createAccount' ? text : text.replaceAll('acme.example', domain),
  ) as unknown;
  const path = told.path.includes('?') ? told.path : addressOf(told, {});
  if (told.method === 'get') return as.get(path);
  if (typeof body === 'string') return as.file(path, body);
  return as.send(told.method.toUpperCase(), path, body);
}

/** Where an operation is, with what has to stand there. */
function addressOf({ path, parameters }: Told, known: Record<string, string>): string {
  const values: Record<string, string> = {
    kind: 'add',
    on: '2026-01-01',
    email: 'ann@acme.example',
    q: 'ann',
  };
  const query = new URLSearchParams(
    parameters
      .filter((one) => one.in === 'query' && one.required)
      .map(({ name }) => [name, values[name] ?? `no ${name}`]),
  );
  const filled = path.replaceAll(
    /\{(\w+)\}/g,
    (_, name: string) => known[name] ?? (name === 'domain' ? 'nowhere.example' : unknown),
  );
  return query.size > 0 ? `${filled}?${query}` : filled;
}
