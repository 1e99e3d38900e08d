import { describe, expect } from 'vitest';
import type { Attribute } from '#identity/scim/attribute.ts';
import {
  accountSchema,
  enterpriseSchema,
  groups,
  groupSchema,
  users,
  userSchema,
} from '#identity/scim/schema.ts';
import { it } from '#test/support/it.ts';
import type { Answer } from '#test/support/agent.ts';
import { directoryOf, patchOf, scimType, user, type Directory } from './support.ts';

const errorSchema = 'urn:ietf:params:scim:api:messages:2.0:Error';

function errorOf({ status, json, headers }: Answer): unknown {
  expect(headers['content-type']).toBe(scimType);
  expect(json.schemas[0]).toBe(errorSchema);
  expect(json.status).toBe(String(status));
  expect(json.detail).toBeTruthy();
  return json.scimType ? [status, json.scimType] : [status];
}

/** The names of attributes and of their parts. */
const pathsOf = (attributes: readonly Attribute[], prefix: string): string[] =>
  attributes.flatMap(({ name, subAttributes = [] }) => [
    `${prefix}${name}`,
    ...pathsOf(subAttributes, `${prefix}${name}.`),
  ]);

const namesOf = ({ json }: Answer): string[] =>
  json.Resources.map(
    (one: { userName?: string; displayName?: string }) => one.userName ?? one.displayName,
  );

describe('RFC 7644, section 2: who asks', () => {
  it('is asked before anything is read, and told how to say it', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme');
    const entra = await directoryOf(given, program, acme);
    for (const headers of [
      { authorization: '' },
      { authorization: 'Bearer nonsense' },
      { authorization: `Basic ${entra.token}` },
      { authorization: `Bearer ${entra.token.slice(0, -1)}x` },
    ]) {
      const answer = await entra.send('POST', '/Users', '{"not": json', headers);
      expect(errorOf(answer)).toEqual([401]);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer realm="scim"/);
    }
    expect((await entra.get('/Users', { authorization: `bearer ${entra.token}` })).status).toBe(
      200,
    );
    expect(server.errors).toEqual([]);
  });

  it('never in the address', async ({ given, program }) => {
    const acme = await given.account('Acme');
    const entra = await directoryOf(given, program, acme);
    const answer = await entra.get(`/Users?access_token=${entra.token}`, { authorization: '' });
    expect(answer.status).toBe(401);
  });

  it('may have less to ask for', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const reader = await directoryOf(given, program, acme, {
      scopes: { users: true, groups: false, readOnly: true },
    });
    expect((await reader.get('/Users')).status).toBe(200);
    const beyond = await reader.get('/Groups');
    expect(errorOf(beyond)).toEqual([403]);
    expect(beyond.headers['www-authenticate']).toContain('error="insufficient_scope"');
    expect(errorOf(await reader.post('/Users', user('ann@acme.example')))).toEqual([403]);
    const search = { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'] };
    expect((await reader.post('/Users/.search', search)).status).toBe(200);
    expect((await reader.get('/')).json.Resources).toEqual([]);
  });
});

describe('RFC 7644, section 3.3: making a resource', () => {
  it('answers 201 with the resource and its place, and 409 the second time, which changes nothing', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const made = await entra.post('/Users', user('Ann@acme.example', { title: 'Boss' }));
    expect(made.status).toBe(201);
    const again = await entra.post('/Users', user('ANN@acme.example', { title: 'Clerk' }));
    expect(errorOf(again)).toEqual([409, 'uniqueness']);
    expect((await entra.get(`/Users/${made.json.id}`)).json).toEqual(made.json);
  });

  it('makes one of twenty that come at once, in whatever letters', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        entra.post('/Users', user(at % 2 ? 'ann@acme.example' : 'ANN@Acme.example')),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((one) => one === 201)).toHaveLength(1);
    expect(statuses.filter((one) => one === 409)).toHaveLength(19);
    expect(server.errors).toEqual([]);
  });

  it('needs a name, and a group needs members that are there', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    expect(errorOf(await entra.post('/Users', { schemas: [userSchema] }))).toEqual([
      400,
      'invalidValue',
    ]);
    expect(errorOf(await entra.post('/Users', { userName: 'ann@acme.example' }))).toEqual([
      400,
      'invalidSyntax',
    ]);
    const group = { schemas: [groupSchema], displayName: 'Bridges' };
    expect(errorOf(await entra.post('/Groups', { ...group, displayName: '' }))).toEqual([
      400,
      'invalidValue',
    ]);
    const strangers = { ...group, members: [{ value: '2819c223-7f76-453a-919d-413861904646' }] };
    expect(errorOf(await entra.post('/Groups', strangers))).toEqual([400, 'invalidValue']);
    const nested = { ...group, members: [{ value: 'x', type: 'Group' }] };
    expect(errorOf(await entra.post('/Groups', nested))).toEqual([400, 'invalidValue']);
    expect((await entra.get('/Groups')).json.totalResults).toBe(0);
    expect((await entra.post('/Groups', group)).status).toBe(201);
    expect(errorOf(await entra.post('/Groups', { ...group, displayName: 'BRIDGES' }))).toEqual([
      409,
      'uniqueness',
    ]);
  });
});

