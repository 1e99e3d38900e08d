import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import type { TestServer } from '#test/support/server.ts';
import { caller } from '../admin/support.ts';
import { terminal } from '../../cli/support.ts';
import { directoryOf, user } from './support.ts';

/** Acme, its directory, and its administrator at the API. */
async function acmeOf({ given, agent }: TestServer, settings = {}) {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
  const token = await given.apiToken(acme);
  const admin = caller(agent({ cookies: false }), token);
  const directory = await directoryOf(given, agent({ cookies: false }), acme, settings);
  return { acme, admin, token, directory, path: `/accounts/${acme.id}` };
}

/** Everything that could tell that something happened. */
async function traces({ given }: TestServer): Promise<unknown> {
  const tables = ['users', 'affiliations', 'groups', 'group_members', 'audit_events', 'outbox'];
  const counts = tables.map((table) => `(select count(*)::int from ${table}) as ${table}`);
  return given.rows(`select ${counts.join(', ')}, (select sum(version)::int from users) as versions,
    (select count(*)::int from user_locks where released_at is null) as locks`);
}

describe('a dry run', () => {
  it('is answered as if, changes nothing, tells nobody, and is recorded', async ({ server }) => {
    const { admin, path, directory, acme } = await acmeOf(server, { dryRun: true });
    await server.given.user('ann@acme.example', { of: acme });
    const before = await traces(server);
    const made = await directory.post('/Users', user('new@acme.example', { active: true }));
    expect([made.status, made.json.userName]).toEqual([201, 'new@acme.example']);
    const [ann] = (await directory.filter('/Users', 'userName eq "ann@acme.example"')).json
      .Resources;
    const off = await directory.patch(`/Users/${ann.id}`, {
      op: 'replace',
      path: 'active',
      value: false,
    });
    expect([off.status, off.json.active]).toEqual([200, false]);
    const group = await directory.post('/Groups', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
      displayName: 'Design',
      members: [{ value: ann.id }],
    });
    expect(group.status).toBe(201);
    const bulk = await directory.post('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [
        { method: 'POST', path: '/Users', bulkId: 'a', data: user('bulk@acme.example') },
        { method: 'DELETE', path: `/Users/${ann.id}` },
      ],
    });
    expect(bulk.json.Operations.map(({ status }: { status: string }) => status)).toEqual([
      '201',
      '204',
    ]);
    expect((await directory.delete(`/Users/${ann.id}`)).status).toBe(204);
    expect((await directory.get(`/Users/${ann.id}`)).json.active).toBe(true);
    const refused = await directory.post('/Users', user('ann@acme.example'));
    expect(refused.status).toBe(409);
    expect(await traces(server)).toEqual(before);

    const { items } = (await admin.get(`${path}/scim-requests`)).json;
    const changing = items.filter(({ method }: { method: string }) => method !== 'GET');
    expect(changing).toHaveLength(6);
    expect(changing.every(({ dryRun }: { dryRun: boolean }) => dryRun)).toBe(true);
    expect(changing.at(-1).meaning.summary).toMatch(
      /^The directory asked to create the person new@acme.example: .* would have been made; nothing was kept\.$/,
    );
    expect(changing.at(-2).meaning.changes).toEqual([
      'ann@acme.example: deactivated; sessions and tokens ended.',
      'ann@acme.example: changed active.',
    ]);
    expect(server.errors).toEqual([]);
  });

  it('becomes real when the token is switched', async ({ server }) => {
    const { admin, path, directory } = await acmeOf(server, { dryRun: true });
    await directory.user('new@acme.example');
    const [token] = (await admin.get(`${path}/scim-tokens`)).json.items;
    await admin.patch(`${path}/scim-tokens/${token.id}`, { dryRun: false });
    await directory.user('new@acme.example');
    expect((await directory.post('/Users', user('new@acme.example'))).status).toBe(409);
  });
});

