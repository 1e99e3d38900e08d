import { createHash } from 'node:crypto';
import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import {
  acceptAll,
  asClient,
  authorizeUrl,
  codeOf,
  refresh,
  signIn,
  tokensFor,
  typePassword,
  userinfo,
} from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';

const english = { locale: 'en', title: 'Terms of Service', body: 'Be **good**.' };
const german = { locale: 'de', title: 'Nutzungsbedingungen', body: 'Seien Sie **gut**.' };
const sha256 = ({ title, body }: typeof english) =>
  createHash('sha256').update(`${title}\n\n${body}`).digest('hex');

const evidence = (given: World) =>
  given.rows(
    `select a.user_id, v.kind, v.version, a.locale, a.sha256, a.ip, a.user_agent, a.client_id,
            a.interaction is not null as interaction
     from terms_acceptances a join terms_versions v on v.id = a.version_id
     where a.ip is not null order by a.accepted_at, v.kind desc`,
  );

describe('new terms', () => {
  it('stop a person who signed in last month, at every door, until they accept (D-61, A2)', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const tokens = await tokensFor(browser, client, ann, { scope: 'openid offline_access' });
    await given.terms('2', { texts: [english, german] });

    const silent = await browser.get(authorizeUrl(client, { prompt: 'none' }));
    expect(silent.location?.searchParams.get('error')).toBe('interaction_required');
    expect((await refresh(program, client, tokens.refresh_token!)).json).toMatchObject({
      error: 'invalid_grant',
    });
    expect((await userinfo(program, tokens.access_token)).status).toBe(401);
    const another = await given.client({ redirectUri: 'https://rp2.example/cb' });
    const elsewhere = await browser.follow(await browser.get(authorizeUrl(another)));
    expect(elsewhere.words).toContain('Before you continue');

    // They need not sign in again for it.
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    expect(page.words).toContain('Be good .');
    expect(codeOf(await acceptAll(browser, page))).toBeTruthy();
    expect(codeOf(await browser.get(authorizeUrl(client, { prompt: 'none' })))).toBeTruthy();
    expect(server.errors).toEqual([]);
  });

  it('keep who accepted an older version from their applications, and say that they changed', async ({
    given,
    browser,
  }) => {
    await given.terms('1');
    const ann = await given.user();
    await given.terms('2');
    const page = await signIn(browser, await given.client(), ann);
    expect(page.words).toContain('Our terms have changed');
  });

  it('need not be accepted when only a word was mended', async ({ given, browser }) => {
    await given.terms('1');
    const ann = await given.user();
    await given.terms('1.1', { requiresReaccept: false });
    expect(codeOf(await signIn(browser, await given.client(), ann))).toBeTruthy();
  });

  it('wait for the day they come into effect', async ({ given, browser, server }) => {
    const ann = await given.user();
    await given.terms('2', { effectiveAt: new Date(Date.now() + 3600_000) });
    const client = await given.client();
    expect(codeOf(await signIn(browser, client, ann))).toBeTruthy();
    server.clock.advance(3601);
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    expect(page.words).toContain('Version 2 ');
  });

  it('stop a device that waits for its person', async ({ given, browser, program, server }) => {
    const ann = await given.user();
    const client = await given.client({
      metadata: {
        grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
      },
    });
    const device = (
      await asClient(program, '/oauth/device_authorization', client, { scope: 'openid' })
    ).json;
    let page = await browser.follow(
      await browser.get(
        new URL(device.verification_uri_complete).pathname +
          new URL(device.verification_uri_complete).search,
      ),
    );
    page = await browser.follow(await browser.submit(page.forms[0]!));
    page = await typePassword(browser, page, ann);
    expect(page.words).toMatch(/device/i);
    await given.terms('2');
    const polled = await asClient(program, '/oauth/token', client, {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: device.device_code,
    });
    expect(polled.json.access_token).toBeUndefined();
    expect(polled.status).toBe(400);
    expect(server.errors).toEqual([]);
  });
});

