import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { workOnBulk } from '#identity/bulk/run.ts';
import { testDatabase } from '#test/support/database.ts';
import { FakeDns } from '#test/support/dns.ts';
import { startServer, type TestServer } from '#test/support/server.ts';
import { FakeProvider } from '#test/support/upstream.ts';
import { Visitor } from '#test/support/visitor.ts';
import { Directory, user } from '../http/scim/support.ts';
import { codeIn, linkIn, mailTo } from '../http/self-service/mailbox.ts';

const password = 'seven quiet otters swim';

/**
 * The life of an organization, from its first day (behaviour.md section 13). Everybody sits at a
 * browser of their own; application X is the demo's; the directory speaks SCIM; the name server, the
 * mailboxes and the company's identity provider are fakes over real sockets.
 */
it('Acme gets an account, proves its domain, and its people come, go and come back', async () => {
  const { database, reset } = await testDatabase();
  await reset();
  const dns = await FakeDns.start();
  const idp = await new FakeProvider().start();
  const dataDir = mkdtempSync(join(tmpdir(), 'ostiary-story-'));
  const server = await startServer(database, { config: { dnsServers: [dns.server], dataDir } });
  const visitors: Visitor[] = [];
  const arrives = async (): Promise<Visitor> => {
    const visitor = await Visitor.arrives(server);
    visitors.push(visitor);
    return visitor;
  };
  try {
    await registerX(server, dataDir);
    await live({ server, dns, idp, arrives });
    expect(visitors.flatMap(({ complaints }) => complaints)).toEqual([]);
    expect(server.errors).toEqual([]);
  } finally {
    for (const visitor of visitors) await visitor.leaves();
    await server.close();
    await dns.stop();
    await idp.stop();
    rmSync(dataDir, { recursive: true });
  }
}, 180_000);

interface Acme {
  server: TestServer;
  dns: FakeDns;
  idp: FakeProvider;
  arrives: () => Promise<Visitor>;
}

