import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import {
  authorizeUrl,
  codeOf,
  redeem,
  refresh,
  signIn,
  typePassword,
} from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';
import type { Agent } from '#test/support/agent.ts';
import { mailsTo } from '../self-service/mailbox.ts';
import { caller, someone, statusesOf } from './support.ts';

/** Acme with an administrator, a co-administrator and Ann; and tokens with the rights of both. */
async function acme(given: World, program: Agent) {
  const account = await given.account('Acme', { owns: ['acme.example'] });
  const fay = await given.user('fay@acme.example', {
    of: account,
    roles: ['account_administrator'],
  });
  const cole = await given.user('cole@acme.example', { of: account, roles: ['co_administrator'] });
  const ann = await given.user('ann@acme.example', { of: account });
  return {
    account,
    fay,
    cole,
    ann,
    users: `/accounts/${account.id}/users`,
    admin: caller(program, await given.apiToken(account)),
    co: caller(program, await given.apiToken(account, 'co_administrator')),
    operator: caller(program, await given.apiToken()),
  };
}

describe('adding a person', () => {
  it('makes them a member who is asked to choose a password', async ({
    given,
    program,
    server,
  }) => {
    const { users, co } = await acme(given, program);
    const made = await co.post(users, someone('New@acme.example', { country: 'de' }));
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      outcome: 'created',
      dryRun: false,
      user: {
        email: 'New@acme.example',
        status: 'invited',
        affiliation: 'member',
        source: 'admin',
        country: 'DE',
        entitlementCountry: 'DE',
        roles: [],
        locks: [],
        lastLoginAt: null,
      },
    });
    await server.app.delivery.drain();
    expect(await given.mails()).toMatchObject([
      { kind: 'activation', recipient: 'New@acme.example' },
    ]);
    const quiet = await co.post(users, someone('quiet@acme.example', { sendInvitation: false }));
    expect(quiet.status).toBe(201);
    await server.app.delivery.drain();
    expect(await given.mails()).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });

  it('gives roles, groups and a country at once, or nothing at all', async ({ given, program }) => {
    const { account, users, admin, co } = await acme(given, program);
    await given.rows(
      `insert into groups (id, account_id, name, created_at, updated_at) values
       ('01a201aa-a637-7dcc-b569-3b562a947439', $1, 'Design', now(), now())`,
      [account.id],
    );
    const made = await admin.post(
      users,
      someone('a@acme.example', {
        roles: ['co_administrator'],
        groups: ['design'],
        entitlementCountry: 'DE',
      }),
    );
    expect(made.json.user).toMatchObject({
      roles: ['co_administrator'],
      groups: [{ name: 'Design' }],
      entitlementCountry: 'DE',
    });
    for (const [more, code] of [
      [{ roles: ['nothing'] }, 'role_not_found'],
      [{ roles: ['operator'] }, 'cannot_grant_higher_role'],
      [{ groups: ['nothing'] }, 'not_found'],
      [{ entitlementCountry: 'FR' }, 'invalid_country'],
    ] as const)
      expect((await admin.post(users, someone('b@acme.example', more))).json.code).toBe(code);
    const higher = someone('b@acme.example', { roles: ['account_administrator'] });
    expect((await co.post(users, higher)).json).toMatchObject({
      status: 403,
      code: 'cannot_grant_higher_role',
    });
    expect(await given.rows("select 1 from users where email = 'b@acme.example'")).toEqual([]);
  });

  it('only says what would be, in a dry run', async ({ given, program }) => {
    const { users, admin } = await acme(given, program);
    const said = await admin.post(users, someone('new@acme.example', { mode: 'dry-run' }));
    expect(said.status).toBe(200);
    expect(said.json).toMatchObject({ outcome: 'created', dryRun: true, user: null });
    const taken = await admin.post(users, someone('ann@acme.example', { mode: 'dry-run' }));
    expect(taken.json.code).toBe('already_member');
    expect(await given.rows("select 1 from users where email = 'new@acme.example'")).toEqual([]);
  });

  it('says no as the table of behaviour.md section 6 does', async ({ given, program, server }) => {
    const { account, users, co } = await acme(given, program);
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    await given.user('bob@acme.example', { of: beta });
    const loose = await given.user('loose@acme.example');
    const stolen = await given.user('stolen@acme.example');
    await given.locked(stolen, 'operator');
    await given.user('carol@free.example');
    await given.rows(
      `insert into domains (id, account_id, name, state, created_at) values
       ('01a201aa-a637-7dcc-b569-3b562a947439', $1, 'claimed.example', 'pending', now())`,
      [account.id],
    );
    const add = async (email: string) => (await co.post(users, someone(email))).json;
    expect(await add('not an address')).toMatchObject({ status: 422, code: 'invalid_email' });
    expect(await add('ANN@acme.example')).toMatchObject({ status: 409, code: 'already_member' });
    expect(await add('x@beta.example')).toMatchObject({
      status: 409,
      code: 'domain_owned_by_other',
    });
    expect(await add('x@claimed.example')).toMatchObject({
      status: 409,
      code: 'domain_pending_ownership',
    });
    expect(await add('bob@acme.example')).toMatchObject({
      status: 409,
      code: 'user_in_other_account',
    });
    expect(await add('stolen@acme.example')).toMatchObject({
      status: 409,
      code: 'user_not_addable',
    });
    expect(await add('loose@acme.example')).toMatchObject({
      status: 409,
      code: 'user_exists',
      actions: [
        {
          rel: 'add_to_account',
          method: 'POST',
          href: expect.stringMatching(`${users}/${loose.id}/add$`),
        },
      ],
    });
    expect(await add('carol@free.example')).toMatchObject({
      status: 409,
      code: 'user_exists_other_domain',
    });
    for (const said of [await add('bob@acme.example'), await add('x@beta.example')])
      expect(JSON.stringify(said)).not.toMatch(/beta inc|"beta"/i);
    expect(JSON.stringify(await add('bob@acme.example'))).not.toContain(beta.id);
    expect(server.errors).toEqual([]);
  });

  it('happens once, however many do it at the same moment', async ({ given, program, server }) => {
    const { users, admin, co } = await acme(given, program);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, index) =>
        (index % 2 ? admin : co).post(users, someone('new@acme.example')),
      ),
    );
    expect(statusesOf(answers)).toEqual([201, 409, 409, 409, 409, 409]);
    expect(new Set(answers.map(({ json }) => json.code))).toEqual(
      new Set([undefined, 'already_member']),
    );
    expect(server.errors).toEqual([]);
  });
});