describe('accepting', () => {
  it('leaves evidence: who, which text in which language, when, from where, for which application (A2)', async ({
    given,
    browser,
    server,
  }) => {
    await given.terms('7', { texts: [english, german] });
    await given.terms('3', { kind: 'privacy', texts: [{ ...english, title: 'Privacy notice' }] });
    const ann = await given.user('ann@acme.example', { accepts: false });
    const client = await given.client();
    browser.headers['accept-language'] = 'de';
    browser.headers['user-agent'] = 'Testbrowser/1';
    const page = await signIn(browser, client, ann);
    expect(page.text).toContain('<html lang="de">');
    expect(page.words).toContain('Seien Sie gut .');
    // The privacy notice is there in English alone.
    expect(page.words).toContain('Be good .');
    expect(page.forms[0]!.boxes).toHaveLength(2);
    expect(page.forms[0]!.boxes.every(({ required }) => required)).toBe(true);
    codeOf(await acceptAll(browser, page));

    const common = {
      user_id: ann.id,
      ip: '127.0.0.1',
      user_agent: 'Testbrowser/1',
      client_id: client.id,
      interaction: true,
    };
    expect(await evidence(given)).toEqual([
      { ...common, kind: 'tos', version: '7', locale: 'de', sha256: sha256(german) },
      {
        ...common,
        kind: 'privacy',
        version: '3',
        locale: 'en',
        sha256: sha256({ ...english, title: 'Privacy notice' }),
      },
    ]);
    expect((await given.events()).filter((action) => action === 'terms.accepted')).toHaveLength(2);
    expect(server.errors).toEqual([]);
  });

  it('is for the language that was read, though another was chosen in a second tab', async ({
    given,
    browser,
  }) => {
    await given.terms('7', { texts: [english, german] });
    const ann = await given.user('ann@acme.example', { accepts: false });
    const page = await signIn(browser, await given.client(), ann);
    expect(page.words).toContain('Be good .');
    await browser.get(`${page.url.pathname}?ui_locales=de`);
    codeOf(await acceptAll(browser, page));
    expect(await evidence(given)).toMatchObject([{ locale: 'en', sha256: sha256(english) }]);
  });

  it('cannot be left out or half done', async ({ given, browser }) => {
    await given.terms('7');
    await given.terms('3', { kind: 'privacy' });
    const ann = await given.user('ann@acme.example', { accepts: false });
    const page = await signIn(browser, await given.client(), ann);
    const [tos, privacy] = page.forms[0]!.boxes;
    for (const accept of [
      [],
      [tos!.value],
      [privacy!.value],
      ['x', tos!.value],
      [tos!.value, tos!.value],
    ]) {
      const form = new URLSearchParams({ csrf: page.forms[0]!.fields['csrf']! });
      for (const value of accept) form.append('accept', value);
      const answer = await browser.post(page.forms[0]!.action, { form });
      expect(answer.status).toBe(422);
      expect(answer.alerts).toEqual(["You can't proceed without accepting the Terms of Service."]);
    }
    expect(await evidence(given)).toEqual([]);
  });

  it('is for what was shown: a version published meanwhile is shown first', async ({
    given,
    browser,
  }) => {
    await given.terms('1');
    const ann = await given.user('ann@acme.example', { accepts: false });
    const page = await signIn(browser, await given.client(), ann);
    await given.terms('2');
    const again = await acceptAll(browser, page);
    expect(again.status).toBe(422);
    expect(again.words).toContain('Version 2 .');
    expect(await evidence(given)).toEqual([]);
    codeOf(await acceptAll(browser, again));
    expect(await evidence(given)).toMatchObject([{ version: '2' }]);
  });

  it('twice at once leaves one evidence', async ({ given, browser, server }) => {
    await given.terms('1');
    const ann = await given.user('ann@acme.example', { accepts: false });
    const page = await signIn(browser, await given.client(), ann);
    await Promise.all([acceptAll(browser, page), acceptAll(browser, page)]);
    expect(await evidence(given)).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });

  it('cannot be changed or taken back in the database (A2)', async ({ given, browser }) => {
    const version = await given.terms('1');
    const ann = await given.user('ann@acme.example', { accepts: false });
    codeOf(await acceptAll(browser, await signIn(browser, await given.client(), ann)));
    for (const statement of [
      `update terms_acceptances set version_id = version_id`,
      `update terms_acceptances set accepted_at = now() - interval '1 year'`,
      `delete from terms_acceptances`,
      `update terms_texts set body = 'You owe us everything.'`,
      `delete from terms_versions where id = '${version.id}'`,
    ])
      await expect(given.rows(statement), statement).rejects.toThrow(/append-only/);
  });

  it('is text alone: markup and links of the operator are made harmless', async ({
    given,
    browser,
  }) => {
    await given.terms('1', {
      texts: [
        {
          locale: 'en',
          title: '<svg onload=alert(1)>',
          body: '# Head\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) [y](https://a.example/"onclick="x) ![z](https://track.example/p.gif)',
        },
      ],
    });
    const ann = await given.user('ann@acme.example', { accepts: false });
    const page = await signIn(browser, await given.client(), ann);
    expect(page.text).not.toMatch(/<script>|<svg onload|href="javascript|onclick="|<img[^>]+track/);
    expect(page.text).toContain('<h3>Head</h3>');
  });
});

describe('declining', () => {
  it('signs the person out and tells the application that access was denied', async ({
    given,
    browser,
    server,
  }) => {
    await given.terms('1');
    const ann = await given.user('ann@acme.example', { accepts: false });
    const client = await given.client();
    const page = await signIn(browser, client, ann);
    const back = await browser.follow(await browser.submit(page.forms[1]!));
    expect(back.location?.origin).toBe('https://rp.example');
    expect(back.location?.searchParams.get('error')).toBe('access_denied');
    expect(await given.rows('select 1 from oidc_sessions where user_id is not null')).toEqual([]);
    expect(await given.events()).toContain('terms.declined');
    const again = await browser.follow(await browser.get(authorizeUrl(client)));
    expect(again.words).toMatch(/^Sign in/);
    expect(server.errors).toEqual([]);
  });
});
