import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig } from '#config/load.ts';
import { type Demo, seedDemo } from '#config/demo.ts';
import { obstacles, overflow } from '#test/support/accessibility.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import { sharedBrowser } from '#test/support/browser.ts';
import { testDatabase } from '#test/support/database.ts';
import { startServer, type TestServer } from '#test/support/server.ts';
import { acceptAll, typePassword } from '#test/support/sign-in.ts';

let server: TestServer;
let demo: Demo;
let folder: string;

beforeAll(async () => {
  const { database, reset } = await testDatabase();
  await reset();
  folder = mkdtempSync(join(tmpdir(), 'ostiary-demo-'));
  server = await startServer(database, { config: { dataDir: folder } });
  const seeded = await seedDemo(server.app, {
    ...loadConfig({ NODE_ENV: 'test', DATA_DIR: folder }),
    issuer: server.url,
  });
  demo = seeded!;
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('for a person with a browser that runs no script', () => {
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    const browser = await sharedBrowser();
    context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
    page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  });

  afterAll(() => context.close());

  it('goes from the first click to the name and back out', async () => {
    const ann = demo.accounts[0]!.users[0]!;
    await page.goto('/dev/app');
    await press('Sign in');
    await page.getByLabel('E-mail address').fill(ann.email);
    await press('Continue');
    await page.getByLabel('Password').fill(ann.password);
    await press('Sign in');

    await heading('Ann Archer is signed in');
    const main = page.locator('main');
    expect(await main.textContent()).toContain('Acme');
    expect(await main.textContent()).toContain('ann@acme.example');

    await press('Refresh');
    expect(await page.getByRole('status').textContent()).toContain('new access token');
    await press('Silent sign-in');
    expect(await page.getByRole('status').textContent()).toContain('Signed in without a page');

    await press('Sign out');
    expect(await page.getByRole('status').textContent()).toContain('by a logout token');
    expect(await main.textContent()).not.toContain('Ann Archer');
    expect(complaints).toEqual([]);
  });

  async function press(name: string): Promise<void> {
    await page.getByRole('button', { name, exact: true }).first().click();
  }

  async function heading(name: string): Promise<void> {
    await page.getByRole('heading', { name, level: 1 }).waitFor();
  }
});

