import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import { acceptAll, authorizeUrl, codeOf, signIn, typePassword } from '#test/support/sign-in.ts';
import type { GivenClient } from '#test/support/world.ts';

const begin = async (browser: Agent, client: GivenClient, extra = {}): Promise<Answer> =>
  browser.follow(await browser.get(authorizeUrl(client, extra)));

describe('a sign-in belongs to the browser that began it (D-62)', () => {
  it('and is not there for another, though it knows the address', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const [hers, theirs] = [server.agent(), server.agent()];
    const page = await begin(hers, client);
    expect((await theirs.get(page.url.pathname)).status).toBe(400);
    expect((await theirs.submit(page.forms[0]!, { email: ann.email })).status).toBe(400);
    // Nor with the cookie of a sign-in of their own.
    await begin(theirs, client);
    theirs.setCookie('ostiary_sign_in', page.url.pathname.split('/')[2]!, page.url.pathname);
    expect((await theirs.get(page.url.pathname)).status).toBe(400);
    expect(server.errors).toEqual([]);
  });

  it('and the form of one sign-in does nothing in another', async ({ given, browser }) => {
    const ann = await given.user();
    const client = await given.client();
    const [one, two] = [await begin(browser, client), await begin(browser, client)];
    const crossed = await browser.submit(one.forms[0]!, {
      email: ann.email,
      csrf: two.forms[0]!.fields['csrf']!,
    });
    expect(crossed.status).toBe(403);
    expect(crossed.words).toContain('form_expired');
  });

  it('and there is none by another name', async ({ browser, server }) => {
    for (const uid of ['x', '%00', '..%2f..', '%E0%A4%A', 'a'.repeat(3000), '%F0%9F%90%A7', '%'])
      for (const path of [`/sign-in/${uid}`, `/sign-in/${uid}/return`]) {
        const answer = await browser.get(path).catch((error: NodeJS.ErrnoException) => error);
        if (answer instanceof Error) expect(answer.message).toMatch(/unescaped/);
        else expect([400, 404]).toContain(answer.status);
      }
    expect(server.errors).toEqual([]);
  });
});

