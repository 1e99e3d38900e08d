import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workOnBulk } from '#identity/bulk/run.ts';
import { desktop, obstacles, overflow } from '#test/support/accessibility.ts';
import { testDatabase } from '#test/support/database.ts';
import { FakeDns } from '#test/support/dns.ts';
import { startServer, type TestServer } from '#test/support/server.ts';
import { Visitor } from '#test/support/visitor.ts';
import type { World } from '#test/support/world.ts';
import { mailTo } from '../http/self-service/mailbox.ts';

let server: TestServer;
let given: World;
let dns: FakeDns;
let acme: { id: string };
/** An Account Administrator. */
let fay: Visitor;
/** A Co-Administrator. */
let cora: Visitor;

beforeAll(async () => {
  const { database, reset } = await testDatabase();
  await reset();
  dns = await FakeDns.start();
  server = await startServer(database, { config: { dnsServers: [dns.server] } });
  ({ given } = server);
  acme = await given.account('Acme', { owns: ['acme.example'] });
  fay = await comesIn('fay@acme.example', 'account_administrator');
  cora = await comesIn('cora@acme.example', 'co_administrator');
});

afterAll(async () => {
  await fay.leaves();
  await cora.leaves();
  await server.close();
  await dns.stop();
});

/**
 * The administrator's tasks of the source documents (behaviour.md section 5 names them), each done in
 * a browser as its document tells it, one after the other.
 */
