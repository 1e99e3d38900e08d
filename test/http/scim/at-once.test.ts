import * as fc from 'fast-check';
import { describe, expect } from 'vitest';
import { changeAtOnce } from '#identity/scim/at-once.ts';
import { newExchange } from '#identity/scim/exchange.ts';
import { enterpriseSchema } from '#identity/scim/schema.ts';
import { findScimToken } from '#identity/scim/token.ts';
import { it } from '#test/support/it.ts';
import { directoryOf, patchOf } from './support.ts';

const word = fc.constantFrom('Ann', 'a', 'é"\\', '東京', '');

/** What directories change, and what nobody may. */
const operation = fc.oneof(
  fc.record({
    op: fc.constantFrom('add', 'replace', 'remove', 'Replace'),
    path: fc.constantFrom(
      'displayName',
      'externalId',
      'nickName',
      'title',
      'userType',
      'name.formatted',
      'name.givenName',
      'preferredLanguage',
      'roles[type eq "x"].value',
      `${enterpriseSchema}:department`,
      'urn:ietf:params:scim:schemas:core:2.0:User:locale',
      'nobody',
      'id',
    ),
    value: word,
  }),
  fc.record({
    op: fc.constant('replace'),
    path: fc.constantFrom('active', 'userName', 'emails', 'phoneNumbers', 'addresses'),
    value: fc.constantFrom('True', false, [{ value: '+49 30 1', type: 'work' }], 'nobody', []),
  }),
  fc.record({
    op: fc.constant('add'),
    value: fc.record(
      { displayName: word, nickName: word, [enterpriseSchema]: fc.record({ costCenter: word }) },
      { requiredKeys: [] },
    ),
  }),
);

describe('a change that is written at once', () => {
  it('comes to the same as one with the row taken, and is written down the same', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const directory = await directoryOf(given, program, acme);
    const boss = await directory.user('boss@acme.example');
    const like = { name: { familyName: 'L' }, [enterpriseSchema]: { manager: boss.id } };
    const [one, other] = [
      await directory.user('twin1@acme.example', like),
      await directory.user('twin2@acme.example', like),
    ];
    let quickly = 0;
    for (const operations of fc.sample(fc.array(operation, { minLength: 1, maxLength: 2 }), {
      numRuns: 28,
      seed: 4,
    })) {
      const told = await directory.patch(`/Users/${one.id}`, ...operations);
      // In a Bulk there is no quick way.
      const { json: bulk } = await directory.post('/Bulk', {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
        Operations: [{ method: 'PATCH', path: `/Users/${other.id}`, data: patchOf(...operations) }],
      });
      const [result] = bulk.Operations;
      expect(result.status, JSON.stringify(operations)).toBe(String(told.status));
      const twin = (await directory.get(`/Users/${other.id}`)).json;
      if (told.status === 200) expect(alike(told.json)).toEqual(alike(twin));
      else expect(told.json).toEqual(result.response);
      quickly += told.status === 200 ? 1 : 0;
    }
    expect(quickly).toBeGreaterThan(10);
    const written = async (id: string): Promise<unknown[]> =>
      given.rows(
        `select e.action, e.actor, e.details, e.account_id, e.batch_id is null as alone
         from audit_events e join affiliations a on a.user_id::text = e.target_id
         where a.id = $1 order by e.id`,
        [id],
      );
    const rows = await written(one.id);
    expect(rows.length).toBeGreaterThan(8);
    expect(rows).toEqual(await written(other.id));
    expect(server.errors).toEqual([]);
  });

  it('changes nobody who is not who was read any more', async ({ given, program, server }) => {
    const { foundation } = server.app;
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const directory = await directoryOf(given, program, acme);
    const ann = await directory.user('ann@acme.example', { displayName: 'Ann' });
    const { caller } = (await findScimToken(
      foundation.database,
      directory.token,
      server.clock(),
      null,
    ))!;
    const change = async (meanwhile: string): Promise<unknown> => {
      const sql = {
        async query<Row>(...asked: Parameters<typeof foundation.database.query>): Promise<Row[]> {
          const rows = await foundation.database.query<Row>(...asked);
          await given.rows(meanwhile);
          return rows;
        },
      };
      const exchange = newExchange(caller, server.clock());
      const done = await changeAtOnce(
        { sql, foundation, exchange, origin: () => ({}) },
        ann.id,
        (before) => ({ ...before, displayName: `${String(before['displayName'])}!` }),
        {},
      );
      expect(exchange.audit).toHaveLength(done ? 1 : 0);
      return done && done['displayName'];
    };
    const before = await given.rows('select count(*) from audit_events');
    for (const meanwhile of [
      `update affiliations set display_name = 'Bea', version = version + 1`,
      `update users set given_name = 'Bea', version = version + 1 where email = 'ann@acme.example'`,
      `update users set break_glass = true where email = 'ann@acme.example'`,
      `update affiliations set ended_at = now()`,
    ])
      expect(await change(meanwhile), meanwhile).toBeNull();
    expect(await given.rows('select count(*) from audit_events')).toEqual(before);
    await given.rows(`update affiliations set ended_at = null`);
    await given.rows(`update users set break_glass = false`);
    expect(await change('select 1')).toBe('Bea!');
    expect(
      await given.rows(`select display_name from affiliations where id = $1`, [ann.id]),
    ).toEqual([{ display_name: 'Bea!' }]);
  });
});

/** Without what twins do not share. */
function alike(user: Record<string, unknown>): unknown {
  const text = JSON.stringify(user)
    .replaceAll(String(user['id']), 'id')
    .replaceAll(/twin\d/g, 'twin')
    .replaceAll(/"lastModified":"[^"]*"|"created":"[^"]*"/g, '"at":0');
  return JSON.parse(text) as unknown;
}
