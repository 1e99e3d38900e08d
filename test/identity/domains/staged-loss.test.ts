import { describe, expect } from 'vitest';
import { requestReset } from '#identity/credentials/password.ts';
import { readFacts } from '#identity/verdict/facts.ts';
import { verdict, type Door } from '#identity/verdict/verdict.ts';
import type { TestServer } from '#test/support/server.ts';
import { caller, someone } from '../../http/admin/support.ts';
import { it, mailsTo, type Net, type Organization } from './support.ts';

const hour = 3600;
const day = 24 * hour;

/** Time goes by, and the background does its work each time something is due. */
async function pass(
  server: TestServer,
  check: () => Promise<number>,
  seconds: number,
): Promise<void> {
  const { database, clock } = server.app.foundation;
  const end = clock().getTime() + seconds * 1000;
  for (;;) {
    const [next] = await database.query<{ at: Date | null }>(
      `select least(min(next_check_at), min(expires_at)) as at from domains
       where state in ('pending', 'owned', 'at_risk', 'lapsed', 'contested')`,
    );
    const due = next?.at?.getTime() ?? Infinity;
    const until = Math.min(due, end);
    server.clock.advance(Math.max(0, until - clock().getTime()) / 1000 + 1);
    await check();
    if (due >= end) return;
  }
}

async function owned(organization: (name: string) => Promise<Organization>): Promise<Organization> {
  const acme = await organization('Acme');
  await acme.claimAndPublish('acme.example');
  await acme.verify('acme.example');
  await acme.patch(`/accounts/${acme.id}/domains/acme.example`, { signup: 'auto' });
  return acme;
}

const place = '_ostiary-challenge.acme.example';

async function says(server: TestServer, door: Door, email: string, accountId: string | null) {
  const { database, clock } = server.app.foundation;
  const said = verdict(door, await readFacts(database, email, accountId, clock()));
  return said.outcome === 'refuse' ? said.code : said.outcome;
}

async function asksForReset(server: TestServer, email: string): Promise<number> {
  await requestReset(
    server.app.foundation,
    { email, browser: 'a browser', locale: null, returnTo: null },
    {},
  );
  return (await mailsTo(server, email, 'password_reset')).length;
}

