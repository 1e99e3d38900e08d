import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { asClient, authorizeUrl, userinfo } from '#test/support/sign-in.ts';
import { verified } from '../support.ts';

const resource = 'https://api.example/';
const service = {
  name: 'Service',
  resources: [resource],
  metadata: { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
};

describe('RFC 6749, section 4.4: client credentials', () => {
  it('give a service a JWT for a resource, in its own name', async ({ given, program, server }) => {
    await given.resource(resource, ['api:read', 'api:write']);
    const client = await given.client(service);
    const answer = await asClient(program, '/oauth/token', client, {
      grant_type: 'client_credentials',
      scope: 'api:read',
      resource,
    });
    expect(answer.json).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'api:read',
    });
    const { header, claims } = await verified(program, answer.json.access_token, resource, {
      typ: 'at+jwt',
    });
    expect(header.typ).toBe('at+jwt');
    expect(claims).toEqual({
      iss: server.url,
      sub: client.id,
      client_id: client.id,
      aud: resource,
      scope: 'api:read',
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: claims.iat! + 300,
    });
  });

  it('without a resource the token is opaque, and says nothing at userinfo', async ({
    given,
    program,
  }) => {
    const client = await given.client(service);
    const { access_token, refresh_token } = (
      await asClient(program, '/oauth/token', client, { grant_type: 'client_credentials' })
    ).json;
    expect(access_token).toMatch(/^[\w-]{45}$/);
    expect(refresh_token).toBeUndefined();
    expect((await userinfo(program, access_token)).status).toBe(401);
    const introspected = await asClient(program, '/oauth/introspect', client, {
      token: access_token,
    });
    expect(introspected.json).toMatchObject({ active: true, client_id: client.id });
    expect(introspected.json).not.toHaveProperty('sub');
  });

  it('no openid for a service: there is nobody to identify', async ({ given, program }) => {
    const client = await given.client(service);
    const answer = await asClient(program, '/oauth/token', client, {
      grant_type: 'client_credentials',
      scope: 'openid profile',
    });
    if (answer.status === 200) {
      expect(answer.json).not.toHaveProperty('id_token');
      expect((await userinfo(program, answer.json.access_token)).status).toBe(401);
    } else expect(answer.json.error).toBe('invalid_scope');
  });

  it('an application that is not registered for it gets none, and a public one never', async ({
    given,
    program,
  }) => {
    const grant = { grant_type: 'client_credentials' };
    const web = await given.client();
    const refused = await asClient(program, '/oauth/token', web, grant);
    expect([refused.status, refused.json.error]).toEqual([400, 'unauthorized_client']);
    const open = await given.client({
      metadata: { token_endpoint_auth_method: 'none', grant_types: ['client_credentials'] },
    });
    const answer = await asClient(program, '/oauth/token', open, grant);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.json).not.toHaveProperty('access_token');
  });

  it('a service has no business at the authorization endpoint', async ({ given, browser }) => {
    const client = await given.client(service);
    const answer = await browser.get(
      authorizeUrl({ ...client, redirectUri: 'https://rp.example/cb' }),
    );
    expect(answer.status).toBe(400);
    expect(answer.location).toBeNull();
  });
});