describe('"Add to account"', () => {
  it('takes in who belongs nowhere, and lifts the lock only when told to', async ({
    given,
    program,
    server,
  }) => {
    const { users, co, ann } = await acme(given, program);
    await co.delete(`${users}/${ann.id}`);
    const added = await co.post(`${users}/${ann.id}/add`, {});
    expect(added.json).toMatchObject({
      status: 'locked',
      locks: [{ reason: 'unaffiliated' }],
      roles: [],
    });
    const unlocked = await co.post(`${users}/${ann.id}/unlock`);
    expect(unlocked.json).toMatchObject({ status: 'active', locks: [] });
    await co.delete(`${users}/${ann.id}`);
    expect((await co.post(`${users}/${ann.id}/add`, { unlock: true })).json.status).toBe('active');
    expect((await co.post(`${users}/${ann.id}/add`, {})).json.code).toBe('already_member');
    await server.app.delivery.drain();
    expect((await given.mails()).filter(({ kind }) => kind === 'added_to_account')).toHaveLength(2);
    expect(server.errors).toEqual([]);
  });

  it('knows nobody beyond the domains of the account', async ({ given, program }) => {
    const { users, co } = await acme(given, program);
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const member = await given.user('bob@beta.example', { of: beta });
    const nobody = { id: '01a201aa-a637-7dcc-b569-3b562a947439' };
    for (const { id } of [member, nobody])
      expect((await co.post(`${users}/${id}/add`, {})).json).toMatchObject({
        status: 404,
        code: 'user_not_found',
      });
  });
});

