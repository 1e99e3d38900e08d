import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { describe, expect } from 'vitest';
import type { Agent, Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { asClient, codeOf, redeem, signIn } from '#test/support/sign-in.ts';
import type { GivenClient, GivenUser } from '#test/support/world.ts';
import { spa, verified } from '../support.ts';

/** The key of an application, and its proofs. */
async function prover(issuer: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwk: JWK = await exportJWK(publicKey);
  let count = 0;
  function proof(htm: string, path: string, more: Record<string, unknown> = {}): Promise<string> {
    const { alg = 'ES256', typ = 'dpop+jwt', token, ...claims } = more;
    return new SignJWT({
      jti: `proof-${(count += 1)}-${Math.random()}`,
      htm,
      htu: `${issuer}${path}`,
      iat: Math.floor(Date.now() / 1000),
      ...(typeof token === 'string' && {
        ath: createHash('sha256').update(token).digest('base64url'),
      }),
      ...claims,
    })
      .setProtectedHeader({ alg: alg as string, typ: typ as string, jwk })
      .sign(privateKey);
  }
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    /** For the token endpoint. */
    forTokens: (more?: Record<string, unknown>) => proof('POST', '/oauth/token', more),
    /** For userinfo; of the token that is shown there. */
    forUserinfo: (more?: Record<string, unknown>) => proof('GET', '/oauth/userinfo', more),
  };
}

function askUserinfo(
  program: Agent,
  token: string,
  DPoP?: string,
  scheme = 'DPoP',
): Promise<Answer> {
  return program.get('/oauth/userinfo', {
    headers: {
      authorization: `${scheme} ${token}`,
      accept: 'application/json',
      ...(DPoP && { DPoP }),
    },
  });
}

async function redeemWith(
  browser: Agent,
  client: GivenClient,
  code: string,
  DPoP: string,
): Promise<Answer> {
  // `redeem` knows the verifier; the proof goes along as a header.
  const before = browser.headers;
  browser.headers = { ...before, DPoP };
  try {
    return await redeem(browser, client, code);
  } finally {
    browser.headers = before;
  }
}

/** The access token of somebody who signs in to it, bound to its key. */
async function boundToken(
  browser: Agent,
  client: GivenClient,
  person: GivenUser,
  key: Awaited<ReturnType<typeof prover>>,
): Promise<string> {
  const code = codeOf(await signIn(browser, client, person));
  const answer = await redeemWith(browser, client, code, await key.forTokens());
  return answer.json.access_token;
}

