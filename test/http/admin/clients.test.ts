import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { asClient, codeOf, redeem, signIn } from '#test/support/sign-in.ts';
import { caller } from './support.ts';

describe('an application', () => {
  it('is registered, and people sign in to it at once', async ({
    given,
    program,
    browser,
    server,
  }) => {
    const operator = caller(program, await given.apiToken());
    const ann = await given.user();
    const made = await operator.post('/clients', {
      name: 'Planner',
      firstParty: true,
      requiresAccount: false,
      metadata: { redirect_uris: ['https://planner.example/cb'] },
    });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      name: 'Planner',
      firstParty: true,
      version: 1,
      secret: expect.any(String),
    });
    expect(made.headers.location).toBe(`/api/v1/clients/${made.json.id}`);
    const client = {
      id: made.json.id,
      secret: made.json.secret,
      redirectUri: 'https://planner.example/cb',
    };
    const tokens = await redeem(browser, client, codeOf(await signIn(browser, client, ann)));
    expect(tokens.status).toBe(200);
    const { secret, ...shown } = made.json;
    expect(secret).toHaveLength(43);
    expect((await operator.get(`/clients/${client.id}`)).json).toEqual(shown);
    expect(server.errors).toEqual([]);
  });

  it('changes over from one secret to the next without a gap', async ({
    given,
    program,
    server,
  }) => {
    const operator = caller(program, await given.apiToken());
    const service = (
      await operator.post('/clients', {
        id: 'export',
        name: 'Export',
        requiresAccount: false,
        metadata: { grant_types: ['client_credentials'] },
      })
    ).json;
    const works = async (secret: string): Promise<boolean> =>
      (
        await asClient(
          program,
          '/oauth/token',
          { id: 'export', secret, redirectUri: '' },
          { grant_type: 'client_credentials' },
        )
      ).status === 200;
    expect(await works(service.secret)).toBe(true);
    const inAnHour = new Date(server.clock().getTime() + 3600_000).toISOString();
    const second = (await operator.post('/clients/export/secrets', { expiresAt: inAnHour })).json;
    expect(await works(second.secret)).toBe(true);
    const listed = (await operator.get('/clients/export/secrets')).json.items;
    expect(listed).toHaveLength(2);
    expect(listed[0]).toEqual({
      id: second.id,
      hint: second.secret.slice(-4),
      createdAt: expect.any(String),
      expiresAt: inAnHour,
    });
    expect((await operator.delete(`/clients/export/secrets/${listed[1].id}`)).status).toBe(204);
    expect(await works(service.secret)).toBe(false);
    expect(await works(second.secret)).toBe(true);
    server.clock.advance(3601);
    expect(await works(second.secret)).toBe(false);
    expect((await operator.delete(`/clients/export/secrets/${listed[1].id}`)).json.code).toBe(
      'not_found',
    );
    const past = { expiresAt: '2020-01-01T00:00:00Z' };
    expect((await operator.post('/clients/export/secrets', past)).json.code).toBe('invalid_value');
    const open = {
      name: 'Open',
      metadata: { token_endpoint_auth_method: 'none', redirect_uris: ['https://o.example/'] },
    };
    const { id, secret } = (await operator.post('/clients', open)).json;
    expect(secret).toBeNull();
    expect((await operator.post(`/clients/${id}/secrets`)).json.code).toBe('invalid_client');
  });

  it('is changed, disabled and removed, and heard of at once', async ({
    given,
    program,
    browser,
    server,
  }) => {
    const operator = caller(program, await given.apiToken());
    const ann = await given.user();
    const client = await given.client();
    const path = `/clients/${client.id}`;
    const { version, metadata } = (await operator.get(path)).json;
    expect((await operator.patch(path, { name: 'Other', version })).json).toMatchObject({
      name: 'Other',
      metadata,
    });
    expect((await operator.patch(path, { name: 'Third', version })).json).toMatchObject({
      status: 409,
      code: 'version_conflict',
    });
    expect((await operator.patch(path, { requiredRoles: ['planner'] })).json.requiredRoles).toEqual(
      ['planner'],
    );
    expect(
      (await signIn(browser, client, ann)).location?.searchParams.get('code') ?? null,
    ).toBeNull();
    await operator.patch(path, { requiredRoles: [], disabled: true });
    expect((await signIn(browser, client, ann).catch(() => null))?.location ?? null).toBeNull();
    expect((await operator.patch(path, { disabled: false })).json.disabledAt).toBeNull();
    expect(codeOf(await signIn(server.agent(), client, ann))).toBeTruthy();
    expect((await operator.delete(path)).status).toBe(204);
    for (const answer of [
      await operator.delete(path),
      await operator.get(path),
      await operator.patch(path, {}),
    ])
      expect(answer.json).toMatchObject({ status: 404, code: 'client_not_found' });
    expect(server.errors).toEqual([]);
  });

  it('has an id of its own', async ({ given, program }) => {
    const operator = caller(program, await given.apiToken());
    const body = {
      id: 'planner',
      name: 'P',
      metadata: { redirect_uris: ['https://p.example/cb'] },
    };
    expect((await operator.post('/clients', body)).status).toBe(201);
    expect((await operator.post('/clients', body)).json).toMatchObject({
      status: 409,
      code: 'client_exists',
    });
    expect((await operator.post('/clients', { ...body, id: 'a b' })).json.code).toBe(
      'invalid_value',
    );
    for (const id of ['alpha', 'beta', 'gamma']) await operator.post('/clients', { ...body, id });
    const first = (await operator.get('/clients?limit=3')).json;
    const second = (await operator.get(`/clients?limit=3&cursor=${first.nextCursor}`)).json;
    expect([...first.items, ...second.items].map(({ id }: { id: string }) => id)).toEqual([
      'alpha',
      'beta',
      'gamma',
      'planner',
    ]);
    expect((await operator.get('/clients?q=ALPH')).json.items).toHaveLength(1);
  });
});

