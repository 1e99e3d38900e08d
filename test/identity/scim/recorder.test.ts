import { describe, expect } from 'vitest';
import {
  directoryWork,
  during,
  newExchange,
  type GivenAnswer,
  type SentRequest,
} from '#identity/scim/exchange.ts';
import { kindOf, sweepExchanges } from '#identity/scim/recorder.ts';
import { shownOf, withoutSecrets } from '#identity/scim/redact.ts';
import { recognise } from '#identity/scim/dialect.ts';
import { findScimToken } from '#identity/scim/token.ts';
import { eraseUser } from '#identity/users/erase.ts';
import { lockUser } from '#identity/users/lock.ts';
import type { Work } from '#identity/work.ts';
import { it } from '#test/support/it.ts';
import type { TestServer } from '#test/support/server.ts';
import { caller } from '../../http/admin/support.ts';
import { terminal } from '../../cli/support.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0:User';
const sent = (more: Partial<SentRequest> & { method: string; target: string }): SentRequest => ({
  body: undefined,
  userAgent: null,
  ip: '192.0.2.7',
  ...more,
});
const refused = (status: number, detail: string, more = {}): GivenAnswer => ({
  status,
  body: {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
    status: String(status),
    detail,
    ...more,
  },
});

/** Acme and its directory, which sends and is answered as a test says. */
async function acmeDirectory(server: TestServer, settings = {}) {
  const { given, app, clock } = server;
  const acme = await given.account();
  const token = await given.apiToken(acme);
  const admin = caller(server.agent({ cookies: false }), token);
  const path = `/accounts/${acme.id}`;
  const made = (await admin.post(`${path}/scim-tokens`, { name: 'Directory', ...settings })).json;
  async function exchange(
    request: SentRequest,
    answer: GivenAnswer,
    command: (work: Work) => Promise<unknown> = () => Promise.resolve(),
  ): Promise<string> {
    const { database } = app.foundation;
    const { caller: who } = (await findScimToken(database, made.secret, clock(), request.ip))!;
    const one = newExchange(who, clock());
    await during(one, () => directoryWork(app.foundation, one, {}, command));
    app.directories.note(one, request, answer);
    return one.id;
  }
  return { acme, admin, token, path, made, exchange };
}

