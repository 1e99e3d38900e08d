import { decodeJwt } from 'jose';
import { describe, expect } from 'vitest';
import { requireFactor } from '#identity/credentials/factors.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import { appOn, enrolApp, type Enrolment } from '#test/support/factors.ts';
import { it } from '#test/support/it.ts';
import type { TestServer } from '#test/support/server.ts';
import {
  asClient,
  authorizeUrl,
  codeOf,
  redeem,
  refresh,
  signIn,
  typePassword,
  type Tokens,
} from '#test/support/sign-in.ts';
import type { GivenClient, GivenUser } from '#test/support/world.ts';
import { said, silent } from '../oidc/support.ts';

/** Ann, of whom a second factor is demanded, and who has set up an app. */
async function withApp(
  server: TestServer,
): Promise<Enrolment & { ann: GivenUser; client: GivenClient }> {
  const browser = server.agent();
  const { ann, client, page } = await askedForOne(server, browser);
  return { ann, client, ...(await enrolApp(browser, page, server.clock)) };
}

/** Ann, of whom a second factor is demanded, and the page on which she sets one up. */
async function askedForOne(
  server: TestServer,
  browser: Agent,
): Promise<{ ann: GivenUser; client: GivenClient; page: Answer }> {
  const ann = await server.given.user();
  const client = await server.given.client();
  await demand(server, ann);
  return { ann, client, page: await signIn(browser, client, ann) };
}

/** Asked for with a token of the operator. */
const operator = { role: 'operator', accountId: null, userId: null } as const;

async function demand({ given }: TestServer, user: GivenUser): Promise<void> {
  const person = (await given.person(user))!;
  await given.work((work) => requireFactor(work, operator, person, true));
}

async function toCode(server: TestServer, client: GivenClient, ann: GivenUser) {
  const browser = server.agent();
  const page = await signIn(browser, client, ann);
  expect(page.words).toContain('Confirm that it is you');
  return { browser, page };
}

async function claimsIn(browser: Agent, client: GivenClient, answer: Answer) {
  const tokens = (await redeem(browser, client, codeOf(answer))).json as Tokens;
  return decodeJwt(tokens.id_token);
}

describe('a second factor that is demanded', () => {
  it('is set up right after the password, and before the first code is issued', async ({
    server,
    given,
    browser,
  }) => {
    const { ann, client, page } = await askedForOne(server, browser);
    expect(page.words).toContain('Set up a second step');
    expect(page.text).toMatch(/<svg[^>]+class="qr"/);
    // Nothing is signed in yet: neither this page nor another gives a way round.
    const other = await given.client();
    expect(said(await silent(browser, other))).toMatchObject({ error: 'login_required' });
    expect((await given.person(ann))!.secondFactor.enrolled).toBe(false);

    const wrong = await browser.submit(page.forms[0]!, { code: '000000' });
    expect(wrong).toMatchObject({ status: 422, alerts: [expect.stringContaining('not right')] });

    const { recoveryCodes, answer } = await enrolApp(browser, wrong, server.clock);
    expect(recoveryCodes).toHaveLength(10);
    expect(await claimsIn(browser, client, answer)).toMatchObject({
      acr: 'urn:ostiary:acr:mfa',
      amr: ['pwd', 'otp', 'mfa'],
    });
    expect(await given.events()).toEqual(expect.arrayContaining(['second_factor.added']));
    expect(server.errors).toEqual([]);
  });

  it('is asked for at each sign-in from then on, and a right code lets in', async ({ server }) => {
    const { ann, client, app } = await withApp(server);
    const { browser, page } = await toCode(server, client, ann);
    expect(page.forms[0]!.fields).toHaveProperty('code');
    expect(page.text).toContain('autocomplete="one-time-code"');
    const wrong = await browser.submit(page.forms[0]!, { code: app.wrong() });
    expect(wrong).toMatchObject({ status: 401, alerts: [expect.stringContaining('not right')] });
    const answer = await browser.follow(
      await browser.submit(wrong.forms[0]!, { code: app.next() }),
    );
    const claims = await claimsIn(browser, client, answer);
    expect(claims).toMatchObject({ acr: 'urn:ostiary:acr:mfa', amr: ['pwd', 'otp', 'mfa'] });
    expect(
      Math.abs((claims['auth_time'] as number) - server.clock().getTime() / 1000),
    ).toBeLessThan(5);
  });

  it('refuses a code that was used, and one of a step before it', async ({ server }) => {
    const { ann, client, app } = await withApp(server);
    const used = app.next();
    const first = await toCode(server, client, ann);
    codeOf(
      await first.browser.follow(await first.browser.submit(first.page.forms[0]!, { code: used })),
    );
    const { browser, page } = await toCode(server, client, ann);
    for (const code of [used, app.code(1)])
      expect((await browser.submit(page.forms[0]!, { code })).status).toBe(401);
  });

  it('takes the same code once of 20 that come at the same time', async ({ server }) => {
    const { ann, client, app } = await withApp(server);
    const code = app.next();
    // Three sign-ins, and many requests of each: more than one question evaluates.
    const tabs = await Promise.all([1, 2, 3].map(() => toCode(server, client, ann)));
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => tabs[n % 3]!).map(({ browser, page }) =>
        browser.submit(page.forms[0]!, { code }),
      ),
    );
    const letIn = answers.filter(({ location }) => location?.searchParams.has('code'));
    expect(letIn).toHaveLength(1);
    const [{ used }] = (await server.given.rows<{ used: number }>(
      `select count(*)::int as used from audit_events where action = 'sign_in.succeeded'`,
    )) as [{ used: number }];
    // The one that set it up, and this one.
    expect(used).toBe(2);
  });

  it('takes a clock that is half a minute off, and not a whole one', async ({ server }) => {
    const { ann, client, app } = await withApp(server);
    server.clock.advance(300);
    const late = await toCode(server, client, ann);
    expect((await late.browser.submit(late.page.forms[0]!, { code: app.code(2) })).status).toBe(
      401,
    );
    expect((await late.browser.submit(late.page.forms[0]!, { code: app.code(1) })).status).toBe(
      303,
    );
    const early = await toCode(server, client, ann);
    expect((await early.browser.submit(early.page.forms[0]!, { code: app.code(-2) })).status).toBe(
      401,
    );
    expect((await early.browser.submit(early.page.forms[0]!, { code: app.code(-1) })).status).toBe(
      303,
    );
  });
});