describe('a replay', () => {
  it('says what a refused request would come to today, and changes nothing', async ({ server }) => {
    const { acme, admin, token, path, directory } = await acmeOf(server);
    const refused = await directory.post(
      '/Users',
      user('ann@new.example', { password: 'open sesame!' }),
    );
    expect(refused.status).toBe(400);
    const [{ id, meaning }] = (await admin.get(`${path}/scim-requests`)).json.items;
    expect(meaning.rule).toMatchObject({ code: 'domain_not_owned' });
    expect(meaning.rule.advice).toContain('Prove the domain');
    const still = await admin.post(`${path}/scim-requests/${id}/replay`);
    expect(still.json).toMatchObject({
      status: 400,
      statusThen: 400,
      meaning: { rule: { code: 'domain_not_owned' } },
    });

    await server.given.rows(
      `insert into domains (id, account_id, name, state, proof, signup, owned_at, created_at)
       values (gen_random_uuid(), $1, 'new.example', 'owned', 'dns', 'approve', now(), now())`,
      [acme.id],
    );
    const before = (await traces(server)) as [{ audit_events: number }];
    const now = await admin.post(`${path}/scim-requests/${id}/replay`);
    expect(now.status).toBe(200);
    expect(now.json).toMatchObject({
      status: 201,
      statusThen: 400,
      response: { userName: 'ann@new.example' },
      meaning: { rule: null },
    });
    expect(now.json.meaning.summary).toContain('would have been made; nothing was kept.');
    expect(now.text).not.toContain('sesame');
    // The look is written down, and nothing else.
    const [after] = (await traces(server)) as [{ audit_events: number }];
    expect(after).toEqual({ ...before[0], audit_events: before[0].audit_events + 1 });
    const shown = await terminal(server, token)(`scim-token replay ${id} --account ${acme.id}`);
    expect(shown.out).toMatch(/status now +201/);
    expect(
      (await directory.filter('/Users', 'userName eq "ann@new.example"')).json.totalResults,
    ).toBe(0);
  });

  it("is for the account's own administrators, and for what was kept", async ({ server }) => {
    const { admin, path, directory } = await acmeOf(server);
    await directory.get('/Users');
    await directory.user('ann@acme.example');
    const [made, read] = (await admin.get(`${path}/scim-requests`)).json.items;
    expect([made.replayable, read.replayable]).toEqual([true, false]);
    const beta = await server.given.account('Beta');
    const other = caller(server.agent(), await server.given.apiToken(beta));
    expect((await other.post(`${path}/scim-requests/${made.id}/replay`)).status).toBe(404);
    expect((await other.post(`/accounts/${beta.id}/scim-requests/${made.id}/replay`)).status).toBe(
      404,
    );
    expect((await admin.post(`${path}/scim-requests/${read.id}/replay`)).status).toBe(404);
    const again = await admin.post(`${path}/scim-requests/${made.id}/replay`);
    expect(again.json).toMatchObject({ status: 409, statusThen: 201 });
  });
});

