import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { Agent, type Answer } from '#test/support/agent.ts';
import { testDatabase } from '#test/support/database.ts';
import { FakeDns } from '#test/support/dns.ts';
import { startServer, type TestServer } from '#test/support/server.ts';
import {
  acceptAll,
  authorizeUrl,
  codeOf,
  redeem,
  refresh,
  signIn,
  typePassword,
  userinfo,
} from '#test/support/sign-in.ts';
import { FakeProvider } from '#test/support/upstream.ts';
import type { GivenClient } from '#test/support/world.ts';
import { caller } from '../http/admin/support.ts';
import { atProvider, signInUpstream } from '../http/federation/support.ts';

const chosen = 'seven quiet otters swim';

/**
 * The life of an organization, from its first day (behaviour.md section 13), up to its own identity
 * provider: by pages, mails and the API, as its people would live it. What its directory does then is
 * in `directory.test.ts`.
 */
it('Acme gets an account, proves its domain, and its people come, go and come back', async () => {
  const { database, reset } = await testDatabase();
  await reset();
  const dns = await FakeDns.start();
  const logouts: string[] = [];
  const receiver = createServer((request, response) => {
    request.resume().on('end', () => {
      logouts.push(request.url ?? '');
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo;
  const idp = await new FakeProvider().start();
  const server = await startServer(database, { config: { dnsServers: [dns.server] } });
  try {
    await live(server, dns, port, logouts, idp);
    expect(server.errors).toEqual([]);
  } finally {
    await server.close();
    await dns.stop();
    await idp.stop();
    receiver.close();
  }
});

async function live(
  server: TestServer,
  dns: FakeDns,
  port: number,
  logouts: string[],
  idp: FakeProvider,
): Promise<void> {
  const { given } = server;
  const program = new Agent(server.url, { cookies: false });
  const operator = caller(program, await given.apiToken());
  await given.terms('2026');
  const x = await given.client({
    requiresAccount: true,
    metadata: {
      redirect_uris: ['https://rp.example/cb'],
      grant_types: ['authorization_code', 'refresh_token'],
      backchannel_logout_uri: `http://127.0.0.1:${port}/x`,
    },
  });

  // An operator creates Acme, and Fay, its fulfillment contact, has no password yet.
  const fay = { email: 'fay@acme.example', password: chosen };
  const acme = await operator.post('/accounts', {
    name: 'Acme',
    countries: ['US'],
    fulfillmentContact: { email: fay.email, givenName: 'Fay', familyName: 'Miller', country: 'US' },
  });
  expect(acme.status).toBe(201);
  const path = `/accounts/${acme.json.id}`;
  const admin = caller(program, await given.apiToken(acme.json));

  // Fay uses "Forgot password?", sets one, accepts the terms, and is Account Administrator.
  const fays = server.agent();
  const forgot = await fays.get('/forgot-password');
  await fays.submit(forgot.forms[0]!, { email: fay.email });
  await server.app.delivery.drain();
  const activation = await fays.get(linkIn((await mailTo(server, fay.email)).text, '/activate'));
  await fays.submit(activation.forms[0]!, { password: chosen, password_again: chosen });
  const fayIn = await acceptAll(fays, await signIn(fays, x, fay));
  expect(codeOf(fayIn)).toBeTruthy();
  expect(await person(fay.email)).toMatchObject({ roles: ['account_administrator'] });

  // Acme proves its domain by DNS.
  const claim = await admin.post(`${path}/domains`, { domain: 'acme.example', method: 'dns' });
  expect(claim.status).toBe(201);
  const { name, value } = claim.json.record;
  dns.set(name, { txt: [value] });
  const owned = await admin.post(`${path}/domains/acme.example/verify`, {});
  expect(owned.json).toMatchObject({ state: 'owned', proof: 'dns' });

  // Ann registers on her way to X and waits; Fay approves; Ann is in.
  const anns = server.agent();
  const ann = { email: 'ann@acme.example', password: chosen };
  const waiting = await registerOnTheWay(anns, x, ann.email, 'Ann');
  expect(waiting.words).toContain('Almost there');
  const queue = await admin.get(`${path}/approvals`);
  expect(queue.json.items).toMatchObject([{ email: ann.email }]);
  await admin.post(`${path}/approvals/decide`, {
    ids: [queue.json.items[0].id],
    decision: 'approve',
  });
  const annIn = await signIn(anns, x, ann, { scope: 'openid email organization' });
  const annTokens = (await redeem(program, x, codeOf(annIn))).json;
  expect((await userinfo(program, annTokens.access_token)).json).toMatchObject({
    email: ann.email,
    org: acme.json.id,
    org_name: 'Acme',
  });

  // Fay lets everybody of the domain in; Bob registers and is in at once.
  await admin.patch(`${path}/domains/acme.example`, { signup: 'auto' });
  const bobs = server.agent();
  const bob = { email: 'bob@acme.example', password: chosen };
  const bobIn = await registerOnTheWay(bobs, x, bob.email, 'Bob', {
    scope: 'openid offline_access',
  });
  const bobTokens = (await redeem(program, x, codeOf(bobIn))).json;

  // Carol has a public address: she is asked, and says yes.
  const carols = server.agent();
  const carol = await given.user('carol@gmail.com', { password: chosen });
  const refused = await admin.post(`${path}/users`, someone(carol.email, 'Carol'));
  expect(refused).toMatchObject({ status: 409, json: { code: 'user_exists_other_domain' } });
  expect(refused.json.detail).toContain("Click 'Invite to Account'");
  await admin.post(`${path}/users/${carol.id}/invite`, {});
  await typePassword(carols, await carols.follow(await carols.get('/profile')), carol);
  await server.app.delivery.drain();
  const invitation = await carols.get(
    linkIn((await mailTo(server, carol.email, 'invitation')).text, '/invitations/'),
  );
  await carols.submit(invitation.forms.find(({ action }) => action.endsWith('/accept'))!);
  expect(await person(carol.email)).toMatchObject({
    affiliation: 'member',
    account: { name: 'Acme' },
  });

  // Beta cannot have Bob, and is not told whose he is.
  const beta = await given.account('Beta', { owns: ['beta.example'] });
  const betas = caller(program, await given.apiToken(beta));
  const other = await betas.post(`/accounts/${beta.id}/users`, someone(bob.email, 'Bob'));
  expect(other).toMatchObject({ status: 409, json: { code: 'domain_owned_by_other' } });
  expect(other.text).not.toContain('Acme');

  // Fay locks Bob: X is told, his tokens are dead, and the padlock says why. Unlocked, he is back.
  const bobId = (await person(bob.email)).id;
  const locked = await admin.post(`${path}/users/${bobId}/lock`, { note: 'on leave' });
  expect(locked.json.locks).toMatchObject([{ reason: 'admin', note: 'on leave' }]);
  await server.app.delivery.drain();
  expect(logouts).toEqual(['/x']);
  expect((await refresh(program, x, bobTokens.refresh_token)).json.error).toBe('invalid_grant');
  await admin.post(`${path}/users/${bobId}/unlock`, {});
  expect((await refresh(program, x, bobTokens.refresh_token)).json.error).toBe('invalid_grant');
  expect(codeOf(await signIn(server.agent(), x, bob))).toBeTruthy();

  // Fay removes Bob: of no account, locked, without roles. He can be added again, and is the same.
  await admin.post(`${path}/users/${bobId}/roles`, { add: ['co_administrator'] });
  await admin.delete(`${path}/users/${bobId}`);
  expect(await person(bob.email)).toMatchObject({
    affiliation: 'none',
    account: null,
    roles: [],
    locks: [{ reason: 'unaffiliated' }],
  });
  const again = await admin.post(`${path}/users`, someone(bob.email, 'Bob'));
  expect(again).toMatchObject({ status: 409, json: { code: 'user_exists' } });
  expect(again.json.detail).toBe(
    "This user already exists. Click 'Add to account' to add to your account.",
  );
  await admin.post(`${path}/users/${bobId}/add`, { unlock: true });
  expect(await person(bob.email)).toMatchObject({ id: bobId, affiliation: 'member', locks: [] });
  expect(codeOf(await signIn(server.agent(), x, bob))).toBeTruthy();

  // Acme federates. Fay could come in without the company, and tries the connection out.
  await given.rows(
    'update users set break_glass = true, second_factor_at = now() where email = $1',
    [fay.email],
  );
  const connection = await admin.post(`${path}/connections`, {
    kind: 'oidc',
    preset: 'generic',
    name: 'Acme sign-in',
    issuer: idp.issuer,
    oidc: { clientId: idp.clientId },
    clientSecret: idp.secrets[0],
    domains: ['acme.example'],
  });
  const one = `${path}/connections/${connection.json.id}`;
  idp.person = {
    sub: 'employee-7',
    email: 'dan@acme.example',
    given_name: 'Dan',
    family_name: 'Dale',
    country: 'USA',
  };
  const test = await admin.post(`${one}/test`, {});
  const hers = server.agent();
  const shown = await hers.get(await atProvider(await hers.get(test.json.url)));
  expect(shown.words).toContain('The test was successful');
  expect((await admin.post(`${one}/activate`, {})).json.state).toBe('active');

  // Dan was never here. His first sign-in makes him, after the terms; his token says whose he is.
  const danBrowser = server.agent();
  const terms = await signInUpstream(danBrowser, x, 'dan@acme.example', {
    scope: 'openid email organization',
  });
  expect(terms.words).toContain('Before you continue');
  const danTokens = (await redeem(program, x, codeOf(await acceptAll(danBrowser, terms)))).json;
  expect((await userinfo(program, danTokens.access_token)).json).toMatchObject({
    email: 'dan@acme.example',
    org: acme.json.id,
    usage_country_iso: 'US',
  });
  const [evidence] = await given.rows(
    `select t.client_id from terms_acceptances t join users u on u.id = t.user_id
     where u.email = 'dan@acme.example'`,
  );
  expect(evidence).toEqual({ client_id: x.id });
  // Bob comes by it too from now on, and is the Bob he was.
  idp.person = { sub: 'employee-2', email: bob.email, given_name: 'Bob', family_name: 'Example' };
  codeOf(await signInUpstream(server.agent(), x, bob.email));
  expect((await person(bob.email)).id).toBe(bobId);

  async function person(email: string) {
    const [row] = await given.rows<{ id: string }>('select id from users where email = $1', [
      email,
    ]);
    return (await given.person(row!))!;
  }

  /** Registers from the sign-in at an application, with the code of the mail. */
  async function registerOnTheWay(
    browser: Agent,
    client: GivenClient,
    email: string,
    givenName: string,
    extra: Record<string, string> = {},
  ): Promise<Answer> {
    const start = await browser.follow(await browser.get(authorizeUrl(client, extra)));
    const form = await browser.get(/href="(\/register\?sign_in=[^"]+)"/.exec(start.text)![1]!);
    const sent = await browser.submit(form.forms[0]!, {
      email,
      given_name: givenName,
      family_name: 'Example',
      country: 'US',
    });
    await server.app.delivery.drain();
    const code = /\b(\d{6})\b/.exec((await mailTo(server, email)).text)![1]!;
    const page = await browser.follow(await browser.submit(sent.forms[0]!, { code }));
    const terms = await browser.follow(
      await browser.submit(page.forms[0]!, { password: chosen, password_again: chosen }),
    );
    return acceptAll(browser, terms);
  }
}

function someone(email: string, givenName: string) {
  return { email, givenName, familyName: 'Example', country: 'US' };
}

async function mailTo(server: TestServer, email: string, kind?: string) {
  const mails = await server.given.mails();
  return mails.findLast(
    (mail) => mail.recipient.includes(email) && (kind === undefined || mail.kind === kind),
  )!;
}

function linkIn(text: string, path: string): string {
  return text.match(/https?:\/\/\S+/g)!.find((link) => new URL(link).pathname.startsWith(path))!;
}