describe('what no application may be', () => {
  const redirect = (uri: string, more: object = {}) => ({ redirect_uris: [uri], ...more });
  const native = { application_type: 'native', token_endpoint_auth_method: 'none' };

  it.for([
    ['the implicit grant', redirect('https://p.example/cb', { grant_types: ['implicit'] })],
    [
      'tokens in the address',
      redirect('https://p.example/cb', { response_types: ['id_token token'] }),
    ],
    ['the password grant', redirect('https://p.example/cb', { grant_types: ['password'] })],
    [
      'client credentials without credentials',
      { grant_types: ['client_credentials'], token_endpoint_auth_method: 'none' },
    ],
    ['nowhere to go back to', {}],
    ['http', redirect('http://p.example/cb')],
    ['http that looks like loopback', redirect('http://localhost.evil.example/cb')],
    ['http to a private address', redirect('http://10.0.0.1/cb')],
    ['a fragment', redirect('https://p.example/cb#x')],
    ['an empty fragment', redirect('https://p.example/cb#')],
    ['a name and a password', redirect('https://p.example@evil.example/cb')],
    ['an empty name', redirect('https://@evil.example/cb')],
    ['a wildcard', redirect('https://*.p.example/cb')],
    ['no address', redirect('/cb')],
    ['a script', redirect('javascript:alert(1)', native)],
    ['data', redirect('data:text/html,x', native)],
    ['a scheme without a domain', redirect('myapp:/cb', native)],
    ['a scheme for the web', redirect('com.example.app:/cb')],
    ['a backslash', redirect('https://p.example\\@evil.example/cb')],
    ['a space', redirect('https://p.example/c b')],
    [
      'logging out to http',
      redirect('https://p.example/cb', { post_logout_redirect_uris: ['http://p.example/'] }),
    ],
    [
      'a logout address without https',
      redirect('https://p.example/cb', { backchannel_logout_uri: 'http://p.example/bcl' }),
    ],
    [
      'a logout address within',
      redirect('https://p.example/cb', { backchannel_logout_uri: 'http://10.0.0.1/bcl' }),
    ],
    [
      'keys without https',
      redirect('https://p.example/cb', {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: 'http://p.example/jwks',
      }),
    ],
    [
      'a picture that is a script',
      redirect('https://p.example/cb', { logo_uri: 'javascript:alert(1)' }),
    ],
    [
      'an algorithm that is none',
      redirect('https://p.example/cb', { id_token_signed_response_alg: 'none' }),
    ],
    [
      'a private key',
      redirect('https://p.example/cb', {
        jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'a', y: 'b', d: 'c' }] },
      }),
    ],
    ['any origin', redirect('https://p.example/cb', { cors_origins: ['*'] })],
  ] as const)('%s', async ([, metadata], { given, program, server }) => {
    const operator = caller(program, await given.apiToken());
    const answer = await operator.post('/clients', { name: 'P', metadata });
    expect(answer.json).toMatchObject({
      status: 422,
      code: 'invalid_client',
      details: { problems: [{ field: expect.any(String), problem: expect.any(String) }] },
    });
    expect(await given.rows('select 1 from clients')).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it.for([
    ['https', redirect('https://p.example/cb?x=1')],
    ['loopback by name', redirect('http://localhost:4000/cb', native)],
    ['loopback by address', redirect('http://127.0.0.1/cb', native)],
    ['loopback of IPv6', redirect('http://[::1]:9/cb', native)],
    ["a scheme of one's own", redirect('com.example.app:/cb', native)],
    [
      'a logout address that is allowed here',
      redirect('https://p.example/cb', { backchannel_logout_uri: 'http://127.0.0.1:4899/bcl' }),
    ],
    [
      'a device',
      redirect('https://p.example/cb', {
        grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
      }),
    ],
  ] as const)('but %s', async ([, metadata], { given, program }) => {
    const operator = caller(program, await given.apiToken());
    const answer = await operator.post('/clients', { name: 'P', metadata });
    expect([answer.status, answer.json.details]).toEqual([201, undefined]);
  });

  it('not even by a change', async ({ given, program }) => {
    const operator = caller(program, await given.apiToken());
    const client = await given.client();
    const bad = { metadata: { redirect_uris: ['http://p.example/cb'] } };
    expect((await operator.patch(`/clients/${client.id}`, bad)).json.code).toBe('invalid_client');
    const unknown = {
      metadata: { redirect_uris: ['https://p.example/cb'], client_secret: 'mine' },
    };
    expect((await operator.patch(`/clients/${client.id}`, unknown)).json).toMatchObject({
      code: 'invalid_value',
      errors: [{ field: 'metadata.client_secret' }],
    });
  });
});

