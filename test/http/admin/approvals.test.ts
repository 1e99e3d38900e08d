import { describe, expect } from 'vitest';
import { expireApprovals } from '#identity/belonging/approvals.ts';
import { moveApprovals } from '#identity/belonging/open-approval.ts';
import { remindAll } from '#identity/belonging/remind.ts';
import { it } from '#test/support/it.ts';
import type { Agent } from '#test/support/agent.ts';
import type { TestServer } from '#test/support/server.ts';
import type { World } from '#test/support/world.ts';
import { caller } from './support.ts';

/** Acme with Fay and Cole, and three people who wait. */
async function world(given: World, program: Agent) {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const fay = await given.user('fay@acme.example', {
    of: acme,
    roles: ['account_administrator'],
    givenName: 'Fay',
    familyName: 'Okafor',
  });
  const cole = await given.user('cole@acme.example', { of: acme, roles: ['co_administrator'] });
  const people = [];
  for (const name of ['ann', 'bob', 'carol']) {
    const user = await given.user(`${name}@acme.example`);
    people.push({ ...user, request: await given.waiting(user, acme) });
  }
  return {
    acme,
    fay,
    cole,
    people,
    path: `/accounts/${acme.id}/approvals`,
    admin: caller(program, await given.apiToken(acme)),
    co: caller(program, await given.apiToken(acme, 'co_administrator')),
  };
}

const kinds = async (server: TestServer, given: World) => {
  await server.app.delivery.drain();
  return (await given.mails()).map(({ kind }) => kind);
};

