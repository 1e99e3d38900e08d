import { describe, expect } from 'vitest';
import type { Attribute, ResourceType } from '#identity/scim/attribute.ts';
import {
  accountSchema,
  enterpriseSchema,
  groups,
  userSchema,
  users,
} from '#identity/scim/schema.ts';
import { ScimError } from '#identity/scim/error.ts';
import { readResource } from '#identity/scim/value.ts';
import { it } from '#test/support/it.ts';
import { directoryOf, user } from './support.ts';

/** What no attribute of a type can be. */
const wrong: Record<Attribute['type'], readonly unknown[]> = {
  string: [1, true, {}, { $ne: null }, ['x'], 'a\0b', '\ud800', 'x'.repeat(10_001)],
  reference: [1, {}, ['x'], 'no address', '<x>'],
  dateTime: [],
  boolean: [0, 1, 'yes', {}, [true]],
  binary: [1, 'no base64!', {}],
  complex: ['x', 1, true, [[]]],
};

interface Case {
  path: string;
  body: Record<string, unknown>;
}

/** Every writable attribute of a type, with every value it cannot have. */
function cases(type: ResourceType): Case[] {
  const base = { schemas: [type.schema.id], [type.schema.attributes[0]!.name]: 'ann@acme.example' };
  const shorthand = ['manager', 'members'];
  const of = (
    attributes: readonly Attribute[],
    put: (value: object) => object,
    at: string,
  ): Case[] =>
    attributes.flatMap((one): Case[] => {
      const { name, multiValued, mutability, subAttributes = [] } = one;
      if (mutability === 'readOnly') return [];
      const path = `${at}${name}`;
      const values = wrong[one.type].filter(
        (value) =>
          !(shorthand.includes(name) && (typeof value === 'string' || Array.isArray(value))),
      );
      const here = values.map((value) => ({
        path,
        body: { ...base, ...put({ [name]: multiValued ? [value] : value }) },
      }));
      if (multiValued) here.push({ path, body: { ...base, ...put({ [name]: { value: 'x' } }) } });
      const below = of(
        subAttributes.filter(({ name: sub }) => sub !== '$ref'),
        (value) => put({ [name]: multiValued ? [value] : value }),
        `${path}${multiValued ? '[0]' : ''}.`,
      );
      return [...here, ...below];
    });
  return [
    ...of(type.attributes, (value) => value, ''),
    ...type.extensions.flatMap(({ schema }) =>
      of(schema.attributes, (value) => ({ [schema.id]: value }), `${schema.id}:`),
    ),
  ];
}

describe('a value of the wrong type', () => {
  it.for([users, groups])('is named, whichever attribute of a $name it is', (type) => {
    const all = cases(type);
    expect(all.length).toBeGreaterThan(type === users ? 250 : 20);
    for (const { path, body } of all) {
      let refusal: unknown;
      try {
        readResource(type, body);
      } catch (error) {
        refusal = error;
      }
      expect(refusal, JSON.stringify([path, body]).slice(0, 300)).toBeInstanceOf(ScimError);
      expect(refusal).toMatchObject({ status: 400, scimType: 'invalidValue' });
      expect((refusal as ScimError).message).toContain(path);
    }
  });

  it('is refused at the door, and nothing is made', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const all = cases(users);
    for (const { body } of all.filter((_, at) => at % 40 === 0)) {
      const { status, json } = await entra.post('/Users', body);
      expect([status, json.scimType]).toEqual([400, expect.stringMatching(/^invalid/)]);
    }
    expect((await entra.get('/Users')).json.totalResults).toBe(0);
    expect(server.errors).toEqual([]);
  });
});

