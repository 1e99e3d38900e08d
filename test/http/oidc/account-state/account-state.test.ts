import { describe, expect } from 'vitest';
import { lockReasons, type LockReason } from '#identity/users/locks.ts';
import { unlockUser } from '#identity/users/lock.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import type { TestServer } from '#test/support/server.ts';
import {
  acceptAll,
  asClient,
  authorizeUrl,
  codeOf,
  redeem,
  refresh,
  signIn,
  tokensFor,
  typePassword,
  userinfo,
} from '#test/support/sign-in.ts';
import { password, type GivenClient, type GivenUser, type World } from '#test/support/world.ts';
import { newId } from '#platform/ids.ts';
import { said, silent } from '../support.ts';

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const offline = { scope: 'openid offline_access' };

/** Everything a person can hold at one moment. */
interface Belongings {
  browser: Agent;
  client: GivenClient;
  user: GivenUser;
  accessToken: string;
  boundToken: string;
  refreshToken: string;
  code: string;
  codeClient: GivenClient;
  deviceCode: string;
  deviceClient: GivenClient;
  pushed: string;
  interaction: string;
}

async function everything(
  given: World,
  browser: Agent,
  client: GivenClient,
  user: GivenUser,
  { requiresAccount = false }: { requiresAccount?: boolean } = {},
): Promise<Belongings> {
  const bound = await tokensFor(browser, client, user);
  const lasting = await tokensFor(browser, client, user, offline);
  const codeClient = { ...client };
  const code = codeOf(await silent(browser, codeClient, offline));
  const deviceClient = await given.client({
    name: 'Television',
    requiresAccount,
    metadata: {
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      grant_types: [deviceGrant, 'refresh_token'],
      response_types: [],
      redirect_uris: [],
    },
  });
  const device = await asClient(browser, '/oauth/device_authorization', deviceClient, {
    scope: 'openid',
  });
  const page = await browser.get('/device');
  const question = await browser.submit(page.forms[0]!, { user_code: device.json.user_code });
  await browser.follow(await browser.submit(question.forms[0]!));
  const pushed = await asClient(
    browser,
    '/oauth/par',
    client,
    Object.fromEntries(new URLSearchParams(authorizeUrl(client, { prompt: 'none' }).split('?')[1])),
  );
  const begun = await browser.follow(
    await browser.get(authorizeUrl({ ...client }, { prompt: 'login' })),
  );
  return {
    browser,
    client,
    user,
    accessToken: lasting.access_token,
    boundToken: bound.access_token,
    refreshToken: lasting.refresh_token!,
    code,
    codeClient,
    deviceCode: device.json.device_code,
    deviceClient,
    pushed: pushed.json.request_uri,
    interaction: begun.url.pathname,
  };
}

/** Tries all of it. Nothing may give a token, a code or a claim. */
async function expectNothingWorks(
  server: TestServer,
  held: Belongings,
  error: string,
): Promise<void> {
  const { browser, client } = held;
  const program = server.agent({ cookies: false });
  const none = await silent(browser, { ...client });
  expect(said(none)['error']).toBe(error);
  const pushed = await browser.get(
    `/oauth/authorize?${new URLSearchParams({ client_id: client.id, request_uri: held.pushed })}`,
  );
  expect(said(pushed)['error']).toBe(error);

  const interactive = await browser.follow(await browser.get(authorizeUrl({ ...client })));
  expect(interactive.location).toBeNull();
  expect(interactive.status).toBeLessThan(500);
  const begun = await browser.get(held.interaction);
  expect(begun.status).toBeLessThan(500);
  expect(begun.location).toBeNull();

  const code = await redeem(program, held.codeClient, held.code);
  expect([code.status, code.json.error]).toEqual([400, 'invalid_grant']);
  const refreshed = await refresh(program, client, held.refreshToken);
  expect([refreshed.status, refreshed.json.error]).toEqual([400, 'invalid_grant']);
  const device = await asClient(program, '/oauth/token', held.deviceClient, {
    grant_type: deviceGrant,
    device_code: held.deviceCode,
  });
  expect([device.status, device.json.error]).toEqual([400, 'invalid_grant']);
  for (const token of [held.accessToken, held.boundToken]) {
    const info = await userinfo(program, token);
    expect([info.status, info.json.error]).toEqual([401, 'invalid_token']);
  }
  for (const token of [held.accessToken, held.boundToken, held.refreshToken])
    expect((await asClient(program, '/oauth/introspect', client, { token })).json).toEqual({
      active: false,
    });
  expect(server.errors).toEqual([]);
}

async function expectAllWorks(server: TestServer, held: Belongings): Promise<void> {
  const program = server.agent({ cookies: false });
  expect(said(await silent(held.browser, { ...held.client }))).toHaveProperty('code');
  for (const token of [held.accessToken, held.boundToken]) {
    expect((await userinfo(program, token)).status).toBe(200);
    expect((await asClient(program, '/oauth/introspect', held.client, { token })).json.active).toBe(
      true,
    );
  }
  expect((await redeem(program, held.codeClient, held.code)).status).toBe(200);
  expect((await refresh(program, held.client, held.refreshToken)).status).toBe(200);
}

