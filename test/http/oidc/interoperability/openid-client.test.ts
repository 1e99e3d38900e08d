import * as openid from 'openid-client';
import { describe, expect } from 'vitest';
import type { Agent, Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { typePassword } from '#test/support/sign-in.ts';
import type { GivenClient, GivenUser } from '#test/support/world.ts';
import { native, spa } from '../support.ts';

/** A certified relying party, which checks what we send more strictly than a test of ours would. */
function relyingParty(url: string, client: GivenClient): Promise<openid.Configuration> {
  return openid.discovery(
    new URL(url),
    client.id,
    { redirect_uris: [client.redirectUri] },
    client.secret === '' ? openid.None() : openid.ClientSecretBasic(client.secret),
    { execute: [openid.allowInsecureRequests] },
  );
}

async function visit(browser: Agent, url: URL, user: GivenUser): Promise<Answer> {
  const page = await browser.follow(await browser.get(url));
  return page.location ? page : typePassword(browser, page, user);
}

describe('a certified relying party library', () => {
  it('signs in with PKCE, nonce and state; refreshes, introspects, revokes and signs out', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const config = await relyingParty(server.url, client);
    expect(config.serverMetadata().supportsPKCE()).toBe(true);
    const verifier = openid.randomPKCECodeVerifier();
    const [state, nonce] = [openid.randomState(), openid.randomNonce()];
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: client.redirectUri,
      scope: 'openid email offline_access',
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
      max_age: '600',
    });
    const answer = await visit(browser, url, ann);
    const tokens = await openid.authorizationCodeGrant(config, answer.location!, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      maxAge: 600,
      idTokenExpected: true,
    });
    expect(tokens.claims()!.sub).toBe(ann.id);
    const info = await openid.fetchUserInfo(config, tokens.access_token, ann.id);
    expect(info.email).toBe(ann.email);
    const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token!);
    expect(renewed.claims()!.sub).toBe(ann.id);
    expect((await openid.tokenIntrospection(config, renewed.access_token)).active).toBe(true);
    await openid.tokenRevocation(config, renewed.refresh_token!);
    expect((await openid.tokenIntrospection(config, renewed.access_token)).active).toBe(false);
    await expect(openid.refreshTokenGrant(config, renewed.refresh_token!)).rejects.toMatchObject({
      error: 'invalid_grant',
    });
    const end = openid.buildEndSessionUrl(config, {
      id_token_hint: renewed.id_token!,
      post_logout_redirect_uri: 'https://rp.example/signed-out',
      state: 'bye',
    });
    const out = await browser.get(end);
    expect(out.location?.href).toBe('https://rp.example/signed-out?state=bye');
    expect(server.errors).toEqual([]);
  });

  it('errors carry state and iss, as it demands', async ({ given, browser, server }) => {
    const client = await given.client(spa);
    const config = await relyingParty(server.url, client);
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: client.redirectUri,
      scope: 'openid',
      prompt: 'none',
      state: 's',
      code_challenge: await openid.calculatePKCECodeChallenge(openid.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
    });
    const answer = await browser.get(url);
    await expect(
      openid.authorizationCodeGrant(config, answer.location!, { expectedState: 's' }),
    ).rejects.toMatchObject({ error: 'login_required' });
  });

  it('pushes its request and binds its tokens with DPoP', async ({ given, browser, server }) => {
    const client = await given.client(spa);
    const ann = await given.user();
    const config = await relyingParty(server.url, client);
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'));
    const verifier = openid.randomPKCECodeVerifier();
    const url = await openid.buildAuthorizationUrlWithPAR(
      config,
      {
        redirect_uri: client.redirectUri,
        scope: 'openid offline_access',
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      },
      { DPoP },
    );
    const answer = await visit(browser, url, ann);
    const tokens = await openid.authorizationCodeGrant(
      config,
      answer.location!,
      { pkceCodeVerifier: verifier, idTokenExpected: true },
      undefined,
      { DPoP },
    );
    expect(tokens.token_type).toBe('dpop');
    const info = await openid.fetchUserInfo(config, tokens.access_token, ann.id, { DPoP });
    expect(info.sub).toBe(ann.id);
    const renewed = await openid.refreshTokenGrant(config, tokens.refresh_token!, undefined, {
      DPoP,
    });
    expect(renewed.token_type).toBe('dpop');
    expect(server.errors).toEqual([]);
  });

  it('waits for a person at a device', async ({ given, browser, server }) => {
    const client = await given.client({
      ...native,
      metadata: {
        ...native.metadata,
        grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'],
        response_types: [],
        redirect_uris: [],
      },
    });
    const ann = await given.user();
    const config = await relyingParty(server.url, client);
    const device = await openid.initiateDeviceAuthorization(config, { scope: 'openid' });
    expect(device.interval).toBe(5);
    const carried = await browser.get(device.verification_uri_complete!);
    const question = await browser.submit(carried.forms[0]!);
    const page = await browser.follow(await browser.submit(question.forms[0]!));
    await typePassword(browser, page, ann);
    const tokens = await openid.pollDeviceAuthorizationGrant(config, { ...device, interval: 0.01 });
    expect(tokens.claims()!.sub).toBe(ann.id);
    expect(server.errors).toEqual([]);
  });

  it('gets tokens for a service', async ({ given, server }) => {
    const resource = await given.resource();
    const service = await given.client({
      name: 'Service',
      resources: [resource],
      metadata: { grant_types: ['client_credentials'], response_types: [], redirect_uris: [] },
    });
    const config = await relyingParty(server.url, service);
    const tokens = await openid.clientCredentialsGrant(config, { resource, scope: 'api:read' });
    expect(tokens.scope).toBe('api:read');
    expect(tokens.expires_in).toBe(300);
  });
});