describe('RFC 7644, section 3.4: finding resources', () => {
  async function people(entra: Directory): Promise<Record<string, string>> {
    const ids: Record<string, string> = {};
    for (const [name, family, more] of [
      ['ann', 'Archer', { title: 'Boss', externalId: '1', active: true }],
      ['bob', 'Baker', { title: 'Clerk', externalId: '2', active: false }],
      ['cid', 'archer', { externalId: '3' }],
      ['dan', '', { displayName: '100%' }],
    ] as const)
      ids[name] = (
        await entra.user(`${name}@acme.example`, { name: { familyName: family }, ...more })
      ).id;
    return ids;
  }

  it('finds by every operator, by parts and groups of conditions', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const { ann } = await people(entra);
    const found = async (filter: string): Promise<string> =>
      namesOf(await entra.filter('/Users', filter))
        .map((one) => one.slice(0, 3))
        .join(' ');
    expect(await found('userName eq "ANN@acme.example"')).toBe('ann');
    expect(await found('userName Ne "ann@acme.example"')).toBe('bob cid dan');
    expect(await found('name.familyName eq "ARCHER"')).toBe('ann cid');
    expect(await found('name.familyName pr')).toBe('ann bob cid');
    expect(await found('title co "os"')).toBe('ann');
    expect(await found('displayName co "%"')).toBe('dan');
    expect(await found('displayName co "_"')).toBe('');
    expect(await found('userName sw "b"')).toBe('bob');
    expect(await found('userName ew "ACME.EXAMPLE"')).toBe('ann bob cid dan');
    expect(await found('externalId gt "1" and externalId le "3"')).toBe('bob cid');
    expect(await found('active eq false')).toBe('bob');
    expect(await found('active eq "True" and not (title pr)')).toBe('cid dan');
    expect(await found('emails[type eq "work" and value co "@acme"]')).toBe('ann bob cid dan');
    expect(await found('emails[type eq "home"].value eq "ann@acme.example"')).toBe('');
    expect(await found('emails[type eq "work"].value eq "ann@acme.example"')).toBe('ann');
    expect(await found('title eq "Boss" or title eq "Clerk" and active eq true')).toBe('ann');
    expect(await found('(title eq "Boss" or title eq "Clerk") and active eq false')).toBe('bob');
    expect(
      await found('meta.resourceType eq "User" and meta.created gt "2020-01-01T00:00:00Z"'),
    ).toBe('ann bob cid dan');
    expect(await found('meta.created gt "2020-01-01T00:00:00"')).toBe('ann bob cid dan');
    expect(await found(`id eq "${ann}"`)).toBe('ann');
    expect(await found(`schemas eq "${userSchema.toUpperCase()}"`)).toBe('ann bob cid dan');
    expect(await found(`schemas eq "${enterpriseSchema}"`)).toBe('');
    await entra.patch(`/Users/${ann}`, { op: 'add', path: 'department', value: 'Bridges' });
    expect(await found(`schemas eq "${enterpriseSchema}"`)).toBe('ann');
    // What is made for each answer is not looked for: nobody is told that there is nothing.
    expect(errorOf(await entra.filter('/Users', 'meta.location pr'))).toEqual([
      400,
      'invalidFilter',
    ]);
    expect(await found(`${userSchema}:userName eq "bob@acme.example"`)).toBe('bob');
    const none = await entra.filter('/Users', 'userName eq "b9b2c8f1-1c1f-4f6c-9f06-6a7d7a1a3a11"');
    expect(none.json).toMatchObject({ totalResults: 0, itemsPerPage: 0, Resources: [] });
    await entra.user('eve+1@acme.example');
    for (const written of [
      'userName%20eq%20%22eve+1@acme.example%22',
      'userName%20eq%20%22eve%2B1@acme.example%22',
      'userName+eq+%22eve%2B1%40acme.example%22',
    ])
      expect((await entra.get(`/Users?filter=${written}`)).json.totalResults, written).toBe(1);
  });

  it('pages by index, always in one order', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    await people(entra);
    const page = async (query: string): Promise<unknown[]> => {
      const { json } = await entra.get(`/Users?${query}`);
      return [
        json.totalResults,
        json.itemsPerPage,
        json.startIndex,
        json.Resources.map((one: { userName: string }) => one.userName.slice(0, 3)).join(' '),
      ];
    };
    expect(await page('')).toEqual([4, 4, 1, 'ann bob cid dan']);
    expect(await page('startIndex=2&count=2')).toEqual([4, 2, 2, 'bob cid']);
    expect(await page('startIndex=4&count=2')).toEqual([4, 1, 4, 'dan']);
    expect(await page('startIndex=9')).toEqual([4, 0, 9, '']);
    expect(await page('startIndex=0&count=1')).toEqual([4, 1, 1, 'ann']);
    expect(await page('startIndex=-5&count=1')).toEqual([4, 1, 1, 'ann']);
    expect(await page('count=0')).toEqual([4, 0, 1, '']);
    expect(await page('count=-3')).toEqual([4, 0, 1, '']);
    expect(await page('count=999999999')).toEqual([4, 4, 1, 'ann bob cid dan']);
    expect(await page('filter=title+pr&count=1')).toEqual([2, 1, 1, 'ann']);
    expect(await page('count=&startIndex=')).toEqual([4, 4, 1, 'ann bob cid dan']);
    for (const query of [
      'count=x',
      'startIndex=1e18',
      'startIndex=99999999999',
      'count=1.5',
      'count=1&count=2',
    ])
      expect((await entra.get(`/Users?${query}`)).status).toBe(400);
  });

  it('sorts by every attribute, the primary value where there are several, and last what is not there', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const ids = await people(entra);
    const sorted = async (query: string): Promise<string> =>
      namesOf(await entra.get(`/Users?${query}`))
        .map((one) => one.slice(0, 3))
        .join(' ');
    expect(await sorted('sortBy=userName&sortOrder=descending')).toBe('dan cid bob ann');
    expect(await sorted('sortBy=NAME.familyName')).toBe('ann cid bob dan');
    expect(await sorted('sortBy=name.familyName&sortOrder=Descending')).toBe('dan bob cid ann');
    expect(await sorted('sortBy=meta.lastModified&count=1&startIndex=4')).toBe('dan');
    expect(await sorted('sortBy=title')).toBe('ann bob cid dan');
    expect(await sorted('sortBy=title&sortOrder=descending')).toBe('dan cid bob ann');
    expect(await sorted('sortBy=active')).toBe('bob ann cid dan');
    expect(await sorted('sortBy=externalId&sortOrder=descending&count=2')).toBe('dan cid');
    expect(await sorted('sortBy=emails&filter=active+eq+true')).toBe('ann cid dan');
    await entra.patch(`/Users/${ids['dan']}`, {
      op: 'add',
      value: {
        phoneNumbers: [{ value: '9' }, { value: '1', type: 'work', primary: true }],
        [`${enterpriseSchema}:department`]: 'Bridges',
      },
    });
    await entra.patch(`/Users/${ids['cid']}`, {
      op: 'add',
      value: { phoneNumbers: [{ value: '5' }, { value: '2' }] },
    });
    expect(await sorted('sortBy=phoneNumbers.value&count=2')).toBe('dan cid');
    expect(await sorted(`sortBy=${enterpriseSchema}:department&count=1`)).toBe('dan');
    expect(await sorted('sortBy=groups&sortOrder=ascending&count=1')).toBe('ann');
    for (const query of [
      'sortBy=password',
      'sortBy=name',
      'sortBy=nobody',
      "sortBy=userName'--",
      'sortBy=userName;drop%20table%20users',
      'sortBy=userName&sortOrder=sideways',
    ])
      expect(errorOf(await entra.get(`/Users?${query}`))).toEqual([400, 'invalidValue']);

    // What no index serves is for a few thousand: how many there are is known beforehand.
    await given.rows('update affiliation_counts set people = people + 10000');
    const many = await entra.get('/Users?sortBy=title');
    expect(errorOf(many)).toEqual([400, 'tooMany']);
    expect(many.json.detail).toContain('sort by meta.created, ');
    expect((await entra.get('/Users?sortBy=userName')).status).toBe(200);
    expect(await sorted('sortBy=title&filter=title+pr')).toBe('ann bob');
  });

  it('shows the attributes that are wanted, and the id always', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const ann = await entra.user('ann@acme.example', {
      name: { givenName: 'Ann', familyName: 'Archer' },
      title: 'Boss',
      [enterpriseSchema]: { department: 'Bridges', division: 'East' },
    });
    const shown = async (query: string): Promise<unknown> =>
      (await entra.get(`/Users/${ann.id}?${query}`)).json;
    expect(await shown('attributes=userName,NAME.givenName')).toEqual({
      schemas: [userSchema],
      id: ann.id,
      userName: 'ann@acme.example',
      name: { givenName: 'Ann' },
    });
    expect(await shown(`attributes=${enterpriseSchema}:department`)).toEqual({
      schemas: [userSchema, enterpriseSchema],
      id: ann.id,
      [enterpriseSchema]: { department: 'Bridges' },
    });
    expect(await shown(`attributes=${enterpriseSchema}`)).toMatchObject({
      [enterpriseSchema]: { department: 'Bridges', division: 'East' },
    });
    expect(await shown(`attributes=${accountSchema}:isSoftDeleted`)).toMatchObject({
      [accountSchema]: { isSoftDeleted: false },
    });
    expect(await shown('attributes=meta.version,emails.value')).toEqual({
      schemas: [userSchema],
      id: ann.id,
      meta: { version: ann.meta.version },
      emails: [{ value: 'ann@acme.example' }],
    });
    expect(await shown(`attributes=${userSchema}`)).toEqual(
      await shown(`excludedAttributes=${enterpriseSchema},${accountSchema}`),
    );
    const less = await shown(`excludedAttributes=name,emails,meta,id,${accountSchema}`);
    expect(Object.keys(less as object).sort()).toEqual(
      ['schemas', 'id', 'userName', 'title', 'active', enterpriseSchema].sort(),
    );
    expect(
      errorOf(await entra.get(`/Users/${ann.id}?attributes=id&excludedAttributes=name`)),
    ).toEqual([400, 'invalidValue']);
    // On request alone; and where it was just said (RFC 7643, section 7).
    const word = `${accountSchema}:isSoftDeleted`;
    const said = (answer: Answer): unknown => answer.json[accountSchema].isSoftDeleted;
    const path = `/Users/${ann.id}`;
    expect(said(await entra.get(path))).toBe(undefined);
    const off = { op: 'replace', value: { [word]: true } };
    expect(said(await entra.patch(path, off))).toBe(true);
    expect(said(await entra.patch(path, { op: 'Add', path: 'isSoftDeleted', value: false }))).toBe(
      false,
    );
    expect(
      said(await entra.put(path, { ...ann, [accountSchema]: { ISSOFTDELETED: 'False' } })),
    ).toBe(false);
    expect(said(await entra.put(path, ann))).toBe(undefined);

    const group = await entra.group('Bridges', [ann]);
    expect(
      (await entra.get(`/Groups/${group.id}?excludedAttributes=members`)).json,
    ).not.toHaveProperty('members');
    expect(
      (await entra.filter('/Groups', 'displayName eq "bridges"', '&excludedAttributes=members'))
        .json.Resources[0],
    ).not.toHaveProperty('members');
    expect(
      (await entra.filter('/Groups', `id eq "${group.id}" and members eq "${ann.id}"`)).json
        .totalResults,
    ).toBe(1);
    expect((await entra.get(`/Users/${ann.id}`)).json.groups).toEqual([
      {
        value: group.id,
        display: 'Bridges',
        type: 'direct',
        $ref: `${entra.base}/Groups/${group.id}`,
      },
    ]);
  });

  it('shows in a list what the resource shows by itself, whatever is wanted of it', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const boss = await entra.user('boss@acme.example');
    const ann = await entra.user('ann@acme.example', {
      externalId: '1',
      name: { givenName: 'Ann', familyName: 'Archer', middleName: 'M.' },
      phoneNumbers: [{ value: '1', type: 'work', primary: true }, { value: '2' }],
      active: false,
      [enterpriseSchema]: { department: 'Bridges', manager: { value: boss.id } },
    });
    const group = await entra.group('Bridges', [ann]);
    for (const [type, id] of [
      [users, ann.id],
      [groups, group.id],
    ] as const) {
      const names = [
        ...pathsOf(type.attributes, ''),
        ...type.extensions.flatMap(({ schema }) => pathsOf(schema.attributes, `${schema.id}:`)),
      ];
      // What stands side by side comes from the same place: it is asked for apart.
      for (const turn of [0, 1, 2, 3, 4])
        for (const query of ['attributes', 'excludedAttributes']) {
          const asked = `${query}=${names.filter((_, at) => at % 5 === turn).join(',')}`;
          const alone = (await entra.get(`${type.endpoint}/${id}?${asked}`)).json;
          const listed = await entra.filter(type.endpoint, `id eq "${id}"`, `&${asked}`);
          expect(listed.json.Resources, asked).toEqual([alone]);
        }
    }
  });

  it('is asked by POST too, of one type or of all', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const { ann } = await people(entra);
    await entra.group('ann', [{ id: ann! }]);
    const search = (path: string, more: object): Promise<Answer> =>
      entra.post(`${path}/.search`, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
        ...more,
      });
    const one = await search('/Users', {
      filter: 'userName sw "a"',
      attributes: ['userName'],
      startIndex: 1,
      count: 10,
    });
    expect(one.json.Resources).toEqual([
      { schemas: [userSchema], id: ann, userName: 'ann@acme.example' },
    ]);
    const all = await search('', {
      filter: 'userName sw "ann" or displayName eq "ann"',
      sortBy: 'meta.created',
    });
    expect(all.json).toMatchObject({ totalResults: 2, itemsPerPage: 2 });
    expect(
      all.json.Resources.map(
        (found: { meta: { resourceType: string } }) => found.meta.resourceType,
      ),
    ).toEqual(['User', 'Group']);
    expect((await search('', { filter: 'meta.resourceType eq "Group"' })).json.totalResults).toBe(
      1,
    );
    expect((await search('', { count: 2, startIndex: 4 })).json).toMatchObject({
      totalResults: 5,
      itemsPerPage: 2,
    });
    expect((await search('', { filter: 'userName sw "b" or members pr' })).json.totalResults).toBe(
      2,
    );
    for (const filter of ['nobody pr', 'userName sw "b" or nobody pr'])
      expect(errorOf(await search('', { filter }))).toEqual([400, 'invalidFilter']);
    // What only people have, or no index serves: groups are behind, or before where it goes backwards.
    const inOrder = async (more: object): Promise<string> => {
      const found: string[] = [];
      for (let cursor: string | undefined = ''; cursor !== undefined;) {
        const { json } = await search('', { ...more, count: 2, cursor });
        expect(json.totalResults).toBe(5);
        for (const { userName } of json.Resources) found.push(userName?.slice(0, 3) ?? 'group');
        cursor = json.nextCursor;
      }
      return found.join(' ');
    };
    expect(await inOrder({ sortBy: 'userName' })).toBe('ann bob cid dan group');
    expect(await inOrder({ sortBy: 'userName', sortOrder: 'descending' })).toBe(
      'group dan cid bob ann',
    );
    expect(await inOrder({ sortBy: 'externalId' })).toBe('ann bob cid dan group');
    expect(await inOrder({ sortBy: 'title', sortOrder: 'descending' })).toMatch(/ bob ann$/);
    expect((await search('', { sortBy: 'title', count: 1, startIndex: 2 })).json).toMatchObject({
      totalResults: 5,
      Resources: [{ userName: 'bob@acme.example' }],
    });
    expect(errorOf(await search('', { sortBy: 'nobody' }))).toEqual([400, 'invalidValue']);
    await given.rows('update affiliation_counts set people = people + 10000');
    expect(errorOf(await search('', { sortBy: 'title' }))).toEqual([400, 'tooMany']);
    expect(errorOf(await entra.post('/.search', { filter: 'id pr' }))).toEqual([
      400,
      'invalidSyntax',
    ]);
    expect(errorOf(await search('/Users', { count: 'many' }))).toEqual([400, 'invalidValue']);
    expect(errorOf(await search('/Users', { filter: ['id pr'] }))).toEqual([400, 'invalidValue']);
  });
});

