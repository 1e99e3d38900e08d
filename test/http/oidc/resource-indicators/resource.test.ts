import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import {
  asClient,
  authorizeUrl,
  codeOf,
  redeem,
  refresh,
  signIn,
  tokensFor,
  userinfo,
} from '#test/support/sign-in.ts';
import { said, verified } from '../support.ts';

const resource = 'https://api.example/';

describe('RFC 8707: resource indicators', () => {
  it('give a JWT access token for the resource, as RFC 9068 has it, for 300 seconds', async ({
    given,
    browser,
    program,
    server,
  }) => {
    await given.resource(resource);
    const acme = await given.account('Acme');
    const ann = await given.user('ann@acme.example', { of: acme });
    const client = await given.client({ resources: [resource] });
    const tokens = await tokensFor(browser, client, ann, { scope: 'openid api:read', resource });
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'api:read' });
    const { header, claims } = await verified(program, tokens.access_token, resource, {
      typ: 'at+jwt',
    });
    expect(header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(claims).toEqual({
      iss: server.url,
      sub: ann.id,
      aud: resource,
      client_id: client.id,
      scope: 'api:read',
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: claims.iat! + 300,
      org: acme.id,
      org_name: 'Acme',
    });
    expect(tokens.id_token).toBeTruthy();
  });

  it('with the algorithm and the lifetime the resource is registered with', async ({
    given,
    browser,
    program,
    server,
  }) => {
    await given.resource(resource);
    await given.rows(`update resource_servers set alg = 'RS256', ttl = 60`);
    await server.app.foundation.database.notify('ostiary_clients', '');
    const client = await given.client({ resources: [resource] });
    const tokens = await tokensFor(browser, client, await given.user(), {
      scope: 'openid api:read',
      resource,
    });
    const { header, claims } = await verified(program, tokens.access_token, resource);
    expect(header.alg).toBe('RS256');
    expect(claims.exp! - claims.iat!).toBe(60);
  });

  it('a JWT access token is not for us: userinfo, introspection and revocation refuse it', async ({
    given,
    browser,
    program,
    server,
  }) => {
    await given.resource(resource);
    const client = await given.client({ resources: [resource] });
    const { access_token } = await tokensFor(browser, client, await given.user(), {
      scope: 'openid api:read',
      resource,
    });
    expect((await userinfo(program, access_token)).status).toBe(401);
    const [told, revoked] = await Promise.all(
      ['/oauth/introspect', '/oauth/revoke'].map((path) =>
        asClient(program, path, client, { token: access_token }),
      ),
    );
    // RFC 7662, section 2.2, knows no such error; RFC 7009, section 2.2.1, does.
    expect([told!.status, told!.json]).toEqual([200, { active: false }]);
    expect([revoked!.status, revoked!.json.error]).toEqual([400, 'unsupported_token_type']);
    expect(await given.rows(`select 1 from oidc_artifacts where model = 'AccessToken'`)).toEqual(
      [],
    );
    expect(server.errors).toEqual([]);
  });

  it('a person without an account has no org in it', async ({ given, browser, program }) => {
    await given.resource(resource);
    const client = await given.client({ resources: [resource] });
    const { access_token } = await tokensFor(browser, client, await given.user(), {
      scope: 'openid api:read',
      resource,
    });
    expect((await verified(program, access_token, resource)).claims).not.toHaveProperty('org');
  });

  it('scopes of the resource need the resource, and only its scopes are in its tokens', async ({
    given,
    browser,
    program,
  }) => {
    await given.resource(resource);
    const client = await given.client({ resources: [resource] });
    const ann = await given.user();
    const without = await tokensFor(browser, client, ann, { scope: 'openid api:read' });
    expect(without.scope).toBe('openid');
    const other = await tokensFor(browser, client, ann, {
      scope: 'openid email api:read api:write',
      resource,
    });
    const { claims } = await verified(program, other.access_token, resource);
    expect(claims['scope']).toBe('api:read');
  });

  for (const [what, indicator] of Object.entries({
    'that nobody registered': 'https://other.example/',
    'that this client may not use': 'https://forbidden.example/',
    'that is no absolute address': '/api',
    'with a fragment': 'https://api.example/#x',
  }))
    it(`a resource ${what} is refused with invalid_target, at both endpoints`, async ({
      given,
      browser,
    }) => {
      await given.resource(resource);
      await given.resource('https://forbidden.example/');
      const client = await given.client({
        resources: [resource],
        metadata: { grant_types: ['authorization_code', 'client_credentials'] },
      });
      const answer = await browser.get(authorizeUrl(client, { resource: indicator }));
      expect(said(answer)).toMatchObject({ error: 'invalid_target', state: 'state-1' });
      const token = await asClient(browser, '/oauth/token', client, {
        grant_type: 'client_credentials',
        resource: indicator,
      });
      expect(token.status).toBe(400);
      expect(token.json.error).toBe('invalid_target');
    });

  it('a token can be had for no resource but those the person was asked about', async ({
    given,
    browser,
  }) => {
    await given.resource(resource);
    await given.resource('https://second.example/', ['second']);
    const client = await given.client({ resources: [resource, 'https://second.example/'] });
    const code = codeOf(
      await signIn(browser, client, await given.user(), { scope: 'openid api:read', resource }),
    );
    const answer = await redeem(browser, client, code, { resource: 'https://second.example/' });
    expect(answer.json.error).toBe('invalid_target');
  });

  it('two resources in one request: the token endpoint is told which', async ({
    given,
    browser,
    program,
  }) => {
    const second = 'https://second.example/';
    await given.resource(resource);
    await given.resource(second, ['second']);
    const client = await given.client({ resources: [resource, second] });
    const ann = await given.user();
    await signIn(browser, client, ann);
    const url = authorizeUrl(client, { scope: 'openid api:read second offline_access', resource });
    const code = codeOf(await browser.get(`${url}&resource=${encodeURIComponent(second)}`));
    const tokens = await redeem(browser, client, code, { resource: second });
    expect((await verified(program, tokens.json.access_token, second)).claims['scope']).toBe(
      'second',
    );
    const other = await asClient(browser, '/oauth/token', client, {
      grant_type: 'refresh_token',
      refresh_token: tokens.json.refresh_token,
      resource,
    });
    expect((await verified(program, other.json.access_token, resource)).claims['scope']).toBe(
      'api:read',
    );
  });

  it('a refresh token keeps its resource', async ({ given, browser, program }) => {
    await given.resource(resource);
    const client = await given.client({ resources: [resource] });
    const tokens = await tokensFor(browser, client, await given.user(), {
      scope: 'openid api:read offline_access',
      resource,
    });
    const again = await refresh(program, client, tokens.refresh_token!);
    expect((await verified(program, again.json.access_token, resource)).claims.aud).toBe(resource);
  });

  it('a third party asks the person about the scopes of the resource', async ({
    given,
    browser,
    program,
  }) => {
    await given.resource(resource);
    const client = await given.client({ firstParty: false, resources: [resource] });
    const page = await signIn(browser, client, await given.user(), {
      scope: 'openid api:read',
      resource,
    });
    expect(page.words).toContain('api:read');
    const answer = await browser.follow(await browser.submit(page.forms[0]!));
    const tokens = await redeem(browser, client, codeOf(answer));
    const { claims } = await verified(program, tokens.json.access_token, resource);
    expect(claims['scope']).toBe('api:read');
  });
});
