import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { directoryOf } from '../support.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0';
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

/**
 * OneLogin: users by PUT, groups by PATCH, and members that are removed by an array. The order is that
 * of the flow its documents show (developers.onelogin.com/scim/implement-scim-api); what is sent of a
 * user is a template that an administrator fills in, with every value as text.
 */
describe('OneLogin', () => {
  it('keeps people and groups', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const onelogin = await directoryOf(given, program, acme);
    // It is switched on: somebody is looked for who is not there.
    const nobody = await onelogin.filter('/Users', 'userName eq "2f5c7b1e"');
    expect([nobody.status, nobody.json.totalResults, nobody.json.Resources]).toEqual([200, 0, []]);
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

    // What it imports from, page after page.
    const all = await onelogin.get('/Users?startIndex=1&count=100');
    expect(all.json).toMatchObject({ totalResults: 2, startIndex: 1, itemsPerPage: 2 });

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

  it('sends the template of its Enterprise connector: text for a boolean, blanks for nobody', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const onelogin = await directoryOf(given, program, acme);
    const template = (active: string): string =>
      JSON.stringify({
        // Nobody is their manager: the names of the two fields stand beside a blank.
        [enterprise]: { department: '', manager: { managerId: '', displayName: ' ' } },
        active,
        emails: [{ value: 'ann@acme.example', type: 'work', primary: true }],
        addresses: [{ locality: '', region: '', country: '' }],
        meta: { resourceType: 'User' },
        name: { familyName: 'Archer', givenName: 'Ann', formatted: 'Ann Archer' },
        userName: 'ann@acme.example',
        user_email: 'ann@acme.example',
        id: null,
        schemas: [`${core}:User`],
      });
    const sent = { 'user-agent': 'OneLogin SCIM', 'content-type': 'application/json' };
    const made = await onelogin.send('POST', '/Users', template('true'), sent);
    expect(made.status).toBe(201);
    // It takes nobody for provisioned whose name does not come back.
    expect(made.json).toMatchObject({
      active: true,
      name: { givenName: 'Ann', familyName: 'Archer' },
    });
    for (const name of [enterprise, 'addresses', 'user_email'])
      expect(made.json).not.toHaveProperty([name]);
    for (const [active, is] of [
      ['false', false],
      ['true', true],
    ] as const) {
      const path = `/Users/${made.json.id}`;
      const put = await onelogin.send('PUT', path, template(active), sent);
      expect([put.status, put.json.active]).toEqual([200, is]);
    }
    await server.app.directories.flush();
    expect(
      await given.rows('select distinct directory from scim_exchanges where status < 300'),
    ).toEqual([{ directory: 'onelogin' }]);
  });
});
