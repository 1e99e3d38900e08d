import { describe, expect } from 'vitest';
import type { Attribute } from '#identity/scim/attribute.ts';
import {
  accountSchema,
  enterpriseSchema,
  groupSchema,
  resourceTypes,
  userSchema,
  users,
} from '#identity/scim/schema.ts';
import { it } from '#test/support/it.ts';
import { directoryOf, user } from './support.ts';

const whole = {
  externalId: 'A-17',
  name: {
    formatted: 'Dr. Ann M. Archer',
    familyName: 'Archer',
    givenName: 'Ann',
    middleName: 'M.',
    honorificPrefix: 'Dr.',
    honorificSuffix: 'II',
  },
  displayName: 'Ann Archer',
  nickName: 'Annie',
  profileUrl: 'https://intranet.acme.example/ann',
  title: 'Head of bridges',
  userType: 'Employee',
  preferredLanguage: 'de-AT',
  locale: 'de-AT',
  timezone: 'Europe/Vienna',
  active: true,
  emails: [
    { value: 'Ann@acme.example', type: 'work', primary: true, display: 'Office' },
    { value: 'ann@home.example', type: 'home' },
  ],
  phoneNumbers: [{ value: 'tel:+43-1-555', type: 'work', primary: true }],
  ims: [{ value: 'ann.archer', type: 'xmpp' }],
  photos: [{ value: 'https://intranet.acme.example/ann.jpg', type: 'photo' }],
  addresses: [
    {
      formatted: '1 Ring\n1010 Wien',
      streetAddress: '1 Ring',
      locality: 'Wien',
      region: 'W',
      postalCode: '1010',
      country: 'AT',
      type: 'work',
      primary: true,
    },
  ],
  entitlements: [{ value: 'bridge' }],
  roles: [{ value: 'engineer', primary: true }],
  x509Certificates: [{ value: 'MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVM=' }],
};

describe('RFC 7643, section 2: attributes', () => {
  it('keeps every attribute as it was sent, and gives it back', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const boss = await entra.user('boss@acme.example', { name: { givenName: 'Bo' } });
    const enterprise = {
      employeeNumber: '17',
      costCenter: '4130',
      organization: 'Acme',
      division: 'Bridges',
      department: 'Arches',
    };
    const made = await entra.user('Ann@acme.example', {
      ...whole,
      [enterpriseSchema]: { ...enterprise, manager: { value: boss.id } },
    });
    expect(made).toMatchObject({ ...whole, userName: 'Ann@acme.example' });
    expect(made[enterpriseSchema]).toEqual({
      ...enterprise,
      manager: {
        value: boss.id,
        displayName: 'Bo',
        $ref: `${entra.base}/Users/${boss.id}`,
      },
    });
    expect((await entra.get(`/Users/${made.id}`)).json).toEqual(made);
    expect((await entra.filter('/Users', 'userName eq "ann@acme.example"')).json.Resources).toEqual(
      [made],
    );
    const person = await given.rows(
      'select phone, job_title, language, country from users where email = $1',
      ['ann@acme.example'],
    );
    expect(person).toEqual([
      { phone: 'tel:+43-1-555', job_title: 'Head of bridges', language: 'de', country: 'AT' },
    ]);
  });

  it('reads names in any letter case, leaves out what nobody knows, and takes nothing for null', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const made = await entra.post('/Users', {
      SCHEMAS: [userSchema.toUpperCase(), 'urn:example:unknown'],
      USERNAME: 'ann@acme.example',
      Name: { FAMILYNAME: 'Archer', nobody: 'knows' },
      title: null,
      nickName: '',
      phoneNumbers: [],
      emails: null,
      shoeSize: 41,
      meta: { version: 'mine', resourceType: 'Cat' },
      id: 'mine',
      groups: [{ value: 'mine' }],
    });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      userName: 'ann@acme.example',
      name: { familyName: 'Archer' },
    });
    expect(made.json.meta.resourceType).toBe('User');
    for (const name of ['title', 'nickName', 'phoneNumbers', 'shoeSize', 'groups'])
      expect(made.json).not.toHaveProperty(name);
    expect(made.json.id).not.toBe('mine');
    expect(made.json.schemas).not.toContain('urn:example:unknown');
  });

  it('never shows a password', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const made = await entra.post(
      '/Users?attributes=password,userName',
      user('ann@acme.example', { password: 'seven green bridges' }),
    );
    expect(made.status).toBe(201);
    expect(made.text).not.toContain('bridges');
    expect((await entra.filter('/Users', 'password eq "seven green bridges"')).json.scimType).toBe(
      'invalidFilter',
    );
  });
});

