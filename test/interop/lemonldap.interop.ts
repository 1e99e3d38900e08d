import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizeUrl } from '#test/support/sign-in.ts';
import { sharedBrowser } from '#test/support/browser.ts';
import { testDatabase } from '#test/support/database.ts';
import { startServer, type TestServer } from '#test/support/server.ts';
import type { GivenClient } from '#test/support/world.ts';
import { caller, type Caller } from '../http/admin/support.ts';
import { relyingParty } from '../http/sign-in/relying-party.ts';
import { freePort, installLemonldap, startLemonldap, type Lemonldap } from './lemonldap.ts';

/**
 * A provider that nobody here wrote: LemonLDAP::NG, which is an OpenID Connect provider and a SAML
 * identity provider, in a real browser. Its metadata offers `none`, HS256 and plain PKCE, as weak
 * providers do. Apart from `npm test`: it is installed by apt-get, as root.
 */

const secret = 'a secret between the two of us';
let server: TestServer;
let lemonldap: Lemonldap;
let admin: Caller;
let accountId: string;
let oidc: string;
let saml: string;
let client: GivenClient;
let closeClient: () => Promise<void>;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  installLemonldap();
  const { database, reset } = await testDatabase();
  await reset();
  server = await startServer(database);
  const { given } = server;
  const account = await given.account('Torchwood', { owns: ['badwolf.org'], countries: ['GB'] });
  accountId = account.id;
  admin = caller(server.agent({ cookies: false }), await given.apiToken(account));
  const application = await relyingParty();
  closeClient = () => application.close();
  client = await given.client({
    redirectUri: application.redirectUri,
    metadata: {
      application_type: 'native',
      post_logout_redirect_uris: [new URL('/bye', application.redirectUri).href],
    },
  });

  const port = await freePort();
  const connections = `/accounts/${accountId}/connections`;
  const clientId = 'ostiary';
  const first = await admin.post(connections, {
    kind: 'oidc',
    name: 'LemonLDAP, OpenID Connect',
    issuer: `http://localhost:${port}`,
    oidc: { clientId },
    clientSecret: secret,
  });
  expect(first.status, first.text).toBe(201);
  oidc = first.json.id;
  const second = await admin.post(connections, { kind: 'saml', name: 'LemonLDAP, SAML' });
  expect(second.status, second.text).toBe(201);
  saml = second.json.id;
  // The provider knows us before we know it: our key first.
  await admin.post(`${connections}/${saml}/saml/keys`);
  const ours = await server.agent().get(`/federation/${saml}/metadata`);
  lemonldap = await startLemonldap(port, {
    oidc: {
      clientId,
      clientSecret: secret,
      redirectUri: `${server.url}/federation/${oidc}/callback`,
      signedOutUri: `${server.url}/federation/${oidc}/signed-out`,
    },
    saml: ours.text,
  });
  const read = await admin.post(`${connections}/${saml}/saml/metadata`, {
    url: lemonldap.samlMetadataUrl,
  });
  expect(read.status, read.text).toBe(200);
}, 600_000);

afterAll(async () => {
  for (const context of contexts) await context.close();
  lemonldap?.stop();
  await closeClient?.();
  await server?.close();
});

async function open(): Promise<Page> {
  const browser = await sharedBrowser();
  const context = await browser.newContext({ baseURL: server.url, locale: 'en-US' });
  contexts.push(context);
  return context.newPage();
}

/** The domain leads to this connection, and everybody is sent there. */
async function activate(id: string, other: string): Promise<void> {
  const connections = `/accounts/${accountId}/connections`;
  await admin.post(`${connections}/${other}/disable`);
  await admin.patch(`${connections}/${other}`, { domains: [] });
  const bound = await admin.patch(`${connections}/${id}`, { domains: ['badwolf.org'] });
  expect(bound.status, bound.text).toBe(200);
  const tested = await admin.post(`${connections}/${id}/test`);
  expect(tested.status, tested.text).toBe(200);
  // A test sign-in, as whoever connects the company does it.
  const page = await open();
  await page.goto(tested.json.url);
  await atLemonldap(page);
  expect(await page.locator('main').textContent(), lemonldap.log()).toContain(
    'The test was successful',
  );
  const active = await admin.post(`${connections}/${id}/activate`, { withoutBreakGlass: true });
  expect(active.status, active.text).toBe(200);
}

async function atLemonldap(page: Page, user = 'rtyler'): Promise<void> {
  await page.locator('input[name="user"]').fill(user);
  await page.locator('input[name="password"]').fill(user);
  await page.locator('button[type="submit"]').first().click();
  const away = (url: URL): boolean => url.port !== new URL(lemonldap.url).port;
  await page.waitForURL(away, { timeout: 15_000 }).catch(async () => {
    const log = lemonldap
      .log()
      .split('\n')
      .filter((line) => line.includes('[LLNG'))
      .slice(-10);
    const shown = await page.locator('body').innerText();
    throw new Error([`It stays at ${new URL(page.url()).pathname}:`, shown, ...log].join('\n'));
  });
}