describe('RFC 7644, section 3.5: changing resources', () => {
  it('replaces by PUT: what is not said is gone, except what a directory does not know of', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const made = await entra.user('ann@acme.example', {
      title: 'Boss',
      name: { givenName: 'Ann', familyName: 'Archer' },
      phoneNumbers: [{ value: '1' }],
      active: false,
      [enterpriseSchema]: { department: 'Bridges' },
      [accountSchema]: { entitlementCountry: 'DE' },
    });
    const put = await entra.put(`/Users/${made.id}`, {
      ...user('Ann@acme.example', { name: { familyName: 'Baker' } }),
      id: 'other',
      meta: {},
      groups: [],
    });
    expect(put.status).toBe(200);
    expect(put.json).toMatchObject({
      id: made.id,
      userName: 'Ann@acme.example',
      name: { familyName: 'Baker' },
      active: false,
      [accountSchema]: { entitlementCountry: 'DE' },
    });
    for (const name of ['title', 'phoneNumbers', enterpriseSchema])
      expect(put.json).not.toHaveProperty(name);
    expect(put.json.name).not.toHaveProperty('givenName');
    expect((await entra.get(`/Users/${made.id}`)).json).toEqual(put.json);
    expect(errorOf(await entra.put(`/Users/${made.id}`, { schemas: [userSchema] }))).toEqual([
      400,
      'invalidValue',
    ]);
    // What was read is sent back: nothing changes.
    const same = await entra.put(`/Users/${made.id}`, put.json);
    expect(same.json).toEqual(put.json);
  });

  it('replaces a group with its members', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const [ann, bob] = [await entra.user('ann@acme.example'), await entra.user('bob@acme.example')];
    const group = await entra.group('Bridges', [ann]);
    const put = await entra.put(`/Groups/${group.id}`, {
      schemas: [groupSchema],
      displayName: 'Arches',
      externalId: 'g1',
      members: [{ value: bob.id }],
    });
    expect(put.json).toMatchObject({
      id: group.id,
      displayName: 'Arches',
      externalId: 'g1',
      members: [{ value: bob.id, display: 'bob@acme.example' }],
    });
    const refused = await entra.put(`/Groups/${group.id}`, {
      schemas: [groupSchema],
      displayName: 'Nothing',
      members: [{ value: ann.id }, { value: 'nobody' }],
    });
    expect(errorOf(refused)).toEqual([400, 'invalidValue']);
    expect(refused.json.detail).toContain('nobody');
    expect((await entra.get(`/Groups/${group.id}`)).json).toEqual(put.json);
  });

  it('changes by PATCH, all of it or nothing', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const made = await entra.user('ann@acme.example');
    const refused = await entra.patch(
      `/Users/${made.id}`,
      { op: 'replace', path: 'title', value: 'Boss' },
      { op: 'replace', path: 'userName', value: 'ann@elsewhere.example' },
    );
    expect(errorOf(refused)).toEqual([400, 'invalidValue']);
    expect((await entra.get(`/Users/${made.id}`)).json).toEqual(made);
    const nothing = await entra.patch(`/Users/${made.id}`, {
      op: 'replace',
      path: 'active',
      value: true,
    });
    expect([nothing.status, nothing.headers.etag]).toEqual([200, made.meta.version]);
    const some = await entra.patch(`/Users/${made.id}`, {
      op: 'replace',
      value: { active: false, title: 'Boss' },
    });
    expect(some.json).toMatchObject({
      active: false,
      title: 'Boss',
      [accountSchema]: { lockState: 'locked', lockReasons: ['directory'] },
    });
    expect((await entra.get(`/Users/${made.id}`)).json).toEqual(some.json);
  });

  it('takes away by PATCH what is said to be nothing, and takes back what it has told', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const whole = {
      emails: [
        { value: 'ann@acme.example', type: 'work', primary: true },
        { value: 'ann@home.example', type: 'home' },
      ],
      phoneNumbers: [{ value: '1', type: 'work' }],
      [enterpriseSchema]: { department: 'Bridges', division: 'East' },
    };
    const ann = await entra.user('ann@acme.example', whole);
    await entra.group('Bridges', [ann]);
    const before = (await entra.get(`/Users/${ann.id}`)).json;
    const unchanged = async (...operations: object[]): Promise<void> => {
      const answer = await entra.patch(`/Users/${ann.id}`, ...operations);
      expect([answer.status, answer.json], JSON.stringify(operations)).toEqual([200, before]);
    };
    // Read only, meta and schemas too, as it was read.
    await unchanged({ op: 'replace', value: before });
    await unchanged({ op: 'add', path: 'schemas', value: [enterpriseSchema] });
    for (const value of ['', null])
      await unchanged(
        { op: 'replace', path: 'phoneNumbers[type eq "fax"].value', value },
        { op: 'replace', path: 'emails[type eq "other"].value', value },
      );
    expect(
      errorOf(await entra.patch(`/Users/${ann.id}`, { op: 'replace', value: { groups: [] } })),
    ).toEqual([400, 'mutability']);

    const after = await entra.patch(
      `/Users/${ann.id}`,
      { op: 'replace', path: 'emails[type eq "home"].value', value: '' },
      { op: 'remove', path: enterpriseSchema },
      { op: 'replace', path: userSchema, value: { title: 'Boss' } },
      { op: 'replace', value: { [userSchema]: { nickName: 'Annie' } } },
    );
    expect(after.json).toMatchObject({ title: 'Boss', nickName: 'Annie' });
    expect(after.json.emails).toEqual(whole.emails.slice(0, 1));
    expect(after.json).not.toHaveProperty(enterpriseSchema);
    await entra.put(`/Users/${ann.id}`, user('ann@acme.example', whole));
    const gone = { op: 'replace', value: { [enterpriseSchema]: null } };
    expect((await entra.patch(`/Users/${ann.id}`, gone)).json).not.toHaveProperty(enterpriseSchema);
    // A form with an empty field.
    const made = await entra.user('bob@acme.example', { emails: [{ type: 'home', value: '' }] });
    expect(made.emails).toEqual([{ value: 'bob@acme.example', type: 'work', primary: true }]);
  });

  it('puts nobody out of a group who is not named', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const ann = await entra.user('ann@acme.example');
    const { id } = await entra.group('Bridges', [ann]);
    const members = async (): Promise<string[]> =>
      ((await entra.get(`/Groups/${id}`)).json.members ?? []).map(
        (one: { value: string }) => one.value,
      );
    for (const value of [[], [null]])
      expect(
        (await entra.patch(`/Groups/${id}`, { op: 'remove', path: 'members', value })).status,
      ).toBe(204);
    for (const op of ['remove', 'replace', 'add'])
      for (const value of [[{}], {}, '', [''], [{ value: null }], [{ display: 'Ann' }]])
        expect(
          errorOf(await entra.patch(`/Groups/${id}`, { op, path: 'members', value })),
          JSON.stringify([op, value]),
        ).toEqual([400, 'invalidValue']);
    expect(await members()).toEqual([ann.id]);

    // The same list by its long name; and it is shown to who asks for it.
    const emptied = await entra.patch(`/Groups/${id}`, {
      op: 'replace',
      value: { [`${groupSchema}:members`]: [], displayName: 'Arches' },
    });
    expect([emptied.status, await members()]).toEqual([204, []]);
    const filled = await entra.send(
      'PATCH',
      `/Groups/${id}?attributes=members.value`,
      patchOf({ op: 'add', value: { [groupSchema]: { members: [{ value: ann.id }] } } }),
    );
    expect([filled.status, filled.json.members]).toEqual([200, [{ value: ann.id }]]);
    const blank = { schemas: [groupSchema], displayName: '  ' };
    expect(errorOf(await entra.post('/Groups', blank))).toEqual([400, 'invalidValue']);
  });

  it('knows a manager in the same account, and nobody else', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const entra = await directoryOf(given, program, acme);
    const stranger = await (await directoryOf(given, program, beta)).user('x@beta.example');
    const boss = await entra.user('boss@acme.example');
    const ann = await entra.user('ann@acme.example');
    const path = `${enterpriseSchema}:manager`;
    for (const value of [stranger.id, 'nobody', '2819c223-7f76-453a-919d-413861904646'])
      expect(errorOf(await entra.patch(`/Users/${ann.id}`, { op: 'add', path, value }))).toEqual([
        400,
        'invalidValue',
      ]);
    const led = await entra.patch(`/Users/${ann.id}`, {
      op: 'Add',
      path,
      value: [{ $ref: null, value: boss.id }],
    });
    expect(led.json[enterpriseSchema].manager).toMatchObject({
      value: boss.id,
      displayName: 'boss@acme.example',
    });
    expect(
      (
        await entra.filter(
          '/Users',
          `id eq "${ann.id}" and manager eq "${boss.id}"`,
          '&attributes=id',
        )
      ).json.totalResults,
    ).toBe(1);
    await entra.delete(`/Users/${boss.id}`);
    expect((await entra.get(`/Users/${ann.id}`)).json).not.toHaveProperty(enterpriseSchema);
  });
});