describe('an organization whose record is gone (D-29, M2)', () => {
  it('is told after a day, keeps everything for a week, and loses the domain after a month', async ({
    organization,
    given,
    net,
    server,
    check,
  }) => {
    const acme = await owned(organization);
    const ann = await given.user('ann@acme.example', { of: acme });
    const path = `/accounts/${acme.id}/domains/acme.example`;
    net.remove(place);

    // One look that does not find it says nothing yet.
    await pass(server, check, 7 * day + 1);
    expect((await acme.get(path)).json).toMatchObject({
      state: 'owned',
      failingSince: expect.any(String),
    });
    await pass(server, check, 20 * hour);
    expect(await acme.state('acme.example')).toBe('owned');

    // Three of them over a day do. Day 0.
    await pass(server, check, 12 * hour);
    expect((await acme.get(path)).json).toMatchObject({ state: 'at_risk', automatic: true });
    const told = await mailsTo(server, acme.administrator.email, 'domain_at_risk');
    expect(told.map(({ subject }) => subject)).toEqual([
      'The proof of ownership of acme.example is missing',
    ]);
    expect(told[0]!.text).toContain('ostiary-domain-verification=');
    for (const [door, outcome] of [
      ['registration', 'create_auto_approved'],
      ['just_in_time', 'create_member'],
      ['scim_create', 'create_member'],
      ['admin_add', 'create_member'],
    ] as const)
      expect(await says(server, door, 'new@acme.example', acme.id)).toBe(outcome);

    // Day 7: no machine makes anybody; administrators do, and who is in stays in.
    await pass(server, check, 7 * day);
    expect((await acme.get(path)).json).toMatchObject({ state: 'at_risk', automatic: false });
    for (const [door, outcome] of [
      ['registration', 'create_pending'],
      ['just_in_time', 'domain_not_owned'],
      ['scim_create', 'domain_not_owned'],
      ['scim_rename', 'domain_not_owned'],
      ['admin_add', 'create_member'],
    ] as const)
      expect(await says(server, door, 'new@acme.example', acme.id)).toBe(outcome);
    expect(await says(server, 'just_in_time', 'ann@acme.example', acme.id)).toBe('nothing');
    expect(await asksForReset(server, 'ann@acme.example')).toBe(1);

    // Day 30: lapsed. Ann stays a member; her mailbox proves nothing any more.
    await pass(server, check, 23 * day + 12 * hour);
    expect((await acme.get(path)).json).toMatchObject({ state: 'lapsed', automatic: false });
    // Told when it began, on days 7 and 23, and now: once each.
    const letters = await mailsTo(server, acme.administrator.email, 'domain_at_risk');
    expect(letters.map(({ subject }) => subject.replace(/ on .*/, ''))).toEqual([
      'The proof of ownership of acme.example is missing',
      'The ownership of acme.example lapses',
      'The ownership of acme.example lapses',
      'The ownership of acme.example has lapsed',
    ]);
    for (const [door, outcome] of [
      ['registration', 'create_unaffiliated'],
      ['just_in_time', 'domain_not_owned'],
      ['scim_create', 'domain_not_owned'],
      ['admin_add', 'domain_not_owned'],
    ] as const)
      expect(await says(server, door, 'new@acme.example', acme.id)).toBe(outcome);
    expect(await given.person(ann)).toMatchObject({
      account: { id: acme.id },
      emailVerified: false,
      locks: [],
    });
    expect(await asksForReset(server, 'ann@acme.example')).toBe(1);
    const byAdministrator = await acme.post(`/accounts/${acme.id}/users/${ann.id}/reset-password`);
    expect([byAdministrator.status, byAdministrator.json.code]).toEqual([409, 'domain_not_owned']);
    expect(server.errors).toEqual([]);
  });

  it('has everything back as soon as the record is', async ({
    organization,
    given,
    net,
    server,
    check,
  }) => {
    const acme = await organization('Acme');
    const record = await acme.claimAndPublish('acme.example');
    await acme.verify('acme.example');
    const ann = await given.user('ann@acme.example', { of: acme });
    net.remove(place);
    await pass(server, check, 45 * day);
    expect(await acme.state('acme.example')).toBe('lapsed');

    net.publish(record);
    server.clock.advance(11);
    expect(await acme.verify('acme.example')).toMatchObject({
      state: 'owned',
      failingSince: null,
      lapsesAt: null,
    });
    expect(await given.person(ann)).toMatchObject({ emailVerified: true });
    expect(await asksForReset(server, 'ann@acme.example')).toBe(1);
    expect(await given.events()).toEqual(
      expect.arrayContaining(['domain.at_risk', 'domain.lapsed', 'domain.recovered']),
    );
  });

  it('loses nothing by resolvers that cannot say', async ({ organization, net, server, check }) => {
    const acme = await owned(organization);
    const trouble: ((net: Net) => void)[] = [
      ({ one, two }) => [one, two].forEach((dns) => dns.set(place, { fails: 'SERVFAIL' })),
      // One resolver that was lied to.
      ({ one, two }) => {
        one.remove(place);
        two.set(place, { fails: 'REFUSED' });
      },
    ];
    const [record] = [net.one.zones.get(place)!];
    for (const make of trouble) {
      make(net);
      await pass(server, check, 9 * day);
      expect((await acme.get(`/accounts/${acme.id}/domains/acme.example`)).json).toMatchObject({
        state: 'owned',
        failingSince: null,
      });
    }
    net.set(place, record);
    net.one.remove(place);
    await pass(server, check, 9 * day);
    expect(await acme.state('acme.example')).toBe('owned');
    expect(await mailsTo(server, acme.administrator.email, 'domain_at_risk')).toEqual([]);
  });

  it('is told apart from one that comes and goes', async ({ organization, net, server, check }) => {
    const acme = await owned(organization);
    const record = net.one.zones.get(place)!;
    for (let week = 0; week < 6; week += 1) {
      net.remove(place);
      await pass(server, check, 7 * day + hour);
      net.set(place, record);
      await pass(server, check, day);
    }
    expect(await acme.state('acme.example')).toBe('owned');
    expect(await mailsTo(server, acme.administrator.email, 'domain_at_risk')).toEqual([]);
  });

  it('does not lose a domain that a mail or an operator proved', async ({
    organization,
    operator,
    server,
    check,
  }) => {
    const acme = await organization('Acme');
    await operator.post(`/accounts/${acme.id}/domains/acme.example/attest`, {
      reason: 'Contract.',
    });
    await pass(server, check, 90 * day);
    expect(await acme.state('acme.example')).toBe('owned');
  });
});

