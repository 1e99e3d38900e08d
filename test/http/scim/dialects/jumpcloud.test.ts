import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { directoryOf } from '../support.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0';

/** JumpCloud: before it begins it makes a person and a group to try everything, and removes them. */
describe('JumpCloud', () => {
  it('tries a person and a group, and then keeps people by PUT', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const jumpcloud = await directoryOf(given, program, acme);
    const test = {
      schemas: [`${core}:User`],
      userName: 'jumpcloud.test@acme.example',
      name: { familyName: 'Test', givenName: 'JumpCloud' },
      emails: [{ primary: true, type: 'work', value: 'jumpcloud.test@acme.example' }],
      active: true,
    };
    expect(
      (await jumpcloud.filter('/Users', `userName eq "${test.userName}"`)).json.totalResults,
    ).toBe(0);
    const made = await jumpcloud.post('/Users', test);
    expect(made.status).toBe(201);
    const { id } = made.json;
    expect(
      (await jumpcloud.filter('/Users', `userName eq "${test.userName}"`)).json.Resources,
    ).toMatchObject([{ id }]);
    const group = await jumpcloud.post('/Groups', {
      schemas: [`${core}:Group`],
      displayName: 'JumpCloudTestGroup',
      members: [],
    });
    expect(group.status).toBe(201);
    const path = `/Groups/${group.json.id}`;
    const added = await jumpcloud.patch(path, {
      op: 'add',
      path: 'members',
      value: [{ value: id }],
    });
    expect(added.status).toBe(204);
    const renamed = await jumpcloud.put(path, {
      schemas: [`${core}:Group`],
      displayName: 'JumpCloudTestGroupUpdated',
      members: [{ value: id, display: test.userName }],
    });
    expect(renamed.json).toMatchObject({
      displayName: 'JumpCloudTestGroupUpdated',
      members: [{ value: id }],
    });
    const removed = await jumpcloud.patch(path, {
      op: 'remove',
      path: 'members',
      value: [{ value: id }],
    });
    expect(removed.status).toBe(204);
    expect((await jumpcloud.get(path)).json.members ?? []).toEqual([]);
    expect((await jumpcloud.delete(path)).status).toBe(204);

    const put = await jumpcloud.put(`/Users/${id}`, {
      ...test,
      id,
      name: { familyName: 'Updated', givenName: 'JumpCloud' },
      active: false,
    });
    expect(put.json).toMatchObject({ name: { familyName: 'Updated' }, active: false });
    const back = await jumpcloud.put(`/Users/${id}`, { ...test, active: true });
    expect(back.json.active).toBe(true);
    // Where it was told that the server knows PATCH, an operation for each attribute.
    const patched = await jumpcloud.patch(
      `/Users/${id}`,
      { op: 'replace', path: 'name.givenName', value: 'John' },
      { op: 'replace', path: 'name.familyName', value: 'Doe' },
      { op: 'replace', path: 'active', value: false },
    );
    expect(patched.json).toMatchObject({
      name: { givenName: 'John', familyName: 'Doe' },
      active: false,
    });
    expect((await jumpcloud.delete(`/Users/${id}`)).status).toBe(204);

    // An import reads everybody, in pages.
    const page = await jumpcloud.get('/Users?startIndex=1&count=100');
    expect(page.json).toMatchObject({ totalResults: 0, Resources: [] });
  });
});