describe('RFC 7644, section 3.6: removing resources', () => {
  it('leaves nothing to be found, and the name to be used again', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const ann = await entra.user('ann@acme.example', { externalId: 'x' });
    const group = await entra.group('Bridges', [ann]);
    expect((await entra.delete(`/Users/${ann.id}`)).status).toBe(204);
    for (const answer of [
      await entra.get(`/Users/${ann.id}`),
      await entra.put(`/Users/${ann.id}`, user('ann@acme.example')),
      await entra.patch(`/Users/${ann.id}`, { op: 'replace', path: 'title', value: 'x' }),
      await entra.delete(`/Users/${ann.id}`),
    ])
      expect(errorOf(answer)).toEqual([404]);
    expect((await entra.get('/Users')).json.totalResults).toBe(0);
    expect((await entra.filter('/Users', 'externalId eq "x"')).json.totalResults).toBe(0);
    const left = await entra.get(`/Groups/${group.id}`);
    expect(left.json).not.toHaveProperty('members');
    expect(left.headers.etag).not.toBe(group.meta.version);
    const again = await entra.user('ann@acme.example');
    expect(again.id).not.toBe(ann.id);
    expect((await entra.delete(`/Groups/${group.id}`)).status).toBe(204);
    expect((await entra.get(`/Groups/${group.id}`)).status).toBe(404);
  });
});