describe('the flight recorder', () => {
  it('says in words what a directory sent, what changed, and how it speaks', async ({ server }) => {
    const { acme, admin, path, exchange } = await acmeDirectory(server);
    const ann = await server.given.user('ann@acme.example', { of: acme });
    const id = await exchange(
      sent({
        method: 'PATCH',
        target: '/Users/7f3b?aadOptscim062020',
        body: { Operations: [{ op: 'Replace', path: 'active', value: 'False' }] },
      }),
      { status: 200, body: { id: '7f3b', userName: 'ann@acme.example', active: false } },
      (work) => lockUser(work, ann.id, 'directory', { accountId: acme.id }),
    );
    const { items } = (await admin.get(`${path}/scim-requests?person=Ann@acme.example`)).json;
    expect(items).toMatchObject([
      {
        id,
        token: 'Directory',
        method: 'PATCH',
        status: 200,
        outcome: 'changed',
        dryRun: false,
        meaning: {
          summary: 'Microsoft Entra ID asked to change the person ann@acme.example: one change.',
          changes: ['ann@acme.example: deactivated; sessions and tokens ended.'],
          directory: 'Microsoft Entra ID',
          dialect: [
            'The address carries the flag aadOptscim062020; it was passed over.',
            'Operations begin with a capital letter (Add, Replace, Remove).',
            'True and False are sent as text.',
          ],
          rule: null,
        },
      },
    ]);
    expect((await admin.get(`${path}/scim-requests?person=bob@acme.example`)).json.items).toEqual(
      [],
    );
    expect((await admin.get(`${path}/scim-requests?person=${ann.id}`)).json.items).toHaveLength(1);
    expect((await admin.get(`${path}/scim-requests/${id}`)).json).toMatchObject({
      ip: '192.0.2.7',
      request: { Operations: [{ op: 'Replace', path: 'active', value: 'False' }] },
      response: { userName: 'ann@acme.example' },
    });
  });

  it('names the rule that refused, and what to do about it', async ({ server }) => {
    const { admin, token, path, exchange, acme } = await acmeDirectory(server);
    const body = { schemas: [core], userName: 'ben@beta.example', password: 'open sesame' };
    await exchange(
      sent({ method: 'POST', target: '/Users', body, userAgent: 'Okta SCIM Client 1.0.0' }),
      refused(400, '[domain_owned_by_other] The domain is owned by another organization.', {
        scimType: 'invalidValue',
      }),
    );
    await exchange(sent({ method: 'GET', target: '/Users?filter=userName%20eq%20%22x%22' }), {
      status: 200,
      body: { totalResults: 0, Resources: [] },
    });
    const list = await admin.get(`${path}/scim-requests?outcome=refused`);
    expect(list.json.items).toMatchObject([
      {
        status: 400,
        meaning: {
          summary:
            'Okta asked to create the person ben@beta.example: refused. The domain is owned by another organization.',
          changes: [],
          rule: {
            code: 'domain_owned_by_other',
            says: 'The domain is owned by another organization.',
            advice: expect.stringContaining('Another organization owns the domain'),
          },
        },
      },
    ]);
    const [{ id }] = list.json.items;
    const detail = await admin.get(`${path}/scim-requests/${id}`);
    expect(detail.json.request.password).toBe('[removed]');
    const rows = JSON.stringify(await server.given.rows('select * from scim_exchanges'));
    expect(rows).not.toContain('sesame');
    const shell = terminal(server, token);
    const log = await shell(`scim-token log --account ${acme.id} --person ben@beta.example`);
    expect(log.out).toContain('refused. The domain is owned by another organization.');
    const shown = await shell(`scim-token request ${id} --account ${acme.id}`);
    expect(shown.out).toMatch(/what to do +Another organization owns the domain/);
    expect((await shell(`scim-token health --account ${acme.id}`)).out).toMatch(/1 of 2/);
  });

  it('is read by the administrators of the account alone, page by page', async ({ server }) => {
    const { admin, path, exchange, acme } = await acmeDirectory(server);
    const beta = await server.given.account('Beta');
    const other = caller(server.agent(), await server.given.apiToken(beta));
    const co = caller(server.agent(), await server.given.apiToken(acme, 'co_administrator'));
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      server.clock.advance(1);
      ids.push(
        await exchange(sent({ method: 'GET', target: `/Users/${n}` }), { status: 200, body: {} }),
      );
    }
    const one = (await admin.get(`${path}/scim-requests?limit=3`)).json;
    const next = (await admin.get(`${path}/scim-requests?limit=3&cursor=${one.nextCursor}`)).json;
    expect([...one.items, ...next.items].map(({ id }) => id)).toEqual(ids.toReversed());
    expect(next.nextCursor).toBeNull();
    expect((await other.get(`${path}/scim-requests`)).status).toBe(404);
    expect((await other.get(`/accounts/${beta.id}/scim-requests/${ids[0]}`)).status).toBe(404);
    expect((await co.get(`${path}/scim-requests`)).status).toBe(403);
  });

  it('keeps what it is sent, whatever that is', async ({ server }) => {
    const { admin, path, exchange } = await acmeDirectory(server);
    const odd = [
      sent({ method: 'POST', target: '/Users', body: '{"password":"open sesame", \u0000 \ud800' }),
      sent({
        method: 'PATCH',
        target: '/Users/%00%ff%',
        body: { '\u0000': '\ud800', id: '\u0000' },
      }),
      sent({ method: 'BREW', target: '/', body: [[[[null]]]] }),
      sent({ method: 'POST', target: '/Bulk', body: { Operations: [null, 1, { data: [] }] } }),
      sent({
        method: 'POST',
        target: '/Users',
        body: { x: 'y'.repeat(100_000) },
        userAgent: '\u0000',
      }),
    ];
    for (const request of odd) await exchange(request, refused(400, '\u0000 no'));
    const { items } = (await admin.get(`${path}/scim-requests`)).json;
    expect(items).toHaveLength(odd.length);
    for (const { id } of items)
      expect((await admin.get(`${path}/scim-requests/${id}`)).status).toBe(200);
    expect(JSON.stringify(await server.given.rows('select * from scim_exchanges'))).not.toContain(
      'sesame',
    );
    expect(server.errors).toEqual([]);
  });

  it('forgets after thirty days, and at once who is erased', async ({ server }) => {
    const { acme, admin, path, exchange } = await acmeDirectory(server);
    const { given, clock, app } = server;
    const ann = await given.user('ann@acme.example', { of: acme });
    const about = (name: string): Promise<string> =>
      exchange(
        sent({ method: 'POST', target: '/Users', body: { userName: name } }),
        refused(409, 'x'),
      );
    await about('ANN@acme.example');
    const kept = await about('ben@acme.example');
    await app.directories.flush();
    await given.work((work) => eraseUser(work, ann.id, Buffer.alloc(32)));
    const left = (await admin.get(`${path}/scim-requests`)).json.items;
    expect(left.map(({ id }: { id: string }) => id)).toEqual([kept]);

    clock.advance(29 * 24 * 3600);
    await sweepExchanges(app.foundation.database, clock());
    expect((await admin.get(`${path}/scim-requests`)).json.items).toHaveLength(1);
    clock.advance(2 * 24 * 3600);
    await sweepExchanges(app.foundation.database, clock());
    expect((await admin.get(`${path}/scim-requests`)).json.items).toEqual([]);
  });
});