describe('guessing codes (D-55)', () => {
  it('ends after five: the sixth is not looked at, though right, and the password is asked again', async ({
    server,
    given,
  }) => {
    const { ann, client, app } = await withApp(server);
    const { browser, page } = await toCode(server, client, ann);
    for (let n = 0; n < 5; n += 1)
      expect((await browser.submit(page.forms[0]!, { code: app.wrong() })).words).toContain(
        'Confirm that it is you',
      );
    const sixth = await browser.submit(page.forms[0]!, { code: app.next() });
    expect(sixth).toMatchObject({ status: 401, alerts: [expect.stringContaining('too many')] });
    expect(sixth.words).toContain('Enter your password');
    expect(said(await silent(browser, client))).toMatchObject({ error: 'login_required' });
    // Whose password is known to a stranger is told so.
    await server.app.delivery.drain();
    expect((await given.mails()).map(({ kind }) => kind)).toContain('second_factor_guessed');
  });

  it('ends after twenty in an hour, however often the password is typed', async ({ server }) => {
    const { ann, client, app } = await withApp(server);
    for (let n = 0; n < 4; n += 1) {
      const { browser, page } = await toCode(server, client, ann);
      await Promise.all(
        Array.from({ length: 5 }, () => browser.submit(page.forms[0]!, { code: app.wrong() })),
      );
    }
    const { browser, page } = await toCode(server, client, ann);
    const right = await browser.submit(page.forms[0]!, { code: app.next() });
    expect(right).toMatchObject({ status: 429, headers: { 'retry-after': '3600' } });
    server.clock.advance(3601);
    const later = await toCode(server, client, ann);
    expect((await later.browser.submit(later.page.forms[0]!, { code: app.code() })).status).toBe(
      303,
    );
  });
});