/** Types the address, where it is not known already. */
async function leaveBy(page: Page): Promise<void> {
  if (new URL(page.url()).origin !== server.url) return;
  await page.getByLabel('E-mail address').fill('rtyler@badwolf.org');
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** From the application, by the address, to the provider, and back. */
async function signIn(page: Page, extra: Record<string, string> = {}): Promise<URL> {
  await page.goto(authorizeUrl(client, extra));
  await leaveBy(page);
  await atLemonldap(page);
  return new URL(page.url());
}

describe.each([
  ['OpenID Connect', () => oidc, () => saml],
  ['SAML', () => saml, () => oidc],
])('LemonLDAP::NG as %s provider', (protocol, own, other) => {
  it('is tried out, activated, and brings Rose in', async () => {
    await activate(own(), other());
    const page = await open();
    let end = await signIn(page);
    if (!end.searchParams.has('code') && protocol === 'OpenID Connect') {
      // It sends no country: she is asked for it, once.
      expect(await page.locator('main').textContent()).toContain('rtyler@badwolf.org');
      await page.getByLabel('Country').selectOption('GB');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.waitForURL(/code=/);
      end = new URL(page.url());
    }
    expect(end.searchParams.has('code'), `${end.href}\n${await page.content()}`).toBe(true);
    expect(
      await server.given.rows(
        `select u.email, u.given_name, u.family_name, u.country, u.source
         from users u where u.email = 'rtyler@badwolf.org'`,
      ),
    ).toEqual([
      {
        email: 'rtyler@badwolf.org',
        given_name: 'Rose',
        family_name: 'Tyler',
        country: 'GB',
        source: 'jit',
      },
    ]);
  });

  it('knows her the second time, and asks anew when the application wants it', async () => {
    const page = await open();
    expect((await signIn(page)).searchParams.has('code')).toBe(true);
    // She has a session at both. `prompt=login` has LemonLDAP ask for her password once more.
    await page.goto(authorizeUrl(client, { prompt: 'login' }));
    await leaveBy(page);
    await page.waitForURL((url) => url.port === new URL(lemonldap.url).port);
    await page.locator('#upgrd button[type="submit"]').click();
    await page.locator('input[name="password"]').waitFor();
    const links = await server.given.rows(
      'select connection_id from federated_links where unlinked_at is null',
    );
    expect(links.filter((one) => one['connection_id'] === own())).toHaveLength(1);
  });

  it('signs her out there too, where the connection says so', async () => {
    const path = `/accounts/${accountId}/connections/${own()}`;
    expect((await admin.patch(path, { signOutUpstream: true })).json.signOutUpstream).toBe(true);
    const page = await open();
    expect((await signIn(page)).searchParams.has('code')).toBe(true);
    const bye = new URL('/bye', client.redirectUri).href;
    await page.goto(
      `/oauth/end_session?${new URLSearchParams({
        client_id: client.id,
        post_logout_redirect_uri: bye,
        state: 'of-the-app',
      })}`,
    );
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${bye}?state=of-the-app`, { timeout: 20_000 }).catch(async () => {
      throw new Error(`It ends at ${page.url()}:\n${await page.locator('body').innerText()}`);
    });
    // Nobody is signed in there any more: LemonLDAP asks for the password.
    await page.goto(authorizeUrl(client));
    await leaveBy(page);
    await page.locator('input[name="user"]').waitFor();
    await admin.patch(path, { signOutUpstream: false });
  });

  it('leaves a trace that an administrator reads', async () => {
    const path = `/accounts/${accountId}/connections/${own()}/traces`;
    const { items } = (await admin.get(`${path}?outcome=succeeded`)).json;
    expect(items.length).toBeGreaterThanOrEqual(2);
    const trace = await admin.get(`${path}/${items[0].id}`);
    expect(trace.text).toContain('rtyler@badwolf.org');
    const health = await admin.get(`/accounts/${accountId}/connections/${own()}/health`);
    expect(health.json).toMatchObject({ failing: false, failuresInARow: 0 });
  });
});

describe('signing out at LemonLDAP::NG', () => {
  it('ends her session here, by SAML', async () => {
    const page = await open();
    expect((await signIn(page)).searchParams.has('code')).toBe(true);
    const alive = (): Promise<unknown[]> =>
      server.given.rows(
        `select s.uid from oidc_sessions s
         where s.federation ->> 'connection' = '${saml}' and s.ip is not null`,
      );
    const before = (await alive()).length;
    await page.goto(`${lemonldap.url}?logout=1`);
    await expect.poll(async () => (await alive()).length, { timeout: 15_000 }).toBe(before - 1);
    await page.goto(authorizeUrl(client, { prompt: 'none' }));
    expect(new URL(page.url()).searchParams.get('error')).toBe('login_required');
  });
});
