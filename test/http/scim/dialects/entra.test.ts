import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { directoryOf, patchOf } from '../support.ts';

/**
 * Microsoft Entra ID, as its documents and the issues of those who implemented it show it
 * (scim.md section 3): operations in capitals, text for booleans, a Remove with a value.
 */
const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const entraGroup = 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group';
const core = 'urn:ietf:params:scim:schemas:core:2.0';
const list = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

/** A user as the gallery template maps one. */
function ann(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    schemas: [`${core}:User`, enterprise],
    externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
    userName: 'Ann@acme.example',
    active: true,
    displayName: 'Ann Archer',
    emails: [{ primary: true, type: 'work', value: 'ann@acme.example' }],
    meta: { resourceType: 'User' },
    name: { formatted: 'Ann Archer', familyName: 'Archer', givenName: 'Ann' },
    roles: [],
    [enterprise]: { employeeNumber: '701984', department: 'Design' },
    ...more,
  };
}

describe('Entra ID', () => {
  it('tests the connection with somebody nobody knows, and comes without a name', async ({
    given,
    program,
  }) => {
    const entra = await directoryOf(given, program, await given.account('Acme'));
    const answer = await entra.filter(
      '/Users',
      'userName eq "a2a0ec90-cc8c-4b0a-94e8-57c1a7f5a7ef"',
    );
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/scim\+json/);
    expect(answer.json).toEqual({
      schemas: [list],
      totalResults: 0,
      itemsPerPage: 0,
      startIndex: 1,
      Resources: [],
    });
  });

  it('takes a person from their first day to after their last', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    expect((await entra.filter('/Users', 'userName eq "Ann@acme.example"')).json.totalResults).toBe(
      0,
    );
    const made = await entra.post('/Users', ann());
    expect(made.status).toBe(201);
    const { id } = made.json;
    expect(made.json).toMatchObject({
      userName: 'Ann@acme.example',
      externalId: '0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
      active: true,
      name: { givenName: 'Ann', familyName: 'Archer' },
      meta: { resourceType: 'User', location: made.headers['location'] },
      [enterprise]: { employeeNumber: '701984', department: 'Design' },
    });
    expect(made.json).not.toHaveProperty('roles');

    // Each cycle looks the person up again, by each of the attributes that may be chosen.
    for (const filter of [
      'externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"',
      'userName eq "ann@acme.example"',
      'emails[type eq "work"].value eq "ann@acme.example"',
      'externalId eq 0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef',
    ])
      expect((await entra.filter('/Users', filter)).json.Resources).toMatchObject([{ id }]);

    const changed = await entra.send('PATCH', `/Users/${id}`, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [
        { op: 'Replace', path: 'emails[type eq "work"].value', value: 'ann.archer@acme.example' },
        { op: 'Replace', path: 'name.familyName', value: 'Archer-Lee' },
        { op: 'Add', path: 'phoneNumbers[type eq "work"].value', value: '+1 (555) 010-0100' },
        { op: 'Add', path: 'addresses[type eq "work"].country', value: 'US' },
        { op: 'Add', path: `${enterprise}:department`, value: 'Research' },
        { op: 'Add', path: 'title', value: 'Architect' },
        { op: 'Add', path: 'preferredLanguage', value: 'de-DE' },
      ],
    });
    expect(changed.status).toBe(200);
    expect(changed.json).toMatchObject({
      emails: [{ type: 'work', value: 'ann.archer@acme.example', primary: true }],
      name: { givenName: 'Ann', familyName: 'Archer-Lee' },
      phoneNumbers: [{ type: 'work', value: '+1 (555) 010-0100' }],
      title: 'Architect',
      [enterprise]: { department: 'Research', employeeNumber: '701984' },
    });

    // Unassigned: disabled with text for a boolean, and still there to be looked up.
    const off = await entra.patch(`/Users/${id}`, {
      op: 'Replace',
      path: 'active',
      value: 'False',
    });
    expect([off.status, off.json.active]).toEqual([200, false]);
    const found = await entra.filter('/Users', 'userName eq "Ann@acme.example"');
    expect(found.json.Resources).toMatchObject([{ id, active: false }]);
    const on = await entra.patch(`/Users/${id}`, { op: 'Replace', path: 'active', value: 'True' });
    expect(on.json.active).toBe(true);

    // Thirty days after they were deleted there.
    expect((await entra.delete(`/Users/${id}`)).status).toBe(204);
    expect((await entra.get(`/Users/${id}`)).status).toBe(404);
    expect((await entra.filter('/Users', 'userName eq "Ann@acme.example"')).json.totalResults).toBe(
      0,
    );
    // Whoever comes back is another resource, and the same person.
    const again = await entra.post('/Users', ann());
    expect(again.status).toBe(201);
    expect(again.json.id).not.toBe(id);
  });

  it('with aadOptscim062020 sends one value with dotted and long names', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const made = await entra.send('POST', '/Users?aadOptscim062020', ann());
    const changed = await entra.send('PATCH', `/Users/${made.json.id}?aadOptscim062020`, {
      ...patchOf(
        {
          op: 'replace',
          value: {
            displayName: 'Ann Lee',
            'name.givenName': 'Anna',
            'name.familyName': 'Lee',
            'emails[type eq "work"].value': 'anna@acme.example',
            [`${enterprise}:department`]: 'Research',
            active: false,
          },
        },
        { op: 'add', path: `${enterprise}:manager`, value: made.json.id },
      ),
    });
    expect(changed.status).toBe(200);
    expect(changed.json).toMatchObject({
      displayName: 'Ann Lee',
      name: { givenName: 'Anna', familyName: 'Lee' },
      emails: [{ type: 'work', value: 'anna@acme.example' }],
      active: false,
      [enterprise]: { department: 'Research', manager: { value: made.json.id } },
    });
  });

  it('names managers as text, as an array, and asks whose somebody is', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const { id } = (await entra.post('/Users', ann())).json;
    const boss = (
      await entra.post('/Users', ann({ userName: 'bo@acme.example', externalId: 'b', emails: [] }))
    ).json;
    const path = `${enterprise}:manager`;
    for (const value of [boss.id, [{ $ref: null, value: boss.id }], { value: boss.id }]) {
      const added = await entra.patch(`/Users/${id}`, { op: 'Add', path, value });
      expect(added.json[enterprise].manager).toMatchObject({ value: boss.id });
      const asked = await entra.filter(
        '/Users',
        `id eq "${id}" and manager eq "${boss.id}"`,
        '&attributes=id',
      );
      expect(asked.json.Resources).toEqual([{ schemas: expect.any(Array), id }]);
      const removed = await entra.patch(`/Users/${id}`, { op: 'Remove', path });
      expect(removed.json[enterprise]).not.toHaveProperty('manager');
    }
    const empty = await entra.patch(`/Users/${id}`, { op: 'Add', path, value: '' });
    expect(empty.status).toBe(200);
  });

  it('keeps groups: made with a schema of its own, filled, emptied, renamed and removed', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const people: { id: string }[] = [];
    for (const name of ['ann', 'ben', 'cem'])
      people.push(
        (
          await entra.post(
            '/Users',
            ann({ userName: `${name}@acme.example`, externalId: name, emails: [] }),
          )
        ).json,
      );
    const [a, b, c] = people.map(({ id }) => id) as [string, string, string];
    const looked = await entra.filter(
      '/Groups',
      'displayName eq "Design"',
      '&excludedAttributes=members',
    );
    expect(looked.json).toMatchObject({ totalResults: 0, Resources: [] });
    const made = await entra.post('/Groups', {
      schemas: [`${core}:Group`, entraGroup],
      externalId: '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900159',
      displayName: 'Design',
      members: [],
      meta: { resourceType: 'Group' },
    });
    expect(made.status).toBe(201);
    expect(made.json.schemas).not.toContain(entraGroup);
    const { id } = made.json;
    const path = `/Groups/${id}`;
    const members = async (): Promise<string[]> =>
      ((await entra.get(path)).json.members ?? [])
        .map((one: { value: string }) => one.value)
        .sort();

    const added = await entra.patch(path, {
      op: 'Add',
      path: 'members',
      value: [
        { $ref: null, value: a },
        { $ref: null, value: b },
      ],
    });
    expect([added.status, added.text]).toEqual([204, '']);
    await entra.patch(path, { op: 'Add', path: 'members', value: [{ $ref: null, value: c }] });
    expect(await members()).toEqual([a, b, c].sort());

    // A strict server takes everybody out here.
    const removed = await entra.patch(path, {
      op: 'Remove',
      path: 'members',
      value: [{ $ref: null, value: b }],
    });
    expect(removed.status).toBe(204);
    expect(await members()).toEqual([a, c].sort());
    await entra.patch(path, { op: 'remove', path: `members[value eq "${c}"]` });
    expect(await members()).toEqual([a]);
    const gone = await entra.patch(path, { op: 'Remove', path: 'members', value: [{ value: c }] });
    expect(gone.status).toBe(204);

    for (const [who, isIn] of [
      [a, 1],
      [b, 0],
    ] as const) {
      const asked = await entra.filter(
        '/Groups',
        `id eq "${id}" and members eq "${who}"`,
        '&attributes=id',
      );
      expect(asked.json.totalResults).toBe(isIn);
    }
    const renamed = await entra.patch(path, {
      op: 'Replace',
      path: 'displayName',
      value: 'Designers',
    });
    expect(renamed.status).toBe(204);
    const found = await entra.filter(
      '/Groups',
      'displayName eq "designers"',
      '&excludedAttributes=members',
    );
    expect(found.json.Resources).toMatchObject([{ id, displayName: 'Designers' }]);
    expect(found.json.Resources[0]).not.toHaveProperty('members');
    // Somebody who is disabled stays in their groups.
    await entra.patch(`/Users/${a}`, { op: 'Replace', path: 'active', value: 'False' });
    expect(await members()).toEqual([a]);
    expect((await entra.delete(path)).status).toBe(204);
    expect((await entra.get(path)).status).toBe(404);
  });

  it('soft-deletes with an attribute of its own, and sends roles in its ways', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const { id } = (await entra.post('/Users', ann())).json;
    const account = 'urn:ostiary:params:scim:schemas:extension:account:1.0:User';
    const off = await entra.patch(`/Users/${id}`, {
      op: 'Replace',
      path: `${account}:isSoftDeleted`,
      value: 'True',
    });
    expect([off.status, off.json.active]).toEqual([200, false]);
    const on = await entra.patch(`/Users/${id}`, {
      op: 'Replace',
      path: `${account}:isSoftDeleted`,
      value: 'False',
    });
    expect(on.json.active).toBe(true);
    const bentley = await entra.patch(`/Users/${id}`, {
      op: 'Replace',
      path: 'urn:ietf:params:scim:schemas:extension:Bentley:2.0:User:isSoftDeleted',
      value: 'True',
    });
    expect([bentley.status, bentley.json.active]).toEqual([200, false]);
    for (const operation of [
      { op: 'Add', path: 'roles[primary eq "True"].value', value: 'Reader' },
      {
        op: 'Add',
        path: 'roles',
        value: [{ value: '{"id":"1","value":"Writer","displayName":"Writer"}' }],
      },
    ]) {
      const answer = await entra.patch(`/Users/${id}`, operation);
      expect([operation.path, answer.status]).toEqual([operation.path, 200]);
    }
    // No role of ours comes from a directory.
    expect(await given.rows('select 1 from role_assignments')).toEqual([]);
  });

  it('finds who was here before it, and takes them over instead of making them twice', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const here = await given.user('ann@acme.example', { of: acme });
    const entra = await directoryOf(given, program, acme);
    const found = await entra.filter('/Users', 'userName eq "Ann@ACME.example"');
    expect(found.json.totalResults).toBe(1);
    const { id } = found.json.Resources[0];
    const taken = await entra.patch(`/Users/${id}`, {
      op: 'Add',
      path: 'externalId',
      value: 'object-1',
    });
    expect(taken.json).toMatchObject({ id, externalId: 'object-1' });
    const [row] = await given.rows<{ id: string; source: string }>('select id, source from users');
    expect(row).toEqual({ id: here.id, source: 'scim' });
    const twice = await entra.post('/Users', ann());
    expect([twice.status, twice.json.scimType]).toEqual([409, 'uniqueness']);
  });
});
