import { describe, expect } from 'vitest';
import { startAnother, type TestServer } from '#test/support/server.ts';
import type { Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { asClient, refresh, tokensFor, userinfo } from '#test/support/sign-in.ts';
import { caller, statusesOf } from '../http/admin/support.ts';
import { directoryOf, patchOf, user, type Directory } from '../http/scim/support.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0';
const nobody = '01a201aa-a637-7dcc-b569-3b562a947439';
const off = { op: 'replace', path: 'active', value: false };
const on = { op: 'replace', path: 'active', value: true };

/** Acme with its administrator Fay and with Ann, and its directory. */
async function acmeOf({ given, agent }: TestServer) {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const fay = await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
  const ann = await given.user('ann@acme.example', { of: acme });
  const directory = await directoryOf(given, agent({ cookies: false }), acme);
  return { acme, fay, ann, directory };
}

/** The id that SCIM has for somebody. */
async function idOf(directory: Directory, userName: string): Promise<string> {
  return (await directory.filter('/Users', `userName eq "${userName}"`)).json.Resources[0].id;
}

const problem = ({ status, json }: Answer): unknown[] => [status, json.scimType];

describe('D-33: who has no token, or another account\u2019s', () => {
  it('learns nothing, and changes nothing', async ({ server, given }) => {
    const { acme, directory } = await acmeOf(server);
    const { id } = await directory.user('ben@acme.example');
    const { id: groupId } = await directory.group('Design');
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const betas = await directoryOf(given, server.agent({ cookies: false }), beta);
    const admin = caller(server.agent(), await given.apiToken(acme));
    const tokens = `/accounts/${acme.id}/scim-tokens`;
    const brief = await admin.post(tokens, {
      name: 'brief',
      expiresAt: new Date(server.clock().getTime() + 60_000).toISOString(),
    });
    const revoked = await admin.post(tokens, { name: 'revoked' });
    await admin.delete(`${tokens}/${revoked.json.id}`);
    server.clock.advance(61);
    const apiToken = await given.apiToken(acme);
    for (const authorization of [
      '',
      'Bearer',
      'Bearer ',
      `Basic ${Buffer.from(`scim:${directory.token}`).toString('base64')}`,
      'Bearer scim_x',
      `Bearer ${directory.token.slice(0, -1)}`,
      `Bearer ${directory.token}x`,
      `Bearer ${directory.token.toUpperCase()}`,
      `Bearer ${brief.json.secret}`,
      `Bearer ${revoked.json.secret}`,
      `Bearer ${apiToken}`,
    ])
      for (const path of ['/Users', `/Users/${id}`, '/ServiceProviderConfig', '/Nothing']) {
        const answer = await directory.send('GET', path, undefined, { authorization });
        expect([authorization, path, answer.status]).toEqual([authorization, path, 401]);
        expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
      }
    const inQuery = await directory.send(
      'GET',
      `/Users?access_token=${directory.token}`,
      undefined,
      {
        authorization: '',
      },
    );
    expect(inQuery.status).toBe(401);

    for (const [method, path, body] of [
      ['GET', '/Users/', undefined],
      ['PUT', '/Users/', user('ben@beta.example')],
      ['PATCH', '/Users/', patchOf(off)],
      ['DELETE', '/Users/', undefined],
      ['GET', '/Groups/', undefined],
      ['PUT', '/Groups/', { schemas: [`${core}:Group`], displayName: 'x' }],
      ['PATCH', '/Groups/', patchOf({ op: 'replace', path: 'displayName', value: 'x' })],
      ['DELETE', '/Groups/', undefined],
    ] as const) {
      const known = path === '/Users/' ? id : groupId;
      const theirs = await betas.send(method, `${path}${known}`, body);
      const none = await betas.send(method, `${path}${nobody}`, body);
      expect([method, path, theirs.status, theirs.text]).toEqual([method, path, 404, none.text]);
    }
    for (const filter of [`id eq "${id}"`, 'userName sw "b"', 'userName pr'])
      expect((await betas.filter('/Users', filter)).json.totalResults).toBe(0);
    const member = await betas.post('/Groups', {
      schemas: [`${core}:Group`],
      displayName: 'Mine',
      members: [{ value: id }],
    });
    expect(problem(member)).toEqual([400, 'invalidValue']);
    expect((await directory.get(`/Users/${id}`)).json.active).toBe(true);
  });
});

describe('D-34: an address that is not the account\u2019s to give', () => {
  it('is not created, and nobody is named', async ({ server, given }) => {
    const { acme, directory } = await acmeOf(server);
    await given.account('Beta', { owns: ['beta.example'] });
    await given.rows(
      `insert into domains (id, account_id, name, state, signup, created_at)
       values (gen_random_uuid(), $1, 'pending.example', 'pending', 'approve', now())`,
      [acme.id],
    );
    for (const [domain, reason] of [
      ['free.example', 'domain_not_owned'],
      ['gmail.com', 'domain_not_owned'],
      ['pending.example', 'domain_pending'],
      ['beta.example', 'domain_owned_elsewhere'],
      ['eng.acme.example', 'domain_not_owned'],
      ['acme.example.evil.example', 'domain_not_owned'],
    ] as const) {
      const answer = await directory.post('/Users', user(`new@${domain}`));
      expect([domain, ...problem(answer)]).toEqual([domain, 400, 'invalidValue']);
      expect(answer.text).toContain(reason);
      expect(answer.text).not.toContain('Beta');
    }
    expect(await given.rows(`select 1 from users where email like 'new@%'`)).toEqual([]);
  });
});

describe('D-35: another name for somebody', () => {
  it('is refused as a whole where it is taken, foreign, empty or two', async ({ server }) => {
    const { directory } = await acmeOf(server);
    const id = await idOf(directory, 'ann@acme.example');
    const before = (await directory.get(`/Users/${id}`)).text;
    const title = { op: 'replace', path: 'title', value: 'Taken back' };
    const primaries = [
      { value: 'a@acme.example', primary: true },
      { value: 'b@acme.example', primary: true },
    ];
    for (const [status, operation] of [
      [409, { op: 'replace', path: 'userName', value: 'FAY@acme.example' }],
      [400, { op: 'replace', path: 'userName', value: 'ann@beta.example' }],
      [400, { op: 'replace', path: 'userName', value: '' }],
      [400, { op: 'remove', path: 'userName' }],
      [400, { op: 'replace', path: 'userName', value: 'ann' }],
      [400, { op: 'replace', path: 'userName', value: ['ann@acme.example'] }],
      [400, { op: 'replace', path: 'emails', value: primaries }],
    ] as const) {
      const answer = await directory.patch(`/Users/${id}`, title, operation);
      expect([operation, answer.status]).toEqual([operation, status]);
    }
    for (const [status, body] of [
      [409, user('fay@acme.example')],
      [400, user('ann@beta.example')],
      [400, user('')],
      [400, user('ann@acme.example', { emails: primaries })],
    ] as const)
      expect((await directory.put(`/Users/${id}`, { ...body, title: 'Taken back' })).status).toBe(
        status,
      );
    expect((await directory.get(`/Users/${id}`)).text).toBe(before);
  });
});

describe('D-36: what a directory may not say', () => {
  it('is passed over or refused: no right, no other id, no prototype', async ({
    server,
    given,
  }) => {
    const { directory, acme } = await acmeOf(server);
    const evil = {
      id: nobody,
      meta: { resourceType: 'Operator', version: 'W/"99"' },
      accountId: nobody,
      account_id: nobody,
      account: { id: nobody },
      roles: [{ value: 'operator' }, { value: 'account_administrator' }],
      role: 'operator',
      locked: true,
      emailVerified: true,
      email_verified_at: '2020-01-01T00:00:00Z',
      passwordHash: '$argon2id$',
      breakGlass: true,
      break_glass: true,
      source: 'local',
      groups: [{ value: nobody }],
      constructor: { prototype: { polluted: 'yes' } },
      prototype: { polluted: 'yes' },
    };
    const made = await directory.post('/Users', user('new@acme.example', evil));
    expect(made.status).toBe(201);
    expect(made.json.id).not.toBe(nobody);
    const path = `/Users/${made.json.id}`;
    const proto = await directory.send(
      'POST',
      '/Users',
      `{"schemas":["${core}:User"],"userName":"x@acme.example","__proto__":{"polluted":"yes"}}`,
    );
    expect(proto.status).toBe(400);
    for (const at of [
      '__proto__',
      'constructor.prototype',
      'name.__proto__',
      'toString',
      '__proto__.polluted',
    ]) {
      const answer = await directory.patch(path, {
        op: 'add',
        path: at,
        value: { polluted: 'yes' },
      });
      expect([at, ...problem(answer)]).toEqual([at, 400, 'invalidPath']);
    }
    expect(
      (await directory.patch(path, { op: 'replace', path: 'id', value: nobody })).json.scimType,
    ).toBe('mutability');
    expect(
      (await directory.patch(path, { op: 'add', path: 'groups', value: [{ value: nobody }] })).json
        .scimType,
    ).toBe('mutability');
    await directory.patch(path, { op: 'add', value: evil });
    for (const name of ['userName', 'externalId', 'title', 'active', 'displayName'])
      for (const value of [{ $ne: null }, { $gt: '' }, { toString: 'x' }])
        expect([
          name,
          (await directory.patch(path, { op: 'replace', path: name, value })).status,
        ]).toEqual([name, 400]);
    for (const filter of [
      'userName eq {"$ne":null}',
      '__proto__ eq "x"',
      'constructor pr',
      'account_id eq "x"',
      'userName eq "\' or 1=1 --"',
    ])
      expect((await directory.filter('/Users', filter)).json.Resources ?? []).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    const rows = await given.rows(
      `select u.account_id, u.break_glass, u.source, a.id <> $1 as own
       from users u join affiliations a on a.user_id = u.id where u.email = 'new@acme.example'`,
      [nobody],
    );
    expect(rows).toEqual([{ account_id: acme.id, break_glass: false, source: 'scim', own: true }]);
    expect(await given.rows(`select role from role_assignments`)).toEqual([
      { role: 'account_administrator' },
    ]);
    expect(server.errors).toEqual([]);
  });
});

describe('D-37: deactivated at one process', () => {
  it('opens nothing at another, from that moment on', async ({ server, given }) => {
    const { directory, ann } = await acmeOf(server);
    const client = await given.client();
    const browser = server.agent();
    const tokens = await tokensFor(browser, client, ann, { scope: 'openid offline_access' });
    const program = server.agent({ cookies: false });
    expect((await userinfo(program, tokens.access_token)).status).toBe(200);

    const other = await startAnother();
    const there = directory.at(other.agent({ cookies: false }));
    const id = await idOf(directory, ann.email);
    expect((await there.patch(`/Users/${id}`, off)).json.active).toBe(false);
    await other.close();

    expect((await userinfo(program, tokens.access_token)).status).toBe(401);
    const again = await refresh(program, client, tokens.refresh_token!);
    expect([again.status, again.json.error]).toEqual([400, 'invalid_grant']);
    const asked = await asClient(program, '/oauth/introspect', client, {
      token: tokens.access_token,
    });
    expect(asked.json).toEqual({ active: false });
    expect(await given.rows('select 1 from oidc_sessions')).toEqual([]);
  });

  it('so does a token that is revoked at one, and one that is held', async ({ server, given }) => {
    const { acme, directory, ann } = await acmeOf(server);
    const other = await startAnother();
    const there = directory.at(other.agent({ cookies: false }));
    const id = await idOf(there, ann.email);
    const admin = caller(server.agent(), await given.apiToken(acme));
    const tokens = `/accounts/${acme.id}/scim-tokens`;
    const [token] = (await admin.get(tokens)).json.items;
    await given.rows('update scim_tokens set held_at = now()');
    expect((await there.patch(`/Users/${id}`, on)).status).toBe(429);
    expect((await there.get(`/Users/${id}`)).status).toBe(200);

    expect((await admin.delete(`${tokens}/${token.id}`)).status).toBe(204);
    expect((await there.get(`/Users/${id}`)).status).toBe(401);
    expect((await there.patch(`/Users/${id}`, off)).status).toBe(401);
    await other.close();
    expect((await given.person(ann))!.locks).toEqual([]);
  });
});

describe('D-38: what stands for active', () => {
  it('is read as it is meant, and nothing becomes active by mistake', async ({ server, given }) => {
    const { directory, ann } = await acmeOf(server);
    const id = await idOf(directory, ann.email);
    const locked = async (): Promise<boolean> => (await given.person(ann))!.locks.length > 0;
    for (const value of [false, 'False', 'false', 'FALSE']) {
      await directory.patch(`/Users/${id}`, on);
      const answer = await directory.patch(`/Users/${id}`, {
        op: 'Replace',
        path: 'active',
        value,
      });
      expect([value, answer.status, await locked()]).toEqual([value, 200, true]);
    }
    for (const value of [0, 1, 'no', 'yes', '', [], [true], {}, null, 'truefalse']) {
      const answer = await directory.patch(`/Users/${id}`, {
        op: 'replace',
        path: 'active',
        value,
      });
      expect([value, answer.status < 500, await locked()]).toEqual([value, true, true]);
    }
    const put = await directory.put(`/Users/${id}`, user(ann.email));
    expect([put.status, put.json.active]).toEqual([200, false]);
  });
});

describe('D-39, D-40: administrators', () => {
  it('are made and unmade by no directory, and the last of them stays', async ({
    server,
    given,
  }) => {
    const { directory, fay, ann, acme } = await acmeOf(server);
    const fays = await idOf(directory, fay.email);
    for (const [answer, status] of [
      [await directory.patch(`/Users/${fays}`, off), 400],
      [await directory.put(`/Users/${fays}`, user(fay.email, { active: false })), 400],
      [await directory.delete(`/Users/${fays}`), 409],
    ] as const) {
      expect(answer.status).toBe(status);
      expect(answer.text).toContain('last_administrator');
    }
    expect((await given.person(fay))!.locks).toEqual([]);

    // In a group of whatever name, and with whatever role is said.
    const anns = await idOf(directory, ann.email);
    const group = await directory.group('Account Administrators', [{ id: anns }]);
    await directory.patch(`/Groups/${group.id}`, {
      op: 'replace',
      path: 'displayName',
      value: 'operator',
    });
    await directory.patch(`/Users/${anns}`, {
      op: 'add',
      path: 'roles',
      value: [{ value: 'account_administrator' }],
    });
    expect((await given.person(ann))!.roles).toEqual([]);

    const glass = await given.user('glass@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    await given.rows('update users set break_glass = true where id = $1', [glass.id]);
    const glasses = await idOf(directory, glass.email);
    const olga = await given.user('olga@acme.example', { of: acme, roles: ['operator'] });
    const olgas = await idOf(directory, olga.email);
    for (const id of [glasses, olgas]) {
      for (const operation of [
        off,
        { op: 'replace', path: 'userName', value: 'x@acme.example' },
        { op: 'replace', path: 'title', value: 'x' },
      ])
        expect(problem(await directory.patch(`/Users/${id}`, operation))).toEqual([
          400,
          'mutability',
        ]);
      expect((await directory.delete(`/Users/${id}`)).status).toBe(409);
    }
    expect((await given.person(glass))!.roles).toEqual(['account_administrator']);
  });

  it('who all leave at once leave one behind', async ({ server, given }) => {
    const { directory, acme, fay } = await acmeOf(server);
    await given.user('gus@acme.example', { of: acme, roles: ['account_administrator'] });
    const ids = await Promise.all(
      [fay.email, 'gus@acme.example'].map((one) => idOf(directory, one)),
    );
    const answers = await Promise.all(ids.map((id) => directory.patch(`/Users/${id}`, off)));
    expect(statusesOf(answers)).toEqual([200, 400]);
  });
});

describe('D-41: the same person from two sides at once', () => {
  it('is made once, in whatever letters', async ({ server, given }) => {
    const { directory } = await acmeOf(server);
    const names = ['new@acme.example', 'NEW@acme.example', 'New@ACME.example', 'nEw@acme.EXAMPLE'];
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) => directory.post('/Users', user(names[n % 4]!))),
    );
    expect(statusesOf(answers)).toEqual([201, ...Array.from({ length: 11 }, () => 409)]);
    expect(await given.rows(`select 1 from users where email = 'new@acme.example'`)).toHaveLength(
      1,
    );
    const groups = await Promise.all(
      ['Design', 'design', 'DESIGN'].map((displayName) =>
        directory.post('/Groups', { schemas: [`${core}:Group`], displayName }),
      ),
    );
    expect(statusesOf(groups)).toEqual([201, 409, 409]);
  });
});

