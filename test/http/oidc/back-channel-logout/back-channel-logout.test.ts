import { describe, expect } from 'vitest';
import type { Agent } from '#test/support/agent.ts';
import { it as base } from '#test/support/it.ts';
import { startServer } from '#test/support/server.ts';
import { authorizeUrl, tokensFor, typePassword } from '#test/support/sign-in.ts';
import type { GivenClient, World } from '#test/support/world.ts';
import { said, silent, verified } from '../support.ts';
import { receiver, type Receiver } from './receiver.ts';

const it = base.extend<{ heard: Receiver }>({
  // oxlint-disable-next-line no-empty-pattern -- Vitest wants a pattern
  heard: async ({}, use) => {
    const heard = await receiver();
    await use(heard);
    await heard.close();
  },
});

function listener(
  given: World,
  heard: Receiver,
  metadata: Record<string, unknown> = {},
): Promise<GivenClient> {
  return given.client({
    metadata: {
      backchannel_logout_uri: heard.uri,
      backchannel_logout_session_required: true,
      ...metadata,
    },
  });
}

async function signOut(browser: Agent, id_token_hint: string): Promise<void> {
  await browser.follow(
    await browser.get(`/oauth/end_session?${new URLSearchParams({ id_token_hint })}`),
  );
}

describe('OpenID Connect Back-Channel Logout 1.0', () => {
  it('signing out at one application tells the others, by a token they can verify', async ({
    given,
    browser,
    program,
    server,
    heard,
  }) => {
    const client = await listener(given, heard);
    const other = await given.client({ name: 'Other' });
    const ann = await given.user();
    const { id_token } = await tokensFor(browser, client, ann);
    const second = await tokensFor(browser, other, ann);
    const { claims: signedIn } = await verified(program, id_token, client.id);
    expect(signedIn['sid']).toBeTruthy();

    await signOut(browser, second.id_token);
    expect(heard.tokens).toHaveLength(1);
    const { header, claims } = await verified(program, heard.tokens[0]!, client.id, {
      typ: 'logout+jwt',
    });
    expect(header).toEqual({ alg: 'ES256', typ: 'logout+jwt', kid: expect.any(String) });
    expect(claims).toEqual({
      iss: server.url,
      sub: ann.id,
      aud: client.id,
      iat: expect.any(Number),
      exp: claims.iat! + 120,
      jti: expect.any(String),
      sid: signedIn['sid'],
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    });
    expect(claims).not.toHaveProperty('nonce');
    expect(said(await silent(browser, client))['error']).toBe('login_required');
  });

  it('an application that does not ask for sid gets none', async ({
    given,
    browser,
    program,
    heard,
  }) => {
    const client = await listener(given, heard, { backchannel_logout_session_required: false });
    const { id_token } = await tokensFor(browser, client, await given.user());
    await signOut(browser, id_token);
    const { claims } = await verified(program, heard.tokens[0]!, client.id);
    expect(claims).not.toHaveProperty('sid');
  });

  it('a lock tells every application the person is signed in to, in every browser', async ({
    given,
    browser,
    program,
    server,
    heard,
  }) => {
    const ann = await given.user();
    const one = await listener(given, heard);
    const two = await listener(given, heard, { subject_type: 'pairwise' });
    const rs256 = await listener(given, heard, { id_token_signed_response_alg: 'RS256' });
    const quiet = await given.client({ name: 'Quiet' });
    const expected = new Map<string, string>();
    for (const client of [one, two, rs256, quiet]) {
      const { id_token } = await tokensFor(browser, client, ann);
      const { claims } = await verified(program, id_token, client.id);
      expected.set(client.id, claims.sub!);
    }
    await tokensFor(server.agent(), one, ann);
    expect(expected.get(two.id)).not.toBe(ann.id);

    await given.locked(ann, 'admin');
    expect(heard.tokens).toEqual([]);
    await server.app.delivery.drain();
    const told = new Map<string, number>();
    for (const token of heard.tokens) {
      const audience = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
        .aud as string;
      const { header, claims } = await verified(program, token, audience, { typ: 'logout+jwt' });
      expect(claims.sub).toBe(expected.get(audience));
      expect(header.alg).toBe(audience === rs256.id ? 'RS256' : 'ES256');
      told.set(audience, (told.get(audience) ?? 0) + 1);
    }
    expect(Object.fromEntries(told)).toEqual({ [one.id]: 2, [two.id]: 1, [rs256.id]: 1 });
    expect(server.errors).toEqual([]);
  });

  it('a receiver that is down is told later, and once', async ({
    given,
    browser,
    server,
    heard,
  }) => {
    const ann = await given.user();
    const client = await listener(given, heard);
    await tokensFor(browser, client, ann);
    heard.broken = true;
    await given.locked(ann, 'admin');
    await server.app.delivery.drain();
    expect(heard.tokens).toEqual([]);
    heard.broken = false;
    await server.app.delivery.drain();
    expect(heard.tokens).toEqual([]);
    server.clock.advance(3600);
    await server.app.delivery.drain();
    await server.app.delivery.drain();
    expect(heard.tokens).toHaveLength(1);
    server.clock.advance(7200);
    await server.app.delivery.drain();
    expect(heard.tokens).toHaveLength(1);
  });

  it('signing out does not fail because a receiver does; it is told later', async ({
    given,
    browser,
    program,
    server,
    heard,
  }) => {
    const client = await listener(given, heard);
    const { id_token } = await tokensFor(browser, client, await given.user());
    const sid = (await verified(program, id_token, client.id)).claims['sid'];
    heard.broken = true;
    await signOut(browser, id_token);
    expect(said(await silent(browser, client))['error']).toBe('login_required');
    heard.broken = false;
    await expect
      .poll(() => given.rows(`select 1 from outbox where kind = 'backchannel_logout'`))
      .toHaveLength(1);
    await server.app.delivery.drain();
    expect(heard.tokens).toHaveLength(1);
    expect((await verified(program, heard.tokens[0]!, client.id)).claims['sid']).toBe(sid);
  });

  it('another person who signs in in the same browser ends the session of the first', async ({
    given,
    browser,
    program,
    server,
    heard,
  }) => {
    const client = await listener(given, heard);
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    await tokensFor(browser, client, ann);
    const page = await browser.follow(await browser.get(authorizeUrl(client, { prompt: 'login' })));
    await typePassword(browser, await browser.get(`${page.url.pathname}?change`), bob);
    await server.app.delivery.drain();
    expect(heard.tokens).toHaveLength(1);
    expect((await verified(program, heard.tokens[0]!, client.id)).claims.sub).toBe(ann.id);
  });

  it('an address inside, which the installation does not allow, is never called', async ({
    given,
    server,
    heard,
  }) => {
    const strict = await startServer(server.app.foundation.database, {
      config: { egressAllow: [] },
    });
    try {
      const client = await listener(strict.given, heard);
      const ann = await strict.given.user();
      await tokensFor(strict.agent(), client, ann);
      await strict.given.locked(ann, 'admin');
      await strict.app.delivery.drain();
      expect(heard.tokens).toEqual([]);
      const [row] = await given.rows<{ last_error: string }>(
        `select last_error from outbox where kind = 'backchannel_logout'`,
      );
      expect(row!.last_error).toBeTruthy();
    } finally {
      await strict.close();
    }
  });
});