/** The lock alone, as if it had been set between our reading and our writing. */
function lockedBehindOurBack(given: World, user: GivenUser, reason: LockReason): Promise<unknown> {
  return given.rows(
    `insert into user_locks (id, user_id, reason, set_by, set_at)
     values ($1, $2, $3, '{"type":"system","id":"test"}', now())`,
    [newId(), user.id, reason],
  );
}

/** A person signs in with the right password and is told why not, in a page that ends. */
async function tryToSignIn(browser: Agent, client: GivenClient, user: GivenUser): Promise<Answer> {
  browser.forgetCookies();
  return signIn(browser, client, { ...user, password });
}

const locking = lockReasons.filter((reason) => reason !== 'too_many_attempts');

describe('whoever is locked is out, whatever they hold', () => {
  for (const reason of locking) {
    it(`${reason}: every door is closed at once, and unlocking opens none of them again`, async ({
      given,
      browser,
      server,
    }) => {
      const client = await given.client();
      const ann = await given.user();
      const held = await everything(given, browser, client, ann);
      await given.locked(ann, reason);
      await expectNothingWorks(server, held, 'login_required');
      const page = await tryToSignIn(server.agent(), client, ann);
      expect(page.status).toBe(403);
      expect(page.location).toBeNull();

      await given.work((work) => unlockUser(work, ann.id, [reason]));
      await expectNothingWorks(server, held, 'login_required');
      expect(codeOf(await tryToSignIn(browser, client, ann))).toBeTruthy();
    });

    it(`${reason}: even where the lock came while a request was under way`, async ({
      given,
      browser,
      server,
    }) => {
      const client = await given.client();
      const ann = await given.user();
      const held = await everything(given, browser, client, ann);
      await lockedBehindOurBack(given, ann, reason);
      await expectNothingWorks(server, held, 'login_required');
    });
  }

  it('two reasons are two: lifting one opens nothing', async ({ given, browser, server }) => {
    const client = await given.client();
    const ann = await given.user();
    await given.locked(ann, 'admin');
    await given.locked(ann, 'directory');
    await given.work((work) => unlockUser(work, ann.id, ['admin']));
    expect((await tryToSignIn(browser, client, ann)).status).toBe(403);
    await given.work((work) => unlockUser(work, ann.id, ['directory']));
    expect(codeOf(await tryToSignIn(browser, client, ann))).toBeTruthy();
    expect(server.errors).toEqual([]);
  });

  it('a lock that has run out is none', async ({ given, browser, server }) => {
    const client = await given.client();
    const ann = await given.user();
    await lockedBehindOurBack(given, ann, 'admin');
    await given.rows(`update user_locks set until = now() + interval '1 minute'`);
    expect((await tryToSignIn(browser, client, ann)).status).toBe(403);
    server.clock.advance(61);
    expect(codeOf(await tryToSignIn(browser, client, ann))).toBeTruthy();
  });

  it('too many wrong passwords lock the password, and nobody who is in is put out', async ({
    given,
    browser,
    server,
  }) => {
    const held = await everything(given, browser, await given.client(), await given.user());
    await given.locked(held.user, 'too_many_attempts');
    await expectAllWorks(server, held);
  });

  it('whoever was erased is nobody', async ({ given, browser, server }) => {
    const client = await given.client();
    const ann = await given.user();
    const held = await everything(given, browser, client, ann);
    await given.rows(
      `update users set identity = 'erased', email = null, email_display = null
      where id = $1`,
      [ann.id],
    );
    await expectNothingWorks(server, held, 'login_required');
  });
});

