import type { CDPSession, Page } from 'playwright-core';
import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { sharedBrowser } from '#test/support/browser.ts';
import { authorizeUrl, typePassword } from '#test/support/sign-in.ts';
import { connectedSaml } from '#test/support/saml-connection.ts';
import { itBehindProxy } from '../../security/guesses.ts';
import { relyingParty } from './relying-party.ts';

/** A device with a fingerprint reader, and a finger on it. */
async function fingerprintReader(cdp: CDPSession): Promise<{
  id: string;
  credentials(): Promise<{ credentialId: string; signCount: number }[]>;
}> {
  await cdp.send('WebAuthn.enable');
  const { authenticatorId: id } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    id,
    async credentials() {
      const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId: id });
      return credentials;
    },
  };
}

async function typeIn(page: Page, email: string, password: string): Promise<void> {
  await page.getByLabel('E-mail address').fill(email);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

describe('a passkey, in a real browser', () => {
  it('is set up where a second factor is demanded, asked for after the password, and enough alone', async ({
    server,
    given,
  }) => {
    const application = await relyingParty();
    const planner = await given.client({
      name: 'Planner',
      redirectUri: application.redirectUri,
      metadata: { application_type: 'native' },
    });
    const account = await given.account('Acme', { owns: ['acme.example'] });
    const ann = await given.user('ann@acme.example', { of: account });
    await given.rows('update users set second_factor_required = true');

    const browser = await sharedBrowser();
    const context = await browser.newContext({ baseURL: server.url, locale: 'en-US' });
    const complaints: string[] = [];
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' && !/status of 4\d\d/.test(message.text()))
        complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    const reader = await fingerprintReader(await context.newCDPSession(page));
    const arrived = page.getByRole('heading', { name: 'Signed in' });

    // --- Set up
    await page.goto(authorizeUrl(planner));
    await typeIn(page, ann.email, ann.password);
    await page.getByRole('heading', { name: 'Set up a second step' }).waitFor();
    await page.getByRole('button', { name: 'Create a passkey' }).click();
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
    expect(await page.locator('ol.recovery li').count()).toBe(10);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save as a file' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('ostiary-recovery-codes.txt');
    await page.getByRole('button', { name: 'I have saved them' }).click();
    await arrived.waitFor();
    expect(await given.rows(`select payload ->> 'acr' as acr from oidc_sessions`)).toEqual([
      { acr: 'urn:ostiary:acr:mfa' },
    ]);

    // --- After the password
    await context.clearCookies();
    await page.goto(authorizeUrl(planner));
    await typeIn(page, ann.email, ann.password);
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await arrived.waitFor();

    // --- Alone
    await context.clearCookies();
    await page.goto(authorizeUrl(planner));
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await arrived.waitFor();
    const sessions = await given.rows<{ amr: string[] }>(
      `select payload -> 'amr' as amr from oidc_sessions order by created_at`,
    );
    expect(sessions.map(({ amr }) => amr.join(' '))).toEqual([
      expect.stringMatching(/^pwd [hs]wk user mfa$/),
      expect.stringMatching(/^pwd [hs]wk user mfa$/),
      expect.stringMatching(/^[hs]wk user mfa$/),
    ]);

    // --- One more in the profile, with a name of one's own
    await page.goto('/profile/security');
    await page.getByText('Rename').first().click();
    await page.getByRole('textbox', { name: 'Name' }).fill('My laptop');
    await page.getByRole('button', { name: 'Rename', exact: true }).click();
    await page.getByText('My laptop').waitFor();

    // --- A copy of the key: its counter went back
    const [kept] = await reader.credentials();
    expect(kept!.signCount).toBeGreaterThan(1);
    await given.rows('update factors set sign_count = 1000');
    await context.clearCookies();
    await page.goto(authorizeUrl(planner));
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText('Nobody here has this passkey').waitFor();
    await given.rows(`update factors set sign_count = ${kept!.signCount}`);

    // --- Too many wrong passwords lock the password, not the person (D-47)
    await given.locked(ann, 'too_many_attempts');
    await page.goto(authorizeUrl(planner));
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await arrived.waitFor();
    await context.clearCookies();

    // --- The company lets nobody in but by its own provider: a passkey is no way round it
    const company = new URL('/company', application.redirectUri).href;
    await connectedSaml(given, account, { redirect: company });
    const before = await given.rows('select uid from oidc_sessions where user_id is not null');
    await given.rows(`update connections set mode = 'enforced', enforced_at = created_at`);
    await page.goto(authorizeUrl(planner));
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.waitForURL(`${company}?SAMLRequest=*`);
    expect(await given.rows('select uid from oidc_sessions where user_id is not null')).toEqual(
      before,
    );
    await given.rows(`update connections set state = 'disabled'`);

    // --- Locked: told only after the proof
    await given.locked(ann, 'admin');
    await page.goto(authorizeUrl(planner));
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText('Your administrator locked this account.').waitFor();

    expect(complaints).toEqual([]);
    expect(server.errors).toEqual([]);
    await context.close();
    await application.close();
  }, 90_000);
});

/** Nothing, no JSON, the wrong shapes, and a challenge that nobody gave. */
const nonsense = [
  '',
  'x',
  '1',
  '[]',
  '{"id":"x"}',
  '{"id":"x","response":"y"}',
  '{"id":"x","response":{"clientDataJSON":{"a":1}}}',
  '{"id":"x","response":{"clientDataJSON":"eHl6"}}',
  `{"id":"x","response":{"clientDataJSON":"${Buffer.from('{"challenge":"abc"}').toString('base64url')}"}}`,
];

describe('what is no answer of a passkey', () => {
  it('is no factor, and harms nothing', async ({ server, given, browser }) => {
    const ann = await given.user();
    const client = await given.client();
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    const { pathname } = page.url;
    const { csrf } = page.forms[0]!.fields;
    for (const credential of nonsense) {
      const alone = await browser.post(`${pathname}/passkey`, {
        form: { csrf: csrf!, credential },
      });
      expect([credential, alone.location?.search]).toEqual([credential, '?passkey=unknown']);
    }
    await given.rows('update users set second_factor_required = true');
    const enrol = await typePassword(browser, page, ann);
    for (const credential of nonsense) {
      const setUp = await browser.post(`${pathname}/enrol/passkey`, {
        form: { csrf: enrol.forms[0]!.fields['csrf']!, credential },
      });
      expect([credential, setUp.status]).toEqual([credential, 422]);
    }
    expect(server.errors).toEqual([]);
  });

  it('is the answer to a challenge that was used, or is too old', async ({
    server,
    given,
    browser,
  }) => {
    const client = await given.client();
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    const { csrf } = page.forms[0]!.fields;
    const ask = () =>
      browser.post(`${page.url.pathname}/passkey/options`, { form: { csrf: csrf! } });
    const [one, other] = [(await ask()).json, (await ask()).json];
    expect(one).toMatchObject({ rpId: 'localhost', userVerification: 'required' });
    expect(one.allowCredentials ?? []).toEqual([]);
    expect(one.challenge).not.toBe(other.challenge);
    const answer = (challenge: string): string =>
      JSON.stringify({
        id: 'x',
        response: {
          clientDataJSON: Buffer.from(JSON.stringify({ challenge })).toString('base64url'),
        },
      });
    const used = 'select 1 from one_time_tokens where used_at is not null';
    await browser.post(`${page.url.pathname}/passkey`, {
      form: { csrf: csrf!, credential: answer(one.challenge as string) },
    });
    expect(await given.rows(used)).toHaveLength(1);
    server.clock.advance(301);
    await browser.post(`${page.url.pathname}/passkey`, {
      form: { csrf: csrf!, credential: answer(other.challenge as string) },
    });
    expect(await given.rows(used)).toHaveLength(1);
  });
});

itBehindProxy(
  'the question to a passkey is asked thirty times a minute of one network',
  async ({ server, given }) => {
    const client = await given.client();
    const browser = server.agent();
    const ask = async (from: string): Promise<number> => {
      const headers = { 'x-forwarded-for': from };
      const page = await browser.follow(await browser.get(authorizeUrl(client), { headers }));
      const { csrf } = page.forms[0]!.fields;
      const statuses = await Promise.all(
        Array.from({ length: 40 }, () =>
          browser.post(`${page.url.pathname}/passkey/options`, { form: { csrf: csrf! }, headers }),
        ),
      );
      return statuses.filter(({ status }) => status === 429).length;
    };
    expect(await ask('203.0.113.7')).toBeGreaterThan(0);
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    const elsewhere = await browser.post(`${page.url.pathname}/passkey/options`, {
      form: { csrf: page.forms[0]!.fields['csrf']! },
      headers: { 'x-forwarded-for': '198.51.100.9' },
    });
    expect(elsewhere.status).toBe(200);
  },
);