describe('RFC 7644, section 3.7: many at once', () => {
  const bulk = (Operations: unknown[], failOnErrors?: number) => ({
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
    ...(failOnErrors !== undefined && { failOnErrors }),
    Operations,
  });
  const make = (name: string, more: Record<string, unknown> = {}) => ({
    method: 'POST',
    path: '/Users',
    bulkId: name,
    data: user(`${name}@acme.example`, more),
  });
  const statuses = ({ json }: Answer): string[] =>
    json.Operations.map((one: { status: string }) => one.status);

  it('carries each out, and refers from one to the next, wherever it stands', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const answer = await entra.post(
      '/Bulk',
      bulk([
        {
          method: 'post',
          path: '/Groups',
          bulkId: 'g',
          data: {
            schemas: [groupSchema],
            displayName: 'Bridges',
            members: [{ value: 'bulkId:ann' }, { value: 'bulkId:bob' }],
          },
        },
        make('ann', { [enterpriseSchema]: { manager: { value: 'bulkId:bob' } } }),
        make('bob'),
        {
          method: 'PATCH',
          path: '/Users/bulkId:bob',
          data: {
            schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
            Operations: [{ op: 'add', path: 'title', value: 'Boss' }],
          },
        },
        { method: 'DELETE', path: '/Users/nobody' },
      ]),
    );
    expect(answer.status).toBe(200);
    expect(statuses(answer)).toEqual(['201', '201', '201', '200', '404']);
    const [group, ann, bob, patched, gone] = answer.json.Operations;
    expect(group).toEqual({
      method: 'POST',
      bulkId: 'g',
      status: '201',
      location: expect.stringContaining('/Groups/'),
      version: expect.stringMatching(/^W\//),
    });
    expect(patched.location).toBe(bob.location);
    expect(gone).toMatchObject({
      location: `${entra.base}/Users/nobody`,
      response: { status: '404', schemas: [errorSchema] },
    });
    const idOf = ({ location }: { location: string }) =>
      location.slice(location.lastIndexOf('/') + 1);
    const members = (await entra.get(`/Groups/${idOf(group)}`)).json.members.map(
      (one: { value: string }) => one.value,
    );
    expect(new Set(members)).toEqual(new Set([idOf(ann), idOf(bob)]));
    expect((await entra.get(`/Users/${idOf(ann)}`)).json[enterpriseSchema].manager.value).toBe(
      idOf(bob),
    );
    expect((await entra.get(`/Users/${idOf(bob)}`)).json.title).toBe('Boss');
    expect(server.errors).toEqual([]);
  });

  it('goes round in a circle', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const led = (by: string) => ({
      [enterpriseSchema]: { department: 'East', manager: { value: `bulkId:${by}` } },
    });
    const answer = await entra.post(
      '/Bulk',
      bulk([make('ann', led('bob')), make('bob', led('ann')), make('own', led('own'))]),
    );
    expect(statuses(answer)).toEqual(['201', '201', '201']);
    for (const [who, by] of [
      ['ann', 'bob'],
      ['bob', 'ann'],
      ['own', 'own'],
    ]) {
      const found = (await entra.filter('/Users', `userName eq "${who}@acme.example"`)).json
        .Resources[0];
      expect(found[enterpriseSchema].manager.displayName).toBe(`${by}@acme.example`);
      const told = answer.json.Operations.find((one: { bulkId: string }) => one.bulkId === who);
      expect(told.version).toBe(found.meta.version);
    }
    // All of a circle or none.
    const failed = await entra.post(
      '/Bulk',
      bulk([
        make('cid', led('dan')),
        { ...make('dan', led('cid')), data: user('dan@elsewhere.example', led('cid')) },
      ]),
    );
    expect(statuses(failed)).toEqual(['409', '400']);
    expect((await entra.get('/Users')).json.totalResults).toBe(3);
  });

  it('lets each fail for itself, with what refers to it, and stops when it is told to', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const broken = { ...make('eve'), data: user('eve@elsewhere.example') };
    const group = {
      method: 'POST',
      path: '/Groups',
      bulkId: 'g',
      data: { schemas: [groupSchema], displayName: 'G', members: [{ value: 'bulkId:eve' }] },
    };
    const operations = [
      make('ann'),
      broken,
      group,
      { ...make('x'), bulkId: undefined },
      make('ann'),
      { method: 'GET', path: '/Users/1' },
      { method: 'POST', path: '/Bulk', bulkId: 'b', data: {} },
      { method: 'PUT', path: '/Users/bulkId:nobody', data: user('q@acme.example') },
      make('bob'),
    ];
    const answer = await entra.post('/Bulk', bulk(operations));
    expect(statuses(answer)).toEqual([
      '201',
      '400',
      '400',
      '400',
      '400',
      '400',
      '400',
      '400',
      '201',
    ]);
    expect(answer.json.Operations[1]).not.toHaveProperty('location');
    expect((await entra.get('/Groups')).json.totalResults).toBe(0);
    const stopped = await entra.post('/Bulk', bulk([make('cid'), broken, make('dan')], 1));
    expect(statuses(stopped)).toEqual(['201', '400']);
    // What was made in one request was made at one moment.
    expect(
      namesOf(await entra.get('/Users?sortBy=userName')).map((one) => one.slice(0, 3)),
    ).toEqual(['ann', 'bob', 'cid']);
  });

  it('checks versions, and takes so many and no more', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const ann = await entra.user('ann@acme.example');
    const remove = (version: string) => ({ method: 'DELETE', path: `/Users/${ann.id}`, version });
    expect(
      statuses(await entra.post('/Bulk', bulk([remove('W/"99"'), remove(ann.meta.version)]))),
    ).toEqual(['412', '204']);
    const many = await entra.post('/Bulk', bulk(Array.from({ length: 1001 }, () => remove('x'))));
    expect(errorOf(many)).toEqual([413]);
    expect(many.json.detail).toContain('1000');
    const large = await entra.post('/Bulk', `{"x":"${'x'.repeat(1024 * 1024)}"}`);
    expect(errorOf(large)).toEqual([413]);
    expect(large.json.detail).toContain('1048576');
    expect(errorOf(await entra.post('/Bulk', bulk([], 0)))).toEqual([400, 'invalidValue']);
    expect(
      errorOf(
        await entra.post(
          '/Bulk',
          '{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"PO',
        ),
      ),
    ).toEqual([400, 'invalidSyntax']);
  });
});