describe('locking', () => {
  it('puts a person out everywhere at once, and unlocking revives nothing', async ({
    given,
    program,
    browser,
    server,
  }) => {
    const { users, co, ann } = await acme(given, program);
    const client = await given.client();
    const tokens = (
      await redeem(
        browser,
        client,
        codeOf(await signIn(browser, client, ann, { scope: 'openid offline_access' })),
      )
    ).json;
    expect((await co.get(`${users}/${ann.id}/sessions`)).json.items).toMatchObject([
      { clients: [client.id] },
    ]);

    const locked = await co.post(`${users}/${ann.id}/lock`, { note: 'Left on Friday' });
    expect(locked.json).toMatchObject({
      status: 'locked',
      locks: [{ reason: 'admin', note: 'Left on Friday', by: 'test', until: null }],
    });
    expect((await refresh(browser, client, tokens.refresh_token)).json.error).toBe('invalid_grant');
    expect((await co.get(`${users}/${ann.id}/sessions`)).json.items).toEqual([]);
    const stopped = await signIn(browser, client, ann);
    expect(stopped.words).toContain('Your administrator locked this account.');

    expect((await co.post(`${users}/${ann.id}/unlock`)).json).toMatchObject({
      status: 'active',
      locks: [],
    });
    expect((await refresh(browser, client, tokens.refresh_token)).json.error).toBe('invalid_grant');
    expect((await co.post(`${users}/${ann.id}/unlock`)).json).toMatchObject({
      status: 409,
      code: 'not_locked',
    });
    expect((await co.post(`${users}/${ann.id}/lock`)).json).toMatchObject({
      status: 422,
      code: 'invalid_value',
    });
    await server.app.delivery.drain();
    expect((await given.mails()).filter(({ kind }) => kind === 'lock_notice')).toHaveLength(2);
    expect(server.errors).toEqual([]);
  });

  it("lifts what is an administrator's to lift, and leaves the rest (M3)", async ({
    given,
    program,
    server,
  }) => {
    const { users, co, operator, ann } = await acme(given, program);
    await given.locked(ann, 'directory');
    await given.locked(ann, 'too_many_attempts');
    expect((await co.post(`${users}/${ann.id}/lock`, { note: 'x' })).json).toMatchObject({
      status: 'suspended',
    });
    const left = await co.post(`${users}/${ann.id}/unlock`);
    expect(left.json.locks).toMatchObject([{ reason: 'directory' }]);
    expect((await co.post(`${users}/${ann.id}/unlock`)).json).toMatchObject({
      status: 409,
      code: 'lock_not_yours',
      details: { locks: ['directory'] },
    });
    expect((await operator.post(`${users}/${ann.id}/unlock`)).json).toMatchObject({
      status: 'active',
    });
    const asked = { note: 'x', reason: 'operator' };
    expect((await co.post(`${users}/${ann.id}/lock`, asked)).json.code).toBe('permission_denied');
    expect((await operator.post(`${users}/${ann.id}/lock`, asked)).json.status).toBe('suspended');
    expect((await co.post(`${users}/${ann.id}/unlock`)).json.code).toBe('lock_not_yours');
    // The person is never told that they can come in while they cannot.
    const told = (await mailsTo(server, ann.email)).filter(({ kind }) => kind === 'lock_notice');
    expect(told.map(({ subject }) => subject)).toEqual([
      'Your user account is suspended',
      'Your user account is unlocked',
      'Your user account is still locked',
      'Your user account is locked',
    ]);
  });

  it('shows that somebody has to wait after wrong passwords, and ends it', async ({
    given,
    program,
    browser,
    server,
  }) => {
    const { users, co, ann } = await acme(given, program);
    const client = await given.client();
    const page = await browser.follow(await browser.get(authorizeUrl(client)));
    let answer = page;
    for (let guess = 0; guess < 6; guess += 1)
      answer = await typePassword(browser, answer.forms.length > 0 ? answer : page, {
        email: ann.email,
        password: `wrong guess ${guess}`,
      });
    const shown = (await co.get(`${users}/${ann.id}`)).json;
    expect(shown).toMatchObject({
      status: 'locked',
      locks: [{ reason: 'too_many_attempts', until: expect.any(String) }],
    });
    expect((await co.get(`${users}?status=locked`)).json.items).toHaveLength(1);
    expect((await co.post(`${users}/${ann.id}/unlock`)).json).toMatchObject({
      status: 'active',
      locks: [],
    });
    expect(codeOf(await signIn(server.agent(), client, ann))).toBeTruthy();
  });
});

