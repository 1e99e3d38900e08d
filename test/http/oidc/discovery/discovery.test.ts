import { describe, expect } from 'vitest';
import { listSigningKeys } from '#identity/keys/signing-keys.ts';
import { locales } from '#platform/i18n.ts';
import { it } from '#test/support/it.ts';

const paths = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'];

const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'];
const assertions = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];

describe('OpenID Connect Discovery 1.0 and RFC 8414', () => {
  it('say exactly what there is', async ({ program, server }) => {
    const { url } = server;
    for (const path of paths) {
      const answer = await program.get(path);
      expect(answer.status).toBe(200);
      expect(answer.headers['content-type']).toMatch(/^application\/json/);
      expect(answer.json).toEqual({
        issuer: url,
        authorization_endpoint: `${url}/oauth/authorize`,
        token_endpoint: `${url}/oauth/token`,
        userinfo_endpoint: `${url}/oauth/userinfo`,
        jwks_uri: `${url}/oauth/jwks`,
        introspection_endpoint: `${url}/oauth/introspect`,
        revocation_endpoint: `${url}/oauth/revoke`,
        pushed_authorization_request_endpoint: `${url}/oauth/par`,
        device_authorization_endpoint: `${url}/oauth/device_authorization`,
        end_session_endpoint: `${url}/oauth/end_session`,
        response_types_supported: ['code', 'none'],
        response_modes_supported: ['form_post', 'fragment', 'query'],
        grant_types_supported: [
          'authorization_code',
          'refresh_token',
          'client_credentials',
          'urn:ietf:params:oauth:grant-type:device_code',
        ],
        subject_types_supported: ['public', 'pairwise'],
        scopes_supported: [
          'openid',
          'offline_access',
          'profile',
          'email',
          'phone',
          'address',
          'organization',
          'roles',
          'groups',
          'scim',
        ],
        claims_supported: expect.arrayContaining([
          'sub',
          'iss',
          'auth_time',
          'acr',
          'amr',
          'sid',
          'session_expiry',
          'name',
          'email',
          'email_verified',
          'org',
          'roles',
          'groups',
        ]),
        claim_types_supported: ['normal'],
        claims_parameter_supported: true,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        acr_values_supported: [
          'urn:ostiary:acr:password',
          'urn:ostiary:acr:known-device',
          'urn:ostiary:acr:mfa',
          'urn:ostiary:acr:federated',
        ],
        prompt_values_supported: ['none', 'login', 'consent'],
        display_values_supported: ['page', 'popup', 'touch'],
        introspection_endpoint_auth_methods_supported: [
          'client_secret_basic',
          'client_secret_post',
          'private_key_jwt',
        ],
        introspection_endpoint_auth_signing_alg_values_supported: assertions,
        revocation_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_signing_alg_values_supported: assertions,
        ui_locales_supported: [...locales],
        code_challenge_methods_supported: ['S256'],
        id_token_signing_alg_values_supported: ['ES256', 'RS256'],
        token_endpoint_auth_methods_supported: methods,
        token_endpoint_auth_signing_alg_values_supported: assertions,
        dpop_signing_alg_values_supported: ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
        authorization_response_iss_parameter_supported: true,
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
      });
    }
  });

  it('name endpoints that are there', async ({ program }) => {
    const metadata = (await program.get(paths[0]!)).json as Record<string, string>;
    for (const [name, address] of Object.entries(metadata))
      if (name.endsWith('_endpoint') || name === 'jwks_uri')
        expect((await program.post(address)).status === 404 && name !== 'jwks_uri').toBe(false);
  });

  it('are prepared: the same bytes, with a tag, 304 for who has them, and open to every origin', async ({
    program,
  }) => {
    for (const path of [...paths, '/oauth/jwks']) {
      const answers = [await program.get(path), await program.get(path)];
      for (const answer of answers) {
        expect(answer.status).toBe(200);
        expect(answer.headers).toMatchObject({
          'cache-control': 'public, max-age=300, stale-while-revalidate=3600',
          'access-control-allow-origin': '*',
          'x-content-type-options': 'nosniff',
        });
        expect(answer.headers['set-cookie']).toBeUndefined();
      }
      const { etag } = answers[0]!.headers;
      expect(etag).toBeTruthy();
      expect(answers[1]!.headers.etag).toBe(etag);
      expect(answers[1]!.text).toBe(answers[0]!.text);
      const fresh = await program.get(path, { headers: { 'if-none-match': etag! } });
      expect(fresh.status).toBe(304);
      expect(fresh.text).toBe('');
      const head = await program.send(path, { method: 'HEAD' });
      expect(head.status).toBe(200);
      expect(head.text).toBe('');
      expect(head.headers['content-length']).toBe(String(Buffer.byteLength(answers[0]!.text)));
    }
  });

  it('HEAD comes before GET, too', async ({ program }) => {
    const head = await program.send(paths[0]!, { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect((await program.get(paths[0]!)).json.issuer).toBeTruthy();
  });

  it('are the same with a query behind them, or from another origin', async ({ program }) => {
    const { text } = await program.get(paths[0]!);
    const other = await program.get(`${paths[0]!}?x=1`, {
      headers: { origin: 'https://spa.example' },
    });
    expect(other.text).toBe(text);
    expect(other.headers['access-control-allow-origin']).toBeTruthy();
  });

  it('publish keys without their private part, current and next, for each algorithm', async ({
    program,
    server,
  }) => {
    const answer = await program.get('/oauth/jwks');
    expect(answer.headers['content-type']).toMatch(/^application\/jwk-set\+json/);
    const { keys } = answer.json as { keys: Record<string, string>[] };
    // Other tests of this worker may have retired some: they are published, too.
    const known = await listSigningKeys(server.app.foundation.database);
    expect(keys.map(({ kid }) => kid!).toSorted()).toEqual(known.map(({ kid }) => kid).toSorted());
    for (const alg of ['ES256', 'RS256'])
      for (const state of ['current', 'next']) {
        const [key, ...others] = known.filter((one) => one.alg === alg && one.state === state);
        expect(others).toEqual([]);
        expect(keys.find(({ kid }) => kid === key!.kid)?.['alg']).toBe(alg);
      }
    for (const key of keys) {
      expect(key['use']).toBe('sig');
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k'])
        expect(key).not.toHaveProperty(secret);
    }
  });
});
