import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '#test/support/agent.ts';
import { testDatabase } from '#test/support/database.ts';
import { enrolApp, type App } from '#test/support/factors.ts';
import { startServer, type TestServer } from '#test/support/server.ts';
import { codeOf, redeem, signIn } from '#test/support/sign-in.ts';
import type { GivenClient, GivenUser } from '#test/support/world.ts';

describe('where browsers may remember a second factor for a fortnight', () => {
  let server: TestServer;
  let reset: () => Promise<void>;
  let ann: GivenUser;
  let client: GivenClient;
  let browser: Agent;
  let app: App;

  beforeAll(async () => {
    const { database, reset: empty } = await testDatabase();
    reset = empty;
    await reset();
    server = await startServer(database, {
      config: { secondFactor: { policy: 'all', rememberDays: 14, stepUpMinutes: 5 } },
    });
  });
  afterAll(() => server.close());

  beforeEach(async () => {
    await reset();
    ann = await server.given.user();
    client = await server.given.client();
    browser = server.agent();
    ({ app } = await enrolApp(browser, await signIn(browser, client, ann), server.clock));
    browser.forgetCookies(/session/);
    const asked = await signIn(browser, client, ann);
    expect(asked.words).toContain("Don't ask again in this browser for 14 days");
    await browser.follow(
      await browser.submit(asked.forms[0]!, { code: app.next(), remember_factor: 'yes' }),
    );
    browser.forgetCookies(/session/);
  });

  it('it is not asked for again there, and the sign-in says what it was', async () => {
    const answer = await signIn(browser, client, ann);
    const tokens = (await redeem(browser, client, codeOf(answer))).json;
    expect(decodeJwt(tokens.id_token as string)).toMatchObject({
      acr: 'urn:ostiary:acr:known-device',
      amr: ['pwd'],
    });
    const elsewhere = await signIn(server.agent(), client, ann);
    expect(elsewhere.words).toContain('Confirm that it is you');
  });

  it('it is asked for when the fortnight is over', async () => {
    server.clock.advance(14 * 24 * 3600 + 60);
    expect((await signIn(browser, client, ann)).words).toContain('Confirm that it is you');
  });

  it('it is asked for by who wants it fresh or strong, and by what guards the account', async () => {
    const fresh: Record<string, string>[] = [
      { prompt: 'login' },
      { acr_values: 'urn:ostiary:acr:mfa' },
    ];
    for (const extra of fresh)
      expect((await signIn(browser, client, ann, extra)).words).toContain('Confirm that it is you');
    codeOf(await signIn(browser, client, ann));
    const page = await browser.follow(await browser.get('/profile/factors/app'));
    expect(page.words).toContain('Confirm that it is you');
    expect(page.forms[0]!.fields).not.toHaveProperty('password');
  });

  it('it is forgotten with the factors, and is nobody else’s', async () => {
    const bob = await server.given.user('bob@acme.example');
    expect((await signIn(browser, client, bob)).words).toContain('Set up a second step');
    await server.given.rows('update users set second_factor_at = $1', [
      new Date(server.clock().getTime() + 1000).toISOString(),
    ]);
    expect((await signIn(browser, client, ann)).words).toContain('Confirm that it is you');
  });
});