describe('D-42: a filter made to hurt', () => {
  it('is refused quickly', async ({ server }) => {
    const { directory } = await acmeOf(server);
    for (const [what, filter] of [
      ['5,000 brackets', `${'('.repeat(5000)}userName pr${')'.repeat(5000)}`],
      [
        '10,000 alternatives',
        Array.from({ length: 10_000 }, (_, n) => `id eq "${n}"`).join(' or '),
      ],
      ['newlines in a text without end', `userName eq "${'\n'.repeat(30)}`],
      ['a text without end', 'userName eq "abc'],
      ['NUL', 'userName eq "a\u0000b"'],
      ['half a character', 'userName eq "\\ud800"'],
      ['brackets in brackets', 'emails[type eq "work" and emails[type eq "home"]]'],
      ['a hundred nots', `${'not ('.repeat(100)}userName pr${')'.repeat(100)}`],
      ['backslashes', `userName eq "${'\\'.repeat(2001)}"`],
      ['1e999', 'meta.created gt 1e999'],
    ] as const) {
      const began = performance.now();
      const answer = await directory.post('/Users/.search', {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
        filter,
      });
      expect(performance.now() - began).toBeLessThan(1000);
      expect([what, answer.status]).toEqual([what, 400]);
      expect(answer.json.schemas).toContain('urn:ietf:params:scim:api:messages:2.0:Error');
    }
    expect(server.errors).toEqual([]);
  });

  it('of a megabyte does not even arrive', async ({ server }) => {
    const { directory } = await acmeOf(server);
    const answer = await directory.post('/Users/.search', {
      filter: `userName eq "${'x'.repeat(1_100_000)}"`,
    });
    expect(answer.status).toBe(413);
  });
});