describe('an administrator, as the documents tell it,', () => {
  it('Managing Domains: claims a domain by a DNS record, from the keyboard', async () => {
    const ann = await given.user('ann@acme-labs.example');
    await fay.enter('Domains');
    await byKeyboard(fay, 'link', 'Claim a domain');
    await fay.type({ Domain: 'gmail.com' });
    await fay.page.keyboard.press('Enter');
    await fay.isRefused('Nobody can own it.');
    expect(await fay.page.title()).toMatch(/^Error: /);
    // Whoever sent a form that came back goes on at what is wrong with it.
    await expect.poll(() => fay.page.evaluate('document.activeElement.id')).toBe('domain');
    await fay.type({ Domain: 'acme-labs.example' });
    await fay.page.keyboard.press('Enter');
    await fay.isTold('Claimed. Now publish the proof.');

    await byKeyboard(fay, 'button', 'Look for it now');
    await fay.isTold('The proof is not there yet.');
    dns.set(await fay.field('Name').inputValue(), { txt: [await fay.field('Text').inputValue()] });
    server.clock.advance(11);
    await byKeyboard(fay, 'button', 'Look for it now');
    await fay.isTold('the domain is yours');
    expect((await given.person(ann))!.affiliation).toBe('none');
  });

  it('Auto Approval: lets in at once who registers, and who is there already', async () => {
    await fay.choose('Who registers with an address here', 'Is in at once');
    await byKeyboard(fay, 'button', 'Save');
    await fay.isTold('Saved.');
    await byKeyboard(fay, 'button', 'Take them in at once');
    await fay.isTold('1 person taken in');
    await isForEverybody(fay);
  });

  it('Add Users: types address, names and country, and the user is invited', async () => {
    await cora.enter('Users');
    await cora.follow('Add user');
    await cora.type({
      'E-mail address': 'carla@acme.example',
      'First name': 'Carla',
      'Last name': 'Cole',
    });
    await cora.choose('Country', 'Germany');
    await cora.press('Add user');
    await cora.isTold('Created and invited.');
    expect((await mailTo(server, 'carla@acme.example')).kind).toBe('activation');
    await cora.follow('Carla Cole');
    await cora.page.waitForURL(/\/users\/[0-9a-f-]{36}$/);
    await isForEverybody(cora);
    // Times are told where the reader is: eight or seven hours behind, with no zone beside them.
    const moment = cora.page.locator('time[data-precision="moment"]').first();
    expect(await moment.innerText()).not.toContain('UTC');
  });

  it('Bulk Register Users: uploads a file, sees what would happen, carries it out', async () => {
    await cora.enter('Bulk operations');
    await cora.follow('Add users');
    await cora.field('CSV file').setInputFiles({
      name: 'users.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(
        [
          'Email,FirstName,LastName,Country,ProfileCountry',
          'ben@acme.example,Ben,Baker,US,US',
          'cleo@gmail.com,Cleo,Clark,US,Germany',
          'carla@acme.example,Carla,Cole,US,US',
          'dan@acme.example,Dan,,US,US',
        ].join('\n'),
      ),
    });
    await cora.press('Upload and check');
    await cora.reads('0 of 4 rows');

    // Nobody loads the page again: it asks how far it is.
    await workOnFiles();
    await cora.reads('This is what would happen.');
    expect(await cora.page.locator('#list tbody tr').allInnerTexts()).toEqual([
      expect.stringMatching(/ben@acme.example\s+Would succeed\s+Is created as a member/),
      expect.stringMatching(/cleo@gmail.com\s+Would succeed\s+Is invited/),
      expect.stringMatching(/carla@acme.example\s+Nothing to do\s+.*already/),
      expect.stringMatching(/dan@acme.example\s+Refused\s+LastName: is required/),
    ]);
    await isForEverybody(cora);
    await cora.press('Carry out 2 rows');
    await cora.reads('You can leave this page');
    await workOnFiles();
    const result = await saved(cora, 'Result file (CSV)');
    expect(result.name).toBe('result.csv');
    for (const recipient of ['ben@acme.example', 'cleo@gmail.com', 'cora@acme.example'])
      await mailTo(server, recipient);
  });

  it('Pending Approvals: chooses who waits, and approves', async () => {
    const dora = await given.user('dora@acme.example', { familyName: 'Dale' });
    await given.waiting(dora, acme);
    await cora.enter('Approvals');
    await cora.tick('Choose dora Dale');
    await cora.press('Approve');
    await cora.press('Approve');
    await cora.isTold('One person was approved.');
    expect((await given.person(dora))!.affiliation).toBe('member');
    await cora.reads('Nobody waits.');
  });

  it('Lock a User: finds somebody, says why, and can take it back', async () => {
    // "/" goes to the search, which narrows the list without a new page, and keeps the focus.
    const { page } = cora;
    await cora.enter('Users');
    await isForEverybody(cora);
    await page.evaluate('window.stillHere = true');
    await page.locator('h1').click();
    await page.keyboard.press('/');
    await page.keyboard.type('dal');
    await page.waitForURL(/q=dal/);
    await page.locator('#list tbody tr').nth(1).waitFor({ state: 'detached' });
    expect(await page.locator('#list tbody').innerText()).toContain('dora@acme.example');
    expect(await page.evaluate('window.stillHere')).toBe(true);
    expect(await page.evaluate('document.activeElement.id')).toBe('q');

    await cora.tick('Choose dora Dale');
    expect(await page.locator('[data-count]').innerText()).toBe('Chosen: 1');
    await cora.choose('What to do…', 'Lock');
    await cora.press('Continue');
    // On the next page one goes on with what is on it, not with the menu again.
    await expect
      .poll(() => page.evaluate('document.activeElement.id + location.pathname'))
      .toBe('main/console/users/do/lock');
    await cora.type({ Why: 'Lost the laptop' });
    await cora.press('Lock');
    await cora.isTold('One person is locked.');
    // Whoever did something to a row goes on there.
    await expect
      .poll(() => page.evaluate('document.activeElement.closest("tr")?.innerText'))
      .toContain('dora');
    await page.getByRole('button', { name: 'Undo' }).press('Enter');
    await cora.isTold('One person is unlocked.');
  });

  it('Unlock a User: reads at the padlock why, and unlocks', async () => {
    const eve = await given.user('eve@acme.example', { of: acme, familyName: 'Ewing' });
    await given.locked(eve, 'too_many_attempts');
    const { page } = cora;
    await cora.enter('Users');
    // The padlock speaks when it is pointed at, when it has the focus, and not after Escape.
    const tip = page.getByRole('tooltip', { includeHidden: true });
    const padlock = page.locator('button.lock');
    expect(await tip.isVisible()).toBe(false);
    await padlock.hover();
    expect(await tip.isVisible()).toBe(true);
    expect(await tip.innerText()).toMatch(/^Too many sign-in attempts/);
    await page.mouse.move(0, 0);
    await padlock.focus();
    expect(await tip.isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    expect(await tip.isVisible()).toBe(false);
    await actsOn('eve Ewing', 'Unlock');
    await cora.reads(/Too many sign-in attempts on/);
    await cora.press('Unlock');
    await cora.isTold('One person is unlocked.');
    expect((await given.person(eve))!.locks).toEqual([]);
  });

  it('Reset a Password: sends a mail, by which the user chooses a new one', async () => {
    await actsOn('eve Ewing', 'Reset password');
    await cora.press('Reset password');
    await cora.isTold('A mail was sent.');
    expect((await mailTo(server, 'eve@acme.example')).kind).toBe('password_reset');
  });

  it('Delete a User: reads what is lost, removes, and can take it back', async () => {
    await actsOn('eve Ewing', 'Remove from account');
    await cora.reads('stays locked until an account adds and unlocks them');
    await cora.press('Remove from account');
    await cora.isTold('One person was removed.');
    await cora.follow('Removed users');
    await cora.reads('eve@acme.example');
    await cora.follow('Restore eve Ewing');
    await cora.press('Restore');
    await cora.isTold('One person is back.');
  });

  it('Export User List: saves a file with everybody in it', async () => {
    await cora.enter('Bulk operations');
    const { text } = await saved(cora, 'Full list (CSV)');
    const people = text.trim().split('\r\n').slice(1);
    expect(new Set(people.map((line) => line.split(',')[1]!.split('@')[0]))).toEqual(
      new Set(['ann', 'ben', 'carla', 'cleo', 'cora', 'dora', 'eve', 'fay']),
    );
  });

  it('meets nothing on the way that a browser complains about', () => {
    expect([...fay.complaints, ...cora.complaints]).toEqual([]);
    expect(server.errors).toEqual([]);
  });
});