describe('the health of a directory', () => {
  it('says the worst that is to be said', async ({ server }) => {
    const { admin, path, exchange, made } = await acmeDirectory(server);
    const { clock, app } = server;
    const health = async () => (await admin.get(`${path}/scim-health`)).json.items[0];
    expect(await health()).toMatchObject({ state: 'never_used', requests: 0, daysLeft: 364 });
    await exchange(sent({ method: 'GET', target: '/Users' }), { status: 200, body: {} });
    await exchange(sent({ method: 'PUT', target: '/Users/1', body: {} }), {
      status: 200,
      body: {},
    });
    expect(await health()).toMatchObject({ state: 'ok', requests: 2, errors: 0, errorRate: 0 });
    for (let n = 0; n < 6; n += 1)
      await exchange(
        sent({ method: 'POST', target: '/Users', body: {} }),
        refused(409, 'There.', { scimType: 'uniqueness' }),
      );
    expect(await health()).toMatchObject({
      state: 'failing',
      errors: 6,
      errorRate: 0.75,
      lastError: 'uniqueness: There.',
    });
    clock.advance(3 * 24 * 3600);
    expect(await health()).toMatchObject({ state: 'silent', requests: 0 });
    clock.advance(340 * 24 * 3600);
    expect(await health()).toMatchObject({ state: 'expiring', daysLeft: 21, refusedAt: null });
    clock.advance(22 * 24 * 3600);
    expect(await findScimToken(app.foundation.database, made.secret, clock(), null)).toBeNull();
    const over = await health();
    expect(over).toMatchObject({ state: 'expired', refusedAt: expect.any(String) });
  });
});

describe('what is kept of a request', () => {
  it.for<[unknown, unknown, unknown]>([
    [{ password: 'x' }, { password: '[removed]' }, { password: '[removed]' }],
    [
      { Operations: [{ op: 'replace', path: 'password', value: 'x' }] },
      { Operations: [{ op: 'replace', path: 'password', value: '[removed]' }] },
      { Operations: [{ op: 'replace', path: 'password', value: '[removed]' }] },
    ],
    [
      { [`${core}:password`]: 'x', Password: 'y' },
      { [`${core}:password`]: '[removed]', Password: '[removed]' },
      { [`${core}:password`]: '[removed]', Password: '[removed]' },
    ],
    [
      { op: 'add', path: `${core}:password`, value: { a: 'x' } },
      { op: 'add', path: `${core}:password`, value: '[removed]' },
      { op: 'add', path: `${core}:password`, value: '[removed]' },
    ],
    [
      { phoneNumbers: [{ value: '+1' }], title: 'Boss' },
      { phoneNumbers: [{ value: '+1' }], title: 'Boss' },
      { phoneNumbers: '[hidden]', title: 'Boss' },
    ],
    [
      { op: 'add', path: 'phoneNumbers[type eq "work"].value', value: '+1' },
      { op: 'add', path: 'phoneNumbers[type eq "work"].value', value: '+1' },
      { op: 'add', path: 'phoneNumbers[type eq "work"].value', value: '[hidden]' },
    ],
  ])('has no secrets, and shows what concerns others: %j', ([value, sealed, shown]) => {
    expect(withoutSecrets(value)).toEqual(sealed);
    expect(shownOf(value)).toEqual(shown);
  });

  it.for([
    ['GET', '/Users', 'user.search'],
    ['GET', '/Users?filter=x', 'user.search'],
    ['GET', '/Users/1', 'user.read'],
    ['POST', '/Users', 'user.create'],
    ['POST', '/Users/.search', 'user.search'],
    ['PUT', '/groups/1', 'group.replace'],
    ['PATCH', '/Groups/1', 'group.change'],
    ['DELETE', '/Users/1', 'user.remove'],
    ['POST', '/Bulk', 'bulk'],
    ['POST', '/.search', 'all.search'],
    ['GET', '/Schemas', 'discovery'],
    ['GET', '/Nothing', 'other'],
  ] as const)('is named by what it was about: %s %s', ([method, target, kind]) => {
    expect(kindOf({ method, target })).toBe(kind);
  });

  it.for<[string, Partial<SentRequest>, string | null, string[]]>([
    ['a bare value', { target: '/Users?filter=externalId eq jyoung' }, null, ['bare_filter_value']],
    [
      'a sub-attribute behind brackets',
      { target: '/Users?filter=emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22a%22' },
      null,
      ['filtered_sub_attribute'],
    ],
    [
      'dotted and long names',
      { body: { Operations: [{ op: 'replace', value: { 'name.givenName': 'A', 'urn:x:y': 1 } }] } },
      null,
      ['dotted_names', 'schema_names'],
    ],
    [
      'a value to be removed',
      { body: { Operations: [{ op: 'Remove', path: 'members', value: [{ value: '1' }] }] } },
      null,
      ['capital_operations', 'remove_with_value'],
    ],
    [
      'its own group schema',
      {
        body: {
          schemas: ['http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
        },
      },
      'entra',
      ['unknown_schema'],
    ],
    ['its own name', { userAgent: 'OneLogin SCIM/2.0' }, 'onelogin', []],
    [
      'a standard request',
      { body: { Operations: [{ op: 'replace', path: 'active', value: false }] } },
      null,
      [],
    ],
  ])('shows the dialect: %s', ([, more, directory, quirks]) => {
    expect(recognise(sent({ method: 'GET', target: '/Users', ...more }))).toEqual({
      directory,
      quirks: expect.arrayContaining(quirks),
    });
  });
});