describe('D-43: an externalId that is somebody else\u2019s', () => {
  it('binds nobody to anybody', async ({ server, given }) => {
    const { directory, ann, fay } = await acmeOf(server);
    let n = 0;
    for (const externalId of [ann.id, '1', fay.email, await idOf(directory, fay.email)]) {
      const made = await directory.post(
        '/Users',
        user(`x${(n += 1)}@acme.example`, { externalId }),
      );
      expect(made.status).toBe(201);
      expect(made.json.externalId).toBe(externalId);
    }
    expect((await given.person(ann))!.email).toBe(ann.email);
    const people = await given.rows('select 1 from users');
    expect(people).toHaveLength(6);
  });
});

describe('D-44: a lock that somebody else set', () => {
  it('stays, whatever the directory says about active', async ({ server, given }) => {
    const { directory, ann } = await acmeOf(server);
    const id = await idOf(directory, ann.email);
    for (const reason of ['admin', 'operator', 'compromised'] as const)
      await given.locked(ann, reason);
    for (const answer of [
      await directory.patch(`/Users/${id}`, on),
      await directory.put(`/Users/${id}`, user(ann.email)),
      await directory.put(`/Users/${id}`, user(ann.email, { active: true })),
      await directory.patch(`/Users/${id}`, off),
      await directory.patch(`/Users/${id}`, on),
    ])
      expect(answer.status).toBe(200);
    const reasons = (await given.person(ann))!.locks.map((one) => one.reason).sort();
    expect(reasons).toEqual(['admin', 'compromised', 'operator']);
  });
});