describe('who may do what to whom', () => {
  it('keeps a Co-Administrator from an Account Administrator', async ({ given, program }) => {
    const { account, users, co, admin, fay, cole } = await acme(given, program);
    await given.user('amy@acme.example', { of: account, roles: ['account_administrator'] });
    for (const [verb, body] of [
      ['lock', { note: 'x' }],
      ['unlock', {}],
      ['reset-password', {}],
      ['roles', { remove: ['account_administrator'] }],
      ['roles', { add: ['co_administrator'] }],
    ] as const)
      expect((await co.post(`${users}/${fay.id}/${verb}`, body)).json).toMatchObject({
        status: 403,
        code: 'cannot_act_on_higher_role',
      });
    for (const path of ['', '/sessions', '/sessions/x'])
      expect((await co.delete(`${users}/${fay.id}${path}`)).json.code).toBe(
        'cannot_act_on_higher_role',
      );
    expect((await co.post(`${users}/${cole.id}/lock`, { note: 'x' })).status).toBe(200);
    expect((await admin.post(`${users}/${fay.id}/lock`, { note: 'x' })).status).toBe(200);
    await given.rows(
      "insert into role_assignments (id, user_id, role, granted_by, granted_at) values ('01a201aa-a637-7dcc-b569-3b562a947439', $1, 'operator', '{}', now())",
      [cole.id],
    );
    expect((await admin.delete(`${users}/${cole.id}`)).json.code).toBe('cannot_act_on_higher_role');
  });

  it("gives and takes roles up to one's own", async ({ given, program }) => {
    const { users, co, admin, operator, ann } = await acme(given, program);
    await given.rows(
      `insert into roles (key, name, scope, requires, created_at) values
       ('download', 'Download', 'account', '{}', now()),
       ('beta', 'Beta', 'account', '{download}', now()),
       ('trojan', 'Trojan', 'account', '{account_administrator}', now())`,
    );
    const roles = (who: typeof co, body: object) => who.post(`${users}/${ann.id}/roles`, body);
    expect((await roles(co, { add: ['beta'] })).json.roles).toEqual(['beta', 'download']);
    expect((await roles(co, { remove: ['download'] })).json).toMatchObject({
      status: 409,
      code: 'role_required_by_other',
    });
    expect((await roles(co, { remove: ['download', 'beta'] })).json.roles).toEqual([]);
    expect((await roles(co, { add: ['trojan'] })).json.code).toBe('cannot_grant_higher_role');
    expect((await roles(co, { add: ['account_administrator'] })).json.code).toBe(
      'cannot_grant_higher_role',
    );
    expect((await roles(co, { add: ['co_administrator'] })).json.roles).toEqual([
      'co_administrator',
    ]);
    expect((await roles(co, { add: ['nothing'] })).json).toMatchObject({
      status: 422,
      code: 'role_not_found',
    });
    const higher = { add: ['account_administrator'], remove: ['co_administrator'] };
    // A token cannot prove anew who is behind it (behaviour.md F15).
    expect((await roles(admin, higher)).json).toMatchObject({
      status: 403,
      code: 'step_up_required',
    });
    expect((await roles(operator, higher)).json.roles).toEqual(['account_administrator']);
    expect((await roles(admin, { add: ['operator'] })).json.code).toBe('cannot_grant_higher_role');
    expect((await roles(operator, { add: ['operator'] })).json.roles).toContain('operator');
    expect((await roles(admin, { remove: ['operator'] })).json.code).toBe(
      'cannot_act_on_higher_role',
    );
  });

  it('protects the last administrator and the contact', async ({ given, program, server }) => {
    const { account, users, admin, operator, fay, ann } = await acme(given, program);
    for (const who of [admin, operator]) {
      expect((await who.delete(`${users}/${fay.id}`)).json).toMatchObject({
        status: 409,
        code: 'last_administrator',
      });
      expect((await who.post(`${users}/${fay.id}/lock`, { note: 'x' })).json.code).toBe(
        'last_administrator',
      );
      expect(
        (await who.post(`${users}/${fay.id}/roles`, { remove: ['account_administrator'] })).json
          .code,
      ).toBe('last_administrator');
    }
    await given.rows(
      "insert into fulfillment_contacts (id, account_id, user_id, created_at) values ('01a201aa-a637-7dcc-b569-3b562a947439', $1, $2, now())",
      [account.id, ann.id],
    );
    expect((await admin.delete(`${users}/${ann.id}`)).json).toMatchObject({
      status: 409,
      code: 'user_is_fulfillment_contact',
    });
    expect((await admin.post(`${users}/${ann.id}/lock`, { note: 'x' })).json.code).toBe(
      'user_is_fulfillment_contact',
    );
    // A stolen identity is locked, whoever's it is.
    expect(
      (await operator.post(`${users}/${fay.id}/lock`, { note: 'x', reason: 'compromised' })).status,
    ).toBe(200);
    // Then nobody looks after the account: who can see to that is told (M21).
    expect(
      (await mailsTo(server))
        .filter(({ kind }) => kind === 'no_administrator')
        .map(({ recipient }) => recipient),
    ).toEqual([ann.email]);
  });
});