describe('an application that is for members of an account', () => {
  it('an account on hold: stopped everywhere, with a page that says so; and everything goes on when the hold is lifted', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme');
    const ann = await given.user('ann@acme.example', { of: acme });
    const client = await given.client({ requiresAccount: true });
    const held = await everything(given, browser, client, ann);
    await given.rows(
      `update accounts set status = 'on_hold', hold_reason = 'The invoice is open.' where id = $1`,
      [acme.id],
    );
    const program = server.agent({ cookies: false });
    expect(said(await silent(browser, { ...client }))['error']).toBe('interaction_required');
    const page = await browser.follow(await browser.get(authorizeUrl({ ...client })));
    expect(page.status).toBe(403);
    expect(page.words).toContain('The invoice is open.');
    const back = await browser.follow(
      await browser.get(`${page.url.pathname.replace(/\/$/, '')}/return`),
    );
    expect(said(back)['error']).toBe('access_denied');

    expect((await userinfo(program, held.accessToken)).status).toBe(401);
    expect((await refresh(program, client, held.refreshToken)).json.error).toBe('invalid_grant');
    expect(
      (await asClient(program, '/oauth/introspect', client, { token: held.accessToken })).json
        .active,
    ).toBe(false);

    await given.rows(`update accounts set status = 'active' where id = $1`, [acme.id]);
    expect((await userinfo(program, held.accessToken)).status).toBe(200);
    expect((await refresh(program, client, held.refreshToken)).status).toBe(200);
    expect(server.errors).toEqual([]);
  });

  it('on hold: a code, a device code and a pushed request that were on their way are refused', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme');
    const ann = await given.user('ann@acme.example', { of: acme });
    const client = await given.client({ requiresAccount: true });
    const held = await everything(given, browser, client, ann);
    await given.rows(`update accounts set status = 'on_hold' where id = $1`, [acme.id]);
    await expectNothingWorks(server, held, 'interaction_required');
  });

  it('an application that does not mind the hold lets people in', async ({ given, browser }) => {
    const acme = await given.account('Acme');
    const ann = await given.user('ann@acme.example', { of: acme });
    const client = await given.client({ requiresActiveAccount: false });
    await given.rows(`update accounts set status = 'on_hold' where id = $1`, [acme.id]);
    expect(codeOf(await signIn(browser, client, ann))).toBeTruthy();
  });

  it('whoever belongs to no account is told so, and let in elsewhere', async ({
    given,
    browser,
    server,
  }) => {
    const ann = await given.user();
    const client = await given.client({ requiresAccount: true });
    const open = await given.client({ name: 'Open' });
    const page = await signIn(browser, client, ann);
    expect(page.status).toBe(403);
    expect(said(await silent(browser, client))['error']).toBe('interaction_required');
    expect(codeOf(await silent(browser, open))).toBeTruthy();
    expect(server.errors).toEqual([]);
  });

  it('whoever leaves the account while signed in: every door is closed', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme');
    const ann = await given.user('ann@acme.example', { of: acme });
    const client = await given.client({ requiresAccount: true });
    const held = await everything(given, browser, client, ann, { requiresAccount: true });
    await given.rows(`update users set affiliation = 'none', account_id = null where id = $1`, [
      ann.id,
    ]);
    await expectNothingWorks(server, held, 'interaction_required');
  });

  it('restricted to accounts or to roles: others are stopped', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme');
    const beta = await given.account('Beta');
    const ann = await given.user('ann@acme.example', { of: acme });
    const bob = await given.user('bob@beta.example', { of: beta, roles: ['co_administrator'] });
    const forAcme = await given.client({ allowedAccounts: [acme.id] });
    const forAdministrators = await given.client({ requiredRoles: ['co_administrator'] });
    expect(codeOf(await signIn(browser, forAcme, ann))).toBeTruthy();
    expect((await browser.follow(await browser.get(authorizeUrl(forAdministrators)))).status).toBe(
      403,
    );
    const other = server.agent();
    expect((await signIn(other, forAcme, bob)).status).toBe(403);
    expect(codeOf(await silent(other, forAdministrators))).toBeTruthy();
  });
});

describe('terms that were published while somebody is signed in', () => {
  it('stop every door until they are accepted, and then everything goes on', async ({
    given,
    browser,
    server,
  }) => {
    await given.terms('1');
    const client = await given.client();
    const ann = await given.user();
    const held = await everything(given, browser, client, ann);
    await given.terms('2', { effectiveAt: new Date(Date.now() + 1000) });
    server.clock.advance(5);

    const program = server.agent({ cookies: false });
    expect(said(await silent(browser, { ...client }))['error']).toBe('interaction_required');
    expect((await userinfo(program, held.accessToken)).status).toBe(401);
    const refused = await refresh(program, client, held.refreshToken);
    expect(refused.json).toEqual({
      error: 'invalid_grant',
      error_description: expect.any(String),
    });
    const page = await browser.follow(await browser.get(authorizeUrl({ ...client })));
    expect(page.words).toContain('Version 2');

    expect(codeOf(await acceptAll(browser, page))).toBeTruthy();
    expect((await userinfo(program, held.accessToken)).status).toBe(200);
    expect((await refresh(program, client, held.refreshToken)).status).toBe(200);
    expect(server.errors).toEqual([]);
  });

  it('a code, a device code and a pushed request that were on their way are refused', async ({
    given,
    browser,
    server,
  }) => {
    const client = await given.client();
    const held = await everything(given, browser, client, await given.user());
    await given.terms('1');
    await expectNothingWorks(server, held, 'interaction_required');
  });

  it('whoever declines is sent back, and is signed in no longer', async ({ given, browser }) => {
    const client = await given.client();
    const ann = await given.user();
    await signIn(browser, client, ann);
    await given.terms('1');
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    const decline = page.forms.find(({ action }) => action.endsWith('/decline'))!;
    expect(said(await browser.follow(await browser.submit(decline)))['error']).toBe(
      'access_denied',
    );
    expect(said(await silent(browser, client))['error']).toBe('login_required');
  });
});

describe('a person who meets a closed door', () => {
  it('is never sent in circles', async ({ given, browser, server }) => {
    const client = await given.client();
    const ann = await given.user();
    await signIn(browser, client, ann);
    await lockedBehindOurBack(given, ann, 'admin');
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    expect(page.status).toBe(200);
    const told = await typePassword(browser, page, ann);
    expect(told.status).toBe(403);
    const again = await browser.follow(await browser.get(authorizeUrl(client)));
    expect(again.status).toBe(200);
    expect(server.errors).toEqual([]);
  });
});