describe('an API that takes tokens', () => {
  it('is registered, used and removed', async ({ given, program, server }) => {
    const operator = caller(program, await given.apiToken());
    const resource = {
      identifier: 'https://orders.example/',
      name: 'Orders',
      scopes: ['orders:read'],
    };
    const made = await operator.post('/resource-servers', resource);
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ ...resource, ttl: 300, alg: 'ES256' });
    expect((await operator.post('/resource-servers', resource)).json).toMatchObject({
      status: 409,
      code: 'resource_exists',
    });
    expect((await operator.get('/resource-servers')).json.items).toEqual([made.json]);
    const service = (
      await operator.post('/clients', {
        name: 'Export',
        requiresAccount: false,
        resources: [resource.identifier],
        metadata: { grant_types: ['client_credentials'] },
      })
    ).json;
    const token = () =>
      asClient(
        program,
        '/oauth/token',
        { ...service, redirectUri: '' },
        {
          grant_type: 'client_credentials',
          resource: resource.identifier,
          scope: 'orders:read',
        },
      );
    expect((await token()).json).toMatchObject({ token_type: 'Bearer' });
    const path = `/resource-servers/${encodeURIComponent(resource.identifier)}`;
    expect((await operator.delete(path)).status).toBe(204);
    expect((await token()).json.error).toBe('invalid_target');
    expect((await operator.delete(path)).json.code).toBe('not_found');
    for (const bad of ['orders', 'ftp://x.example/', 'https://x.example/#y'])
      expect(
        (await operator.post('/resource-servers', { ...resource, identifier: bad })).json.code,
      ).toBe('invalid_value');
    expect(server.errors).toEqual([]);
  });
});