describe('for everybody', () => {
  it('reads well to a screen reader, on a phone and a desk, by day and by night', async () => {
    const browser = await sharedBrowser();
    const context = await browser.newContext({ baseURL: server.url, reducedMotion: 'reduce' });
    const page = await context.newPage();
    const ann = demo.accounts[0]!.users[0]!;
    await page.goto('/dev/app');
    await page.getByText('What to ask for').click();
    expect(await everywhere(page)).toEqual([]);
    await page.getByLabel('Access token for').selectOption(demo.resource.identifier);
    await page.getByRole('button', { name: 'Sign in with these choices' }).click();
    await page.getByLabel('E-mail address').fill(ann.email);
    await page.keyboard.press('Enter');
    await page.getByLabel('Password').fill(ann.password);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Ann Archer is signed in' }).waitFor();
    await page.getByRole('button', { name: 'Introspect the access token' }).click();
    for (const summary of await page.locator('main summary').all()) await summary.click();
    expect(await everywhere(page)).toEqual([]);
    await page.getByRole('button', { name: 'Call userinfo' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('invalid_token');
    expect(await everywhere(page)).toEqual([]);
    await context.close();
  });

  async function everywhere(page: Page): Promise<string[]> {
    const found = await obstacles(page);
    return (await overflow(page, 360)) > 0 ? [...found, 'too wide'] : found;
  }
});

describe('the application', () => {
  let browser: Agent;

  beforeEach(() => {
    browser = server.agent();
  });

  it('asks for the scopes that were chosen, and for nothing else', async () => {
    const sent = await begin({ scope: 'email' });
    expect(sent.get('scope')).toBe('openid email');
    expect(sent.get('code_challenge_method')).toBe('S256');
    expect(sent.get('state')).toBeTruthy();
    expect(sent.get('nonce')).toBeTruthy();
    expect([...sent.keys()]).not.toContain('prompt');
  });

  it('sends what else was chosen', async () => {
    const sent = await begin({
      refresh_token: '1',
      prompt: 'login',
      login_hint: 'ann@acme.example',
      max_age: '60',
      acr_values: 'urn:ostiary:acr:password',
      ui_locales: 'de',
      resource: demo.resource.identifier,
    });
    expect(Object.fromEntries(sent)).toMatchObject({
      scope: `openid ${demo.resource.scope} offline_access`,
      prompt: 'login',
      login_hint: 'ann@acme.example',
      max_age: '60',
      acr_values: 'urn:ostiary:acr:password',
      ui_locales: 'de',
      resource: demo.resource.identifier,
    });
  });

  it('lets a newcomer accept the terms on the way', async () => {
    const newcomer = demo.accounts[0]!.newcomer!;
    const terms = await signIn(newcomer);
    expect(terms.words).toContain('Terms of Service');
    expect((await acceptAll(browser, terms)).words).toContain('Newcomer Young is signed in');
  });

  it('shows an access token for an API, which the API reads by itself', async () => {
    const page = await signIn(demo.accounts[0]!.users[1]!, { resource: demo.resource.identifier });
    expect(page.words).toContain('Bob Baker is signed in');
    expect(page.words).toContain('at+jwt');
    expect(page.words).toContain(demo.resource.scope);
  });

  it('introspects and revokes', async () => {
    await signIn(demo.accounts[0]!.users[0]!);
    expect((await press('introspect', 'refresh_token')).words).toContain('The token is alive');
    expect((await press('revoke', 'refresh_token')).words).toContain('Revoked');
    expect((await press('introspect', 'refresh_token')).words).toContain('The token is dead');
    const refused = await press('refresh');
    expect(refused.alerts[0]).toContain('invalid_grant');
    // The grant is revoked with its refresh token, and the access token with the grant.
    expect((await press('userinfo')).alerts[0]).toContain('invalid_token');
  });

  it('says that nobody is signed in, when nobody may be asked', async () => {
    const answer = await signInForm({ prompt: 'none' });
    expect(answer.words).toContain('Nobody is signed in');
    expect(answer.words).toContain('login_required');
  });

  it('says that the person declined', async () => {
    const nora = await server.given.user('nora@acme.example', { accepts: false });
    const terms = await signIn(nora);
    const declined = await browser.follow(await browser.submit(terms.forms[1]!));
    expect(declined.alerts[0]).toContain('Not signed in');
    expect(declined.alerts[0]).toContain('access_denied');
  });

  it('believes no answer to a question that this browser did not ask', async () => {
    const answer = await browser.follow(await browser.get('/dev/app/callback?code=x&state=y'));
    expect(answer.alerts[0]).toContain('This answer fits no question');

    await begin({});
    const other = server.agent();
    const page = await other.follow(await other.get('/dev/app/callback?code=x&state=y'));
    expect(page.alerts[0]).toContain('This answer fits no question');
  });

  it('believes no answer of another identity provider', async () => {
    const sent = await begin({});
    const answer = await browser.follow(
      await browser.get(
        `/dev/app/callback?code=x&state=${sent.get('state')}&iss=https%3A%2F%2Fevil.test`,
      ),
    );
    expect(answer.alerts[0]).toContain('iss');
    expect(answer.words).toContain('knows nobody');
  });

  it('takes its forms from its own pages only', async () => {
    const answer = await browser.post('/dev/app/sign-in', { form: { csrf: 'guessed' } });
    expect(answer.status).toBe(403);
  });

  it('forgets after an hour', async () => {
    await signIn(demo.accounts[0]!.users[0]!);
    server.clock.advance(3601);
    expect((await browser.get('/dev/app')).words).toContain('knows nobody');
    server.clock.advance(-3601);
  });

  it('forgets the oldest of too many visitors', async () => {
    await signIn(demo.accounts[0]!.users[0]!);
    for (let index = 0; index < 200; index += 1)
      await server.agent().get('/dev/app/callback?state=none');
    expect((await browser.get('/dev/app')).words).toContain('knows nobody');
  });

  it('forgets everything when the identity provider says that it is over', async () => {
    const ann = demo.accounts[0]!.users[0]!;
    await signIn(ann);
    const [{ id }] = (await server.given.rows<{ id: string }>(
      `select id from users where email = 'ann@acme.example'`,
    )) as [{ id: string }];
    await server.given.locked({ id }, 'admin');
    server.app.delivery.nudge();
    await server.app.delivery.start();
    await expect
      .poll(async () => (await browser.get('/dev/app')).words, { timeout: 20_000 })
      .toContain('Signed out by the identity provider');
  });

  it('takes a logout token of nobody else', async () => {
    await signIn(demo.accounts[0]!.users[1]!);
    const key = new TextEncoder().encode('a secret that is thirty-two bytes');
    const forged = await new SignJWT({
      sid: 'x',
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'logout+jwt' })
      .setIssuer(server.url)
      .setAudience('dev-app')
      .setIssuedAt()
      .setExpirationTime('2m')
      .setJti('1')
      .sign(key);
    for (const token of [forged, 'nonsense', '']) {
      const answer = await browser.post('/dev/app/backchannel', {
        form: { logout_token: token },
      });
      expect(answer.status).toBe(400);
      expect(answer.json.error).toBe('invalid_request');
    }
    expect((await browser.get('/dev/app')).words).toContain('Bob Baker is signed in');
  });

  it('says so where there is no demo', async () => {
    const { database } = await testDatabase();
    const bare = await startServer(database, { config: { dataDir: join(folder, 'nothing') } });
    const answer = await bare.agent().get('/dev/app');
    expect(answer.words).toContain('There is no demo here');
    await bare.close();
  });

  it('is nowhere in production', async () => {
    const { database } = await testDatabase();
    const live = await startServer(database, { config: { production: true, dataDir: folder } });
    expect((await live.agent().get('/dev/app')).status).toBe(404);
    await live.close();
  });

  /** What the browser is sent to the identity provider with. */
  async function begin(chosen: Record<string, string>): Promise<URLSearchParams> {
    const page = await browser.get('/dev/app');
    const { csrf } = page.forms[0]!.fields;
    const answer = await browser.post('/dev/app/sign-in', { form: { csrf: csrf!, ...chosen } });
    expect(answer.status).toBe(303);
    expect(answer.location!.pathname).toBe('/oauth/authorize');
    return answer.location!.searchParams;
  }

  async function signInForm(chosen: Record<string, string>): Promise<Answer> {
    const page = await browser.get('/dev/app');
    const { csrf } = page.forms[0]!.fields;
    const form = new URLSearchParams({ csrf: csrf!, refresh_token: '1', ...chosen });
    for (const scope of ['profile', 'email', 'organization']) form.append('scope', scope);
    return browser.follow(await browser.post('/dev/app/sign-in', { form }));
  }

  async function signIn(
    who: { email: string; password: string },
    chosen: Record<string, string> = {},
  ): Promise<Answer> {
    return typePassword(browser, await signInForm(chosen), who);
  }

  async function press(what: string, token?: string): Promise<Answer> {
    const page = await browser.get('/dev/app');
    const { csrf } = page.forms[0]!.fields;
    const answer = await browser.post('/dev/app/do', {
      form: { csrf: csrf!, do: what, ...(token && { token }) },
    });
    return browser.follow(answer);
  }
});
