import { describe, expect } from 'vitest';
import type { Answer, Form } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import {
  authorizeUrl,
  redeem,
  refresh,
  signIn,
  tokensFor,
  typePassword,
  userinfo,
} from '#test/support/sign-in.ts';
import { verified } from '../support.ts';

const form_post = { response_mode: 'form_post' };

/** The form that carries the answer; the page around it is ours. */
function carried(answer: Answer): Form {
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toMatch(/^text\/html/);
  expect(answer.headers['cache-control']).toBe('no-store');
  const [form, ...others] = answer.forms;
  expect(others).toEqual([]);
  expect(form!.method).toBe('post');
  return form!;
}

describe('OAuth 2.0 Form Post Response Mode', () => {
  it('posts code, state and iss to the application', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const state = `<"'&> ü 1+1=2`;
    const form = carried(await signIn(browser, client, ann, { ...form_post, state, nonce: 'n' }));
    expect(form.action).toBe(client.redirectUri);
    expect(form.fields).toEqual({ code: expect.any(String), state, iss: server.url });
    const tokens = (await redeem(browser, client, form.fields['code']!)).json;
    const { claims } = await verified(program, tokens.id_token, client.id);
    expect(claims).toMatchObject({ sub: ann.id, nonce: 'n' });
    expect((await userinfo(program, tokens.access_token)).json.sub).toBe(ann.id);
  });

  it('on a page of ours: without inline script, with a button for those who run none', async ({
    given,
    browser,
  }) => {
    const answer = await signIn(browser, await given.client(), await given.user(), form_post);
    expect(answer.text).toContain('<html lang="en"');
    expect(answer.text).toMatch(/src="\/assets\/submit\.\w+\.js"/);
    expect(answer.text).not.toMatch(/<script(?![^>]* src=)[^>]*>/);
    expect(answer.text).toContain('type="submit"');
    expect(answer.headers['content-security-policy']).toContain("script-src 'self'");
    expect(answer.headers['content-security-policy']).not.toContain('form-action');
    expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  it('errors come the same way', async ({ given, browser, server }) => {
    const client = await given.client();
    for (const [extra, error] of [
      [{ prompt: 'none' }, 'login_required'],
      [{ response_type: 'code token' }, 'unsupported_response_type'],
      [{ prompt: 'banana' }, 'invalid_request'],
      [{ max_age: '-1' }, 'invalid_request'],
      [{ request: 'x' }, 'request_not_supported'],
    ] as [Record<string, string>, string][]) {
      const answer = await browser.get(authorizeUrl(client, { ...form_post, ...extra }));
      expect(answer.forms[0]!.action).toBe(client.redirectUri);
      expect(answer.forms[0]!.fields).toMatchObject({ error, state: 'state-1', iss: server.url });
    }
    expect(server.errors).toEqual([]);
  });

  it('an address that is not registered gets no form', async ({ given, browser }) => {
    const answer = await browser.get(
      authorizeUrl(await given.client(), { ...form_post, redirect_uri: 'https://evil.example/' }),
    );
    expect(answer.status).toBe(400);
    expect(answer.forms).toEqual([]);
  });

  it('prompt=none, prompt=login and max_age do what they do elsewhere', async ({
    given,
    browser,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    await signIn(browser, client, ann);
    const none = await browser.get(authorizeUrl(client, { ...form_post, prompt: 'none' }));
    expect(carried(none).fields).toHaveProperty('code');
    for (const extra of [{ prompt: 'login' }, { max_age: '0' }] as Record<string, string>[]) {
      const page = await browser.follow(
        await browser.get(authorizeUrl(client, { ...form_post, ...extra })),
      );
      expect(page.forms[0]!.fields).toHaveProperty('password');
      expect(carried(await typePassword(browser, page, ann)).fields).toHaveProperty('code');
    }
  });

  // The plan of the certification is that of the Basic profile, each module over again.
  it('whatever the application asks for beside it, the code is worth what it is elsewhere', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const ann = await given.user();
    const before = await tokensFor(browser, client, ann);
    for (const [extra, inToken] of [
      [{ nonce: 'n-1' }, { nonce: 'n-1' }],
      [{ max_age: '10000' }, { auth_time: expect.any(Number) }],
      [{ scope: 'openid email' }, { email: ann.email }],
      [{ claims: '{"id_token":{"name":{"essential":true}}}' }, { name: expect.any(String) }],
      [{ acr_values: '1 2' }, { acr: expect.any(String) }],
      [{ prompt: 'none', id_token_hint: before.id_token }, { sub: ann.id }],
      [{ login_hint: ann.email, claims_locales: 'se', display: 'popup', extra: 'foobar' }, {}],
      [{ code_challenge: null, code_challenge_method: null, code_verifier: '' }, {}],
    ] as [Record<string, string | null>, object][]) {
      const { code_verifier, ...asked } = extra;
      const answer = await browser.get(authorizeUrl(client, { ...form_post, ...asked }));
      const tokens = await redeem(browser, client, carried(answer).fields['code']!, {
        ...(code_verifier === '' && { code_verifier }),
      });
      expect([extra, tokens.status]).toEqual([extra, 200]);
      const { claims } = await verified(program, tokens.json.id_token, client.id);
      expect(claims).toMatchObject({ sub: ann.id, ...inToken });
      expect('nonce' in claims).toBe('nonce' in extra);
    }
  });

  it('a code is good once, for its verifier, its address and its client', async ({
    given,
    browser,
    program,
  }) => {
    const client = await given.client();
    const other = await given.client({ name: 'Other' });
    await signIn(browser, client, await given.user());
    const scope = 'openid offline_access';
    const answer = await browser.get(authorizeUrl(client, { ...form_post, scope }));
    const code = carried(answer).fields['code']!;
    for (const [who, extra] of [
      [client, { code_verifier: 'x'.repeat(43) }],
      [client, { redirect_uri: `${client.redirectUri}/` }],
      [other, {}],
    ] as const) {
      const refused = await redeem(program, who, code, extra);
      expect([refused.status, refused.json.error]).toEqual([400, 'invalid_grant']);
    }
    const { json: tokens } = await redeem(program, client, code);
    const again = await refresh(program, client, tokens.refresh_token);
    expect(again.status).toBe(200);
    expect((await redeem(program, client, code)).json.error).toBe('invalid_grant');
    expect((await userinfo(program, tokens.access_token)).status).toBe(401);
    expect((await refresh(program, client, again.json.refresh_token)).status).toBe(400);
  });

  it('a request by POST is answered by POST', async ({ given, browser }) => {
    const client = await given.client();
    await signIn(browser, client, await given.user());
    const form = new URLSearchParams(authorizeUrl(client, form_post).split('?')[1]);
    expect(carried(await browser.post('/oauth/authorize', { form })).fields).toHaveProperty('code');
  });

  it('the page is in the language of the person', async ({ given, browser }) => {
    const client = await given.client();
    const answer = await signIn(browser, client, await given.user(), {
      ...form_post,
      ui_locales: 'de',
    });
    expect(answer.text).toContain('<html lang="de"');
    expect(answer.text).not.toContain('href="/oauth/');
  });

  for (const response_mode of ['fragment', 'query'])
    it(`response_mode=${response_mode} is for those who ask`, async ({ given, browser }) => {
      const client = await given.client();
      const answer = await signIn(browser, client, await given.user(), { response_mode });
      const { search, hash } = answer.location!;
      expect(response_mode === 'query' ? search : hash).toContain('code=');
      expect(response_mode === 'query' ? hash : search).toBe('');
    });

  for (const response_mode of ['web_message', 'jwt', 'form_post.jwt', 'banana'])
    it(`response_mode=${response_mode} is not offered`, async ({ given, browser }) => {
      const answer = await browser.get(authorizeUrl(await given.client(), { response_mode }));
      expect(answer.location?.searchParams.get('error')).toBe('unsupported_response_mode');
    });
});
