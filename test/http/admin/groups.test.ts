import { describe, expect } from 'vitest';
import { adoptUpstreamCountry } from '#identity/users/entitlement.ts';
import { it } from '#test/support/it.ts';
import { caller, statusesOf } from './support.ts';

describe('groups', () => {
  it('are made, filled, renamed and removed by those who look after an account', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { countries: ['US', 'DE'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    const groups = `/accounts/${acme.id}/groups`;

    const made = await co.post(groups, {
      name: 'Bridges',
      type: 'entitlement',
      entitlementCountry: 'DE',
    });
    expect(made.status).toBe(201);
    const one = `${groups}/${made.json.id}`;
    expect((await co.post(`${one}/members`, { add: [ann.id, ann.id] })).json.members).toBe(1);
    // She is entitled in the United States; the group grants in Germany.
    expect((await co.get(`${one}/members`)).json.items).toMatchObject([
      { email: 'ann@acme.example', countryMismatch: true, manages: false },
    ]);
    await co.post(`${one}/managers`, { add: [ann.id] });
    expect((await co.get(`${one}/members`)).json.items).toMatchObject([{ manages: true }]);
    expect((await co.patch(one, { name: 'Bridges and tunnels' })).json.name).toBe(
      'Bridges and tunnels',
    );
    expect((await given.person(ann))!.groups).toMatchObject([{ name: 'Bridges and tunnels' }]);
    expect((await co.post(`${one}/members`, { remove: [ann.id] })).json.members).toBe(0);
    expect(await given.rows('select 1 from role_assignments where group_id is not null')).toEqual(
      [],
    );
    expect((await co.delete(one)).status).toBe(204);
    expect((await co.get(one)).status).toBe(404);
  });

  it('have one name each, whatever its letters, even when two make it at once', async ({
    given,
    program,
  }) => {
    const acme = await given.account();
    const admin = caller(program, await given.apiToken(acme));
    const answers = await Promise.all(
      ['Bridges', 'bridges', 'BRIDGES'].map((name) =>
        admin.post(`/accounts/${acme.id}/groups`, { name }),
      ),
    );
    expect(statusesOf(answers)).toEqual([201, 409, 409]);
    expect(answers.find(({ status }) => status === 409)!.json.code).toBe('name_taken');
  });

  it.for([
    [{ name: 'x', type: 'entitlement' }, 'invalid_country'],
    [{ name: 'x', type: 'entitlement', entitlementCountry: 'FR' }, 'invalid_country'],
    [{ name: 'x', entitlementCountry: 'US' }, 'invalid_value'],
    [{ name: '' }, 'invalid_value'],
    [{ name: 'a\u202eb' }, 'invalid_value'],
  ] as const)('are refused as %j', async ([body, code], { given, program }) => {
    const acme = await given.account('Acme', { countries: ['US'] });
    const admin = caller(program, await given.apiToken(acme));
    const answer = await admin.post(`/accounts/${acme.id}/groups`, body);
    expect([answer.status, answer.json.code]).toEqual([422, code]);
  });

  it('hold only people of their account, and are seen by nobody else', async ({
    given,
    program,
  }) => {
    const acme = await given.account();
    const beta = await given.account('Beta');
    const bob = await given.user('bob@beta.example', { of: beta });
    const admin = caller(program, await given.apiToken(acme));
    const other = caller(program, await given.apiToken(beta));
    const { json } = await admin.post(`/accounts/${acme.id}/groups`, { name: 'Bridges' });
    const answer = await admin.post(`/accounts/${acme.id}/groups/${json.id}/members`, {
      add: [bob.id],
    });
    expect([answer.status, answer.json.code]).toEqual([404, 'user_not_found']);
    expect((await other.get(`/accounts/${acme.id}/groups/${json.id}`)).status).toBe(404);
    expect((await other.get(`/accounts/${beta.id}/groups/${json.id}`)).status).toBe(404);
  });

  it('that a directory manages are not changed here', async ({ given, program }) => {
    const acme = await given.account();
    const ann = await given.user('ann@acme.example', { of: acme });
    const admin = caller(program, await given.apiToken(acme));
    const { json } = await admin.post(`/accounts/${acme.id}/groups`, { name: 'Bridges' });
    await given.work((work) => work.query(`update groups set source = 'scim'`));
    const one = `/accounts/${acme.id}/groups/${json.id}`;
    const tokens = `/accounts/${acme.id}/scim-tokens`;
    const token = (await admin.post(tokens, { name: 'Entra ID' })).json;
    for (const answer of [
      await admin.patch(one, { name: 'Other' }),
      await admin.delete(one),
      await admin.post(`${one}/members`, { add: [ann.id] }),
    ]) {
      expect([answer.status, answer.json.code]).toEqual([409, 'managed_by_directory']);
      expect(answer.json.detail).toContain('by the directory Entra ID of the organization');
    }
    expect((await admin.patch(one, { description: 'From the directory' })).status).toBe(200);
    // Without a directory they are the account's own again.
    await admin.delete(`${tokens}/${token.id}`);
    expect((await admin.patch(one, { name: 'Other' })).status).toBe(200);
  });
});

describe('service roles', () => {
  it('bring those they require, and those stay while they are needed', async ({
    given,
    program,
  }) => {
    const acme = await given.account();
    const people = await Promise.all(
      ['ann', 'bob'].map((name) => given.user(`${name}@acme.example`, { of: acme })),
    );
    const operator = caller(program, await given.apiToken());
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    expect((await co.post('/roles', { key: 'download', name: 'Download' })).status).toBe(403);
    await operator.post('/roles', { key: 'download', name: 'Download' });
    const beta = { key: 'beta', name: 'Beta software', requires: ['download'] };
    expect((await operator.post('/roles', beta)).status).toBe(201);

    const users = people.map(({ id }) => id);
    const assign = `/accounts/${acme.id}/roles/assign`;
    expect((await co.post(assign, { users, add: ['beta'] })).json).toEqual({ count: 2 });
    for (const one of people)
      expect(new Set((await given.person(one))!.roles)).toEqual(new Set(['beta', 'download']));
    const taken = await co.post(assign, { users, remove: ['download'] });
    expect([taken.status, taken.json.code]).toEqual([409, 'role_required_by_other']);
    expect((await co.post(assign, { users, remove: ['download', 'beta'] })).status).toBe(200);
    expect((await given.person(people[0]!))!.roles).toEqual([]);
  });

  it('are given to all or to none: where one may not be, nobody is changed', async ({
    given,
    program,
  }) => {
    const acme = await given.account();
    const beta = await given.account('Beta');
    const ann = await given.user('ann@acme.example', { of: acme });
    const bob = await given.user('bob@beta.example', { of: beta });
    const admin = caller(program, await given.apiToken(acme));
    const operator = caller(program, await given.apiToken());
    await operator.post('/roles', { key: 'download', name: 'Download' });
    const answer = await admin.post(`/accounts/${acme.id}/roles/assign`, {
      users: [ann.id, bob.id],
      add: ['download'],
    });
    expect(answer.json).toMatchObject({ code: 'user_not_found', details: { user: bob.id } });
    expect((await given.person(ann))!.roles).toEqual([]);
  });

  it('cannot require themselves, nor be taken away while somebody has them', async ({
    given,
    program,
  }) => {
    const acme = await given.account();
    const ann = await given.user('ann@acme.example', { of: acme });
    const operator = caller(program, await given.apiToken());
    for (const key of ['one', 'two']) await operator.post('/roles', { key, name: key });
    expect((await operator.patch('/roles/one', { requires: ['two'] })).status).toBe(200);
    const round = await operator.patch('/roles/two', { requires: ['one'] });
    expect([round.status, round.json.code]).toEqual([422, 'invalid_value']);
    const assigned = await operator.post(`/accounts/${acme.id}/roles/assign`, {
      users: [ann.id],
      add: ['one'],
    });
    expect(assigned.status).toBe(200);
    for (const key of ['one', 'two'])
      expect((await operator.delete(`/roles/${key}`)).json.code).toBe('role_in_use');
    expect((await operator.delete('/roles/co_administrator')).status).toBe(422);
    expect((await operator.get(`/accounts/${acme.id}/roles`)).json.items).toEqual(
      expect.arrayContaining([expect.objectContaining({ key: 'one', assigned: 1 })]),
    );
  });

  it('of an Account Administrator are given by no token, unless the operator says so', async ({
    given,
    program,
  }) => {
    const acme = await given.account();
    const ann = await given.user('ann@acme.example', { of: acme });
    const admin = caller(program, await given.apiToken(acme));
    const operator = caller(program, await given.apiToken());
    const assign = `/accounts/${acme.id}/roles/assign`;
    const body = { users: [ann.id], add: ['account_administrator'] };
    expect((await admin.post(assign, body)).json.code).toBe('step_up_required');
    const settings = `/accounts/${acme.id}/settings`;
    const itself = await admin.patch(settings, { accountAdminGrant: 'account_admin_and_tokens' });
    expect([itself.status, itself.json.code]).toEqual([403, 'permission_denied']);
    await operator.patch(settings, { accountAdminGrant: 'account_admin_and_tokens' });
    expect((await admin.post(assign, body)).status).toBe(200);
    await operator.patch(settings, { accountAdminGrant: 'operator' });
    const taken = await admin.post(assign, { users: [ann.id], remove: ['account_administrator'] });
    expect(taken.status).toBeGreaterThanOrEqual(400);
  });
});

describe('the entitlement country', () => {
  it('is one of the account, and a directory does not move what an administrator pinned', async ({
    given,
    program,
  }) => {
    const countries = ['US', 'DE'];
    const acme = await given.account('Acme', { countries });
    const ann = await given.user('ann@acme.example', { of: acme });
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    const path = `/accounts/${acme.id}/users/${ann.id}/entitlement`;
    expect((await co.post(path, { country: 'FR' })).json.code).toBe('invalid_country');
    expect((await co.post(path, { country: 'DE' })).json.entitlementCountry).toBe('DE');

    const upstream = (country: string): Promise<void> =>
      given.work((work) => adoptUpstreamCountry(work, { ...acme, countries }, ann.id, country));
    const now = async (): Promise<string | null> => (await given.person(ann))!.entitlementCountry;
    await upstream('FR');
    expect(await now()).toBe('DE');
    await upstream('US');
    expect(await now()).toBe('US');
    await co.post(path, { country: 'DE', pinned: true });
    await upstream('US');
    expect(await now()).toBe('DE');
  });
});
