import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { directoryOf, patchOf } from '../support.ts';

/**
 * Okta: the requests of its provisioning, and those of the suite that it certifies servers with
 * (scim.md section 3, `SCIM_tests_for_Runscope.json`).
 */
const core = 'urn:ietf:params:scim:schemas:core:2.0';

function isaac(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    schemas: [`${core}:User`],
    userName: 'Isaac.Brock@acme.example',
    name: { givenName: 'Isaac', middleName: '', familyName: 'Brock' },
    emails: [{ primary: true, value: 'isaac.brock@acme.example', type: 'work' }],
    password: 'a long enough sentence',
    displayName: 'Isaac Brock',
    locale: 'en-US',
    externalId: '00ujl29u0le5T6Aj10h7',
    groups: [],
    active: true,
    ...more,
  };
}

describe('Okta', () => {
  it('passes its own suite: R1 to R12', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.user('fay@acme.example', { of: acme });
    const okta = await directoryOf(given, program, acme);

    const probe = await okta.get('/Users?count=1&startIndex=1');
    expect(probe.json).toMatchObject({ totalResults: 1, itemsPerPage: 1, startIndex: 1 });
    for (const name of ['totalResults', 'itemsPerPage', 'startIndex'])
      expect(Number.isInteger(probe.json[name])).toBe(true);
    const [first] = probe.json.Resources;
    expect(first).toMatchObject({
      id: expect.any(String),
      name: { familyName: expect.any(String), givenName: expect.any(String) },
      userName: expect.any(String),
      active: true,
      emails: [{ value: expect.any(String) }],
    });
    expect((await okta.get(`/Users/${first.id}`)).status).toBe(200);

    const nobody = await okta.filter('/Users', 'userName eq "isaac.brock@acme.example"');
    expect([nobody.status, nobody.json.totalResults]).toEqual([200, 0]);
    const invalid = await okta.get('/Users/919191919191');
    expect(invalid.status).toBe(404);
    expect(invalid.json).toMatchObject({
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '404',
      detail: expect.any(String),
    });

    const made = await okta.post('/Users', isaac());
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      active: true,
      userName: 'Isaac.Brock@acme.example',
      name: { familyName: 'Brock', givenName: 'Isaac' },
      schemas: expect.arrayContaining([`${core}:User`]),
    });
    expect(made.text).not.toContain('sentence');
    const read = await okta.get(`/Users/${made.json.id}`);
    expect(read.json.userName).toBe('Isaac.Brock@acme.example');
    const lower = await okta.filter(
      '/Users',
      'userName eq "isaac.brock@acme.example"',
      '&startIndex=1&count=100',
    );
    expect(lower.json.Resources).toHaveLength(1);

    // A retry after a timeout is refused, and changes nothing.
    const version = read.headers['etag'];
    const twice = await okta.post(
      '/Users',
      isaac({ name: { givenName: 'Other', familyName: 'Man' } }),
    );
    expect(twice.status).toBe(409);
    expect(twice.json.schemas).toContain('urn:ietf:params:scim:api:messages:2.0:Error');
    const still = await okta.get(`/Users/${made.json.id}`);
    expect([still.headers['etag'], still.json.name.givenName]).toEqual([version, 'Isaac']);

    const groups = await okta.get('/Groups?startIndex=1&count=100');
    expect(groups.json).toMatchObject({ totalResults: 0, startIndex: 1, Resources: [] });
    const empty = await okta.post('/Users', {});
    expect(empty.status).toBe(400);
    const bare = await okta.send('GET', '/Users', undefined, { authorization: '' });
    expect([bare.status, bare.json.status]).toEqual([401, '401']);
  });

  it('of the AIW kind updates with PUT: reads, changes and sends everything back', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const okta = await directoryOf(given, program, acme);
    const made = (await okta.post('/Users', isaac())).json;
    const { json: before } = await okta.get(`/Users/${made.id}`);
    const put = await okta.put(`/Users/${made.id}`, {
      ...before,
      name: { ...before.name, familyName: 'Newton' },
      groups: [],
    });
    expect(put.status).toBe(200);
    expect(put.json).toMatchObject({ id: made.id, name: { familyName: 'Newton' }, active: true });
    const off = await okta.put(`/Users/${made.id}`, { ...put.json, active: false });
    expect(off.json.active).toBe(false);
    const same = await okta.get(`/Users/${made.id}`);
    expect(same.json).toMatchObject({ active: false, externalId: '00ujl29u0le5T6Aj10h7' });
    // It never deletes: somebody who comes back is activated.
    const on = await okta.put(`/Users/${made.id}`, { ...same.json, active: true });
    expect(on.json.active).toBe(true);
  });

  it('of the OIN kind changes active and the password without a path', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const okta = await directoryOf(given, program, acme);
    const { id } = await okta.user(
      'isaac@acme.example',
      isaac({ userName: 'isaac@acme.example', emails: [] }),
    );
    const off = await okta.patch(`/Users/${id}`, { op: 'replace', value: { active: false } });
    expect([off.status, off.json.active]).toEqual([200, false]);
    const on = await okta.patch(`/Users/${id}`, { op: 'replace', value: { active: true } });
    expect(on.json).toMatchObject({ active: true, id });
    const secret = await okta.patch(`/Users/${id}`, {
      op: 'replace',
      value: { password: 'another long sentence' },
    });
    expect(secret.status).toBe(200);
    expect(secret.text).not.toContain('another');
  });

  it('pushes groups: rename with the id, members out and in at once, all of them anew', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const okta = await directoryOf(given, program, acme);
    const [a, b, c] = (await Promise.all(
      ['ann', 'ben', 'cem'].map((name) => okta.user(`${name}@acme.example`)),
    )) as [{ id: string }, { id: string }, { id: string }];
    const made = await okta.post('/Groups', {
      schemas: [`${core}:Group`],
      displayName: 'Test SCIMv2',
      members: [{ value: a.id, display: 'ann@acme.example' }],
    });
    expect(made.status).toBe(201);
    const { id } = made.json;
    const path = `/Groups/${id}`;
    const members = async (): Promise<string[]> =>
      ((await okta.get(path)).json.members ?? []).map((one: { value: string }) => one.value).sort();

    const renamed = await okta.send(
      'PATCH',
      path,
      patchOf({
        op: 'replace',
        value: { id, displayName: 'Test SCIMv2 renamed' },
      }),
    );
    expect(renamed.status).toBeLessThan(205);
    expect((await okta.get(path)).json.displayName).toBe('Test SCIMv2 renamed');

    await okta.patch(
      path,
      { op: 'remove', path: `members[value eq "${a.id}"]` },
      { op: 'add', path: 'members', value: [{ value: b.id, display: 'ben@acme.example' }] },
    );
    expect(await members()).toEqual([b.id]);
    await okta.patch(path, {
      op: 'replace',
      path: 'members',
      value: [
        { value: a.id, display: 'ann' },
        { value: c.id, display: 'cem' },
      ],
    });
    expect(await members()).toEqual([a.id, c.id].sort());

    // "Push now", of a group that nobody is in any more.
    const emptied = await okta.patch(path, { op: 'replace', path: 'members', value: [] });
    expect([emptied.status, await members()]).toEqual([204, []]);

    // Groups that are not pushed but sent with PUT.
    const put = await okta.put(path, {
      schemas: [`${core}:Group`],
      id,
      displayName: 'Test SCIMv2',
      members: [{ value: b.id, display: 'ben' }],
    });
    expect(put.status).toBe(200);
    expect(await members()).toEqual([b.id]);
    expect(
      (await okta.filter('/Groups', 'displayName eq "Test SCIMv2"', '&startIndex=1&count=100')).json
        .totalResults,
    ).toBe(1);
    expect((await okta.delete(path)).status).toBe(204);
  });

  it('imports in pages that do not move', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const okta = await directoryOf(given, program, acme);
    for (let n = 0; n < 7; n += 1) await okta.user(`p${n}@acme.example`);
    const seen: string[] = [];
    for (let start = 1; start <= 7; start += 3) {
      const page = (await okta.get(`/Users?startIndex=${start}&count=3`)).json;
      expect(page).toMatchObject({ totalResults: 7, startIndex: start });
      seen.push(...page.Resources.map(({ userName }: { userName: string }) => userName));
    }
    expect(seen).toEqual(Array.from({ length: 7 }, (_, n) => `p${n}@acme.example`));
  });
});