async function live({ server, dns, idp, arrives }: Acme): Promise<void> {
  const { given } = server;
  const program = server.agent({ cookies: false });
  await given.terms('2026');

  // An operator creates Acme with Fay as its fulfillment contact.
  const olga = await arrives();
  const operator = await given.user('olga@ostiary.example', { roles: ['operator'] });
  await olga.open('/console/accounts');
  await olga.signsIn(operator.email, operator.password);
  await olga.follow('New account');
  await olga.type({
    Name: 'Acme',
    'Countries of entitlement': 'US',
    'E-mail address of the fulfillment contact': 'fay@acme.example',
    'First name': 'Fay',
    'Last name': 'Miller',
  });
  await olga.press('Create');
  await olga.isTold('Acme is there.');

  // Fay uses "Forgot password?", sets one, accepts the terms, and is Account Administrator.
  const fay = await arrives();
  await fay.open('/console');
  await fay.type({ 'E-mail address': 'fay@acme.example' });
  await fay.press('Continue');
  await fay.follow('Forgot password?');
  await fay.press('Send link');
  await fay.reads('If the address is known you will get a mail.');
  await fay.open(linkIn(await mailTo(server, 'fay@acme.example')));
  await fay.type({ 'New password': password, 'Repeat the new password': password });
  await fay.press('Save password');
  await fay.open('/console');
  await fay.signsIn('fay@acme.example', password);
  await fay.tick('I accept “Terms of Service”');
  await fay.press('Accept and continue');
  await fay.enter('Users');
  await fay.follow('Fay Miller');
  await fay.reads('Account Administrator');

  // She claims acme.example, and proves it by DNS.
  await fay.enter('Domains');
  await fay.follow('acme.example');
  await fay.follow('Claim a domain');
  await fay.press('Claim a domain');
  await fay.isTold('Claimed. Now publish the proof.');
  dns.set(await fay.field('Name').inputValue(), { txt: [await fay.field('Text').inputValue()] });
  await fay.press('Look for it now');
  await fay.isTold('Proved: the domain is yours.');

  // Ann registers on her way to X and waits; Fay approves; Ann's token says that she is Acme's.
  const ann = await arrives();
  await registers(ann, 'ann@acme.example', 'Ann');
  await ann.reads('Almost there');
  await fay.enter('Approvals');
  await fay.tick('Choose Ann Example');
  await fay.press('Approve');
  await fay.press('Approve');
  await fay.isTold('One person was approved.');
  await ann.open('/dev/app');
  await ann.press('Sign in');
  await ann.reads('Ann Example is signed in');
  expect(await claim(ann, 'org_name')).toBe('Acme');

  // Fay lets everybody of the domain in at once; Bob registers, and is in.
  await fay.enter('Domains');
  await fay.follow('acme.example');
  await fay.choose('Who registers with an address here', 'Is in at once');
  await fay.press('Save');
  await fay.isTold('Saved.');
  const bob = await arrives();
  await registers(bob, 'bob@acme.example', 'Bob');
  await bob.reads('Bob Example is signed in');

  // Carol's address is a public one: Fay cannot add her, but invite; Carol says yes.
  const carol = await arrives();
  const known = await given.user('carol@gmail.com', { givenName: 'Carol' });
  await adds(fay, 'carol@gmail.com', 'Carol');
  await fay.isRefused("Click 'Invite to Account'");
  // What can be done instead has the focus already.
  await expect
    .poll(() => fay.page.evaluate('document.activeElement.textContent'))
    .toBe('Invite to Account');
  await fay.page.keyboard.press('Enter');
  await fay.press('Invite to Account');
  await fay.isTold('carol@gmail.com was invited.');
  await carol.open(linkIn(await mailTo(server, 'carol@gmail.com')));
  await carol.press('Sign in to accept');
  await carol.type({ Password: known.password });
  await carol.press('Sign in');
  await carol.press('Accept');
  await carol.reads('You now belong to Acme.');

  // Beta cannot have Bob, and is not told whose he is.
  const beta = await given.account('Beta', { owns: ['beta.example'] });
  const bea = await arrives();
  const her = await given.user('bea@beta.example', { of: beta, roles: ['account_administrator'] });
  await bea.open('/console/users');
  await bea.signsIn(her.email, her.password);
  await adds(bea, 'bob@acme.example', 'Bob');
  await bea.isRefused('owned by a different organization');
  expect(await bea.page.content()).not.toContain('Acme');

  // Fay locks Bob: his tokens are dead, X hears of it, and the padlock says why.
  await bob.press('Refresh');
  await bob.isTold('There is a new access token');
  await actsOn(fay, 'Bob Example', 'Lock');
  await fay.type({ Why: 'On leave until May' });
  await fay.press('Lock');
  await fay.isTold('One person is locked.');
  await bob.press('Refresh');
  await bob.isRefused('invalid_grant');
  await hearsOfSignOut(bob);
  await fay.page.locator('tr', { hasText: 'Bob Example' }).locator('button.lock').focus();
  expect(await fay.page.getByRole('tooltip').innerText()).toMatch(
    /^Locked by fay@acme.example on .*: On leave until May$/,
  );
  await actsOn(fay, 'Bob Example', 'Unlock');
  await fay.press('Unlock');
  await fay.isTold('One person is unlocked.');
  await bob.press('Sign in');
  await bob.signsIn('bob@acme.example', password);
  await bob.reads('Bob Example is signed in');
  const bobsSub = await claim(bob, 'sub');

  // She deletes him: of no account, locked, without roles. He can be added again, and is the same.
  await actsOn(fay, 'Bob Example', 'Change roles');
  await fay.tick('Co-Administrator');
  await fay.press('Change roles');
  await fay.isTold('The roles of one person are changed.');
  await actsOn(fay, 'Bob Example', 'Remove from account');
  await fay.press('Remove from account');
  await fay.isTold('One person was removed.');
  expect(await given.person({ id: bobsSub })).toMatchObject({
    affiliation: 'none',
    roles: [],
    locks: [{ reason: 'unaffiliated' }],
  });
  await adds(fay, 'bob@acme.example', 'Bob');
  await fay.isRefused("This user already exists. Click 'Add to account' to add to your account.");
  await fay.follow('Add to account');
  await fay.press('Add to account');
  await fay.isTold('bob@acme.example belongs to your account now.');
  await hearsOfSignOut(bob);
  await bob.press('Sign in');
  await bob.signsIn('bob@acme.example', password);
  await bob.reads('Bob Example is signed in');
  expect(await claim(bob, 'sub')).toBe(bobsSub);

  // Acme federates: Fay sets the connection up, tries it out as Dan, and switches it on.
  idp.person = {
    sub: 'employee-7',
    email: 'dan@acme.example',
    given_name: 'Dan',
    family_name: 'Dale',
    country: 'USA',
  };
  await fay.enter('Connections');
  await fay.follow('New connection');
  await fay.choose('Product', 'Another product');
  await fay.type({ Name: 'Acme sign-in' });
  await fay.press('Create');
  await fay.press('Set it up, step by step');
  await fay.press('Use acme.example');
  await fay.reads('Proved, and leads to this connection');
  await fay.type({ Issuer: idp.issuer, 'Client ID': idp.clientId });
  await fay.type({ 'Client secret': idp.secrets[0]! });
  await fay.field('Client secret').press('Enter');
  await fay.reads(`Connected with ${idp.issuer}`);
  const [test] = await Promise.all([
    fay.page.context().waitForEvent('page'),
    fay.follow('Start a test sign-in'),
  ]);
  await test.getByText('The test was successful').first().waitFor();
  await test.close();
  await fay.open('/console/connections');
  await fay.follow('Acme sign-in');
  await fay.follow('Switch on');
  await fay.page.getByLabel('Without an emergency administrator').check();
  await fay.press('Switch on');
  await fay.isTold('Saved.');

  // Dan was never here. His first sign-in makes him, after the terms; his token says whose he is.
  const dan = await arrives();
  await signsInAtWork(dan);
  await dan.reads('Before you continue');
  await dan.tick('I accept “Terms of Service”');
  await dan.press('Accept and continue');
  await dan.reads('Dan Dale is signed in');
  expect(await claim(dan, 'org_name')).toBe('Acme');
  const dansSub = await claim(dan, 'sub');

  // Fay puts him into a group and connects the directory, which finds him and makes nobody twice.
  await fay.enter('Groups');
  await fay.follow('New group');
  await fay.type({ 'Name of the group': 'Painters' });
  await fay.press('Create group');
  await fay.isTold('The group was created.');
  await fay.type({ 'Name or e-mail address': 'dan@' });
  await fay.press('Add Dan Dale');
  await fay.isTold('Added to the group.');
  await fay.enter('Directories (SCIM)');
  await fay.follow('New directory');
  await fay.type({ Name: 'Entra' });
  await fay.choose('What it does', 'Changes people and groups');
  await fay.press('Create');
  const directory = new Directory(program, await fay.field('Token').inputValue());
  const [found] = (await directory.filter('/Users', 'userName eq "DAN@acme.example"')).json
    .Resources;
  expect(found).toMatchObject({ active: true, name: { givenName: 'Dan' } });
  const resource = `/Users/${found.id}`;
  await directory.patch(resource, { op: 'add', path: 'externalId', value: 'object-dan' });
  await directory.group('Design', [{ id: found.id }]);

  // He leaves: what he holds is worth nothing at once, and Fay sees who disabled him.
  await directory.patch(resource, { op: 'Replace', path: 'active', value: 'False' });
  await dan.press('Refresh');
  await dan.isRefused('invalid_grant');
  await hearsOfSignOut(dan);
  await signsInAtWork(dan);
  await dan.reads("Your organization's directory disabled this account.");
  await fay.enter('Users');
  await fay.follow('Dan Dale');
  await fay.reads('Disabled by the directory');
  await fay.reads('Ends when the directory enables the person again');

  // He is back, with the groups he had.
  await directory.patch(resource, { op: 'Replace', path: 'active', value: 'True' });
  await signsInAtWork(dan);
  await dan.reads('Dan Dale is signed in');
  expect(await claim(dan, 'groups')).toMatch(/Design.*Painters|Painters.*Design/);
  expect(await claim(dan, 'sub')).toBe(dansSub);

  // Removed, and hired again: another resource, the same person.
  expect((await directory.delete(resource)).status).toBe(204);
  const hired = await directory.post(
    '/Users',
    user('dan@acme.example', { externalId: 'object-dan' }),
  );
  expect(hired.status).toBe(201);
  expect(hired.json.id).not.toBe(found.id);
  await hearsOfSignOut(dan);
  await signsInAtWork(dan);
  await dan.reads('Dan Dale is signed in');
  expect(await claim(dan, 'sub')).toBe(dansSub);
  expect(await claim(dan, 'groups')).toBe('[]');
  await fay.enter('Directories (SCIM)');
  await fay.reads(/asked to remove the person/);

  // The short list of Acme's people, uploaded as it is, changes nothing.
  await fay.enter('Bulk operations');
  const [list] = await Promise.all([
    fay.page.waitForEvent('download'),
    fay.follow('Short list for updates (CSV)'),
  ]);
  await fay.follow('Update users');
  await fay.field('CSV file').setInputFiles(await list.path());
  await fay.press('Upload and check');
  await fay.reads('0 of 5 rows');
  while (await workOnBulk(server.app.foundation, { error: (told) => server.errors.push(told) }));
  await fay.reads('Would succeed (0)');
  await fay.reads('Nothing to do (5)');

  /** Registers from the sign-in at X, with the code of the mail. */
  async function registers(visitor: Visitor, email: string, name: string): Promise<void> {
    await visitor.open('/dev/app');
    await visitor.press('Sign in');
    await visitor.follow('Create an account');
    await visitor.type({ 'E-mail address': email, 'First name': name, 'Last name': 'Example' });
    await visitor.choose('Country', 'United States');
    await visitor.press('Continue');
    await visitor.reads('We sent a code');
    await visitor.type({ Code: codeIn(await mailTo(server, email)) });
    await visitor.press('Continue');
    await visitor.type({ 'New password': password, 'Repeat the new password': password });
    await visitor.press('Save password');
    await visitor.tick('I accept “Terms of Service”');
    await visitor.press('Accept and continue');
  }

  /** X was sent a logout token, and forgot what it held. */
  async function hearsOfSignOut(visitor: Visitor): Promise<void> {
    await server.app.delivery.drain();
    await visitor.open('/dev/app');
    await visitor.reads('Signed out by the identity provider');
  }
}