describe('a directory that is held', () => {
  it('is answered 429 with Retry-After until somebody decides; it may still look', async ({
    server,
  }) => {
    const { acme, admin, path, directory } = await acmeOf(server);
    const people: { id: string }[] = [];
    for (const name of ['ann', 'ben', 'cem']) {
      await server.given.user(`${name}@acme.example`, { of: acme });
      const [found] = (await directory.filter('/Users', `userName eq "${name}@acme.example"`)).json
        .Resources;
      people.push(found);
    }
    const [token] = (await admin.get(`${path}/scim-tokens`)).json.items;
    const tokenPath = `${path}/scim-tokens/${token.id}`;
    await admin.patch(tokenPath, { limits: { number: 1 } });
    const off = { op: 'replace', path: 'active', value: false };
    expect((await directory.patch(`/Users/${people[0]!.id}`, off)).status).toBe(200);
    const held = await directory.delete(`/Users/${people[1]!.id}`);
    expect([held.status, held.json.status]).toEqual([429, '429']);
    expect(Number(held.headers['retry-after'])).toBeGreaterThan(60);
    for (const answer of [
      await directory.post('/Users', user('new@acme.example')),
      await directory.patch(`/Users/${people[2]!.id}`, {
        op: 'replace',
        path: 'title',
        value: 'Boss',
      }),
      await directory.post('/Bulk', {}),
    ])
      expect(answer.status).toBe(429);
    expect((await directory.get(`/Users/${people[1]!.id}`)).json.active).toBe(true);
    expect(
      (
        await directory.post('/Users/.search', {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
        })
      ).status,
    ).toBe(200);
    const [health] = (await admin.get(`${path}/scim-health`)).json.items;
    expect(health).toMatchObject({ state: 'held', errors: 4 });
    const log = (await admin.get(`${path}/scim-requests?outcome=held`)).json.items;
    expect(log).toHaveLength(4);
    expect(log[0].meaning.rule).toMatchObject({ code: 'directory_held' });

    // What it would come to is looked at before anybody decides.
    const would = await admin.post(`${path}/scim-requests/${log.at(-1).id}/replay`);
    expect(would.json).toMatchObject({
      status: 429,
      meaning: { summary: expect.stringContaining('would have been held') },
    });
    expect((await admin.post(`${tokenPath}/hold`, { decision: 'release' })).json.held).toBeNull();
    expect((await directory.delete(`/Users/${people[1]!.id}`)).status).toBe(204);
    expect(await server.given.events()).toEqual(
      expect.arrayContaining(['scim_token.held', 'scim_token.released']),
    );
    expect(server.errors).toEqual([]);
  });

  it('stops within a request of many operations, and keeps what was within the limit', async ({
    server,
  }) => {
    const { acme, admin, path, directory } = await acmeOf(server);
    const ids: string[] = [];
    for (const name of ['ann', 'ben', 'cem']) {
      await server.given.user(`${name}@acme.example`, { of: acme });
      const [found] = (await directory.filter('/Users', `userName eq "${name}@acme.example"`)).json
        .Resources;
      ids.push(found.id);
    }
    const [token] = (await admin.get(`${path}/scim-tokens`)).json.items;
    await admin.patch(`${path}/scim-tokens/${token.id}`, { limits: { number: 2 } });
    const bulk = await directory.post('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: ids.map((id) => ({ method: 'DELETE', path: `/Users/${id}` })),
    });
    expect(bulk.json.Operations.map(({ status }: { status: string }) => status)).toEqual([
      '204',
      '204',
      '429',
    ]);
    expect((await admin.get(`${path}/scim-tokens/${token.id}`)).json.held).toMatchObject({
      departures: 3,
    });
    expect((await directory.get(`/Users/${ids[2]}`)).status).toBe(200);
    const [line] = (await admin.get(`${path}/scim-requests?outcome=held`)).json.items;
    expect(line.meaning.summary).toMatch(
      /^The directory sent many operations at once: \d changes, and then the connection was held\.$/,
    );
    expect(line.meaning.rule).toMatchObject({
      code: 'directory_held',
      says: expect.stringMatching(/^1 of 3 operations were refused, the first: This connection/),
    });
  });
});

describe('the flight recorder at the door', () => {
  it('keeps what could not even be read', async ({ server }) => {
    const { admin, path, directory } = await acmeOf(server);
    const broken = await directory.send(
      'POST',
      '/Users',
      '{"userName": "ann@acme.example", "password": "open sesame"',
    );
    expect(broken.status).toBe(400);
    await directory.send('POST', '/Users', 'userName=ann', {
      'content-type': 'application/x-www-form-urlencoded',
    });
    await directory.get('/Users?filter=userName%20eq');
    const { items } = (await admin.get(`${path}/scim-requests`)).json;
    expect(
      items.map(({ status, outcome }: { status: number; outcome: string }) => [status, outcome]),
    ).toEqual([
      [400, 'refused'],
      [415, 'refused'],
      [400, 'refused'],
    ]);
    const detail = (await admin.get(`${path}/scim-requests/${items.at(-1).id}`)).json;
    expect(detail.request).toContain('ann@acme.example');
    expect(detail.request).not.toContain('sesame');
    expect(items[0].meaning.rule.code).toBe('invalidFilter');
  });
});