describe('who waits', () => {
  it('is listed, the longest wait first, with what an administrator needs', async ({
    given,
    program,
  }) => {
    const { co, path, people } = await world(given, program);
    const list = await co.get(path);
    expect(list.status).toBe(200);
    expect(list.json.items).toMatchObject([
      {
        id: people[0]!.request,
        userId: people[0]!.id,
        email: 'ann@acme.example',
        domain: 'acme.example',
        country: 'US',
        source: 'registration',
        client: null,
        state: 'open',
      },
      { email: 'bob@acme.example' },
      { email: 'carol@acme.example' },
    ]);
    const page = await co.get(`${path}?limit=2`);
    expect(page.json.items).toHaveLength(2);
    expect((await co.get(`${path}?limit=2&cursor=${page.json.nextCursor}`)).json).toMatchObject({
      items: [{ email: 'carol@acme.example' }],
      nextCursor: null,
    });
  });

  it('is approved or rejected, each by mail, in one batch', async ({ given, program, server }) => {
    const { co, path, people, acme } = await world(given, program);
    const [ann, bob, carol] = people;
    await kinds(server, given);
    const approved = await co.post(`${path}/decide`, {
      ids: [ann!.request, bob!.request],
      decision: 'approve',
      entitlementCountry: 'DE',
    });
    expect(approved.json.items).toMatchObject([{ result: 'approved' }, { result: 'approved' }]);
    const rejected = await co.post(`${path}/decide`, {
      ids: [carol!.request],
      decision: 'reject',
      note: 'Left in May.',
      message: 'Please ask Fay.',
    });
    expect(rejected.json.items).toMatchObject([{ result: 'rejected', code: null }]);
    expect(
      (await kinds(server, given)).filter((kind) => /approved|rejected/.test(kind)).sort(),
    ).toEqual(['approved', 'approved', 'rejected']);
    const [mail] = (await given.mails()).filter(({ kind }) => kind === 'rejected');
    expect(mail!.text).toContain('Please ask Fay.');
    expect(mail!.text).not.toContain('Left in May.');
    expect(await given.person(ann!)).toMatchObject({
      affiliation: 'member',
      account: { id: acme.id },
      entitlementCountry: 'DE',
    });
    expect(await given.person(carol!)).toMatchObject({ affiliation: 'none', locks: [] });
    const rows = await given.rows<{ batch_id: string }>(
      `select batch_id from audit_events where action = 'approval.approved'`,
    );
    expect(rows).toHaveLength(2);
    expect(new Set(rows.map(({ batch_id: batch }) => batch))).toEqual(
      new Set([approved.json.batchId]),
    );
  });

  it('is decided about once: the second is told who was first', async ({ given, program }) => {
    const { admin, co, path, people } = await world(given, program);
    const ids = [people[0]!.request];
    await admin.post(`${path}/decide`, { ids, decision: 'approve' });
    const second = await co.post(`${path}/decide`, { ids, decision: 'reject' });
    expect(second.status).toBe(409);
    expect(second.json).toMatchObject({ code: 'already_decided' });
    expect(second.json.detail).toMatch(/^test approved this on \d{4}-\d\d-\d\d \d\d:\d\d UTC\.$/);
    const several = await co.post(`${path}/decide`, {
      ids: [...ids, people[1]!.request],
      decision: 'approve',
    });
    expect(several.status).toBe(200);
    expect(several.json.items).toMatchObject([
      { result: 'refused', code: 'already_decided', decidedBy: 'test' },
      { result: 'approved' },
    ]);
  });

  it('is decided about once, by ten at the same moment', async ({ given, program }) => {
    const { admin, co, path, people } = await world(given, program);
    const ids = [people[0]!.request];
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        (index % 2 ? admin : co).post(`${path}/decide`, {
          ids,
          decision: index % 3 ? 'approve' : 'reject',
        }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(9);
  });

  it('is given roles, but none above those of who approves', async ({ given, program }) => {
    const { co, path, people } = await world(given, program);
    const ids = [people[0]!.request];
    expect(
      (
        await co.post(`${path}/decide`, {
          ids,
          decision: 'approve',
          roles: ['account_administrator'],
        })
      ).json,
    ).toMatchObject({ status: 403, code: 'cannot_grant_higher_role' });
    expect((await given.person(people[0]!))?.affiliation).toBe('pending');
    await co.post(`${path}/decide`, { ids, decision: 'approve', roles: ['co_administrator'] });
    expect((await given.person(people[0]!))?.roles).toEqual(['co_administrator']);
  });

  it('is not decided about by another account, nor while this one is on hold', async ({
    given,
    program,
  }) => {
    const { acme, co, path, people } = await world(given, program);
    const beta = await given.account('Beta');
    const stranger = caller(program, await given.apiToken(beta));
    const ids = [people[0]!.request];
    expect((await stranger.post(`${path}/decide`, { ids, decision: 'approve' })).status).toBe(404);
    expect(
      (await stranger.post(`/accounts/${beta.id}/approvals/decide`, { ids, decision: 'approve' }))
        .json,
    ).toMatchObject({ status: 404, code: 'not_found' });
    await given.hold(acme);
    expect((await co.post(`${path}/decide`, { ids, decision: 'approve' })).json).toMatchObject({
      status: 403,
      code: 'account_on_hold',
    });
  });

  it('is refused more than two hundred at once', async ({ given, program }) => {
    const { co, path } = await world(given, program);
    const ids = Array.from(
      { length: 201 },
      (_, index) => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    );
    expect((await co.post(`${path}/decide`, { ids, decision: 'approve' })).status).toBe(422);
  });
});

describe('a request is no longer the account’s to decide', () => {
  it('when the domain came to belong to another: it moves there', async ({ given, program }) => {
    const { acme, co, path, people } = await world(given, program);
    const beta = await given.account('Beta');
    await given.rows(`update domains set account_id = $1`, [beta.id]);
    const late = await co.post(`${path}/decide`, {
      ids: [people[0]!.request],
      decision: 'approve',
    });
    expect(late.json.items).toMatchObject([{ result: 'refused', code: 'request_superseded' }]);
    expect(await given.person(people[0]!)).toMatchObject({ affiliation: 'pending', account: null });

    await given.work((work) => moveApprovals(work, 'acme.example'));
    const betaAdmin = caller(program, await given.apiToken(beta));
    expect((await betaAdmin.get(`/accounts/${beta.id}/approvals`)).json.items).toHaveLength(3);
    expect((await co.get(path)).json.items).toEqual([]);
    expect((await co.get(`${path}?state=superseded`)).json.items).toHaveLength(3);
    void acme;
  });

  it('when the domain is nobody’s: they belong nowhere', async ({ given, program }) => {
    const { people } = await world(given, program);
    await given.rows(`update domains set state = 'released'`);
    await given.work((work) => moveApprovals(work, 'acme.example'));
    expect((await given.person(people[0]!))?.affiliation).toBe('none');
  });

  it('when the person joined elsewhere', async ({ given, program }) => {
    const { co, path, people } = await world(given, program);
    const beta = await given.account('Beta');
    await given.work(async (work) => {
      const { affiliate } = await import('#identity/users/affiliate.ts');
      await affiliate(work, people[0]!.id, beta.id, 'test');
    });
    const ids = [people[0]!.request, people[1]!.request];
    expect(
      (await co.post(`${path}/decide`, { ids, decision: 'approve' })).json.items,
    ).toMatchObject([{ result: 'refused', code: 'request_superseded' }, { result: 'approved' }]);
    expect((await given.person(people[0]!))?.account?.id).toBe(beta.id);
  });

  it('after ninety days', async ({ given, program, server }) => {
    const { people } = await world(given, program);
    server.clock.advance(90 * 24 * 3600 - 60);
    expect(await given.work((work) => expireApprovals(work))).toBe(0);
    server.clock.advance(120);
    expect(await given.work((work) => expireApprovals(work))).toBe(3);
    expect((await given.person(people[0]!))?.affiliation).toBe('none');
  });
});

describe('the reminder', () => {
  it('comes once a day to each administrator while somebody waits', async ({
    given,
    program,
    server,
  }) => {
    const { co, path, people } = await world(given, program);
    const reminders = async () =>
      (await kinds(server, given)).filter((kind) => kind === 'approval_reminder').length;
    expect(await reminders()).toBe(2);
    for (let run = 0; run < 3; run += 1) await remindAll(given.foundation);
    expect(await reminders()).toBe(2);
    server.clock.advance(24 * 3600);
    for (let run = 0; run < 3; run += 1) await remindAll(given.foundation);
    expect(await reminders()).toBe(4);
    await co.post(`${path}/decide`, {
      ids: people.map(({ request }) => request),
      decision: 'approve',
    });
    server.clock.advance(24 * 3600);
    await remindAll(given.foundation);
    expect(await reminders()).toBe(4);
  });

  it('ends for an administrator who says so, and for them alone', async ({
    given,
    program,
    server,
    browser,
  }) => {
    await world(given, program);
    await server.app.delivery.drain();
    const mail = (await given.mails()).find(({ recipient }) => recipient === 'fay@acme.example')!;
    const link = new URL(/https?:\/\/\S+\/unsubscribe\/\S+/.exec(mail.text)![0]);
    // A scanner that follows it ends nothing.
    const page = await browser.get(link);
    expect(await given.rows('select * from mail_optouts')).toEqual([]);
    expect((await browser.submit(page.forms[0]!)).words).toContain('No more reminders');
    expect((await browser.submit(page.forms[0]!)).status).toBe(200);
    server.clock.advance(24 * 3600);
    await remindAll(given.foundation);
    await server.app.delivery.drain();
    const later = (await given.mails()).slice(-1);
    expect(later).toMatchObject([{ recipient: 'cole@acme.example', kind: 'approval_reminder' }]);
  });
});
