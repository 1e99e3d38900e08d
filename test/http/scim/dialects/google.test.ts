import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { directoryOf } from '../support.ts';

const core = 'urn:ietf:params:scim:schemas:core:2.0';

/** Google Workspace: suspends and deletes without one having to do with the other; no groups. */
describe('Google Workspace', () => {
  it('makes, suspends, brings back and deletes, in whatever order', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const google = await directoryOf(given, program, acme, {
      scopes: { users: true, groups: false, readOnly: false },
    });
    const probe = await google.get('/Users?count=1');
    expect([probe.status, probe.json.Resources]).toEqual([200, []]);
    const person = (name: string): Record<string, unknown> => ({
      schemas: [`${core}:User`],
      userName: `${name}@acme.example`,
      externalId: `google-${name}`,
      name: { givenName: name, familyName: 'Archer' },
      emails: [{ value: `${name}@acme.example`, primary: true, type: 'work' }],
      active: true,
    });
    const ann = (await google.post('/Users', person('ann'))).json;
    const ben = (await google.post('/Users', person('ben'))).json;
    expect(
      (await google.filter('/Users', 'userName eq "ann@acme.example"')).json.Resources,
    ).toMatchObject([{ id: ann.id }]);
    const off = await google.patch(`/Users/${ann.id}`, {
      op: 'replace',
      path: 'active',
      value: false,
    });
    expect(off.json.active).toBe(false);
    const on = await google.put(`/Users/${ann.id}`, person('ann'));
    expect(on.json.active).toBe(true);
    // Deleted without having been suspended; and suspended long before.
    expect((await google.delete(`/Users/${ben.id}`)).status).toBe(204);
    await google.patch(`/Users/${ann.id}`, { op: 'replace', path: 'active', value: false });
    expect((await google.delete(`/Users/${ann.id}`)).status).toBe(204);
    expect((await google.get('/Users?count=1')).json.totalResults).toBe(0);
    const back = await google.post('/Users', person('ben'));
    expect(back.status).toBe(201);
    expect(back.json.id).not.toBe(ben.id);

    const groups = await google.get('/Groups');
    expect([groups.status, groups.json.detail]).toEqual([403, 'This token does not reach groups.']);
  });
});