describe('D-45: numbers and cursors of one\u2019s own making', () => {
  it('are clamped or refused', async ({ server }) => {
    const { directory } = await acmeOf(server);
    for (const query of [
      'count=1000000000',
      'count=-1',
      'count=0',
      'startIndex=0',
      'startIndex=-5',
      'startIndex=1e18',
      'startIndex=1000000000000000000',
      'startIndex=999999999',
      'count=abc',
      'count=1.5',
      'count=1&count=2',
      'cursor=abc',
      'cursor=..',
      'cursor=eyJhIjoxfQ.x',
      'cursor=%00',
      'sortBy=userName;drop table users',
      "sortBy=' or 1=1",
      'sortBy=password',
      'sortBy=__proto__',
      'sortBy=userName&sortOrder=sideways',
      'attributes=id&excludedAttributes=id',
      'attributes=__proto__,constructor',
      'filter=userName%20pr&filter=id%20pr',
    ]) {
      const answer = await directory.get(`/Users?${query.replaceAll(' ', '%20')}`);
      expect([query, [200, 400].includes(answer.status)]).toEqual([query, true]);
      if (answer.status === 200) expect(answer.json.itemsPerPage).toBeLessThanOrEqual(200);
    }
    expect(server.errors).toEqual([]);
  });

  it('that were given out for another account or list are no good', async ({ server, given }) => {
    const { directory } = await acmeOf(server);
    for (const name of ['a', 'b', 'c']) await directory.user(`${name}@acme.example`);
    const { nextCursor } = (await directory.get('/Users?count=2&cursor=')).json;
    expect(nextCursor).toMatch(/^[\w.~-]+$/);
    const beta = await given.account('Beta');
    const betas = await directoryOf(given, server.agent({ cookies: false }), beta);
    for (const answer of [
      await betas.get(`/Users?count=2&cursor=${nextCursor}`),
      await directory.get(`/Groups?count=2&cursor=${nextCursor}`),
      await directory.get(`/Users?count=2&filter=active%20eq%20true&cursor=${nextCursor}`),
      await directory.get(`/Users?count=2&cursor=${nextCursor.slice(0, -2)}xx`),
    ])
      expect(problem(answer)).toEqual([400, 'invalidCursor']);
    expect((await directory.get(`/Users?count=2&cursor=${nextCursor}`)).status).toBe(200);
    server.clock.advance(2 * 3600);
    const late = await directory.get(`/Users?count=2&cursor=${nextCursor}`);
    expect(problem(late)).toEqual([400, 'expiredCursor']);
  });
});

