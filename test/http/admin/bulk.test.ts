import { describe, expect } from 'vitest';
import type { Sql } from '#platform/database/sql.ts';
import { exportUsers } from '#identity/bulk/export-users.ts';
import { sweepJobs } from '#identity/bulk/job.ts';
import { readFile } from '#identity/bulk/read-file.ts';
import { workOnBulk } from '#identity/bulk/run.ts';
import { eraseUser } from '#identity/users/erase.ts';
import { it } from '#test/support/it.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import type { TestServer } from '#test/support/server.ts';
import type { World } from '#test/support/world.ts';
import { caller, someone } from './support.ts';

/** Acme, that files are uploaded to, and who may. */
async function acme(given: World, program: Agent, server: TestServer) {
  const account = await given.account('Acme', { owns: ['acme.example'] });
  const fay = await given.user('fay@acme.example', {
    of: account,
    roles: ['account_administrator'],
  });
  const ann = await given.user('ann@acme.example', { of: account });
  const tokens = {
    admin: await given.apiToken(account),
    co: await given.apiToken(account, 'co_administrator'),
  };
  const path = `/accounts/${account.id}`;
  const upload = (
    query: string,
    lines: string[],
    { as = tokens.co, ...headers }: Record<string, string> = {},
  ) =>
    program.send(`/api/v1${path}/bulk?${query}`, {
      method: 'POST',
      body: lines.join('\r\n'),
      headers: { authorization: `Bearer ${as}`, 'content-type': 'text/csv', ...headers },
    });
  const work = async (): Promise<void> => {
    while (
      await workOnBulk(server.app.foundation, { error: (...told) => server.errors.push(told) })
    );
  };
  const co = caller(program, tokens.co);
  return {
    account,
    fay,
    ann,
    tokens,
    path,
    admin: caller(program, tokens.admin),
    co,
    upload,
    work,
    /** Uploads, works, and says what came of each row. */
    async done(query: string, lines: string[], options = {}) {
      const job = (await upload(query, lines, options)).json;
      await work();
      return results(await co.get(`${path}/bulk/${job.id}/rows`));
    },
  };
}

function results(answer: Answer): [result: string, code: string][] {
  return answer.json.items.map(({ result, code }: { result: string; code: string }) => [
    result,
    code,
  ]);
}

/** The cells of a file that was downloaded. */
function cellsOf({ text }: Answer): string[][] {
  return text
    .replace('\uFEFF', '')
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(','));
}

const adding = 'Email,FirstName,LastName,Country';