describe('removing a person', () => {
  it('takes what the account gave, and 30 days long it can be given back', async ({
    given,
    program,
    server,
  }) => {
    const { account, users, admin, co, cole } = await acme(given, program);
    await given.rows(
      `insert into groups (id, account_id, name, created_at, updated_at) values
       ('01a201aa-a637-7dcc-b569-3b562a947439', $1, 'Design', now(), now())`,
      [account.id],
    );
    await given.rows(
      "insert into group_members values ('01a201aa-a637-7dcc-b569-3b562a947439', $1, now())",
      [cole.id],
    );
    await admin.post(`${users}/${cole.id}/entitlement`, { country: 'DE', pinned: true });
    await admin.post(`${users}/${cole.id}/second-factors/require`, { required: true });
    await admin.patch(`${users}/${cole.id}`, { communicationEmail: 'fay@acme.example' });
    const demanded = () =>
      given.rows(
        `select second_factor_required as factor, communication_email as mail from users where id = $1`,
        [cole.id],
      );
    expect((await co.delete(`${users}/${cole.id}`)).status).toBe(204);
    expect((await given.person(cole))!).toMatchObject({
      affiliation: 'none',
      account: null,
      roles: [],
      groups: [],
      locks: [{ reason: 'unaffiliated' }],
    });
    expect(await demanded()).toEqual([{ factor: false, mail: null }]);
    expect((await co.get(`${users}/${cole.id}`)).status).toBe(404);
    expect((await co.delete(`${users}/${cole.id}`)).json.code).toBe('user_not_found');

    const restored = await co.post(`${users}/${cole.id}/restore`);
    expect(restored.json).toMatchObject({
      status: 'active',
      roles: ['co_administrator'],
      groups: [{ name: 'Design' }],
      entitlementCountry: 'DE',
      locks: [],
    });
    expect(
      await given.rows('select entitlement_pinned as pinned from users where id = $1', [cole.id]),
    ).toEqual([{ pinned: true }]);
    expect(await demanded()).toEqual([{ factor: true, mail: null }]);
    expect((await co.post(`${users}/${cole.id}/restore`)).json.code).toBe('user_not_found');
    await co.delete(`${users}/${cole.id}`);
    server.clock.advance(31 * 24 * 3600);
    expect((await admin.post(`${users}/${cole.id}/restore`)).json).toMatchObject({
      status: 404,
      code: 'user_not_found',
    });
    expect(server.errors).toEqual([]);
  });

  it('is taken back by nobody below them, and by no other account', async ({ given, program }) => {
    const { account, users, admin, co, fay } = await acme(given, program);
    const beta = await given.account('Beta');
    const betas = caller(program, await given.apiToken(beta));
    await given.user('amy@acme.example', { of: account, roles: ['account_administrator'] });
    await admin.delete(`${users}/${fay.id}`);
    expect((await co.post(`${users}/${fay.id}/restore`)).json.code).toBe(
      'cannot_grant_higher_role',
    );
    expect((await betas.post(`/accounts/${beta.id}/users/${fay.id}/restore`)).json.code).toBe(
      'user_not_found',
    );
    await given.locked(fay, 'operator');
    expect((await admin.post(`${users}/${fay.id}/restore`)).json.code).toBe('user_not_addable');
  });
});