describe('D-46: the secret of a token', () => {
  it('is in one answer and nowhere else, and opens nothing anywhere once revoked', async ({
    server,
    given,
  }) => {
    const { acme } = await acmeOf(server);
    const admin = caller(server.agent(), await given.apiToken(acme));
    const tokens = `/accounts/${acme.id}/scim-tokens`;
    const key = { 'idempotency-key': 'once' };
    const made = await admin.post(tokens, { name: 'Entra ID' }, key);
    const { secret, id } = made.json;
    const other = await startAnother();
    const ask = (node: TestServer, path = '/Users'): Promise<Answer> =>
      node
        .agent({ cookies: false })
        .get(`/scim/v2${path}`, { headers: { authorization: `Bearer ${secret}` } });
    expect([(await ask(server)).status, (await ask(other)).status]).toEqual([200, 200]);
    const failed = await ask(server, `/Nothing/${secret}`);
    expect(failed.status).toBe(404);
    await admin.delete(`${tokens}/${id}`);
    expect([(await ask(server)).status, (await ask(other)).status]).toEqual([401, 401]);
    await server.app.directories.flush();
    await other.app.directories.flush();
    await other.close();

    // Whoever reads all of the database finds it nowhere, however it was sent.
    const part = secret.slice(-43);
    const tables = await given.rows<{ name: string }>(
      `select tablename as name from pg_tables where schemaname = 'public'`,
    );
    const found: string[] = [];
    for (const { name } of tables)
      if (JSON.stringify(await given.rows(`select * from ${name}`)).includes(part))
        found.push(name);
    expect(found).toEqual([]);
    expect(JSON.stringify(server.errors)).not.toContain(part);
  });
});