describe('a file that adds people', () => {
  it('is tried first, and nothing of that stays', async ({ given, program, server }) => {
    const { upload, work, path, co, account } = await acme(given, program, server);
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    await given.user('bob@acme.example', { of: beta });
    const written = (await given.events()).length;
    const uploaded = await upload('kind=add', [
      `${adding},Roles`,
      'new@acme.example,Ne\u00ef,Wman,Germany,',
      'ANN@acme.example,Ann,Archer,US,',
      'bob@acme.example,Bob,B,US,',
      'x@beta.example,X,Y,US,',
      'carol@gmail.com,Carol,C,USA,',
      'new@acme.example,Again,Wman,US,',
      'nobody,N,N,US,',
      'fr@acme.example,F,R,FR,',
      'r@acme.example,R,R,US,queen',
      'aa@acme.example,A,A,US,Account Administrator',
    ]);
    expect(uploaded.status).toBe(202);
    expect(uploaded.json).toMatchObject({ kind: 'add', state: 'checking', total: 10, failed: 1 });
    await work();
    const { id } = uploaded.json;
    const tried = [
      ['ok', 'created'],
      ['skipped', 'already_member'],
      ['error', 'user_in_other_account'],
      ['error', 'domain_owned_by_other'],
      ['ok', 'invited'],
      ['error', 'duplicate_in_file'],
      ['error', 'invalid_email'],
      ['error', 'invalid_country'],
      ['error', 'role_not_found'],
      ['error', 'cannot_grant_higher_role'],
    ];
    expect(results(await co.get(`${path}/bulk/${id}/rows`))).toEqual(tried);
    expect((await co.get(`${path}/bulk/${id}`)).json).toMatchObject({
      state: 'checked',
      waiting: 0,
      succeeded: 2,
      skipped: 1,
      failed: 7,
      startedAt: null,
    });
    await server.app.delivery.drain();
    expect(await given.mails()).toEqual([]);
    expect((await co.get(`${path}/users`)).json.items).toHaveLength(2);
    expect(await given.events()).toHaveLength(written + 1);

    // The same verdict as at the other door.
    for (const email of ['bob@acme.example', 'x@beta.example']) {
      const single = (await co.post(`${path}/users`, someone(email, { mode: 'dry-run' }))).json;
      const row = (await co.get(`${path}/bulk/${id}/rows`)).json.items.find(
        ({ cells }: { cells: { Email: string } }) => cells.Email === email,
      );
      expect([row.code, row.message]).toEqual([single.code, single.detail]);
    }

    const applied = await co.post(`${path}/bulk/${id}/apply`);
    expect([applied.status, applied.json.state]).toEqual([202, 'running']);
    await work();
    expect(results(await co.get(`${path}/bulk/${id}/rows`))).toEqual(tried);
    expect((await co.post(`${path}/bulk/${id}/apply`)).json.code).toBe('job_closed');
    expect((await co.get(`${path}/users?source=import&sort=email`)).json.items).toMatchObject([
      { email: 'carol@gmail.com', affiliation: 'provisional', status: 'invited' },
      { email: 'new@acme.example', givenName: 'Ne\u00ef', country: 'DE', entitlementCountry: 'DE' },
    ]);
    await server.app.delivery.drain();
    const mails = await given.mails();
    expect(Object.fromEntries(mails.map(({ kind, recipient }) => [kind, recipient]))).toEqual({
      activation: 'new@acme.example',
      bulk_finished: 'fay@acme.example',
      invitation: 'carol@gmail.com',
    });
    expect(mails).toHaveLength(3);
    const told = mails.find(({ kind }) => kind === 'bulk_finished')!;
    expect(told.text).toContain(`/console/bulk/${id}`);
    const batch = await given.rows<{ actions: string[] }>(
      `select array_agg(distinct action order by action) as actions from audit_events
       where batch_id = $1 and account_id = $2`,
      [id, account.id],
    );
    expect(batch[0]!.actions).toEqual(['bulk_job.finished', 'invitation.sent', 'user.affiliated']);
    expect(server.errors).toEqual([]);
  });

  it('decides about who exists already as its options say', async ({ given, program, server }) => {
    const { done, account } = await acme(given, program, server);
    const loose = await given.user('loose@acme.example');
    await given.user('carol@gmail.com');
    const lines = [adding, 'loose@acme.example,L,L,US', 'carol@gmail.com,C,C,US'];
    expect(await done('kind=add&mode=apply', lines)).toEqual([
      ['error', 'user_exists'],
      ['error', 'user_exists_other_domain'],
    ]);
    const options = 'kind=add&mode=apply&addExisting=true&inviteExisting=true&notify=false';
    expect(await done(options, lines)).toEqual([
      ['ok', 'added'],
      ['ok', 'invited'],
    ]);
    expect(await done(options, lines)).toEqual([
      ['skipped', 'already_member'],
      ['skipped', 'already_invited'],
    ]);
    expect((await given.person(loose))!.account!.id).toBe(account.id);
    await server.app.delivery.drain();
    expect((await given.mails()).filter(({ kind }) => kind === 'bulk_finished')).toHaveLength(1);
  });

  it('sends no mail when told not to, and tells no more than a day allows', async ({
    given,
    program,
    server,
  }) => {
    const { done, account } = await acme(given, program, server);
    await given.user('carol@gmail.com');
    await given.rows(
      `insert into attempt_counters (bucket, day_start, day_count, updated_at)
       values ('conflicts:' || $1, now(), 499, now())`,
      [account.id],
    );
    expect(
      await done('kind=add&mode=apply&sendInvitation=false', [
        adding,
        'quiet@acme.example,Q,Q,US',
        'carol@gmail.com,C,C,US',
        'dave@gmail.com,C,C,US',
      ]),
    ).toEqual([
      ['ok', 'created'],
      ['error', 'user_exists_other_domain'],
      ['error', 'rate_limited'],
    ]);
    await server.app.delivery.drain();
    expect((await given.mails()).map(({ kind }) => kind)).toEqual(['bulk_finished']);
  });
});