describe('passwords and sessions', () => {
  it('has a person choose a new password, five times an hour', async ({
    given,
    program,
    server,
  }) => {
    const { users, co, ann } = await acme(given, program);
    for (let index = 0; index < 5; index += 1)
      expect((await co.post(`${users}/${ann.id}/reset-password`)).status).toBe(200);
    expect((await co.post(`${users}/${ann.id}/reset-password`)).json).toMatchObject({
      status: 429,
      code: 'rate_limited',
    });
    await server.app.delivery.drain();
    expect(
      (await given.mails()).every(
        ({ kind, recipient }) => kind === 'password_reset' && recipient === ann.email,
      ),
    ).toBe(true);
    server.clock.advance(3601);
    expect((await co.post(`${users}/${ann.id}/reset-password`)).status).toBe(200);
  });

  it('ends one session, or all', async ({ given, program, server }) => {
    const { users, co, ann } = await acme(given, program);
    const client = await given.client();
    for (const browser of [server.agent(), server.agent(), server.agent()])
      await redeem(browser, client, codeOf(await signIn(browser, client, ann)));
    const path = `${users}/${ann.id}/sessions`;
    const [one] = (await co.get(path)).json.items;
    expect((await co.delete(`${path}/${one.id}`)).status).toBe(204);
    expect((await co.delete(`${path}/${one.id}`)).json.code).toBe('not_found');
    expect((await co.get(path)).json.items).toHaveLength(2);
    expect((await co.delete(path)).status).toBe(204);
    expect((await co.get(path)).json.items).toEqual([]);
    expect(server.errors).toEqual([]);
  });
});