describe('RFC 9449: DPoP', () => {
  it('binds tokens to the key of the application; without its proof they are worth nothing', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client(spa);
    const ann = await given.user();
    const key = await prover(server.url);
    const other = await prover(server.url);
    const answer = await redeemWith(
      browser,
      client,
      codeOf(await signIn(browser, client, ann, { scope: 'openid offline_access' })),
      await key.forTokens(),
    );
    expect(answer.json).toMatchObject({ token_type: 'DPoP' });
    const { access_token: token, refresh_token } = answer.json;

    const good = await askUserinfo(program, token, await key.forUserinfo({ token }));
    expect(good.status).toBe(200);
    expect(good.json.sub).toBe(ann.id);

    for (const bad of [
      await askUserinfo(program, token),
      await askUserinfo(program, token, undefined, 'Bearer'),
      await askUserinfo(program, token, await other.forUserinfo({ token })),
    ])
      expect([400, 401]).toContain(bad.status);

    const bare = await asClient(program, '/oauth/token', client, {
      grant_type: 'refresh_token',
      refresh_token,
    });
    expect(bare.json.error).toBe('invalid_grant');
    const stolen = await asClient(
      program,
      '/oauth/token',
      client,
      { grant_type: 'refresh_token', refresh_token },
      { DPoP: await other.forTokens() },
    );
    expect(stolen.json.error).toBe('invalid_grant');
    const renewed = await asClient(
      program,
      '/oauth/token',
      client,
      { grant_type: 'refresh_token', refresh_token },
      { DPoP: await key.forTokens() },
    );
    expect(renewed.json).toMatchObject({ token_type: 'DPoP' });
    expect(server.errors).toEqual([]);
  });

  it('is in cnf of a JWT access token and of introspection', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const resource = await given.resource();
    const client = await given.client({
      resources: [resource],
      metadata: { grant_types: ['authorization_code', 'client_credentials'] },
    });
    const key = await prover(server.url);
    const jwt = await asClient(
      program,
      '/oauth/token',
      client,
      { grant_type: 'client_credentials', resource },
      { DPoP: await key.forTokens() },
    );
    expect(jwt.json.token_type).toBe('DPoP');
    const { claims } = await verified(program, jwt.json.access_token, resource);
    expect(claims['cnf']).toEqual({ jkt: key.thumbprint });

    const opaque = await boundToken(browser, client, await given.user(), key);
    const introspected = await asClient(program, '/oauth/introspect', client, {
      token: opaque,
    });
    expect(introspected.json).toMatchObject({
      active: true,
      token_type: 'DPoP',
      cnf: { jkt: key.thumbprint },
    });
  });

  it('a proof works once, even where ten come at the same time', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client(spa);
    const key = await prover(server.url);
    const token = await boundToken(browser, client, await given.user(), key);
    for (let round = 0; round < 5; round += 1) {
      const proof = await key.forUserinfo({ token });
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => askUserinfo(program, token, proof)),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      const later = await askUserinfo(program, token, proof);
      expect(later.status).toBe(401);
      expect(later.headers['www-authenticate']).toContain('DPoP');
    }
    expect(server.errors).toEqual([]);
  });

  for (const [what, change] of Object.entries<Record<string, unknown>>({
    'another method': { htm: 'GET' },
    'another address': { htu: 'https://evil.example/oauth/token' },
    'no address': { htu: undefined },
    'no jti': { jti: undefined },
    'no time': { iat: undefined },
    'another type': { typ: 'JWT' },
  }))
    it(`a proof for ${what} is refused`, async ({ given, browser, server }) => {
      const client = await given.client(spa);
      const key = await prover(server.url);
      const code = codeOf(await signIn(browser, client, await given.user()));
      const answer = await redeemWith(browser, client, code, await key.forTokens(change));
      expect(answer.status).toBe(400);
      expect(answer.json.error).toBe('invalid_dpop_proof');
      expect(server.errors).toEqual([]);
    });

  it('a proof that is no JWT, is signed with a shared secret, or carries a private key is refused', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client(spa);
    const code = codeOf(await signIn(browser, client, await given.user()));
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const claims = {
      jti: 'x',
      htm: 'POST',
      htu: `${server.url}/oauth/token`,
      iat: Math.floor(Date.now() / 1000),
    };
    const symmetric = await new SignJWT(claims)
      .setProtectedHeader({
        alg: 'HS256',
        typ: 'dpop+jwt',
        jwk: { kty: 'oct', k: 'c2VjcmV0' } as JWK,
      })
      .sign(new TextEncoder().encode('secret'.repeat(8)));
    const leaking = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: await exportJWK(privateKey) })
      .sign(privateKey);
    void publicKey;
    for (const proof of ['x', 'a.b.c', symmetric, leaking]) {
      const answer = await redeemWith(browser, client, code, proof);
      expect(answer.status).toBe(400);
      expect(answer.json.error).toBe('invalid_dpop_proof');
    }
    expect(server.errors).toEqual([]);
  });

  it('at userinfo the proof names the token: a wrong or missing ath is refused', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client(spa);
    const key = await prover(server.url);
    const token = await boundToken(browser, client, await given.user(), key);
    for (const claims of [{}, { token: 'another' }]) {
      const answer = await askUserinfo(program, token, await key.forUserinfo(claims));
      expect(answer.status).toBe(401);
    }
  });

  it('a proof that is not fresh gets a nonce, and one with the nonce is good', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client(spa);
    const key = await prover(server.url);
    const code = codeOf(await signIn(browser, client, await given.user()));
    const iat = Math.floor(Date.now() / 1000) - 3600;
    const stale = await redeemWith(browser, client, code, await key.forTokens({ iat }));
    expect(stale.json.error).toBe('use_dpop_nonce');
    const nonce = stale.headers['dpop-nonce'];
    expect(nonce).toBeTruthy();
    const wrong = await redeemWith(
      browser,
      client,
      code,
      await key.forTokens({ iat, nonce: 'wrong' }),
    );
    expect(wrong.json.error).toBe('use_dpop_nonce');
    const good = await redeemWith(browser, client, code, await key.forTokens({ iat, nonce }));
    expect(good.status).toBe(200);
  });

  it('a code that was asked for with a key is given tokens for that key alone', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client(spa);
    const key = await prover(server.url);
    const other = await prover(server.url);
    const ann = await given.user();
    const asked = { dpop_jkt: key.thumbprint };
    const first = codeOf(await signIn(browser, client, ann, asked));
    expect((await redeem(browser, client, first)).json.error).toBe('invalid_grant');
    const second = codeOf(await signIn(browser, client, ann, asked));
    const wrong = await redeemWith(browser, client, second, await other.forTokens());
    expect(wrong.json.error).toBe('invalid_grant');
    const third = codeOf(await signIn(browser, client, ann, asked));
    const right = await redeemWith(browser, client, third, await key.forTokens());
    expect(right.status).toBe(200);
  });

  it('a client that was registered for it must prove its key', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client({
      ...spa,
      metadata: { ...spa.metadata, dpop_bound_access_tokens: true },
    });
    const code = codeOf(await signIn(browser, client, await given.user()));
    expect((await redeem(browser, client, code)).status).toBe(400);
    const key = await prover(server.url);
    const answer = await redeemWith(browser, client, code, await key.forTokens());
    expect(answer.json.token_type).toBe('DPoP');
  });

  it('a bearer token stays one: a proof beside it is refused', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client(spa);
    const key = await prover(server.url);
    const code = codeOf(await signIn(browser, client, await given.user()));
    const { access_token: token } = (await redeem(browser, client, code)).json;
    const proof = await key.forUserinfo({ token });
    expect((await askUserinfo(program, token, proof)).status).toBe(401);
  });
});