/** Fills in the form for a new user. */
async function adds(visitor: Visitor, email: string, name: string): Promise<void> {
  await visitor.enter('Users');
  await visitor.follow('Add user');
  await visitor.type({ 'E-mail address': email, 'First name': name, 'Last name': 'Example' });
  await visitor.choose('Country', 'United States');
  await visitor.press('Add user');
}

/** Chooses somebody in the list, and what is to be done. */
async function actsOn(visitor: Visitor, name: string, action: string): Promise<void> {
  await visitor.enter('Users');
  await visitor.tick(`Choose ${name}`);
  await visitor.choose('What to do…', action);
  await visitor.press('Continue');
}

/** From X by the address to the company's own sign-in, which knows who sits there. */
async function signsInAtWork(visitor: Visitor): Promise<void> {
  await visitor.open('/dev/app');
  await visitor.page.getByText('What to ask for').click();
  await visitor.page.locator('#scope-groups').check();
  await visitor.press('Sign in with these choices');
  await visitor.type({ 'E-mail address': 'dan@acme.example' });
  await visitor.press('Continue');
}

/** What X read in the ID token. */
async function claim(visitor: Visitor, name: string): Promise<string> {
  const card = visitor.page.locator('section', {
    has: visitor.page.getByRole('heading', { name: 'ID token' }),
  });
  const claimed = card.locator('dt', { hasText: new RegExp(`^\\s*${name}\\s*$`) });
  return (await claimed.locator('+ dd code').first().innerText()).trim();
}

/** Application X is the demo's, which finds its registration in `demo.json`. */
async function registerX({ given, url }: TestServer, dataDir: string): Promise<void> {
  const x = await given.client({
    name: 'X',
    requiresAccount: true,
    redirectUri: `${url}/dev/app/callback`,
    metadata: {
      application_type: 'native',
      backchannel_logout_uri: `${url}/dev/app/backchannel`,
      backchannel_logout_session_required: true,
    },
  });
  const demo = {
    clients: { devApp: { client_id: x.id, client_secret: x.secret } },
    resource: { identifier: 'https://api.example/', scope: 'api:read' },
    accounts: [],
  };
  writeFileSync(join(dataDir, 'demo.json'), JSON.stringify(demo));
}