describe('no step can be skipped (D-62)', () => {
  it('before the password: terms, consent and the way back give nothing', async ({
    given,
    browser,
    server,
  }) => {
    await given.terms('1');
    await given.user('ann@acme.example', { accepts: false });
    const client = await given.client({ firstParty: false });
    const page = await begin(browser, client);
    const { csrf } = page.forms[0]!.fields;
    for (const step of ['terms', 'consent'])
      expect(
        (
          await browser.follow(
            await browser.post(`${page.url.pathname}/${step}`, {
              form: { csrf: csrf!, accept: 'x' },
            }),
          )
        ).words,
      ).toMatch(/^Sign in/);
    const resumed = await browser.get(`/oauth/authorize/${page.url.pathname.split('/')[2]}`);
    expect((await browser.follow(resumed)).location?.searchParams.get('code') ?? null).toBeNull();
    expect(await given.rows('select 1 from terms_acceptances')).toEqual([]);
    expect(await given.rows('select 1 from consents')).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it('after the password: consent cannot come before the terms, nor the code before either', async ({
    given,
    browser,
    server,
  }) => {
    await given.terms('1');
    const ann = await given.user('ann@acme.example', { accepts: false });
    const client = await given.client({ firstParty: false });
    const terms = await signIn(browser, client, ann);
    const { csrf } = terms.forms[0]!.fields;
    const early = await browser.follow(
      await browser.post(`${terms.url.pathname}/consent`, { form: { csrf: csrf! } }),
    );
    expect(early.words).toContain('Before you continue');
    const silent = await browser.get(authorizeUrl(client, { prompt: 'none' }));
    expect(silent.location?.searchParams.get('error')).toBe('interaction_required');
    const consent = await acceptAll(browser, terms);
    expect(consent.words).toContain('to use your account?');
    expect(codeOf(await browser.follow(await browser.submit(consent.forms[0]!)))).toBeTruthy();
    expect(server.errors).toEqual([]);
  });

  it('and a password typed at a page of the terms changes nothing', async ({ given, browser }) => {
    await given.terms('1');
    const ann = await given.user('ann@acme.example', { accepts: false });
    const bob = await given.user('bob@acme.example', { accepts: false });
    const terms = await signIn(browser, await given.client(), ann);
    await browser.post(`${terms.url.pathname}/password`, {
      form: { csrf: terms.forms[0]!.fields['csrf']!, email: bob.email, password: bob.password },
    });
    expect(await given.rows('select user_id from oidc_sessions where user_id is not null')).toEqual(
      [{ user_id: ann.id }],
    );
  });

  it('and the outcome of one sign-in is taken once', async ({ given, browser }) => {
    const ann = await given.user();
    const client = await given.client();
    const page = await begin(browser, client, { login_hint: ann.email });
    const signed = await browser.submit(page.forms[0]!, { password: ann.password });
    expect(codeOf(signed)).toBeTruthy();
    const uid = page.url.pathname.split('/')[2];
    expect((await browser.get(`/oauth/authorize/${uid}`)).status).toBe(400);
    expect((await browser.submit(page.forms[0]!, { password: ann.password })).status).toBe(400);
  });
});

describe('a form is ours and sent from our page (D-69)', () => {
  it('or it is refused, and nothing happened', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const browser = server.agent();
    const page = await begin(browser, client, { login_hint: ann.email });
    const form = page.forms[0]!;
    const typed = { password: ann.password };
    const url = new URL(form.action);
    for (const [why, attempt] of Object.entries({
      'no token': () => browser.post(url, { form: { email: ann.email, ...typed } }),
      'an empty token': () => browser.submit(form, { ...typed, csrf: '' }),
      'a made-up token': () => browser.submit(form, { ...typed, csrf: 'a'.repeat(43) }),
      'another site': () => browser.submit(form, typed, { origin: 'https://evil.example' }),
      'a site of another port': () => browser.submit(form, typed, { origin: 'http://localhost:1' }),
      'a site that hides': () => browser.submit(form, typed, { origin: 'null' }),
      'cross-site': () => browser.submit(form, typed, { 'sec-fetch-site': 'cross-site' }),
      'same-site': () => browser.submit(form, typed, { 'sec-fetch-site': 'same-site' }),
    }))
      expect((await attempt()).status, why).toBe(403);
    for (const [why, attempt] of Object.entries({
      json: () => browser.post(url, { json: { ...form.fields, ...typed } }),
      'json as text': () =>
        browser.post(url, {
          body: JSON.stringify(typed),
          headers: { 'content-type': 'text/plain' },
        }),
      multipart: () =>
        browser.post(url, {
          body: '--x--',
          headers: { 'content-type': 'multipart/form-data; boundary=x' },
        }),
      'no type': () => browser.post(url, { body: 'csrf=x' }),
    }))
      expect((await attempt()).status, why).toBe(415);
    for (const method of ['PUT', 'PATCH', 'DELETE', 'GET'])
      expect((await browser.send(url, { method })).status, method).toBe(405);
    const overridden = await browser.get(
      `${url.pathname}?_method=POST&csrf=${form.fields['csrf']}`,
      {
        headers: { 'x-http-method-override': 'POST' },
      },
    );
    expect(overridden.status).toBe(405);
    for (const path of [
      `/${url.pathname}`,
      `${url.pathname}/`,
      `${url.pathname}%2f`,
      `${url.pathname}.`,
      url.pathname.replace('password', 'passwor%64'),
      url.pathname.toUpperCase(),
    ]) {
      const answer = await browser
        .send(path.startsWith('//') ? path : new URL(path, url), { method: 'POST', form: {} })
        .catch(() => null);
      if (answer) expect([400, 403, 404, 421], path).toContain(answer.status);
    }
    expect(await given.rows('select 1 from oidc_sessions where user_id is not null')).toEqual([]);
    expect(await given.events()).not.toContain('sign_in.succeeded');

    const allowed = await browser.submit(form, typed, {
      origin: server.url,
      'sec-fetch-site': 'same-origin',
    });
    expect(allowed.status).toBe(303);
    expect(server.errors).toEqual([]);
  });

  it('also where there is no sign-in: the token goes with a cookie of the browser', async ({
    given,
    server,
  }) => {
    const ann = await given.user();
    const [hers, theirs] = [server.agent(), server.agent()];
    const [form] = (await hers.get('/forgot-password')).forms;
    await theirs.get('/forgot-password');
    expect((await theirs.submit(form!, { email: ann.email })).status).toBe(403);
    hers.forgetCookies(/form/);
    expect((await hers.submit(form!, { email: ann.email })).status).toBe(403);
    expect(await given.rows('select 1 from one_time_tokens')).toEqual([]);
  });
});

describe('a session (D-64)', () => {
  it('is another one after each sign-in', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const browser = server.agent();
    const start = await begin(browser, client);
    const before = browser.cookie('ostiary_session');
    expect(codeOf(await typePassword(browser, start, ann))).toBeTruthy();
    const during = browser.cookie('ostiary_session')!;
    const signature = browser.cookie('ostiary_session.sig')!;
    expect(during).toBeTruthy();
    expect(during).not.toBe(before);

    const copy = server.agent();
    copy.setCookie('ostiary_session', during);
    expect(
      (await copy.get(authorizeUrl(client, { prompt: 'none' }))).location?.searchParams.get(
        'error',
      ),
    ).toBe('login_required');
    copy.setCookie('ostiary_session.sig', signature);
    expect(codeOf(await copy.get(authorizeUrl(client, { prompt: 'none' })))).toBeTruthy();

    // A new proof makes a new one of it; the old one is of no use.
    const again = await begin(browser, client, { prompt: 'login' });
    codeOf(await typePassword(browser, again, ann));
    expect(browser.cookie('ostiary_session')).not.toBe(during);
    expect(
      (await copy.get(authorizeUrl(client, { prompt: 'none' }))).location?.searchParams.get(
        'error',
      ),
    ).toBe('login_required');
  });

  it('is dead after signing out, for whoever kept a copy', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const [browser, copy] = [server.agent(), server.agent()];
    codeOf(await signIn(browser, client, ann));
    for (const name of ['ostiary_session', 'ostiary_session.sig'])
      copy.setCookie(name, browser.cookie(name)!);
    expect(codeOf(await copy.get(authorizeUrl(client, { prompt: 'none' })))).toBeTruthy();
    const question = await browser.get('/oauth/end_session');
    expect(question.words).toContain('Sign out?');
    await browser.follow(await browser.submit(question.forms[0]!));
    for (const agent of [browser, copy]) {
      const silent = await agent.get(authorizeUrl(client, { prompt: 'none' }));
      expect(silent.location?.searchParams.get('error')).toBe('login_required');
    }
    expect(await given.rows('select 1 from oidc_sessions where user_id is not null')).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it('planted by somebody else does not become the person’s', async ({ given, server }) => {
    const ann = await given.user();
    const eve = await given.user('eve@acme.example');
    const client = await given.client();
    const attacker = server.agent();
    codeOf(await signIn(attacker, client, eve));
    const planted = attacker.cookie('ostiary_session')!;
    const victim = server.agent();
    victim.setCookie('ostiary_session', planted);
    victim.setCookie('ostiary_session.sig', attacker.cookie('ostiary_session.sig')!);
    const page = await begin(victim, client, { prompt: 'login' });
    codeOf(await typePassword(victim, await victim.get(`${page.url.pathname}?change`), ann));
    expect(victim.cookie('ostiary_session')).not.toBe(planted);
    const tried = await attacker.get(authorizeUrl(client, { prompt: 'none' }));
    expect(tried.location?.searchParams.get('error')).toBe('login_required');
    expect(server.errors).toEqual([]);
  });

  it('is kept in the database by its hash alone', async ({ given, browser }) => {
    const ann = await given.user();
    codeOf(await signIn(browser, await given.client(), ann));
    const session = browser.cookie('ostiary_session')!;
    const device = browser.cookie('ostiary_device')!;
    const tables = [
      'oidc_sessions',
      'oidc_artifacts',
      'oidc_grants',
      'trusted_devices',
      'audit_events',
    ];
    for (const table of tables) {
      const rows = JSON.stringify(await given.rows(`select * from ${table}`));
      expect(rows).not.toContain(session);
      expect(rows).not.toContain(device);
      expect(rows).not.toContain(ann.password);
    }
  });
});