describe('recovery codes', () => {
  it('let in once each, also as people type them, and of 20 at the same time one', async ({
    server,
    given,
  }) => {
    const { ann, client, recoveryCodes } = await withApp(server);
    const code = recoveryCodes[3]!;
    const { browser, page } = await toCode(server, client, ann);
    const { forms } = await browser.get(`${page.url.pathname}?with=recovery`);
    const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o');
    await Promise.all(Array.from({ length: 20 }, () => browser.submit(forms[0]!, { code: typed })));
    const spent = await given.rows('select 1 from recovery_codes where used_at is not null');
    expect(spent).toHaveLength(1);
    const again = await toCode(server, client, ann);
    const form = (await again.browser.get(`${again.page.url.pathname}?with=recovery`)).forms[0]!;
    expect((await again.browser.submit(form, { code })).status).toBe(401);
    expect(await given.events()).toContain('second_factor.recovery_code_used');
  });

  it('are kept as hashes, and a mail comes with the last', async ({ server, given }) => {
    const { ann, client, recoveryCodes } = await withApp(server);
    const kept = JSON.stringify(await given.rows('select * from recovery_codes'));
    for (const code of recoveryCodes) expect(kept).not.toContain(code.replaceAll('-', ''));
    await given.rows(
      `update recovery_codes set used_at = now() where code_hash <> (
         select code_hash from recovery_codes order by code_hash limit 1)`,
    );
    const { browser, page } = await toCode(server, client, ann);
    const { pathname } = page.url;
    let left = recoveryCodes.length;
    for (const code of recoveryCodes) {
      const form = (await browser.get(`${pathname}?with=recovery`)).forms[0]!;
      if ((await browser.submit(form, { code })).status === 303) break;
      left -= 1;
      await given.rows('delete from attempt_counters');
    }
    expect(left).toBeGreaterThan(0);
    await server.app.delivery.drain();
    expect((await given.mails()).at(-1)).toMatchObject({
      kind: 'factor_reset',
      subject: expect.stringContaining('recovery codes'),
    });
  });

  it('come as a file from the page that shows them, and nothing else does', async ({
    server,
    browser,
  }) => {
    const { page } = await askedForOne(server, browser);
    const [, secret] = /<p class="value code">([^<]+)</.exec(page.text)!;
    expect(secret).toMatch(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/);
    const codes = await browser.submit(page.forms[0]!, { code: appOn(page, server.clock).code() });
    const file = await browser.submit(codes.forms[0]!);
    expect(file.headers['content-disposition']).toContain('attachment');
    expect(file.headers['content-type']).toContain('text/plain');
    expect(file.text.trim().split('\r\n')).toHaveLength(10);
    const evil = await browser.submit(codes.forms[0]!, { codes: '<script>alert(1)</script>' });
    expect(evil.status).toBe(400);
  });
});

