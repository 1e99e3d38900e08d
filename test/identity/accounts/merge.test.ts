import { describe, expect } from 'vitest';
import { addContact } from '#identity/accounts/contacts.ts';
import { mergeAccounts, reportMerge, type Merge } from '#identity/accounts/merge.ts';
import { continueMoves, currentAccountId, moveById } from '#identity/accounts/move-people.ts';
import { reportSplit, splitAccount, type Split } from '#identity/accounts/split.ts';
import { createRole } from '#identity/access/service-roles.ts';
import { createGroup } from '#identity/groups/groups.ts';
import { changeMembers, membersOf } from '#identity/groups/membership.ts';
import type { Refusal } from '#identity/refusal.ts';
import { it } from '#test/support/it.ts';
import { tokensFor, refresh } from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';

const reason = 'Acme was bought by Beta.';

/** Acme and Beta, with people, domains, and a group of the same name in each. */
async function twoAccounts(given: World) {
  const acme = await given.account('Acme', { owns: ['acme.example'], countries: ['US', 'DE'] });
  const beta = await given.account('Beta', { owns: ['beta.example'], countries: ['US'] });
  const fay = await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
  const cora = await given.user('cora@acme.example', { of: acme, roles: ['co_administrator'] });
  const ann = await given.user('ann@acme.example', { of: acme });
  const bea = await given.user('bea@beta.example', { of: beta, roles: ['account_administrator'] });
  const countries = ['US', 'DE'];
  const groups = await given.work(async (work) => ({
    acme: await createGroup(work, { ...acme, countries }, { name: 'Pilots' }),
    beta: await createGroup(work, { ...beta, countries }, { name: 'pilots' }),
  }));
  await given.work(async (work) => {
    await createRole(work, { key: 'download', name: 'Download' });
    await changeMembers(work, acme.id, groups.acme.id, { add: [ann.id] });
    await work.query(
      `insert into role_assignments (id, user_id, role, account_id, granted_by, granted_at)
       values (gen_random_uuid(), $1, 'download', $2, '{}', now())`,
      [ann.id, acme.id],
    );
    await addContact(work, { ...acme, countries }, fay.id, null);
    await addContact(work, { ...beta, countries }, bea.id, null);
    await work.query(`update users set entitlement_country = 'DE' where id = $1`, [ann.id]);
  });
  return { acme, beta, fay, cora, ann, bea, groups };
}

async function merge(given: World, options: Merge) {
  const { digest } = await given.work((work) => reportMerge(work, options));
  return given.work((work) => mergeAccounts(work, { ...options, confirm: digest, reason }));
}

async function finish(given: World): Promise<void> {
  while (await continueMoves(given.foundation));
}

/** Everything that is stored, but for what time alone changes. */
async function everything(given: World): Promise<string> {
  const tables = await given.rows<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  );
  const all: Record<string, unknown> = {};
  for (const { name } of tables)
    all[name] = await given.rows(`select t::text as row from ${name} t order by 1`);
  return JSON.stringify(all);
}