describe('RFC 7644, sections 3.8 and 3.12: what is sent and answered', () => {
  it('takes JSON by either name, and nothing else', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const send = (type: string, body: string): Promise<Answer> =>
      entra.send('POST', '/Users', body, { 'content-type': type });
    expect(
      (await send('application/json; charset=utf-8', JSON.stringify(user('ann@acme.example'))))
        .status,
    ).toBe(201);
    expect(errorOf(await send('application/x-www-form-urlencoded', 'userName=bob'))).toEqual([415]);
    expect(errorOf(await send('text/plain', '{}'))).toEqual([415]);
    expect(errorOf(await entra.send('POST', '/Users', ''))).toEqual([400, 'invalidSyntax']);
  });

  it('says what an address is not for', async ({ given, program }) => {
    const acme = await given.account('Acme');
    const entra = await directoryOf(given, program, acme);
    const wrong = await entra.send('PUT', '/Users', {});
    expect(errorOf(wrong)).toEqual([405]);
    expect(wrong.headers.allow).toBe('GET, POST');
    for (const [method, path] of [
      ['POST', '/Schemas'],
      ['DELETE', '/Groups'],
      ['GET', '/Bulk'],
      ['POST', '/Users/1'],
      ['GET', '/Users/.search'],
    ] as const)
      expect(errorOf(await entra.send(method, path))).toEqual([405]);
    for (const path of ['/Nobody', '/Users/1/2', '/users.json', '/Users/%ZZ'])
      expect(errorOf(await entra.get(path))).toEqual([404]);
    expect(errorOf(await entra.get('/Me'))).toEqual([501]);
    expect((await entra.get('/users')).status).toBe(200);
  });

  it('is found with a slash too many and without a version, and says that it speaks no other', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const ann = await entra.user('ann@acme.example');
    for (const path of ['/Users/', '//Users', '/Schemas/', '/ServiceProviderConfig/'])
      expect((await entra.get(path)).status, path).toBe(200);
    const known = await entra.get(`/Users/${ann.id}/`);
    expect([known.json, known.headers['content-location']]).toEqual([ann, ann.meta.location]);
    const headers = { authorization: `Bearer ${entra.token}` };
    const found = await program.send(`/scim/Users/${ann.id}`, { headers });
    expect([found.json, found.headers['content-location']]).toEqual([ann, ann.meta.location]);
    const older = await program.send('/scim/v1/Users', { headers });
    expect(errorOf(older)).toEqual([400, 'invalidVers']);
    expect(older.json.detail).toContain(entra.base);
  });

  it('says how often is too often, and when to come again', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const other = await directoryOf(given, program, acme);
    const operations = Array.from({ length: 1000 }, () => ({
      method: 'DELETE',
      path: '/Users/nobody',
    }));
    expect(
      (
        await entra.post('/Bulk', {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
          failOnErrors: 1,
          Operations: operations,
        })
      ).status,
    ).toBe(200);
    const refused = await entra.get('/Users');
    expect(errorOf(refused)).toEqual([429]);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(10);
    expect((await other.get('/Users')).status).toBe(200);
    server.clock.advance(30);
    expect((await entra.get('/Users')).status).toBe(200);
  });
});