describe('RFC 7643, section 3.1: what every resource has', () => {
  it('says where it is, when it changed and which version it is', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const made = await entra.post('/Users', user('ann@acme.example'));
    const { meta, id } = made.json;
    expect(made.headers.location).toBe(`${entra.base}/Users/${id}`);
    expect(meta).toEqual({
      resourceType: 'User',
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      lastModified: meta.created,
      location: made.headers.location,
      version: made.headers.etag,
    });
  });

  it('gives an id that is compared letter by letter', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    const { id } = await entra.user('ann@acme.example');
    expect((await entra.get(`/Users/${id.toUpperCase()}`)).status).toBe(404);
    expect((await entra.filter('/Users', `id eq "${id.toUpperCase()}"`)).json.totalResults).toBe(0);
    expect((await entra.filter('/Users', `id eq "${id}"`)).json.totalResults).toBe(1);
  });

  it('takes the same externalId twice: that is for the directory to know', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const entra = await directoryOf(given, program, acme);
    await entra.user('ann@acme.example', { externalId: 'X' });
    await entra.user('bob@acme.example', { externalId: 'X' });
    expect((await entra.filter('/Users', 'externalId eq "X"')).json.totalResults).toBe(2);
    expect((await entra.filter('/Users', 'externalId eq "x"')).json.totalResults).toBe(0);
  });
});

describe('RFC 7643, sections 5 to 7: what this server can do', () => {
  it('is told in ServiceProviderConfig, with cursors unless the client knows none', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme');
    const entra = await directoryOf(given, program, acme);
    const { json } = await entra.get('/ServiceProviderConfig');
    expect(json).toMatchObject({
      patch: { supported: true },
      bulk: { supported: true, maxOperations: 1000, maxPayloadSize: 1048576 },
      filter: { supported: true, maxResults: 200 },
      sort: { supported: true },
      etag: { supported: true },
      pagination: { cursor: true, index: true, defaultPaginationMethod: 'index' },
      authenticationSchemes: [{ type: 'oauthbearertoken', primary: true }, { type: 'oauth2' }],
    });
    const classic = await directoryOf(given, program, acme, { classicConfig: true });
    expect((await classic.get('/ServiceProviderConfig')).json).not.toHaveProperty('pagination');
    // Errors of the same directory have what RFC 7644 has, and nothing of ours.
    const stranger = user('ann@elsewhere.example');
    const refused = (await entra.post('/Users', stranger)).json;
    const { 'urn:ostiary:params:scim:api:messages:1.0:ErrorDetail': detail, ...plain } = refused;
    expect(detail).toEqual({ reason: 'domain_not_owned' });
    plain.schemas = plain.schemas.slice(0, 1);
    expect((await classic.post('/Users', stranger)).json).toEqual(plain);
    const many = await classic.post('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [{ method: 'POST', path: '/Users', bulkId: 'a', data: stranger }],
    });
    expect(many.json.Operations[0].response).toEqual(plain);
  });

  it('lists resource types and schemas, one by one too, and filters neither', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme');
    const entra = await directoryOf(given, program, acme);
    const types = (await entra.get('/ResourceTypes?startIndex=7&count=x')).json;
    expect(types).toMatchObject({ totalResults: 2, itemsPerPage: 2, startIndex: 1 });
    expect((await entra.get('/ResourceTypes/User')).json).toEqual(types.Resources[0]);
    expect(types.Resources[1]).toMatchObject({ endpoint: '/Groups', schema: groupSchema });
    const schemas = (await entra.get('/Schemas')).json.Resources;
    expect(schemas.map((one: { id: string }) => one.id)).toEqual([
      userSchema,
      enterpriseSchema,
      accountSchema,
      groupSchema,
      'urn:ostiary:params:scim:schemas:extension:account:1.0:Group',
    ]);
    expect((await entra.get(`/Schemas/${encodeURIComponent(userSchema)}`)).json).toEqual(
      schemas[0],
    );
    expect((await entra.get('/Schemas/urn:nobody')).status).toBe(404);
    for (const path of ['/Schemas', '/ResourceTypes'])
      expect((await entra.get(`${path}?filter=id%20pr`)).status).toBe(403);
  });

  it('describes each attribute as RFC 7643 does', async ({ given, program }) => {
    const acme = await given.account('Acme');
    const entra = await directoryOf(given, program, acme);
    const [core] = (await entra.get('/Schemas')).json.Resources;
    const named = (name: string) =>
      core.attributes.find((one: { name: string }) => one.name === name);
    expect(named('userName')).toMatchObject({
      required: true,
      caseExact: false,
      uniqueness: 'server',
      mutability: 'readWrite',
    });
    expect(named('password')).toMatchObject({ mutability: 'writeOnly', returned: 'never' });
    expect(named('groups')).toMatchObject({ mutability: 'readOnly', multiValued: true });
    expect(named('emails').subAttributes.map((one: { name: string }) => one.name)).toEqual([
      'value',
      'display',
      'type',
      'primary',
    ]);
  });
});

describe('what the table of attributes says of itself', () => {
  it('names each attribute once, and knows where each is kept', () => {
    const check = (attributes: readonly Attribute[]): void => {
      const names = attributes.map(({ name }) => name.toLowerCase());
      expect(new Set(names).size).toBe(names.length);
      for (const one of attributes) {
        if (one.multiValued) expect(one.place?.rows?.ofOne).toContain(' where ');
        // Addresses of ours are made for each answer.
        else if (['$ref', 'location'].includes(one.name)) expect(one.place).toEqual({});
        else if (!one.subAttributes && one.returned !== 'never')
          expect(one.place?.value).toBeTruthy();
        check(one.subAttributes ?? []);
      }
    };
    for (const { attributes, extensions } of resourceTypes) {
      check(attributes);
      for (const { schema } of extensions) check(schema.attributes);
    }
    expect(users.attributes.length).toBeGreaterThan(20);
  });
});
