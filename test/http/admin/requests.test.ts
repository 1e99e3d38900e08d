import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect } from 'vitest';
import type { Agent, Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { apartFromReference, caller, someone } from './support.ts';

describe('who may call', () => {
  it('asks for a token, and does not take what is none', async ({ given, program, server }) => {
    const acme = await given.account('Acme');
    const path = `/api/v1/accounts/${acme.id}`;
    const without = await program.get(path);
    expect(without.status).toBe(401);
    expect(without.headers['www-authenticate']).toBe('Bearer realm="ostiary"');
    expect(without.headers['content-type']).toContain('application/problem+json');
    expect(without.json).toMatchObject({
      status: 401,
      code: 'unauthorized',
      actions: [],
      errors: [],
    });

    for (const garbage of ['Bearer nothing', 'Bearer ost_nothing', `Bearer ${'a'.repeat(400)}`]) {
      const answer = await program.get(path, { headers: { authorization: garbage } });
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toContain('error="invalid_token"');
      expect(answer.json.code).toBe('invalid_token');
    }
    for (const other of ['Basic b3N0OnBhc3M=', 'Bearer', 'Bearer  \u00e4', 'Token x'])
      expect((await program.get(path, { headers: { authorization: other } })).status).toBe(401);
    expect(server.errors).toEqual([]);
  });

  it('forgets a token that ended or was revoked', async ({ given, program, server }) => {
    const acme = await given.account('Acme');
    const operator = caller(program, await given.apiToken());
    const inAnHour = new Date(server.clock().getTime() + 3600_000).toISOString();
    const tokens = `/accounts/${acme.id}/api-tokens`;
    const brief = (await operator.post(tokens, { name: 'brief', expiresAt: inAnHour })).json;
    const long = (await operator.post(tokens, { name: 'long' })).json;
    expect((await caller(program, brief.secret).get(tokens)).status).toBe(200);

    server.clock.advance(3601);
    expect((await caller(program, brief.secret).get(tokens)).status).toBe(401);
    expect((await caller(program, long.secret).get(tokens)).status).toBe(200);
    expect((await operator.delete(`${tokens}/${long.id}`)).status).toBe(204);
    expect((await caller(program, long.secret).get(tokens)).status).toBe(401);
    expect((await operator.delete(`${tokens}/${long.id}`)).json.code).toBe('not_found');
  });

  it('slows down a token that asks without end, and no other', async ({
    given,
    program,
    server,
  }) => {
    const one = caller(program, await given.apiToken());
    const other = caller(program, await given.apiToken());
    let answer: Answer;
    let asked = 0;
    do {
      answer = await one.get('/token');
      asked += 1;
    } while (answer.status === 200 && asked < 1500);
    expect(answer.status).toBe(429);
    expect(asked).toBeGreaterThan(600);
    expect(answer.json.code).toBe('rate_limited');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect((await other.get('/token')).status).toBe(200);
    server.clock.advance(2);
    expect((await one.get('/token')).status).toBe(200);
  });
});

describe('what is no request', () => {
  it('is refused at once, whatever it is, and never breaks anything', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const token = await given.apiToken();
    const path = `/api/v1/accounts/${acme.id}/users`;
    const send = (body: string | Buffer, headers: Record<string, string> = {}) =>
      program.post(path, {
        body,
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          ...headers,
        },
      });
    await send('{}');
    const deep = (open: string, close: string) => open.repeat(100_000) + close.repeat(100_000);
    const cases: [string, string | Buffer, Record<string, string>, number, string][] = [
      ['no JSON', '{', {}, 400, 'invalid_json'],
      ['half a text', '{"email": "a', {}, 400, 'invalid_json'],
      ['a comma too many', '{"email": "a",}', {}, 400, 'invalid_json'],
      ['nothing but depth', deep('[', ']'), {}, 400, 'too_deep'],
      ['depth in objects', deep('{"a":', '').slice(0, 500_000), {}, 400, 'too_deep'],
      ['a name twice', '{"email": "a", "email": "b"}', {}, 400, 'duplicate_field'],
      [
        'a name twice in disguise',
        '{"email": "a", "\\u0065mail": "b"}',
        {},
        400,
        'duplicate_field',
      ],
      ['__proto__', '{"__proto__": {"admin": true}}', {}, 400, 'invalid_field'],
      ['a NUL', '{"email": "a\\u0000b"}', {}, 400, 'invalid_field'],
      ['half a letter', '{"email": "\\ud800"}', {}, 400, 'invalid_field'],
      ['no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), {}, 400, 'invalid_encoding'],
      ['too much', ' '.repeat(1024 * 1024 + 1), {}, 413, 'too_large'],
      [
        'a bomb',
        gzipSync('0'.repeat(50_000_000)),
        { 'content-encoding': 'gzip' },
        415,
        'unsupported_encoding',
      ],
      ['plain text', '{}', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
      [
        'a form',
        'email=a',
        { 'content-type': 'application/x-www-form-urlencoded' },
        415,
        'unsupported_media_type',
      ],
      ['a list', '[]', {}, 422, 'invalid_value'],
      ['a number', '1e999', {}, 422, 'invalid_value'],
      ['null', 'null', {}, 422, 'invalid_value'],
    ];
    for (const [what, body, headers, status, code] of cases) {
      const began = performance.now();
      const answer = await send(body, headers);
      const took = performance.now() - began;
      expect([what, answer.status, answer.json.code]).toEqual([what, status, code]);
      // Milliseconds on an idle machine; what it must not be is seconds.
      expect([what, took < 2000]).toEqual([what, true]);
    }
    expect(await given.rows('select 1 from users')).toEqual([]);
    // Where every field may be left out, too: null is no object without fields.
    const nothing = await program.post(`/api/v1/accounts/${acme.id}/resume`, {
      body: 'null',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });
    expect([nothing.status, nothing.json.code]).toEqual([422, 'invalid_value']);
    expect(server.errors).toEqual([]);
  });

  it('is told that it is too large while it is still being sent', async ({
    given,
    program,
    server,
  }) => {
    const token = await given.apiToken();
    const { hostname, port } = program.base;
    const head = [
      'POST /api/v1/accounts HTTP/1.1',
      `Host: ${hostname}:${port}`,
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
    ];
    expect(await raw(program, [...head, 'Content-Length: 52428800'], Buffer.alloc(10_000))).toMatch(
      /^HTTP\/1\.1 413 /,
    );
    const chunk = Buffer.concat([
      Buffer.from('100000\r\n'),
      Buffer.alloc(0x100000),
      Buffer.from('\r\n'),
    ]);
    const began = performance.now();
    expect(
      await raw(program, [...head, 'Transfer-Encoding: chunked'], Buffer.concat([chunk, chunk])),
    ).toMatch(/^HTTP\/1\.1 413 /);
    expect(performance.now() - began).toBeLessThan(1000);
    expect(server.errors).toEqual([]);
  });

  it('names each field that is wrong, and where', async ({ given, program }) => {
    const operator = caller(program, await given.apiToken());
    const answer = await operator.post('/accounts', {
      name: 7,
      fulfillmentContact: { email: 'fay@acme.example', givenName: '', country: 'Mars', phone: '1' },
      id: 'mine',
    });
    expect(answer.status).toBe(422);
    expect(answer.json.code).toBe('invalid_value');
    expect(answer.json.errors.map(({ field }: { field: string }) => field).sort()).toEqual([
      'fulfillmentContact.country',
      'fulfillmentContact.familyName',
      'fulfillmentContact.givenName',
      'fulfillmentContact.phone',
      'id',
      'name',
    ]);
  });
});

describe('what nobody may set (D-36)', () => {
  it.for<object>([
    { id: '00000000-0000-0000-0000-000000000000' },
    { accountId: '00000000-0000-0000-0000-000000000000' },
    { meta: {} },
    { locked: false },
    { locks: [] },
    { emailVerified: true },
    { passwordHash: 'x' },
    { status: 'active' },
    { constructor: { prototype: { admin: true } } },
    { email: { $ne: null } },
    { email: ['a@acme.example'] },
    { givenName: { $gt: '' } },
    { roles: { $in: ['operator'] } },
    { roles: [{ $ne: 1 }] },
    { groups: [null] },
    { country: { toString: 'US' } },
  ])('%j', async (field, { given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const admin = caller(program, await given.apiToken(acme));
    const answer = await admin.post(`/accounts/${acme.id}/users`, someone('a@acme.example', field));
    expect(answer.status).toBe(422);
    expect(await given.rows('select 1 from users')).toEqual([]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
    expect(server.errors).toEqual([]);
  });

  it('takes no operator from a query', async ({ given, program, server }) => {
    const acme = await given.account('Acme');
    await given.user('ann@acme.example', { of: acme });
    const admin = caller(program, await given.apiToken(acme));
    for (const query of [
      'q[$ne]=1',
      'q=a&q=b',
      'status[$ne]=active',
      '__proto__[x]=1',
      '__proto__=1',
      'constructor=1',
      'limit=1e3',
      'limit=-1',
      'limit[$gt]=1',
      'role=%00',
      'q=%00',
      'q=%ff%fe',
      'domain=a..b',
      'cursor[$ne]=1',
    ]) {
      const answer = await admin.get(`/accounts/${acme.id}/users?${query}`);
      expect([
        query,
        (answer.status >= 400 && answer.status < 500) || answer.json.items.length === 0,
      ]).toEqual([query, true]);
    }
    expect((await admin.get(`/accounts/${acme.id}/users?q=%25`)).json.items).toEqual([]);
    expect((await admin.get(`/accounts/${acme.id}/users?q=_`)).json.items).toEqual([]);
    expect(server.errors).toEqual([]);
  });
});

describe('addresses that are not quite one (D-69)', () => {
  it('lead nowhere', async ({ given, program, server }) => {
    const acme = await given.account('Acme');
    const token = await given.apiToken();
    const users = `/api/v1/accounts/${acme.id}/hold`;
    const raws = [
      `/${users}`,
      `${users}/`,
      `${users}.`,
      users.replace('/hold', '//hold'),
      users.replace('/hold', '/./hold'),
      users.replace('/hold', '/%68old'),
      users.replace('/hold', '%2Fhold'),
      users.replace('/api/', '/API/'),
      users.replace('accounts', 'Accounts'),
      `${users};x=1`,
      users.replace(acme.id, acme.id.toUpperCase()),
      users.replace(acme.id, `${acme.id}%00`),
      users.replace(acme.id, '%00'),
      users.replace(acme.id, '%ff'),
      users.replace(acme.id, "' or 1=1 --"),
    ];
    const { host } = program.base;
    for (const path of raws) {
      const status = await raw(
        program,
        [
          `POST ${path.replaceAll(' ', '%20')} HTTP/1.1`,
          `Host: ${host}`,
          `Authorization: Bearer ${token}`,
          'Content-Type: application/json',
          'Content-Length: 14',
        ],
        Buffer.from('{"reason":"x"}'),
      );
      expect([
        path,
        Number(status.slice(9, 12)) >= 400 && Number(status.slice(9, 12)) < 500,
      ]).toEqual([path, true]);
    }
    const operator = caller(program, token);
    for (const [path, code] of [
      [`/accounts/${acme.id}/domains/%00`, 'domain_not_found'],
      ['/roles/%00', 'role_not_found'],
      ['/clients/%00', 'client_not_found'],
    ] as const)
      expect((await operator.delete(path)).json.code).toBe(code);
    for (const query of ['?_method=DELETE', '?access_token=' + token]) {
      const answer = await program.get(`/api/v1/accounts/${acme.id}${query}`);
      expect(answer.status).toBe(401);
    }
    const overridden = await caller(program, token).send('GET', `/accounts/${acme.id}`, undefined, {
      'x-http-method-override': 'DELETE',
    });
    expect(overridden.status).toBe(200);
    const [row] = await given.rows<{ status: string }>('select status from accounts');
    expect(row!.status).toBe('active');
    expect(server.errors).toEqual([]);
  });

  it('are told which methods there are', async ({ given, program }) => {
    const operator = caller(program, await given.apiToken());
    for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const answer = await operator.send(method, '/accounts');
      expect(answer.status).toBe(405);
      expect(answer.json.code).toBe('method_not_allowed');
      expect(answer.headers.allow!.split(', ').sort()).toEqual(['GET', 'HEAD', 'POST']);
    }
    expect((await operator.get('/nothing')).json).toMatchObject({ status: 404, code: 'not_found' });
    expect((await program.get('/api/v1')).json).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('let no other site read an answer', async ({ given, program }) => {
    const operator = caller(program, await given.apiToken());
    const answer = await operator.send('GET', '/accounts', undefined, {
      origin: 'https://evil.example',
    });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
  });
});

describe('lists', () => {
  it('give everybody once, a page at a time', async ({ given, program }) => {
    const acme = await given.account('Acme');
    for (let index = 0; index < 7; index += 1)
      await given.user(`user${index}@acme.example`, { of: acme, password: null });
    const admin = caller(program, await given.apiToken(acme));
    const seen: string[] = [];
    let cursor: string | null = '';
    do {
      const page: Answer = await admin.get(
        `/accounts/${acme.id}/users?limit=3${cursor && `&cursor=${cursor}`}`,
      );
      expect(page.status).toBe(200);
      expect(page.json.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.json.items.map(({ email }: { email: string }) => email));
      cursor = page.json.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(Array.from({ length: 7 }, (_, index) => `user${index}@acme.example`));
    expect((await admin.get(`/accounts/${acme.id}/users?limit=0`)).json.items).toHaveLength(1);
    expect((await admin.get(`/accounts/${acme.id}/users?limit=100000`)).json.items).toHaveLength(7);
  });

  it('take a cursor that they gave, and for what they gave it', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme');
    const beta = await given.account('Beta');
    for (const account of [acme, beta])
      for (let index = 0; index < 3; index += 1)
        await given.user(`user${index}@${account.name}.example`.toLowerCase(), {
          of: account,
          password: null,
        });
    const operator = caller(program, await given.apiToken());
    const { nextCursor } = (await operator.get(`/accounts/${acme.id}/users?limit=1`)).json;
    const [encoded, signature] = nextCursor.split('.');
    const forged = [
      'nothing',
      '.',
      encoded,
      `${encoded}.`,
      `${encoded}.${'A'.repeat(43)}`,
      `${Buffer.from("' or 1=1").toString('base64url')}.${signature}`,
    ];
    for (const cursor of forged) {
      const answer = await operator.get(`/accounts/${acme.id}/users?cursor=${cursor}`);
      expect([cursor, answer.status, answer.json.code]).toEqual([cursor, 400, 'invalid_cursor']);
    }
    for (const elsewhere of [
      `/accounts/${beta.id}/users?cursor=${nextCursor}`,
      `/accounts/${acme.id}/users?q=user&cursor=${nextCursor}`,
      `/accounts?cursor=${nextCursor}`,
    ])
      expect((await operator.get(elsewhere)).json.code).toBe('invalid_cursor');
    expect(
      (await operator.get(`/accounts/${acme.id}/users?cursor=${nextCursor}&limit=2`)).status,
    ).toBe(200);
    expect(server.errors).toEqual([]);
  });
});

describe('the account of somebody else (D-33)', () => {
  it('is one that there is not, at every address', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const ben = await given.user('ben@beta.example', { of: beta });
    const token = await given.apiToken(acme);
    const nobody = '01a201aa-a637-7dcc-b569-3b562a947439';
    const addresses: [string, string, unknown?][] = [
      ['GET', ''],
      ['PATCH', '', { name: 'Mine' }],
      ['POST', '/hold', { reason: 'x' }],
      ['POST', '/resume', {}],
      ['GET', '/domains'],
      ['POST', '/domains/beta.example/attest', { reason: 'x' }],
      ['GET', '/users'],
      ['POST', '/users', someone('x@beta.example')],
      ['GET', '/api-tokens'],
      ['POST', '/api-tokens', { name: 'x' }],
      ['DELETE', `/api-tokens/${nobody}`],
      ['GET', '/audit'],
      ...(['', '/sessions'] as const).map((end): [string, string] => [
        'GET',
        `/users/{user}${end}`,
      ]),
      ...(['add', 'lock', 'unlock', 'reset-password', 'roles', 'restore'] as const).map(
        (verb): [string, string, unknown] => [
          'POST',
          `/users/{user}/${verb}`,
          verb === 'lock' ? { note: 'x' } : {},
        ],
      ),
      ['DELETE', '/users/{user}'],
      ['DELETE', '/users/{user}/sessions'],
      ['DELETE', '/users/{user}/sessions/x'],
    ];
    const acmes = caller(program, token);
    for (const [method, path, json] of addresses) {
      const inBeta = `/accounts/${beta.id}${path.replace('{user}', ben.id)}`;
      const nowhere = `/accounts/${nobody}${path.replace('{user}', nobody)}`;
      const known = apartFromReference(await acmes.send(method, inBeta, json));
      expect([method, path, known]).toMatchObject([
        method,
        path,
        { status: 404, code: 'account_not_found' },
      ]);
      expect(known).toEqual(apartFromReference(await acmes.send(method, nowhere, json)));
    }
    // A person of Beta is nobody within Acme either.
    for (const [method, path, json] of addresses.filter(([, one]) => one.includes('{user}'))) {
      const known = await acmes.send(
        method,
        `/accounts/${acme.id}${path.replace('{user}', ben.id)}`,
        json,
      );
      const unknown = await acmes.send(
        method,
        `/accounts/${acme.id}${path.replace('{user}', nobody)}`,
        json,
      );
      expect([method, path, apartFromReference(known)]).toMatchObject([
        method,
        path,
        { status: 404, code: 'user_not_found' },
      ]);
      expect(apartFromReference(known)).toEqual(apartFromReference(unknown));
    }
    expect((await given.person(ben))!.locks).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it('keeps what only operators may do from everybody else', async ({ given, program }) => {
    const acme = await given.account('Acme');
    const acmes = caller(program, await given.apiToken(acme));
    const operators: [string, string, unknown?][] = [
      ['GET', '/accounts'],
      ['POST', '/accounts', {}],
      ['GET', '/clients'],
      ['POST', '/clients', {}],
      ['GET', '/clients/demo'],
      ['PATCH', '/clients/demo', {}],
      ['DELETE', '/clients/demo'],
      ['GET', '/clients/demo/secrets'],
      ['POST', '/clients/demo/secrets'],
      ['GET', '/resource-servers'],
      ['POST', '/resource-servers', {}],
      ['DELETE', '/resource-servers/x'],
      ['POST', '/terms', {}],
      ['GET', '/terms/evidence.csv'],
      ['GET', '/keys'],
      ['POST', '/keys/rotate'],
      ['GET', '/audit'],
      ['GET', '/api-tokens'],
      ['POST', '/api-tokens', { name: 'x' }],
      ['POST', `/accounts/${acme.id}/hold`, { reason: 'x' }],
      ['POST', `/accounts/${acme.id}/resume`],
      ['POST', `/accounts/${acme.id}/domains/acme.example/attest`, { reason: 'x' }],
      ['PATCH', `/accounts/${acme.id}`, { number: '1' }],
      ['PATCH', `/accounts/${acme.id}`, { countries: ['US'] }],
    ];
    for (const [method, path, json] of operators) {
      const answer = await acmes.send(method, path, json);
      expect([method, path, answer.status, answer.json.code]).toEqual([
        method,
        path,
        403,
        'permission_denied',
      ]);
    }
  });
});

/** Sends what no client would, and gives back the beginning of the answer. */
function raw(program: Agent, lines: readonly string[], body: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(program.base.port), '127.0.0.1');
    let answer = '';
    socket.on('data', (data: Buffer) => {
      answer += data.toString('latin1');
      socket.end();
      resolve(answer);
    });
    socket.on('error', (error) => (answer ? resolve(answer) : reject(error)));
    socket.on('close', () => resolve(answer));
    socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), body]));
  });
}