describe('a session of before the rule (F28)', () => {
  it('meets it at the next request: pages, prompt=none and refresh', async ({
    server,
    given,
    browser,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const answer = await signIn(browser, client, ann, { scope: 'openid offline_access' });
    const tokens = (await redeem(browser, client, codeOf(answer))).json as Tokens;
    expect((await browser.get('/profile')).status).toBe(200);
    await demand(server, ann);

    expect(said(await silent(browser, client))).toMatchObject({ error: 'login_required' });
    const refreshed = await refresh(browser, client, tokens.refresh_token!);
    expect(refreshed).toMatchObject({ status: 400 });
    expect(refreshed.json).toMatchObject({ error: 'invalid_grant' });
    expect((await browser.get('/profile')).status).toBe(303);

    // A session alone sets no factor up: the password first.
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    expect(page.words).toContain('Enter your password');
    const typed = await browser.submit(page.forms[0]!, ann as never);
    const enrol = await browser.follow(typed);
    const { answer: back } = await enrolApp(browser, enrol, server.clock);
    codeOf(back);
    expect((await browser.get('/profile')).status).toBe(200);
  });

  it('meets it on a device that was let in a moment ago (RFC 8628)', async ({
    server,
    given,
    browser,
  }) => {
    const ann = await given.user();
    const grantType = 'urn:ietf:params:oauth:grant-type:device_code';
    const television = await given.client({
      metadata: {
        token_endpoint_auth_method: 'none',
        application_type: 'native',
        grant_types: [grantType, 'refresh_token'],
        response_types: [],
        redirect_uris: [],
      },
    });
    const begun = await asClient(browser, '/oauth/device_authorization', television, {
      scope: 'openid',
    });
    const { device_code, user_code } = begun.json as Record<string, string>;
    const question = await browser.submit((await browser.get('/device')).forms[0]!, {
      user_code: user_code!,
    });
    const page = await browser.follow(await browser.submit(question.forms[0]!));
    expect((await typePassword(browser, page, ann)).words).toContain('Your device is connected');
    await demand(server, ann);
    const polled = await asClient(browser, '/oauth/token', television, {
      grant_type: grantType,
      device_code: device_code!,
    });
    expect(polled.json).toMatchObject({ error: 'invalid_grant' });
  });

  it('asks who has a factor for the factor alone, and does not call the sign-in fresh', async ({
    server,
    given,
  }) => {
    const { ann, client, app } = await withApp(server);
    const { browser, page } = await toCode(server, client, ann);
    const answer = await browser.follow(await browser.submit(page.forms[0]!, { code: app.next() }));
    const before = await claimsIn(browser, client, answer);
    // As if it had been a sign-in by password alone, an hour ago.
    await given.rows(
      `update oidc_sessions set payload = payload || '{"acr": "urn:ostiary:acr:password", "amr": ["pwd"]}'`,
    );
    server.clock.advance(3600);
    const asked = await browser.follow(await browser.get(authorizeUrl(client)));
    expect(asked.words).toContain('Confirm that it is you');
    const after = await claimsIn(
      browser,
      client,
      await browser.follow(await browser.submit(asked.forms[0]!, { code: app.code() })),
    );
    expect(after).toMatchObject({ acr: 'urn:ostiary:acr:mfa', amr: ['pwd', 'otp', 'mfa'] });
    expect(after['auth_time']).toBe(before['auth_time']);
  });
});

describe('a proof of half a sign-in', () => {
  it('is worth nothing in another browser, after a quarter of an hour, or after a new password', async ({
    server,
    given,
  }) => {
    const { ann, client, app } = await withApp(server);
    const { browser, page } = await toCode(server, client, ann);
    expect((await server.agent().get(page.url.pathname)).status).toBe(400);

    await given.rows('update passwords set set_at = $1', [
      new Date(server.clock().getTime() + 1000).toISOString(),
    ]);
    const afterReset = await browser.follow(
      await browser.submit(page.forms[0]!, { code: app.next() }),
    );
    expect(afterReset.words).toContain('Enter your password');
    await given.rows(`update passwords set set_at = now() - interval '1 day'`);

    expect((await browser.get(page.url.pathname)).words).toContain('Confirm that it is you');
    server.clock.advance(16 * 60);
    expect((await browser.get(page.url.pathname)).words).toContain('Enter your password');
  });

  it('is over when the person is locked meanwhile, and says so', async ({ server, given }) => {
    const { ann, client, app } = await withApp(server);
    const { browser, page } = await toCode(server, client, ann);
    await given.locked(ann, 'admin');
    const answer = await browser.follow(await browser.submit(page.forms[0]!, { code: app.next() }));
    expect(answer.words).toContain('Your administrator locked this account.');
    expect(said(await silent(browser, client))).toMatchObject({ error: 'login_required' });
  });

  it('belongs to the person who typed the password, not to whom is named next', async ({
    server,
    given,
  }) => {
    const { ann, client } = await withApp(server);
    const bob = await given.user('bob@acme.example');
    const { browser, page } = await toCode(server, client, ann);
    const change = await browser.get(`${page.url.pathname}?change`);
    const next = await browser.follow(await browser.submit(change.forms[0]!, { email: bob.email }));
    expect(next.words).toContain('Enter your password');
    expect((await browser.get(page.url.pathname)).words).toContain('Enter your password');
  });
});

describe('an application that asks for a second factor (acr_values)', () => {
  it('gets it of who signed in with a password alone, once', async ({ server, given, browser }) => {
    const ann = await given.user();
    const client = await given.client();
    codeOf(await signIn(browser, client, ann));
    const asked = { acr_values: 'urn:ostiary:acr:mfa' };
    expect(said(await silent(browser, client, asked))).toMatchObject({ error: 'login_required' });
    const page = await browser.follow(await browser.get(authorizeUrl(client, asked)));
    // To set one up, a session is not enough.
    expect(page.words).toContain('Enter your password');
    const enrol = await browser.follow(await browser.submit(page.forms[0]!, ann as never));
    const { answer } = await enrolApp(browser, enrol, server.clock);
    expect(await claimsIn(browser, client, answer)).toMatchObject({ acr: 'urn:ostiary:acr:mfa' });
    codeOf(await silent(browser, client, asked));
    // Who takes less is given less.
    const either = { acr_values: 'urn:ostiary:acr:mfa urn:ostiary:acr:password' };
    codeOf(await silent(browser, client, either));
  });

  it('is told when an essential acr cannot be reached', async ({ given, browser }) => {
    const ann = await given.user();
    const client = await given.client();
    const claims = JSON.stringify({
      id_token: { acr: { essential: true, value: 'urn:elsewhere:gold' } },
    });
    const answer = await signIn(browser, client, ann, { claims }).catch((error: Error) => error);
    expect(answer).not.toBeInstanceOf(Error);
    expect(said(answer as Answer)).toMatchObject({ error: 'unmet_authentication_requirements' });
  });

  it('gets an essential one by a second factor', async ({ server }) => {
    const { ann, client, app } = await withApp(server);
    const browser = server.agent();
    const claims = JSON.stringify({
      id_token: { acr: { essential: true, values: ['urn:ostiary:acr:mfa'] } },
    });
    const page = await signIn(browser, client, ann, { claims });
    const answer = await browser.follow(await browser.submit(page.forms[0]!, { code: app.next() }));
    expect(await claimsIn(browser, client, answer)).toMatchObject({ acr: 'urn:ostiary:acr:mfa' });
  });
});