describe('whoever registers the domain of a lost organization anew (D-30)', () => {
  it('gets none of its people, and no mail that would let them in', async ({
    organization,
    given,
    net,
    server,
    check,
  }) => {
    const acme = await owned(organization);
    const ann = await given.user('ann@acme.example', { of: acme });
    net.remove(place);
    await pass(server, check, 45 * day);
    const evil = await organization('Evil');
    await evil.claimAndPublish('acme.example');
    expect((await evil.verify('acme.example')).state).toBe('contested');

    const inside = async (): Promise<void> => {
      expect((await given.person(ann))!.account?.id).toBe(acme.id);
      expect(await asksForReset(server, 'ann@acme.example')).toBe(0);
      expect((await evil.get(`/accounts/${evil.id}/users/${ann.id}`)).status).toBe(404);
      const taken = await evil.post(`/accounts/${evil.id}/users`, someone('ann@acme.example'));
      expect(taken.status).toBe(409);
      expect(await says(server, 'just_in_time', 'ann@acme.example', evil.id)).toMatch(
        /user_in_other_account|domain_owned_by_other/,
      );
    };
    await inside();
    // After ninety days more nobody owns it, and who has it may.
    await pass(server, check, 100 * day);
    expect(await acme.state('acme.example')).toBe('released');
    await evil.claimAndPublish('acme.example');
    server.clock.advance(20);
    expect((await evil.verify('acme.example')).state).toBe('owned');
    await inside();
    const impact = await evil.get(`/accounts/${evil.id}/domains/acme.example/impact`);
    expect(impact.json.counts).toMatchObject({ elsewhere: 1, unaffiliated: 0 });
  });

  it('ends what is left of the month, once the name is proved to be theirs', async ({
    organization,
    net,
    server,
    check,
  }) => {
    const acme = await owned(organization);
    net.remove(place);
    await pass(server, check, 9 * day);
    expect(await acme.state('acme.example')).toBe('at_risk');
    const beta = await organization('Beta');
    await beta.claimAndPublish('acme.example');
    expect((await beta.verify('acme.example')).state).toBe('contested');
    expect(await acme.state('acme.example')).toBe('lapsed');
  });
});

describe('a domain is that name and no other', () => {
  it.for([
    ['x@eng.corp.test', 'D-25'],
    ['x@notcorp.test', 'D-26'],
    ['x@corp.test.evil.test', 'D-26'],
  ] as const)('%s is not of corp.test (%s)', async ([email], { organization, server }) => {
    const acme = await organization('Acme', { owns: ['corp.test'] });
    for (const door of ['just_in_time', 'scim_rename'] as const)
      expect(await says(server, door, email, acme.id)).toBe('domain_not_owned');
    expect(await says(server, 'scim_create', email, acme.id)).toBe('create_provisional');
    expect(await says(server, 'registration', email, null)).toBe('create_unaffiliated');
    expect(await says(server, 'just_in_time', 'x@corp.test', acme.id)).toBe('create_member');
  });
});

describe('a claim without its record (D-22)', () => {
  it('opens no door', async ({ organization, server, given, program }) => {
    const acme = await organization('Acme');
    await acme.post(`/accounts/${acme.id}/domains`, { domain: 'acme.example' });
    for (const door of [
      'just_in_time',
      'scim_create',
      'scim_rename',
      'admin_add',
      'bulk_add',
    ] as const)
      expect(await says(server, door, 'x@acme.example', acme.id)).toBe('domain_pending_ownership');
    expect(await says(server, 'registration', 'x@acme.example', null)).toBe('create_unaffiliated');
    const path = `/accounts/${acme.id}/domains/acme.example`;
    expect((await acme.patch(path, { signup: 'auto' })).json.code).toBe('domain_not_owned');
    expect((await acme.post(`${path}/approve-waiting`)).json.code).toBe('domain_not_owned');
    expect((await acme.post(`${path}/existing-people`, { as: 'requests' })).json.code).toBe(
      'domain_not_owned',
    );
    const co = caller(program, await given.apiToken(acme, 'co_administrator'));
    expect((await co.get(path)).json.automatic).toBe(false);
  });
});