describe('RFC 7644, section 3.14: versions', () => {
  it('spares what is known, and refuses what is not what was seen', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    for (const made of [await entra.user('ann@acme.example'), await entra.group('Bridges')]) {
      const path = made.userName ? `/Users/${made.id}` : `/Groups/${made.id}`;
      const { version } = made.meta;
      const known = await entra.get(path, { 'if-none-match': `"x", ${version}` });
      expect([known.status, known.text, known.headers.etag]).toEqual([304, '', version]);
      expect(known.headers['content-location']).toBe(made.meta.location);
      expect((await entra.get(path, { 'if-none-match': 'W/"99"' })).status).toBe(200);
      const stale = { 'if-match': 'W/"99"' };
      const patch = {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'add', path: 'externalId', value: 'x' }],
      };
      expect(errorOf(await entra.put(path, made, stale))).toEqual([412]);
      expect(errorOf(await entra.send('PATCH', path, patch, stale))).toEqual([412]);
      expect(errorOf(await entra.delete(path, stale))).toEqual([412]);
      const right = await entra.send('PATCH', path, patch, {
        'if-match': version.replace('W/', ''),
      });
      expect([200, 204]).toContain(right.status);
      expect(right.headers.etag).not.toBe(version);
      expect((await entra.delete(path, { 'if-match': '*' })).status).toBe(204);
    }
  });

  it('changes with whatever changes the resource, at whichever door', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const ann = await given.user('ann@acme.example', { of: acme });
    const find = async () =>
      (await entra.filter('/Users', 'userName eq "ann@acme.example"')).json.Resources[0];
    const first = await find();
    await given.locked(ann, 'admin', 'note');
    const locked = await find();
    expect(locked.meta.version).not.toBe(first.meta.version);
    expect(locked).toMatchObject({
      active: true,
      [accountSchema]: { lockReasons: ['admin'], managedBy: 'administrator' },
    });
    await given.foundation.database.query(
      `update users set family_name = 'Baker', updated_at = now() where id = '${ann.id}'`,
    );
    const renamed = await find();
    expect(renamed.name.familyName).toBe('Baker');
    expect(renamed.meta.version).not.toBe(locked.meta.version);
  });
});