async function comesIn(email: string, role: string): Promise<Visitor> {
  const { password } = await given.user(email, { of: acme, roles: [role] });
  const visitor = await Visitor.arrives(server);
  await visitor.open('/console/dashboard');
  await visitor.signsIn(email, password);
  await visitor.page.waitForURL('**/console/dashboard');
  return visitor;
}

async function actsOn(name: string, action: string): Promise<void> {
  await cora.enter('Users');
  await cora.tick(`Choose ${name}`);
  await cora.choose('What to do…', action);
  await cora.press('Continue');
}

/** As somebody does who uses no mouse. */
async function byKeyboard({ page }: Visitor, role: 'link' | 'button', name: string): Promise<void> {
  await page.getByRole(role, { name, exact: true }).first().focus();
  await page.keyboard.press('Enter');
}

/** For pages that others changed since they were loaded, or that hold what only a journey gives them. */
async function isForEverybody({ page }: Visitor): Promise<void> {
  expect(await obstacles(page)).toEqual([]);
  expect(await overflow(page, 320)).toBe(0);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(desktop);
}

async function workOnFiles(): Promise<void> {
  const log = { error: (...told: unknown[]) => server.errors.push(told) };
  while (await workOnBulk(server.app.foundation, log)) await Promise.resolve();
}

/** Follows a link to a file. */
async function saved({ page }: Visitor, link: string): Promise<{ name: string; text: string }> {
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: link, exact: true }).click(),
  ]);
  return { name: file.suggestedFilename(), text: readFileSync(await file.path(), 'utf8') };
}
