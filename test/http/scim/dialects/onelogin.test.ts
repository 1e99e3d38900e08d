import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { directoryOf } from '../support.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0';
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

/** OneLogin: users by PUT, groups by PATCH, and members that are removed by an array. */
describe('OneLogin', () => {
  it('keeps people and groups', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const onelogin = await directoryOf(given, program, acme);
    expect((await onelogin.get('/Users?count=1')).status).toBe(200);
    const asked = await onelogin.filter('/Users', 'userName eq "ann@acme.example"');
    expect(asked.json.totalResults).toBe(0);
    const body = {
      schemas: [`${core}:User`, enterprise],
      userName: 'ann@acme.example',
      displayName: 'Ann Archer',
      name: { givenName: 'Ann', familyName: 'Archer', formatted: 'Ann Archer' },
      emails: [{ value: 'ann@acme.example', type: 'work', primary: true }],
      phoneNumbers: [{ value: null, type: 'work' }],
      title: null,
      groups: [],
      active: true,
      [enterprise]: { department: '', manager: null },
    };
    const made = await onelogin.post('/Users', body);
    expect(made.status).toBe(201);
    const { id } = made.json;
    const ben = await onelogin.user('ben@acme.example');
    const put = await onelogin.put(`/Users/${id}`, { ...body, title: 'Architect' });
    expect([put.status, put.json.title]).toEqual([200, 'Architect']);

    // Groups are read once to be matched by name, and made where there are none.
    expect((await onelogin.get('/Groups?startIndex=1&count=100')).json.Resources).toEqual([]);
    const group = await onelogin.post('/Groups', {
      schemas: [`${core}:Group`],
      displayName: 'Design',
    });
    const path = `/Groups/${group.json.id}`;
    await onelogin.patch(path, {
      op: 'add',
      path: 'members',
      value: [{ value: id }, { value: ben.id }],
    });
    await onelogin.patch(path, { op: 'remove', path: 'members', value: [{ value: id }] });
    const left = (await onelogin.get(path)).json.members;
    expect(left).toMatchObject([{ value: ben.id }]);
    expect((await onelogin.get(`/Users/${ben.id}`)).json.groups).toMatchObject([
      { value: group.json.id, display: 'Design' },
    ]);

    // Suspended, and then deleted.
    const off = await onelogin.patch(`/Users/${id}`, {
      op: 'replace',
      path: 'active',
      value: false,
    });
    expect(off.json.active).toBe(false);
    expect((await onelogin.delete(`/Users/${id}`)).status).toBe(204);
    expect((await onelogin.delete(`/Users/${id}`)).status).toBe(404);
  });
});
