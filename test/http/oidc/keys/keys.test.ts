import { decodeProtectedHeader } from 'jose';
import { describe, expect } from 'vitest';
import {
  keysChannel,
  listSigningKeys,
  newSigningKey,
  rotateSigningKeys,
  type SigningKey,
} from '#identity/keys/signing-keys.ts';
import { vault } from '#platform/secrets.ts';
import { it } from '#test/support/it.ts';
import type { TestServer } from '#test/support/server.ts';
import { authorizeUrl, refresh, tokensFor } from '#test/support/sign-in.ts';
import { said, silent, verified } from '../support.ts';

/** What `keys rotate` does, while the server runs; it ends when the server has heard. */
async function rotate(
  { app, given, agent }: TestServer,
  options: { discard?: boolean } = {},
): Promise<SigningKey[]> {
  const { database, vault } = app.foundation;
  const fresh = [await newSigningKey('RS256'), await newSigningKey('ES256')];
  const keys = await given.work((work) => rotateSigningKeys(work, vault, fresh, options));
  await database.notify(keysChannel, '');
  const published = keys.map(({ kid }) => kid).sort();
  await expect
    .poll(
      async () => {
        const answer = await agent({ cookies: false }).get('/oauth/jwks');
        return (answer.json as { keys: { kid: string }[] }).keys.map(({ kid }) => kid).sort();
      },
      { timeout: 10_000 },
    )
    .toEqual(published);
  return keys;
}

function current(keys: SigningKey[], alg: string): string {
  return keys.find((key) => key.alg === alg && key.state === 'current')!.kid;
}

describe('which key signs', () => {
  it('ES256 unless the application registered RS256', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const keys = await listSigningKeys(server.app.foundation.database);
    const ann = await given.user();
    const usual = await given.client();
    const rs256 = await given.client({
      name: 'RS256',
      metadata: { id_token_signed_response_alg: 'RS256' },
    });
    for (const [client, alg] of [
      [usual, 'ES256'],
      [rs256, 'RS256'],
    ] as const) {
      const { id_token } = await tokensFor(browser, client, ann);
      const { header } = await verified(program, id_token, client.id);
      expect(header).toMatchObject({ alg, kid: current(keys, alg) });
    }
  });

  for (const alg of ['none', 'HS256'])
    it(`never ${alg}, even if the application asks for it`, async ({ given, browser }) => {
      const client = await given.client({ metadata: { id_token_signed_response_alg: alg } });
      const answer = await browser.get(authorizeUrl(client));
      expect(answer.status).toBe(400);
      expect(answer.location).toBeNull();
    });
});

describe('signing keys are rotated while the server runs', () => {
  it('the next key, which everybody could fetch already, signs; the one after it is published', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const before = await listSigningKeys(server.app.foundation.database);
    const resource = await given.resource();
    const ann = await given.user();
    const client = await given.client({ resources: [resource] });
    const old = await tokensFor(browser, client, ann, { scope: 'openid offline_access' });
    const documents = await program.get('/oauth/jwks');
    const published = (documents.json as { keys: { kid: string }[] }).keys.map(({ kid }) => kid);

    const after = await rotate(server);
    const answer = await program.get('/oauth/jwks', {
      headers: { 'if-none-match': documents.headers.etag! },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.etag).not.toBe(documents.headers.etag);

    for (const token of [
      (await tokensFor(browser, client, ann)).id_token,
      (await refresh(program, client, old.refresh_token!)).json.id_token as string,
      (await tokensFor(browser, client, ann, { scope: 'openid api:read', resource })).access_token,
    ]) {
      const { kid } = decodeProtectedHeader(token);
      expect(kid).toBe(current(after, 'ES256'));
      expect(kid).not.toBe(current(before, 'ES256'));
      expect(published).toContain(kid);
    }
    expect(server.errors).toEqual([]);
  });

  it('what the old key signed still counts: it verifies, and is taken as a hint', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const ann = await given.user();
    for (const alg of ['ES256', 'RS256']) {
      const client = await given.client({ metadata: { id_token_signed_response_alg: alg } });
      const { id_token } = await tokensFor(browser, client, ann);
      await rotate(server);
      expect((await verified(program, id_token, client.id)).claims.sub).toBe(ann.id);
      expect(said(await silent(browser, client, { id_token_hint: id_token }))).toHaveProperty(
        'code',
      );
      const page = await browser.get(`/oauth/end_session?id_token_hint=${id_token}`);
      expect(page.status).toBe(303);
    }
  });

  it('requests under way go on with what they began with: nothing fails', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    await tokensFor(browser, client, ann);
    const signing = Array.from({ length: 20 }, async () => {
      const own = { ...client };
      const { id_token } = await tokensFor(browser, own, ann);
      return id_token;
    });
    const [tokens] = await Promise.all([Promise.all(signing), rotate(server)]);
    for (const token of tokens) await verified(program, token, client.id);
    expect(server.errors).toEqual([]);
  });

  it('a stolen key is withdrawn at once: what it signed is worth nothing', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client();
    const { id_token } = await tokensFor(browser, client, await given.user());
    await rotate(server, { discard: true });
    await expect(verified(program, id_token, client.id)).rejects.toThrow(/no applicable key/);
    expect(said(await silent(browser, client, { id_token_hint: id_token }))['error']).toBe(
      'invalid_request',
    );
    expect((await browser.get(`/oauth/end_session?id_token_hint=${id_token}`)).status).toBe(400);
    expect(server.errors).toEqual([]);
  });

  it('nobody rotates them who cannot open them: no server could sign any more', async ({
    given,
    program,
  }) => {
    const before = await given.rows('select * from signing_keys order by kid');
    const fresh = [await newSigningKey('ES256')];
    const another = vault([Buffer.alloc(32, 9)]);
    for (const discard of [false, true])
      await expect(
        given.work((work) => rotateSigningKeys(work, another, fresh, { discard })),
      ).rejects.toThrow('SECRET_KEY is not the one it was sealed with');
    expect(await given.rows('select * from signing_keys order by kid')).toEqual(before);
    expect((await program.get('/oauth/jwks')).json.keys).toHaveLength(before.length);
  });

  it('sessions, codes and refresh tokens know nothing of keys, and live on', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client();
    const tokens = await tokensFor(browser, client, await given.user(), {
      scope: 'openid offline_access',
    });
    await rotate(server, { discard: true });
    expect((await refresh(program, client, tokens.refresh_token!)).status).toBe(200);
    expect(said(await silent(browser, client))).toHaveProperty('code');
  });

  it('no private key stands in the database in clear', async ({ given, server }) => {
    await rotate(server);
    const rows = await given.rows<{ row: string }>('select k::text as row from signing_keys k');
    for (const { row } of rows) expect(row).not.toMatch(/"d"|""d""/);
  });
});
