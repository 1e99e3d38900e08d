import { expect } from 'vitest';
import { sealAudit } from '#identity/audit/chain.ts';
import { countEvents, sweepFigures } from '#identity/reports/count.ts';
import { dashboardOf } from '#identity/reports/dashboard.ts';
import { it } from '#test/support/it.ts';
import { signIn } from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';
import { caller } from '../../http/admin/support.ts';

async function counted({ foundation: { database, vault } }: World): Promise<void> {
  while (((await sealAudit(database, vault)) ?? 1) > 0);
  while (await countEvents(database, 3));
}

it('counts what happened in an account, each thing once, however often it is counted', async ({
  given,
  server,
}) => {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const beta = await given.account('Beta');
  const client = await given.client();
  const ann = await given.user('ann@acme.example', { of: acme });
  const bob = await given.user('bob@acme.example', { of: acme });
  await given.user('eve@beta.example', { of: beta });
  await given.locked(bob, 'admin');
  await counted(given);

  await signIn(server.agent(), client, { email: ann.email, password: 'not her password' });
  await signIn(server.agent(), client, { email: 'nobody@acme.example', password: 'wrong' });
  await signIn(server.agent(), client, ann);
  await signIn(server.agent(), client, bob);
  await given.waiting(await given.user('carl@acme.example'), acme);
  await counted(given);
  await counted(given);

  const { database, clock } = given.foundation;
  const ofAcme = await dashboardOf(database, acme.id, { days: 7, now: clock() });
  expect(ofAcme.days).toHaveLength(7);
  expect(ofAcme.days.at(-1)).toEqual({
    day: clock().toISOString().slice(0, 10),
    signIns: 1,
    failures: 1,
    refused: 1,
    throttled: 0,
    locked: 0,
    unlocked: 0,
    joined: 2,
    left: 0,
    requested: 1,
    approved: 0,
    rejected: 0,
    invited: 0,
  });
  expect(ofAcme.signInsBy).toEqual({ password: 1 });
  expect(ofAcme.joinedBy).toEqual({ test: 2 });
  expect(ofAcme.now).toMatchObject({ people: 2, pendingApprovals: 1, domainsInTrouble: 0 });

  const ofAll = await dashboardOf(database, null, { days: 1, now: clock() });
  expect(ofAll.days[0]).toMatchObject({ signIns: 1, failures: 2, joined: 3, locked: 1 });
  expect(ofAll.now).toMatchObject({ people: 4, locked: 1 });
  expect(await given.rows('select 1 from wrong_passwords')).toEqual([]);
});

it('reads the same few rows however much happened, and forgets after a year and a month', async ({
  given,
  server,
}) => {
  const acme = await given.account();
  await given.rows(
    `insert into daily_figures (account_id, day, figure, count)
     select $1::uuid, current_date - n, f, 1000000
     from generate_series(0, 399) n, unnest(array['signed_in.password', 'wrong_password']) f`,
    [acme.id],
  );
  const { database, clock } = given.foundation;
  const { days } = await dashboardOf(database, acme.id, { days: 366, now: clock() });
  expect(days[0]).toMatchObject({ signIns: 1_000_000, failures: 1_000_000 });
  expect(days.map(({ day }) => day)).toEqual(days.map(({ day }) => day).sort());
  server.clock.advance(100 * 86_400);
  await sweepFigures(database, clock());
  const [left] = await given.rows<{ rows: number }>(
    'select count(*)::int as rows from daily_figures',
  );
  expect(left!.rows).toBeGreaterThan(590);
  expect(left!.rows).toBeLessThan(610);
});

it('is for those who look after the account, and for operators of all', async ({
  given,
  program,
}) => {
  const acme = await given.account();
  const beta = await given.account('Beta');
  const helper = caller(program, await given.apiToken(acme, 'co_administrator'));
  const operator = caller(program, await given.apiToken());
  expect((await helper.get(`/accounts/${acme.id}/dashboard?days=7`)).json.days).toHaveLength(7);
  expect((await helper.get(`/accounts/${beta.id}/dashboard`)).status).toBe(404);
  expect((await helper.get('/dashboard')).status).toBe(403);
  expect((await operator.get('/dashboard')).json.days).toHaveLength(30);
  for (const days of ['0', '367', 'x', '-1'])
    expect((await operator.get(`/dashboard?days=${days}`)).status).toBe(422);
});