describe('a merge (M8)', () => {
  it('is shown before it is done: what moves, what clashes, who loses what; and nothing is touched', async ({
    given,
  }) => {
    const { acme, beta, fay, groups } = await twoAccounts(given);
    await given.apiToken(acme);
    const before = await everything(given);
    const { report } = await given.work((work) =>
      reportMerge(work, { sourceId: acme.id, targetId: beta.id }),
    );
    expect(report).toEqual({
      kind: 'merge',
      source: { id: acme.id, name: 'Acme' },
      target: { id: beta.id, name: 'Beta' },
      people: { members: 3, invited: 0 },
      roles: [
        {
          userId: fay.id,
          email: 'fay@acme.example',
          from: 'account_administrator',
          to: 'co_administrator',
        },
      ],
      countriesLost: [{ country: 'DE', people: 1 }],
      domains: [{ domain: 'acme.example', state: 'owned', outcome: 'moves' }],
      groups: [{ id: groups.acme.id, name: 'Pilots', newName: 'Pilots (Acme)' }],
      membershipsLost: 0,
      contacts: { moving: 1, afterwards: 2 },
      invitations: { moving: 0, dropped: 0 },
      approvals: 0,
      tokensRevoked: 1,
      webhooksPaused: 0,
      problems: [],
    });
    expect(await everything(given)).toBe(before);
  });

  it('takes everybody along, and nobody rises', async ({ given }) => {
    const { acme, beta, fay, cora, ann, bea, groups } = await twoAccounts(given);
    const move = await merge(given, { sourceId: acme.id, targetId: beta.id });
    await finish(given);

    for (const [user, roles] of [
      [fay, ['co_administrator']],
      [cora, ['co_administrator']],
      [ann, ['download']],
      [bea, ['account_administrator']],
    ] as const)
      expect(await given.person(user), user.email).toMatchObject({
        account: { id: beta.id, name: 'Beta' },
        affiliation: 'member',
        roles,
        locks: [],
      });
    expect(await given.person(ann)).toMatchObject({
      entitlementCountry: null,
      groups: [{ id: groups.acme.id, name: 'Pilots (Acme)' }],
    });
    expect(
      await given.rows(`select name from domains where account_id = $1 order by 1`, [beta.id]),
    ).toEqual([{ name: 'acme.example' }, { name: 'beta.example' }]);
    expect(await currentAccountId(given.foundation.database, acme.id)).toBe(beta.id);
    expect(await moveById(given.foundation.database, move.id)).toMatchObject({
      state: 'done',
      moved: 3,
      total: 3,
    });
    const history = await given.rows(
      `select a.name, f.ended_by from affiliations f join accounts a on a.id = f.account_id
       where user_id = $1 order by began_at, ended_at`,
      [ann.id],
    );
    expect(history).toEqual([
      { name: 'Acme', ended_by: 'merge' },
      { name: 'Beta', ended_by: null },
    ]);
  });

  it('leaves administrators what they are where the operator says so, and nobody else', async ({
    given,
  }) => {
    const { acme, beta, fay, ann } = await twoAccounts(given);
    const options = { sourceId: acme.id, targetId: beta.id };
    const rising = await given.work((work) =>
      reportMerge(work, { ...options, keepAdministrators: [ann.id] }),
    );
    expect(rising.report.problems).toEqual([{ problem: 'not_a_member', users: [ann.id] }]);
    await merge(given, { ...options, keepAdministrators: [fay.id] });
    await finish(given);
    expect((await given.person(fay))!.roles).toEqual(['account_administrator']);
  });

  it('ends the sessions of who moves, and the tokens of the account', async ({
    given,
    browser,
    program,
  }) => {
    const { acme, beta, ann, bea } = await twoAccounts(given);
    const token = await given.apiToken(acme);
    const client = await given.client();
    const extra = { scope: 'openid offline_access', prompt: 'consent' };
    const ofAnn = await tokensFor(browser, client, ann, extra);
    browser.forgetCookies();
    const ofBea = await tokensFor(browser, client, bea, extra);
    await merge(given, { sourceId: acme.id, targetId: beta.id });
    await finish(given);
    expect((await refresh(program, client, ofAnn.refresh_token!)).json.error).toBe('invalid_grant');
    expect((await refresh(program, client, ofBea.refresh_token!)).status).toBe(200);
    const answer = await program.get('/api/v1/token', {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(401);
  });

  it('is refused where something changed since the report was read', async ({ given }) => {
    const { acme, beta } = await twoAccounts(given);
    const options = { sourceId: acme.id, targetId: beta.id };
    const { digest } = await given.work((work) => reportMerge(work, options));
    await given.user('late@acme.example', { of: acme });
    const refused = await given
      .work((work) => mergeAccounts(work, { ...options, confirm: digest, reason }))
      .catch((error: unknown) => error as Refusal);
    expect(refused).toMatchObject({
      code: 'version_conflict',
      details: { report: { people: { members: 4 } } },
    });
    expect(await currentAccountId(given.foundation.database, acme.id)).toBe(acme.id);
  });

  it.for([
    ['into itself', 'same_account'],
    ['into an account on hold', 'account_not_active'],
  ] as const)('is refused %s', async ([how, problem], { given }) => {
    const { acme, beta } = await twoAccounts(given);
    if (how.includes('hold')) await given.hold(beta);
    const targetId = how.includes('itself') ? acme.id : beta.id;
    const { report } = await given.work((work) =>
      reportMerge(work, { sourceId: acme.id, targetId }),
    );
    expect(report.problems.map((one) => one.problem)).toContain(problem);
    await expect(merge(given, { sourceId: acme.id, targetId })).rejects.toMatchObject({
      code: 'move_refused',
    });
  });

  it('goes on where it was when the process died in the middle', async ({ given }) => {
    const { acme, beta } = await twoAccounts(given);
    for (let index = 0; index < 60; index += 1)
      await given.user(`p${index}@acme.example`, { of: acme, password: null, accepts: false });
    await merge(given, { sourceId: acme.id, targetId: beta.id });
    await continueMoves(given.foundation);
    const where = (): Promise<unknown[]> =>
      given.rows(
        `select a.name, count(*)::int as people from users u join accounts a on a.id = u.account_id
         group by 1 order by 1`,
      );
    expect(await where()).toEqual([
      { name: 'Acme', people: 13 },
      { name: 'Beta', people: 51 },
    ]);
    await Promise.all([finish(given), finish(given)]);
    expect(await where()).toEqual([{ name: 'Beta', people: 64 }]);
  });

  it('shows the way from every account that went into another', async ({ given }) => {
    const { acme, beta } = await twoAccounts(given);
    const gamma = await given.account('Gamma');
    await merge(given, { sourceId: acme.id, targetId: beta.id });
    await finish(given);
    await merge(given, { sourceId: beta.id, targetId: gamma.id });
    await finish(given);
    const { database } = given.foundation;
    expect(await currentAccountId(database, acme.id)).toBe(gamma.id);
    expect(await currentAccountId(database, beta.id)).toBe(gamma.id);
    expect(await currentAccountId(database, gamma.id)).toBe(gamma.id);
  });
});

describe('a split (M8)', () => {
  async function divisible(given: World) {
    const world = await twoAccounts(given);
    await given.work((work) =>
      work.query(
        `insert into domains (id, account_id, name, state, proof, owned_at, created_at)
         values (gen_random_uuid(), $1, 'rockets.example', 'owned', 'dns', now(), now())`,
        [world.acme.id],
      ),
    );
    const rob = await given.user('rob@rockets.example', { of: world.acme });
    const rita = await given.user('rita@rockets.example', {
      of: world.acme,
      roles: ['co_administrator'],
    });
    return { ...world, rob, rita };
  }

  it('makes an account of a domain and its people, with an administrator who was named', async ({
    given,
  }) => {
    const { acme, fay, ann, rob, rita, groups } = await divisible(given);
    await given.work((work) => changeMembers(work, acme.id, groups.acme.id, { add: [rob.id] }));
    const split: Split = {
      sourceId: acme.id,
      name: 'Rockets',
      domains: ['rockets.example'],
      administrators: [rob.id],
    };
    const { report, digest } = await given.work((work) => reportSplit(work, split));
    expect(report).toMatchObject({
      people: { members: 2, invited: 0 },
      roles: [{ userId: rob.id, from: 'none', to: 'account_administrator' }],
      membershipsLost: 1,
      problems: [],
    });
    const move = await given.work((work) =>
      splitAccount(work, { ...split, confirm: digest, reason }),
    );
    await finish(given);
    expect(await given.person(rob)).toMatchObject({
      account: { id: move.targetId, name: 'Rockets' },
      roles: ['account_administrator'],
      groups: [],
    });
    expect(await given.person(rita)).toMatchObject({
      account: { name: 'Rockets' },
      roles: ['co_administrator'],
    });
    expect(await given.person(ann)).toMatchObject({ account: { name: 'Acme' } });
    expect(await given.person(fay)).toMatchObject({ roles: ['account_administrator'] });
    const members = await membersOf(given.foundation.database, groups.acme.id, { limit: 10 });
    expect(members.map(({ id }) => id)).toEqual([ann.id]);
    expect(
      await given.rows(
        `select a.name, u.email from fulfillment_contacts f join users u on u.id = f.user_id
         join accounts a on a.id = f.account_id where a.name <> 'Beta' order by 1`,
      ),
    ).toEqual([
      { name: 'Acme', email: 'fay@acme.example' },
      { name: 'Rockets', email: 'rob@rockets.example' },
    ]);
  });

  it('leaves no account without an administrator, and takes only what there is', async ({
    given,
  }) => {
    const { acme, fay, bea, rob } = await divisible(given);
    const { report } = await given.work((work) =>
      reportSplit(work, {
        sourceId: acme.id,
        name: 'Rockets',
        domains: ['acme.example', 'beta.example'],
        users: [bea.id],
        administrators: [rob.id],
      }),
    );
    expect(report.problems).toEqual([
      { problem: 'domain_not_owned', domain: 'beta.example' },
      { problem: 'not_a_member', users: [bea.id, rob.id] },
      { problem: 'no_administrator', account: 'source' },
      { problem: 'no_contact', account: 'source' },
    ]);
    expect((await given.person(fay))!.account!.id).toBe(acme.id);
  });
});