describe('a body', () => {
  const deep = (levels: number): string => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

  it('that is no resource is told so, in SCIM', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const ann = await entra.user('ann@acme.example');
    const whole = JSON.stringify(user('bob@acme.example'));
    const bodies = [
      '{',
      '[]',
      '"text"',
      'null',
      '17',
      whole.slice(0, -1),
      `${whole}x`,
      '{"schemas":["urn:nobody"],"userName":"bob@acme.example"}',
      `{"schemas":"${userSchema}","userName":"bob@acme.example"}`,
      `{"schemas":["${userSchema}"],"userName":"bob@acme.example","username":"eve@acme.example"}`,
      `{"schemas":["${userSchema}"],"userName":"bob@acme.example","__proto__":{"active":false}}`,
      `{"schemas":["${userSchema}"],"userName":"bob@acme.example","title":"\\u0000"}`,
      `{"schemas":["${userSchema}"],"userName":"bob@acme.example","title":"\\ud800"}`,
      deep(40),
      '['.repeat(100_000),
    ];
    for (const body of bodies)
      for (const [method, path] of [
        ['POST', '/Users'],
        ['PUT', `/Users/${ann.id}`],
        ['PATCH', `/Users/${ann.id}`],
        ['POST', '/Groups'],
        ['POST', '/Users/.search'],
        ['POST', '/Bulk'],
      ] as const) {
        const { status, json, headers } = await entra.send(method, path, body);
        expect([status, headers['content-type']], `${method} ${path} ${body.slice(0, 80)}`).toEqual(
          [400, 'application/scim+json'],
        );
        expect(json).toMatchObject({
          status: '400',
          scimType: expect.stringMatching(/^invalid/),
          detail: expect.any(String),
        });
      }
    const large = await entra.send('POST', '/Users', `{"x":"${'x'.repeat(1024 * 1024)}"}`);
    expect([large.status, large.json.status]).toEqual([413, '413']);
    const binary = await entra.send('POST', '/Users', '{}', { 'content-encoding': 'gzip' });
    expect(binary.status).toBe(415);
    expect((await entra.get('/Users')).json).toMatchObject({ totalResults: 1, Resources: [ann] });
    expect(server.errors).toEqual([]);
  });

  it('names nothing that only we may say', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const made = await entra.user('ann@acme.example', {
      id: 'x',
      accountId: 'x',
      roles: [{ value: 'account_administrator' }, { value: 'operator' }],
      locked: false,
      emailVerified: true,
      passwordHash: 'x',
      constructor: { prototype: { polluted: true } },
      [accountSchema]: {
        emailVerified: true,
        lockState: 'open',
        affiliation: 'member',
        lastLogin: '2020-01-01T00:00:00Z',
        managedBy: 'administrator',
      },
      [enterpriseSchema]: { manager: { displayName: 'Nobody' } },
    });
    expect('polluted' in {}).toBe(false);
    expect(made[accountSchema]).toEqual({
      affiliation: 'member',
      lockState: 'open',
      emailVerified: false,
      managedBy: 'directory',
    });
    expect(made).not.toHaveProperty(enterpriseSchema);
    expect(await given.rows('select role from role_assignments')).toEqual([]);
    for (const path of [`${accountSchema}:emailVerified`, `${accountSchema}:lockState`, 'groups'])
      expect(
        (await entra.patch(`/Users/${made.id}`, { op: 'replace', path, value: 'true' })).json
          .scimType,
      ).toBe('mutability');
    for (const path of ['accountId', '__proto__', 'passwordHash'])
      expect(
        (await entra.patch(`/Users/${made.id}`, { op: 'replace', path, value: 'x' })).json.scimType,
      ).toBe('invalidPath');
    expect((await entra.get(`/Users/${made.id}`)).json).toEqual(made);
    expect(server.errors).toEqual([]);
  });

  it('holds no name that is longer than what is looked up', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    // Not to be compressed: as a database has it in an index.
    const long = (length: number): string =>
      Array.from({ length }, (_, at) => String.fromCodePoint(0x4e00 + ((at * 7919) % 20_000))).join(
        '',
      );
    const family = (text: string) => ({ name: { familyName: text, givenName: text } });
    const most = await entra.user('ann@acme.example', {
      ...family(long(256)),
      displayName: long(256),
      externalId: long(512),
    });
    expect((await entra.get(`/Users/${most.id}`)).json).toEqual(most);
    await entra.group(long(256));
    for (const [name, more] of [
      ['name.familyName', family(long(257))],
      ['displayName', { displayName: long(2500) }],
      ['displayName', { displayName: '\ufdfa'.repeat(256) }],
      ['externalId', { externalId: long(9999) }],
    ] as const) {
      const { status, json } = await entra.post('/Users', user('bob@acme.example', more));
      expect([status, json.scimType]).toEqual([400, 'invalidValue']);
      expect(json.detail).toContain(`${name}: more than `);
      if (name === 'name.familyName') continue;
      const group = { schemas: [groups.schema.id], displayName: 'B', ...more };
      expect((await entra.post('/Groups', group)).status).toBe(400);
    }
    expect(server.errors).toEqual([]);
  });

  it('in an address is text, and as long as it may be', async ({ given, program, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    for (const query of [
      'filter=%00',
      'filter=userName%20eq%20%22%00%22',
      'attributes=%00',
      `filter=${'('.repeat(5000)}`,
      `filter=${'x'.repeat(9000)}`,
      'filter=a&filter=b',
      'filter=userName%20eq%20%22%ED%A0%80%22%20and%20(',
    ])
      expect((await entra.get(`/Users?${query}`)).status, query.slice(0, 60)).toBe(400);
    for (const id of ['%00', '%ED%A0%80', "'", '..%2F..', '%27%20or%201=1', 'x'.repeat(3000)])
      expect((await entra.get(`/Users/${id}`)).status, id.slice(0, 20)).toBe(404);
    expect((await entra.get('/Users?aadOptscim062020&unknown=1')).status).toBe(200);
    expect(server.errors).toEqual([]);
  });
});