describe('a file that updates people', () => {
  it('changes what has a column, clears what is empty, and can be undone', async ({
    given,
    program,
    server,
  }) => {
    const { done, path, co, ann, upload, work, account } = await acme(given, program, server);
    const bob = await given.user('bob@acme.example', { of: account });
    await co.post(`${path}/groups`, { name: 'Design; and paint' });
    const user = async (id: string) => (await co.get(`${path}/users/${id}`)).json;
    const before = await user(ann.id);

    expect(
      await done('kind=update&mode=apply', [
        'CurrentEmail,EntitlementCountry',
        'ann@acme.example,DE',
      ]),
    ).toEqual([['ok', 'updated']]);
    expect(await user(ann.id)).toMatchObject({
      givenName: before.givenName,
      country: 'US',
      entitlementCountry: 'DE',
      roles: [],
    });

    const columns =
      'CurrentEmail,NewEmail,FirstName,LastName,ProfileCountry,EntitlementCountry,Language,Roles,Groups,Locked,LockNote';
    const job = (
      await upload('kind=update&mode=apply', [
        columns,
        'ann@acme.example,anna@acme.example,=Anna,Baker,deu,,de,co_administrator,"""Design; and paint""",true,Left',
        'bob@acme.example,,bob,,US,US,,,,,',
        'bob@acme.example,,,,US,US,,,,,',
      ])
    ).json;
    await work();
    expect(results(await co.get(`${path}/bulk/${job.id}/rows`))).toEqual([
      ['ok', 'updated'],
      ['error', 'invalid_value'],
      ['error', 'duplicate_in_file'],
    ]);
    expect(await user(bob.id)).toMatchObject({ familyName: 'Archer' });
    expect(await user(ann.id)).toMatchObject({
      email: 'anna@acme.example',
      givenName: '=Anna',
      familyName: 'Baker',
      country: 'DE',
      entitlementCountry: null,
      language: 'de',
      roles: ['co_administrator'],
      groups: [{ name: 'Design; and paint' }],
      status: 'locked',
      locks: [{ reason: 'admin', note: 'Left' }],
    });

    const undo = await co.get(`${path}/bulk/${job.id}/undo.csv`);
    expect(undo.text).toContain('anna@acme.example,ann@acme.example,ann,Archer,US,DE,,,,false,');
    const undone = await done('kind=update&mode=apply', undo.text.trimEnd().split('\r\n'));
    expect(undone).toEqual([['ok', 'updated']]);
    expect(await user(ann.id)).toMatchObject({
      email: 'ann@acme.example',
      givenName: 'ann',
      familyName: 'Archer',
      country: 'US',
      entitlementCountry: 'DE',
      language: null,
      roles: [],
      groups: [],
      status: 'active',
    });
    const result = cellsOf(await co.get(`${path}/bulk/${job.id}/result.csv`));
    expect(result[0]!.slice(-5)).toEqual(['Row', 'Result', 'Code', 'Message', 'UserId']);
    expect(result[2]!.slice(-6, -2)).toEqual([
      '2',
      'error',
      'invalid_value',
      '"LastName: is required',
    ]);
    expect(server.errors).toEqual([]);
  });

  it('adds and removes with signs, and says no as every other door does', async ({
    given,
    program,
    server,
  }) => {
    const { done, path, co, admin, ann, fay, tokens } = await acme(given, program, server);
    await given.rows(
      `insert into roles (key, name, scope, created_at) values
       ('download', 'Download', 'account', now()), ('learn', 'Learn', 'account', now())`,
    );
    await admin.post(`${path}/users/${ann.id}/roles`, { add: ['learn'] });
    const update = (column: string, who: string, cell: string, as = tokens.co) =>
      done('kind=update&mode=apply', [`CurrentEmail,${column}`, `${who}@acme.example,${cell}`], {
        as,
      });
    expect(await update('Roles', 'ann', '+Download;-learn')).toEqual([['ok', 'updated']]);
    expect((await co.get(`${path}/users/${ann.id}`)).json.roles).toEqual(['download']);
    expect(await update('Roles', 'ann', '+download')).toEqual([['skipped', 'unchanged']]);
    for (const [column, who, cell, code] of [
      ['Roles', 'ann', 'account_administrator', 'cannot_grant_higher_role'],
      ['Roles', 'ann', '+nothing', 'role_not_found'],
      ['Groups', 'ann', 'nothing', 'not_found'],
      ['FirstName', 'fay', 'Fiona', 'cannot_act_on_higher_role'],
      ['FirstName', 'ann', '', 'invalid_value'],
      ['Locked', 'ann', 'true', 'invalid_value'],
      ['Locked', 'ann', 'perhaps', 'invalid_value'],
      ['EntitlementCountry', 'ann', 'FR', 'invalid_country'],
      ['NewEmail', 'ann', 'ann@gmail.com', 'domain_not_owned'],
      ['NewEmail', 'ann', 'fay@acme.example', 'already_member'],
      ['NewEmail', 'zoe', 'z@acme.example', 'user_not_found'],
    ] as const)
      expect([column, cell, await update(column, who, cell)]).toEqual([
        column,
        cell,
        [['error', code]],
      ]);
    expect(await update('Roles', 'fay', '', tokens.admin)).toEqual([
      ['error', 'last_administrator'],
    ]);
    expect((await co.get(`${path}/users/${fay.id}`)).json.roles).toEqual(['account_administrator']);
    expect(await update('Roles', 'ann', '')).toEqual([['ok', 'updated']]);
    expect((await co.get(`${path}/users/${ann.id}`)).json.roles).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it('gives the address of a domain that somebody else has no claim to, and ends what was open', async ({
    given,
    program,
    server,
  }) => {
    const { path, co, ann, account } = await acme(given, program, server);
    const carol = await given.user('carol@gmail.com', { of: account });
    await co.post(`${path}/users/${ann.id}/reset-password`);
    const changed = await co.patch(`${path}/users/${ann.id}`, {
      email: 'Anna@acme.example',
      communicationEmail: 'ann@home.example',
    });
    expect(changed.json).toMatchObject({ email: 'Anna@acme.example', id: ann.id });
    await server.app.delivery.drain();
    expect((await given.mails()).map(({ kind, recipient }) => [kind, recipient])).toEqual(
      expect.arrayContaining([
        ['credential_changed', 'ann@acme.example'],
        ['credential_changed', 'Anna@acme.example'],
      ]),
    );
    expect(await given.rows('select 1 from one_time_tokens where used_at is null')).toEqual([]);
    // Whose mailbox is their own does not lose it to an administrator.
    const taken = await co.patch(`${path}/users/${carol.id}`, { email: 'carol@acme.example' });
    expect(taken.json.code).toBe('domain_not_owned');
    expect((await co.patch(`${path}/users/${ann.id}`, { status: 'x' })).json.code).toBe(
      'invalid_value',
    );
  });
});

describe('a file that deletes people', () => {
  it('removes members and takes invitations back, and leaves who has to stay', async ({
    given,
    program,
    server,
  }) => {
    const { done, path, co, account, ann, tokens } = await acme(given, program, server);
    const carla = await given.user('carla@acme.example', {
      of: account,
      roles: ['account_administrator'],
    });
    const kit = await given.user('kit@acme.example', { of: account });
    await given.rows(
      `insert into fulfillment_contacts (id, account_id, user_id, created_at)
       values (gen_random_uuid(), $1, $2, now())`,
      [account.id, kit.id],
    );
    await co.post(`${path}/users`, someone('dora@gmail.com'));
    const lines = [
      'Email',
      'ann@acme.example',
      'dora@gmail.com',
      'fay@acme.example',
      'kit@acme.example',
      'zoe@acme.example',
    ];
    const expected = [
      ['ok', 'removed'],
      ['ok', 'removed'],
      ['error', 'cannot_act_on_higher_role'],
      ['error', 'user_is_fulfillment_contact'],
      ['error', 'user_not_found'],
    ];
    expect(await done('kind=delete', lines, { as: tokens.admin })).toEqual(expected);
    expect((await given.person(ann))!.account).not.toBeNull();
    expect(await done('kind=delete&mode=apply', lines, { as: tokens.admin })).toEqual(expected);
    expect(await given.person(ann)).toMatchObject({
      account: null,
      locks: [{ reason: 'unaffiliated' }],
    });
    expect((await given.person(carla))!.account).not.toBeNull();
    expect((await co.get(`${path}/users?status=invited`)).json.items).toEqual([]);
    expect(server.errors).toEqual([]);
  });
});

describe('what a dry run says', () => {
  it('takes the rows before into account, as they will be when it is applied', async ({
    given,
    program,
    server,
  }) => {
    const { upload, work, path, co, admin, account } = await acme(given, program, server);
    const as = await given.apiToken();
    await given.user('zoe@acme.example', { of: account, roles: ['account_administrator'] });
    await given.user('bob@acme.example', { of: account });
    const both = async (lines: string[], query = 'kind=update&notify=false') => {
      const { id } = (await upload(query, lines, { as })).json;
      await work();
      const rows = () => co.get(`${path}/bulk/${id}/rows?limit=100`).then(results);
      const tried = await rows();
      await caller(program, as).post(`${path}/bulk/${id}/apply`);
      await work();
      return { tried, done: await rows() };
    };

    const expected = [
      ['ok', 'updated'],
      ['error', 'last_administrator'],
      ['ok', 'updated'],
      ['ok', 'updated'],
      ['error', 'already_member'],
    ];
    // Two administrators, each taken away; an address that is free once its holder has another.
    expect(
      await both([
        'CurrentEmail,NewEmail,Roles',
        'zoe@acme.example,,',
        'fay@acme.example,,',
        'ann@acme.example,anna@acme.example,',
        'bob@acme.example,ann@acme.example,',
        'anna@acme.example,ann@acme.example,',
      ]),
    ).toEqual({ tried: expected, done: expected });

    // And whatever else a file may say: the numbers are as random as they have to be, and repeatable.
    let seed = 7;
    const any = <T>(...choices: T[]): T => {
      seed = (seed * 48271) % 2147483647;
      return choices[seed % choices.length]!;
    };
    const names = ['ann', 'anna', 'bob', 'zoe', 'fay', 'joe', 'kim'];
    const address = (): string => `${any(...names)}@acme.example`;
    for (let file = 0; file < 4; file += 1) {
      const who = new Set(Array.from({ length: 8 }, address));
      const lines = [...who].map((email) =>
        [
          email,
          any('', '', address()),
          any('', '+account_administrator', '-account administrator', '+co_administrator'),
          any('', '', 'true', 'false'),
        ].join(','),
      );
      const { tried, done } = await both(['CurrentEmail,NewEmail,Roles,Locked', ...lines]);
      expect([lines, done]).toEqual([lines, tried]);
    }

    // People who are added, some of them here already or elsewhere, and taken out in between.
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    await given.user('max@beta.example', { of: beta });
    await given.user('free@acme.example');
    await given.user('guest@mail.example');
    await admin.post(`${path}/groups`, { name: 'Bridges' });
    const others = ['max@beta.example', 'free@acme.example', 'guest@mail.example', 'no address'];
    const codes = new Set<string>();
    for (let file = 0; file < 4; file += 1) {
      const adds = file % 2 === 0;
      const who = Array.from({ length: 9 }, () => any(address(), address(), any(...others)));
      const lines = (adds ? who : [...new Set(who)]).map((email) =>
        adds
          ? [
              email,
              any('Ann', ''),
              'Archer',
              any('US', 'DE', 'Mars'),
              any('', '', 'co_administrator', 'account_administrator', 'nobody'),
              any('', 'Bridges', 'Towers'),
            ].join(',')
          : email,
      );
      const more = any('', '&addExisting=true', '&inviteExisting=true&addExisting=true');
      const { tried, done } = adds
        ? await both(
            ['Email,FirstName,LastName,Country,Roles,Groups', ...lines],
            `kind=add&sendInvitation=false${more}`,
          )
        : await both(['Email', ...lines], 'kind=delete');
      expect([lines, done]).toEqual([lines, tried]);
      for (const [, code] of done) codes.add(code);
    }
    // It was a world in which much can happen.
    expect([...codes].sort()).toEqual(
      expect.arrayContaining(['already_member', 'removed', 'user_not_found']),
    );
    expect(server.errors).toEqual([]);
  });
});

describe('a job', () => {
  it('goes on where it was, does no row twice, and stops when told to', async ({
    given,
    program,
    server,
  }) => {
    const { upload, path, co, work } = await acme(given, program, server);
    const people = Array.from({ length: 30 }, (_, at) => `p${at}@acme.example,P,P,US`);
    const { foundation } = server.app;
    const log = { error: (...told: unknown[]) => server.errors.push(told) };
    const { id } = (await upload('kind=add&mode=apply&sendInvitation=false', [adding, ...people]))
      .json;
    await workOnBulk(foundation, log);
    expect((await co.get(`${path}/bulk/${id}`)).json).toMatchObject({
      state: 'running',
      waiting: 10,
      succeeded: 20,
    });
    // Two at once, as two processes would be.
    await Promise.all([workOnBulk(foundation, log), workOnBulk(foundation, log)]);
    await work();
    expect((await co.get(`${path}/bulk/${id}`)).json).toMatchObject({
      state: 'done',
      waiting: 0,
      succeeded: 30,
      failed: 0,
    });
    const twice = await given.rows(
      `select target_id from audit_events where action = 'user.added' and batch_id = $1
       group by target_id having count(*) > 1`,
      [id],
    );
    expect(twice).toEqual([]);

    const second = (
      await upload('kind=delete&mode=apply', [
        'Email',
        ...people.map((line) => line.split(',')[0]!),
      ])
    ).json;
    await workOnBulk(foundation, log);
    const stopped = await co.post(`${path}/bulk/${second.id}/cancel`);
    expect(stopped.json).toMatchObject({ state: 'cancelled', succeeded: 20, skipped: 10 });
    await work();
    expect((await co.get(`${path}/users?q=p2&limit=200`)).json.items).toHaveLength(10);
    expect((await co.post(`${path}/bulk/${second.id}/cancel`)).json.code).toBe('job_closed');
    expect((await co.get(`${path}/bulk`)).json.items.map((job: { id: string }) => job.id)).toEqual([
      second.id,
      id,
    ]);
    expect(server.errors).toEqual([]);
  });

  it('goes no further than the rights of who began it', async ({ given, program, server }) => {
    const { upload, path, co, work, account, tokens } = await acme(given, program, server);
    const lines = [adding, 'a@acme.example,A,A,US', 'b@acme.example,B,B,US'];
    const { id } = (await upload('kind=add&mode=apply', lines, { as: tokens.admin })).json;
    await given.rows(
      `update api_tokens set revoked_at = now() where role = 'account_administrator'`,
    );
    await work();
    expect(results(await co.get(`${path}/bulk/${id}/rows`))).toEqual([
      ['skipped', 'permission_denied'],
      ['skipped', 'permission_denied'],
    ]);
    expect((await co.get(`${path}/bulk/${id}`)).json.state).toBe('cancelled');
    expect(await given.events()).toContain('bulk_job.stopped');

    // What a token was not made for it cannot do by a file either.
    const operator = caller(program, await given.apiToken());
    const narrow = async (scopes: string[]): Promise<string> =>
      (await operator.post(`${path}/api-tokens`, { name: 'narrow', scopes })).json.secret;
    const cells = ['CurrentEmail,LastName,Roles', 'ann@acme.example,Baker,'];
    for (const [scopes, kind, file, status] of [
      [['bulk:*'], 'add', lines, 403],
      [['bulk:*', 'users:add'], 'add', lines, 202],
      [['bulk:*', 'users:edit'], 'update', cells, 403],
      [['bulk:*', 'users:*'], 'update', cells, 202],
      [['users:*'], 'add', lines, 403],
    ] as const)
      expect([
        scopes,
        kind,
        (await upload(`kind=${kind}`, [...file], { as: await narrow([...scopes]) })).status,
      ]).toEqual([scopes, kind, status]);
    await work();

    await given.hold(account);
    const held = (await upload('kind=add', lines)).json;
    await work();
    expect(results(await co.get(`${path}/bulk/${held.id}/rows`))[0]).toEqual([
      'error',
      'account_on_hold',
    ]);
  });

  it('forgets its rows after a week, and with a person who is erased', async ({
    given,
    program,
    server,
  }) => {
    const { upload, path, co, work } = await acme(given, program, server);
    const { id } = (await upload('kind=add&mode=apply', [adding, 'a@acme.example,A,A,US'])).json;
    await work();
    const [{ userId }] = (await co.get(`${path}/bulk/${id}/rows`)).json.items;
    await given.work((change) => eraseUser(change, userId, Buffer.alloc(32)));
    expect((await co.get(`${path}/bulk/${id}/rows`)).json.items).toMatchObject([
      { row: 1, cells: {}, result: 'ok', message: null },
    ]);
    const { database } = server.app.foundation;
    expect(await sweepJobs(database, server.clock())).toBe(0);
    server.clock.advance(7 * 24 * 3600 + 60);
    expect(await sweepJobs(database, server.clock())).toBe(1);
    expect((await co.get(`${path}/bulk/${id}`)).json).toMatchObject({
      state: 'done',
      succeeded: 1,
      rowsUntil: null,
    });
    expect((await co.get(`${path}/bulk/${id}/rows`)).json.items).toEqual([]);
  });

  it('is nobody else\u2019s, and its file is looked at before anything', async ({
    given,
    program,
    server,
  }) => {
    const { upload, path, co, tokens, account } = await acme(given, program, server);
    const beta = await given.account('Beta');
    const stranger = caller(program, await given.apiToken(beta));
    const { id } = (await upload('kind=delete', ['Email', 'ann@acme.example'])).json;
    for (const place of ['', '/rows', '/result.csv', '/undo.csv'])
      expect((await stranger.get(`${path}/bulk/${id}${place}`)).json.code).toBe(
        'account_not_found',
      );
    const foreign = `/accounts/${beta.id}/bulk/${id}`;
    for (const place of ['', '/rows', '/result.csv', '/undo.csv'])
      expect((await stranger.get(`${foreign}${place}`)).json.code).toBe('not_found');
    expect((await stranger.post(`${foreign}/cancel`)).json.code).toBe('not_found');
    expect((await co.get(`${path}/bulk/${id}/undo.csv`)).json.code).toBe('job_closed');

    const send = (body: string, type = 'text/csv') =>
      upload('kind=add', [body], { 'content-type': type });
    expect((await send(adding, 'application/json')).json.code).toBe('unsupported_media_type');
    expect((await send(`x${'y'.repeat(2 * 1024 * 1024)}`)).status).toBe(413);
    expect((await send(`${adding},Hat\na@b.example,A,A,US,7`)).json).toMatchObject({
      status: 422,
      code: 'invalid_file',
      details: { columns: ['Hat'] },
    });
    const many = Array.from({ length: 1001 }, (_, at) => `p${at}@acme.example,P,P,US`).join('\n');
    expect((await send(`${adding}\n${many}`)).json).toMatchObject({
      status: 413,
      code: 'too_many_rows',
    });
    const utf16 = await program.send(`/api/v1/accounts/${account.id}/bulk?kind=add`, {
      method: 'POST',
      body: Buffer.from(`\uFEFF${adding}`, 'utf16le'),
      headers: { authorization: `Bearer ${tokens.co}`, 'content-type': 'text/csv' },
    });
    expect(utf16.json.code).toBe('invalid_encoding');
    expect((await upload('kind=shoes', [adding])).json.code).toBe('invalid_value');
  });
});

describe('the people of an account as a file', () => {
  it('is read a page at a time, when whoever reads has taken the one before', async ({ given }) => {
    const account = await given.account('Acme');
    await given.rows(
      `insert into users (id, email, email_display, given_name, family_name, identity, affiliation,
         account_id, created_at, updated_at)
       select gen_random_uuid(), 'p' || n || '@acme.example', 'p' || n || '@acme.example', 'P', 'Q',
         'ready', 'member', $1::uuid, now(), now()
       from generate_series(1, 501) n`,
      [account.id],
    );
    const { database, clock } = given.foundation;
    let asked = 0;
    const sql: Sql = {
      query: (text, params) => {
        asked += 1;
        return database.query(text, params);
      },
    };
    const seen: [pages: number, people: number][] = [];
    for await (const text of exportUsers(sql, account.id, 'compact', clock()))
      seen.push([asked, text.split('\r\n').length - 1]);
    // The header before anything is asked, then a page for each question.
    expect(seen).toEqual([
      [0, 1],
      [1, 500],
      [2, 1],
    ]);
  });

  it('holds everybody, and read back in its compact form it changes nothing', async ({
    given,
    program,
    server,
  }) => {
    const { upload, work, path, co, account, ann, admin } = await acme(given, program, server);
    await given.terms('7');
    const odd = await given.user('odd@acme.example', {
      of: account,
      givenName: '=cmd|x',
      familyName: `'"@a;b,\u00e9`,
    });
    await given.user("o'neil@acme.example", {
      of: account,
      givenName: '-1',
      familyName: "'t Hooft",
    });
    const group = (await admin.post(`${path}/groups`, { name: '+plus;"x"' })).json;
    await admin.post(`${path}/groups/${group.id}/members`, { add: [odd.id, ann.id] });
    await admin.post(`${path}/groups/${group.id}/managers`, { add: [ann.id] });
    await co.post(`${path}/users`, someone('dora@gmail.com'));
    const walt = await given.user('walt@acme.example');
    await given.waiting(walt, account);
    await given.locked(odd, 'inactive');
    await given.rows(`update users set entitlement_country = 'FR', country = null where id = $1`, [
      odd.id,
    ]);

    const full = await co.get(`${path}/users.csv`);
    expect(full.headers['content-type']).toBe('text/csv; charset=utf-8');
    expect(full.text).toMatch(
      /^\uFEFFId,Email,CommunicationEmail,FirstName,LastName,Status,LockReasons,/,
    );
    expect(
      cellsOf(full)
        .slice(1)
        .map((cells) => [cells[1], cells[5]]),
    ).toEqual([
      ['fay@acme.example', 'active'],
      ['ann@acme.example', 'active'],
      ['odd@acme.example', expect.anything()],
      ["o'neil@acme.example", 'active'],
      ['dora@gmail.com', 'invited'],
      ['walt@acme.example', 'pending-approval'],
    ]);
    expect(full.text).toContain(`'=cmd|x,"'""@a;b,\u00e9",locked,inactive,member,local,false,`);

    const compact = await co.get(`${path}/users.csv?format=compact`);
    expect(compact.text).toMatch(
      /^\uFEFFCurrentEmail,NewEmail,FirstName,LastName,CommunicationEmail,ProfileCountry,EntitlementCountry,Language,Roles,Groups,Locked\r\n/,
    );
    expect(readFile('update', compact.text).rows).toHaveLength(5);
    const before = await given.rows('select id, version, updated_at from users order by id');
    const job = (await upload('kind=update&mode=apply', [compact.text])).json;
    await work();
    const codes = results(await co.get(`${path}/bulk/${job.id}/rows`)).map(([, code]) => code);
    // Nobody but the Account Administrator, whom a Co-Administrator does not touch.
    expect(codes).toEqual([
      'cannot_act_on_higher_role',
      ...Array.from({ length: 4 }, () => 'unchanged'),
    ]);
    expect(await given.rows('select id, version, updated_at from users order by id')).toEqual(
      before,
    );
    expect(await given.events()).toContain('users.exported');
    expect(server.errors).toEqual([]);
  });
});
