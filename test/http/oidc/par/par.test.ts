import { describe, expect } from 'vitest';
import type { Agent, Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import {
  acceptAll,
  asClient,
  authorizeUrl,
  codeOf,
  redeem,
  signIn,
  typePassword,
  userinfo,
} from '#test/support/sign-in.ts';
import type { GivenClient } from '#test/support/world.ts';
import { said, spa } from '../support.ts';

function push(
  program: Agent,
  client: GivenClient,
  extra: Record<string, string | null> = {},
): Promise<Answer> {
  const query = new URLSearchParams(authorizeUrl(client, extra).split('?')[1]);
  return asClient(program, '/oauth/par', client, Object.fromEntries(query));
}

function pushedUrl(client: GivenClient, request_uri: string): string {
  return `/oauth/authorize?${new URLSearchParams({ client_id: client.id, request_uri })}`;
}

describe('RFC 9126: pushed authorization requests', () => {
  it('give a request_uri that lives a minute and stands for the request', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const pushed = await push(program, client, { scope: 'openid email', state: 'pushed' });
    expect(pushed.status).toBe(201);
    expect(pushed.json).toEqual({
      request_uri: expect.stringMatching(/^urn:ietf:params:oauth:request_uri:[\w-]{20,}$/),
      expires_in: 60,
    });
    expect(pushed.headers['cache-control']).toBe('no-store');
    await signIn(browser, client, ann);
    // The verifier is that of the pushed request.
    const again = await push(program, client, { scope: 'openid email', state: 'pushed' });
    const answer = await browser.get(pushedUrl(client, again.json.request_uri));
    expect(said(answer)).toMatchObject({ state: 'pushed' });
    const tokens = (await redeem(browser, client, codeOf(answer))).json;
    expect((await userinfo(program, tokens.access_token)).json.email).toBe(ann.email);
  });

  it('carry a person through the whole sign-in', async ({ given, browser, program }) => {
    const client = await given.client();
    const ann = await given.user();
    await given.terms();
    const pushed = await push(program, client);
    const page = await browser.follow(
      await browser.get(pushedUrl(client, pushed.json.request_uri)),
    );
    const answer = await acceptAll(browser, await typePassword(browser, page, ann));
    expect((await redeem(browser, client, codeOf(answer))).status).toBe(200);
  });

  it('a first-party application keeps offline_access, as it does without pushing', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    await signIn(browser, client, await given.user());
    const pushed = await push(program, client, { scope: 'openid offline_access' });
    const answer = await browser.get(pushedUrl(client, pushed.json.request_uri));
    expect((await redeem(browser, client, codeOf(answer))).json.refresh_token).toBeTruthy();
  });

  it('are used once', async ({ given, browser, program, server }) => {
    const client = await given.client();
    await signIn(browser, client, await given.user());
    const url = pushedUrl(client, (await push(program, client)).json.request_uri);
    expect(codeOf(await browser.get(url))).toBeTruthy();
    const again = await browser.get(url);
    expect(again.status).toBe(400);
    expect(again.location).toBeNull();
    expect(server.errors).toEqual([]);
  });

  it('even where two browsers come at once', async ({ given, browser, program, server }) => {
    const client = await given.client();
    await signIn(browser, client, await given.user());
    for (let round = 0; round < 5; round += 1) {
      const url = pushedUrl(client, (await push(program, client)).json.request_uri);
      const answers = await Promise.all(Array.from({ length: 10 }, () => browser.get(url)));
      expect(answers.filter(({ location }) => location?.searchParams.has('code'))).toHaveLength(1);
    }
    expect(server.errors).toEqual([]);
  });

  it('may be opened anew until the person is through, since browsers reload', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const url = pushedUrl(client, (await push(program, client)).json.request_uri);
    await browser.follow(await browser.get(url));
    const page = await browser.follow(await browser.get(url));
    expect(codeOf(await typePassword(browser, page, await given.user()))).toBeTruthy();
  });

  it('expire', async ({ given, browser, program }) => {
    const client = await given.client();
    await signIn(browser, client, await given.user());
    const url = pushedUrl(client, (await push(program, client)).json.request_uri);
    await given.rows(
      `update oidc_artifacts set payload = jsonb_set(payload, '{exp}', '1')
       where model = 'PushedAuthorizationRequest'`,
    );
    expect((await browser.get(url)).status).toBe(400);
  });

  it('belong to their client', async ({ given, browser, program }) => {
    const client = await given.client();
    const other = await given.client({ name: 'Other' });
    await signIn(browser, client, await given.user());
    const { request_uri } = (await push(program, client)).json;
    const answer = await browser.get(pushedUrl(other, request_uri));
    expect(answer.location?.searchParams.has('code') ?? false).toBe(false);
    expect(codeOf(await browser.get(pushedUrl(client, request_uri)))).toBeTruthy();
  });

  it('parameters beside it count for nothing', async ({ given, browser, program }) => {
    const client = await given.client();
    await signIn(browser, client, await given.user());
    const pushed = await push(program, client, { scope: 'openid', state: 'pushed' });
    const answer = await browser.get(
      `${pushedUrl(client, pushed.json.request_uri)}&scope=openid+email&state=evil&redirect_uri=${encodeURIComponent('https://evil.example/cb')}`,
    );
    expect(answer.location?.origin).toBe('https://rp.example');
    expect(said(answer)['state']).toBe('pushed');
    const tokens = (await redeem(browser, client, codeOf(answer))).json;
    expect(tokens.scope).toBe('openid');
  });

  it('the request is looked at when it is pushed', async ({ given, program }) => {
    const client = await given.client(spa);
    for (const [extra, error] of [
      [{ redirect_uri: 'https://evil.example/cb' }, 'invalid_request'],
      [{ redirect_uri: null }, 'invalid_request'],
      [{ response_type: 'token' }, 'unsupported_response_type'],
      [{ code_challenge: null, code_challenge_method: null }, 'invalid_request'],
      [{ code_challenge_method: 'plain' }, 'invalid_request'],
      [{ prompt: 'banana' }, 'invalid_request'],
      [{ request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'request_uri_not_supported'],
      [{ claims: '{' }, 'invalid_request'],
    ] as [Record<string, string | null>, string][]) {
      const answer = await push(program, client, extra);
      expect(answer.status).toBe(400);
      expect(answer.json.error).toBe(error);
    }
  });

  it('only an authenticated client pushes', async ({ given, program }) => {
    const client = await given.client();
    const answer = await push(program, { ...client, secret: 'wrong' });
    expect(answer.status).toBe(401);
    expect(answer.json.error).toBe('invalid_client');
    expect(await given.rows('select 1 from oidc_artifacts')).toEqual([]);
  });

  it('a client that was registered to push must', async ({ given, browser, program }) => {
    const client = await given.client({
      metadata: { require_pushed_authorization_requests: true },
    });
    await signIn(browser, await given.client(), await given.user());
    expect(said(await browser.get(authorizeUrl(client)))['error']).toBe('invalid_request');
    const pushed = await push(program, client);
    expect(codeOf(await browser.get(pushedUrl(client, pushed.json.request_uri)))).toBeTruthy();
  });

  it('one nobody pushed is refused', async ({ given, browser, server }) => {
    const client = await given.client();
    for (const id of ['x', '', 'h:x', '%00', 'x'.repeat(4000)]) {
      const answer = await browser.get(
        `/oauth/authorize?client_id=${client.id}&request_uri=urn:ietf:params:oauth:request_uri:${id}`,
      );
      expect(answer.status).toBe(400);
      expect(answer.location).toBeNull();
    }
    expect(server.errors).toEqual([]);
  });
});