describe('the list of people', () => {
  it('is searched by name, address, role, domain and status', async ({ given, program }) => {
    const { account, users, co, ann } = await acme(given, program);
    await given.user('zoe@other.example', {
      of: account,
      givenName: 'Zo\u00eb',
      familyName: 'Quinn',
    });
    await given.locked(ann, 'admin', 'x');
    const found = async (query: string): Promise<string[]> =>
      (await co.get(`${users}?${query}`)).json.items.map(
        ({ email }: { email: string }) => email.split('@')[0],
      );
    expect(await found('')).toEqual(['fay', 'cole', 'ann', 'zoe']);
    expect(await found('q=ANN@')).toEqual(['ann']);
    expect(await found(`q=${encodeURIComponent('zo\u00eb q')}`)).toEqual(['zoe']);
    expect(await found('role=account_administrator')).toEqual(['fay']);
    expect(await found('domain=OTHER.example')).toEqual(['zoe']);
    expect(await found('status=locked')).toEqual(['ann']);
    expect(await found('status=active')).toEqual(['fay', 'cole', 'zoe']);
    expect(await found('status=active&q=co')).toEqual(['cole']);
    expect((await co.get(`${users}?status=tired`)).json.code).toBe('invalid_value');
    expect((await co.get(`${users}?domain=nonsense`)).json.code).toBe('invalid_domain');
  });

  it('is searched by lock, group, source, last sign-in and country, in any order', async ({
    given,
    program,
    server,
  }) => {
    const { account, users, admin, ann, cole } = await acme(given, program);
    const zoe = await given.user('zoe@other.example', { of: account, familyName: 'Quinn' });
    const walt = await given.user('walt@acme.example');
    await given.waiting(walt, account);
    await given.locked(ann, 'admin', 'x');
    await given.locked(ann, 'inactive');
    await given.locked(zoe, 'inactive');
    await given.rows(
      `update users set entitlement_country = case when id = $1 then 'FR' end,
         source = 'jit', last_login_at = '2026-01-02T03:04:05.678901Z' where id in ($1, $2)`,
      [zoe.id, cole.id],
    );
    const group = (await admin.post(`/accounts/${account.id}/groups`, { name: 'Design' })).json;
    await admin.post(`/accounts/${account.id}/groups/${group.id}/members`, { add: [zoe.id] });

    const found = async (query: string): Promise<string> =>
      (await admin.get(`${users}?${query}`)).json.items
        .map(({ email }: { email: string }) => email.split('@')[0])
        .join(' ');
    expect(await found('lock=inactive')).toBe('ann zoe');
    expect(await found(`group=${group.id}`)).toBe('zoe');
    expect(await found('source=jit')).toBe('cole zoe');
    expect(await found('notSignedInSince=2026-01-03T00:00:00Z')).toBe('fay cole ann zoe');
    expect(await found('notSignedInSince=2026-01-01T00:00:00Z')).toBe('fay ann');
    expect(await found('countryMissing=true')).toBe('cole zoe');
    expect(await found('q=archer+cme+an')).toBe('ann');
    expect(await found('status=pending-approval')).toBe('walt');
    expect(await found('status=pending-approval&q=alt')).toBe('walt');
    expect((await admin.get(`${users}?sort=shoes`)).json.code).toBe('invalid_value');

    const orders = {
      joined: 'fay cole ann zoe',
      email: 'ann cole fay zoe',
      name: 'ann cole fay zoe',
      lastLogin: 'fay ann cole zoe',
    };
    for (const [order, names] of Object.entries(orders))
      for (const [sort, expected] of [
        [order, names],
        [`-${order}`, names.split(' ').reverse().join(' ')],
      ]) {
        const seen: string[] = [];
        let next = '';
        do {
          const page = (await admin.get(`${users}?sort=${sort}&limit=1${next}`)).json;
          seen.push(...page.items.map(({ email }: { email: string }) => email.split('@')[0]));
          next = page.nextCursor && `&cursor=${encodeURIComponent(page.nextCursor)}`;
        } while (next);
        expect([sort, seen.join(' ')]).toEqual([sort, expected]);
      }
    expect(server.errors).toEqual([]);
  });

  it('finds people by what they are called now, and nobody who is no more', async ({
    given,
    program,
  }) => {
    const { account, users, admin, ann } = await acme(given, program);
    const found = async (q: string): Promise<number> =>
      (await admin.get(`${users}?q=${q}`)).json.items.length;
    await given.rows(
      `update users set given_name = 'Antonia', family_name = '100%' where id = $1`,
      [ann.id],
    );
    expect([await found('tonia'), await found('100%25'), await found('1%250')]).toEqual([1, 1, 0]);
    await given.rows(
      `update users set email = null, identity = 'erased', affiliation = 'none', account_id = null
       where id = $1`,
      [ann.id],
    );
    expect(await found('tonia')).toBe(0);
    expect(await given.rows(`select 1 from user_search where user_id = $1`, [ann.id])).toEqual([]);
    expect((await admin.get(`/accounts/${account.id}/users/${ann.id}`)).status).toBe(404);
  });

  it.for([
    [{}, [], 'active'],
    [{ identity: 'invited' }, [], 'invited'],
    [{ identity: 'unverified' }, [], 'registered-unverified'],
    [{ identity: 'erasing' }, [], 'erasing'],
    [{}, ['erasing', 'directory'], 'erasing'],
    [{}, ['directory', 'admin'], 'suspended'],
    [{}, ['operator'], 'suspended'],
    [{}, ['inactive'], 'locked'],
    [{ identity: 'invited' }, ['compromised'], 'locked'],
  ] as const)(
    'calls %j with the locks %j %s',
    async ([user, locks, status], { given, program }) => {
      const account = await given.account('Acme');
      const ann = await given.user('ann@acme.example', { of: account, ...user });
      for (const lock of locks) await given.locked(ann, lock);
      const co = caller(program, await given.apiToken(account, 'co_administrator'));
      expect((await co.get(`/accounts/${account.id}/users/${ann.id}`)).json.status).toBe(status);
    },
  );
});
