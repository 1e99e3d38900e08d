import { expect } from 'vitest';
import { sealAudit } from '#identity/audit/chain.ts';
import { createScimToken } from '#identity/scim/token.ts';
import { countEvents } from '#identity/reports/count.ts';
import { it } from '#test/support/it.ts';
import { signIn } from '#test/support/sign-in.ts';
import { directoryOf } from '../scim/support.ts';
import { acmeAndFay, open } from './support.ts';

it('tells an administrator what happened, in words as well as in a picture, and what waits', async ({
  given,
  server,
  browser,
}) => {
  const { acme, fay } = await acmeAndFay(given);
  const client = await given.client();
  const ann = await given.user('ann@acme.example', { of: acme });
  await signIn(server.agent(), client, ann);
  await signIn(server.agent(), client, { ...ann, password: 'not her password' });
  await given.waiting(await given.user('carl@acme.example'), acme);
  const { database, vault } = given.foundation;
  while (((await sealAudit(database, vault)) ?? 1) > 0);
  await countEvents(database);

  await given.work((work) => createScimToken(work, acme.id, { name: 'Entra' }));
  await given.rows(
    `update scim_tokens set held_at = now(),
       held = '{"departures": 9, "number": 5, "share": 10, "minutes": 60}'`,
  );

  const page = await open(browser, '/dashboard', fay);
  expect(page.status).toBe(200);
  expect(page.words).toContain('A registration waits to be approved 1');
  expect(page.text).toContain('href="/console/approvals"');
  expect(page.words).toContain('A directory is held and waits for your decision 1');
  expect(page.text).toContain('aria-label="Sign-ins. Succeeded: 1, Failed: 1"');
  expect(page.words).toContain('How people signed in Password 1');
  const week = await browser.get('/console/dashboard?days=7');
  expect(week.text.match(/<time datetime="\d{4}-\d\d-\d\d">/g)!.length).toBeGreaterThanOrEqual(
    4 * 9,
  );
  // Nobody breaks a chart by its address.
  expect((await browser.get('/console/dashboard?days=99999999')).status).toBe(200);
});

it('shows operators all accounts together', async ({ given, browser }) => {
  const { fay } = await acmeAndFay(given);
  const olga = await given.user('olga@ostiary.example', { roles: ['operator'] });
  const page = await open(browser, '/figures', olga);
  expect(page.words).toContain('Figures of all accounts');
  expect(page.words).toContain('People: 2');
  void fay;
});

it('tells whom a directory brought, whether it made them or took them over', async ({
  given,
  browser,
  program,
}) => {
  const { acme, fay } = await acmeAndFay(given);
  const before = await given.user('bob@acme.example', { password: null });
  const directory = await directoryOf(given, program, acme);
  const { id } = await directory.user('ann@acme.example');
  await directory.user(before.email);
  await directory.delete(`/Users/${id}`);
  const { database, vault } = given.foundation;
  while (((await sealAudit(database, vault)) ?? 1) > 0);
  await countEvents(database);

  const ofDirectory = /By your directory \(SCIM\) (\d+)/g;
  const page = await open(browser, '/dashboard', fay);
  // Both ways are one line.
  expect([...page.words.matchAll(ofDirectory)].map(([, many]) => many)).toEqual(['2']);
  expect(page.words).not.toMatch(/\b(adopted|directory) \d/);
});

it('keeps the figures of all accounts from who looks after one', async ({ given, browser }) => {
  const { fay } = await acmeAndFay(given);
  expect((await open(browser, '/figures', fay)).status).toBe(403);
});
