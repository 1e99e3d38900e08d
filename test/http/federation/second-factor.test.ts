import { decodeJwt } from 'jose';
import { describe, expect } from 'vitest';
import type { Agent, Answer } from '#test/support/agent.ts';
import { enrolApp } from '#test/support/factors.ts';
import { it } from '#test/support/it.ts';
import { codeOf, redeem, typePassword } from '#test/support/sign-in.ts';
import type { GivenClient, World } from '#test/support/world.ts';
import { connected, dan, provider, signInUpstream, silent } from './support.ts';

const acmeIdp = provider();

async function given(world: World, secondFactor: 'trust' | 'if_missing' | 'always') {
  const acme = await world.account('Acme', { owns: ['acme.example'] });
  const connection = await connected(world, acme, acmeIdp);
  await world.rows(
    `update connections set provisioning = provisioning || jsonb_build_object('secondFactor', $1::text)`,
    [secondFactor],
  );
  acmeIdp.person = dan;
  return { connection, client: await world.client() };
}

async function claimsIn(browser: Agent, client: GivenClient, answer: Answer) {
  const { json } = await redeem(browser, client, codeOf(answer));
  return decodeJwt(json.id_token as string);
}

/** Who signed in, by the audit log. */
async function signedIn(world: World) {
  const rows = await world.rows<{ details: Record<string, unknown> }>(
    `select details from audit_events where action = 'sign_in.succeeded' order by id`,
  );
  return rows.map(({ details }) => details);
}

describe('a second factor beside what the company says (F28)', () => {
  it('is the company’s business by default, though it is demanded of everybody', async ({
    given: world,
    browser,
  }) => {
    const { client } = await given(world, 'trust');
    await world.rows(`update domains set second_factor_required = true`);
    const answer = await signInUpstream(browser, client, dan.email);
    expect(await claimsIn(browser, client, answer)).toMatchObject({
      acr: 'urn:ostiary:acr:federated',
    });
    expect((await silent(browser, client)).searchParams.get('code')).toBeTruthy();
  });

  it('is shown here always where the connection says so, and the session stands on both', async ({
    given: world,
    browser,
    server,
  }) => {
    const { connection, client } = await given(world, 'always');
    acmeIdp.person = { ...dan, amr: ['pwd', 'mfa'] };
    const page = await signInUpstream(browser, client, dan.email);
    expect(page.words).toContain('Set up a second step');
    // What the company says is half of it: nobody has signed in yet.
    expect(await signedIn(world)).toEqual([]);
    const other = await world.client();
    expect((await silent(browser, other)).searchParams.get('error')).toBe('login_required');
    const { app, answer } = await enrolApp(browser, page, server.clock);
    expect(await claimsIn(browser, client, answer)).toMatchObject({
      acr: 'urn:ostiary:acr:mfa',
      amr: ['pwd', 'mfa', 'otp'],
    });
    const written = { method: 'federated', connection: connection.id, client: client.id };
    expect(await signedIn(world)).toMatchObject([written]);
    const again = server.agent();
    const asked = await signInUpstream(again, client, dan.email);
    expect(asked.words).toContain('Confirm that it is you');
    codeOf(await again.follow(await again.submit(asked.forms[0]!, { code: app.next() })));
    expect(await signedIn(world)).toMatchObject([written, written]);
    // It stands on the company still: a connection that is disabled puts them out.
    await world.rows(`update connections set state = 'disabled' where id = $1`, [connection.id]);
    expect((await silent(again, client)).searchParams.get('error')).toBe('login_required');
    expect(server.errors).toEqual([]);
  });

  it('is shown here where the company does not say that it asked for one', async ({
    given: world,
    server,
  }) => {
    const { client } = await given(world, 'if_missing');
    acmeIdp.person = { ...dan, amr: ['pwd', 'mfa'] };
    codeOf(await signInUpstream(server.agent(), client, dan.email));
    acmeIdp.person = { ...dan, amr: ['pwd'] };
    expect((await signInUpstream(server.agent(), client, dan.email)).words).toContain(
      'Set up a second step',
    );
    expect(await signedIn(world)).toHaveLength(1);
  });

  it('is not what a company calls by our names', async ({ given: world, browser }) => {
    const { client } = await given(world, 'trust');
    for (const acr of ['urn:ostiary:acr:mfa', 'urn:ostiary:acr:password']) {
      acmeIdp.person = { ...dan, acr };
      const answer = await signInUpstream(browser, client, dan.email, { prompt: 'login' });
      expect(await claimsIn(browser, client, answer)).toMatchObject({
        acr: 'urn:ostiary:acr:federated',
      });
    }
  });
});

describe('an administrator who is linked (D-06)', () => {
  it('shows the second factor beside the old password, where there is one', async ({
    given: world,
    browser,
    server,
  }) => {
    const acme = await world.account('Acme', { owns: ['acme.example'] });
    const fay = await world.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const hers = server.agent();
    const setUp = await typePassword(
      hers,
      await hers.follow(await hers.get('/profile/factors/app')),
      fay,
    );
    const { app } = await enrolApp(hers, setUp, server.clock);
    await connected(world, acme, acmeIdp, { enforced: true });
    const client = await world.client();
    acmeIdp.person = { ...dan, sub: 'fay-1', email: fay.email };

    const asked = await signInUpstream(browser, client, fay.email);
    const code = await browser.submit(asked.forms[0]!, { password: fay.password });
    expect(code.forms[0]!.fields).toHaveProperty('code');
    const wrong = await browser.submit(code.forms[0]!, {
      password: fay.password,
      code: app.wrong(),
    });
    expect(wrong.alerts[0]).toContain('not right');
    expect(await world.rows('select 1 from federated_links')).toEqual([]);
    const right = await browser.submit(wrong.forms[0]!, {
      password: fay.password,
      code: app.next(),
    });
    codeOf(await browser.follow(right));
    expect(await world.rows('select how from federated_links')).toEqual([{ how: 'step_up' }]);
  });
});
