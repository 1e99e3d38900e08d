import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import type { Agent } from '#test/support/agent.ts';
import type { World } from '#test/support/world.ts';
import { choose, forget, linkIn, mailTo } from '../self-service/mailbox.ts';
import { caller, someone } from './support.ts';

/** Acme owns acme.example; Beta owns beta.example; both have an administrator's token. */
async function world(given: World, program: Agent) {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const beta = await given.account('Beta Engineering', { owns: ['beta.example'] });
  return {
    acme,
    beta,
    users: `/accounts/${acme.id}/users`,
    admin: caller(program, await given.apiToken(acme)),
    co: caller(program, await given.apiToken(acme, 'co_administrator')),
    betaAdmin: caller(program, await given.apiToken(beta)),
    betaUsers: `/accounts/${beta.id}/users`,
    operator: caller(program, await given.apiToken()),
  };
}

const rels = (answer: { json: { actions: { rel: string }[] } }) =>
  answer.json.actions.map(({ rel }) => rel);

describe('an administrator adds somebody', () => {
  it('of another organization’s domain, and is not told whose', async ({ given, program }) => {
    const { co, users, beta } = await world(given, program);
    const refused = await co.post(users, someone('bob@beta.example'));
    expect(refused.status).toBe(409);
    expect(refused.json).toMatchObject({
      code: 'domain_owned_by_other',
      detail: 'Unable to add user as email domain is owned by a different organization.',
    });
    expect(rels(refused)).toEqual(['request_access']);
    expect(refused.text).not.toContain('Beta');
    expect(refused.text).not.toContain(beta.id);
  });

  it('who belongs to another account, and may ask for a transfer in their own domain', async ({
    given,
    program,
    server,
  }) => {
    const { co, users, beta } = await world(given, program);
    const bob = await given.user('bob@acme.example', { of: beta });
    const refused = await co.post(users, someone('bob@acme.example'));
    expect(refused.status).toBe(409);
    expect(refused.json).toMatchObject({
      code: 'user_in_other_account',
      detail:
        'Could not create user. This user already belongs to another account and must be removed from it first. The user can see the administrators on the profile page.',
      actions: [
        {
          rel: 'request_transfer',
          method: 'POST',
          href: expect.stringMatching(`/api/v1${users}/${bob.id}/request-transfer$`),
        },
      ],
    });
    expect(refused.text).not.toContain('Beta');

    expect((await co.post(`${users}/${bob.id}/request-transfer`)).status).toBe(204);
    expect((await co.post(`${users}/${bob.id}/request-transfer`)).json).toMatchObject({
      code: 'already_invited',
    });
    await server.app.delivery.drain();
    expect(await given.mails()).toMatchObject([
      { kind: 'domain_capture', recipient: 'bob@acme.example' },
    ]);
    expect((await given.person(bob))?.account?.id).toBe(beta.id);
  });

  it('of a claim under way, and is shown how to end it', async ({ given, program }) => {
    const { acme, admin, users, betaAdmin, betaUsers } = await world(given, program);
    const claim = await admin.post(`/accounts/${acme.id}/domains`, {
      domain: 'new.example',
      method: 'dns',
    });
    expect(claim.status).toBe(201);
    const refused = await admin.post(users, someone('x@new.example'));
    expect(refused.status).toBe(409);
    expect(refused.json).toMatchObject({
      code: 'domain_pending_ownership',
      detail:
        'Unable to add user because the email domain is pending ownership by your organization.',
    });
    expect(rels(refused)).toEqual(['finish_claim', 'cancel_claim', 'invite_to_account']);
    // A stranger's claim stops nobody but the stranger.
    expect((await betaAdmin.post(betaUsers, someone('y@new.example'))).json).toMatchObject({
      outcome: 'invited',
    });
    const cancel = refused.json.actions.find(({ rel }: { rel: string }) => rel === 'cancel_claim');
    expect(
      (await admin.send(cancel.method, new URL(cancel.href).pathname.slice('/api/v1'.length)))
        .status,
    ).toBeLessThan(300);
    expect((await admin.post(users, someone('x@new.example'))).status).toBe(201);
  });

  it('who was deleted last week: added, and locked until it is lifted', async ({
    given,
    program,
  }) => {
    const { acme, co, users } = await world(given, program);
    const dan = await given.user('dan@acme.example', { of: acme, roles: ['co_administrator'] });
    const { admin } = { admin: caller(program, await given.apiToken(acme)) };
    expect((await admin.delete(`${users}/${dan.id}`)).status).toBe(204);

    const refused = await co.post(users, someone('dan@acme.example'));
    expect(refused.json).toMatchObject({
      status: 409,
      code: 'user_exists',
      detail: "This user already exists. Click 'Add to account' to add to your account.",
      actions: [
        { rel: 'add_to_account', href: expect.stringMatching(`/api/v1${users}/${dan.id}/add$`) },
      ],
    });
    const added = await co.post(`${users}/${dan.id}/add`, {});
    expect(added.json).toMatchObject({ id: dan.id, status: 'locked', roles: [], groups: [] });
    expect(added.json.locks).toMatchObject([{ reason: 'unaffiliated' }]);
    expect((await co.post(`${users}/${dan.id}/unlock`)).json).toMatchObject({ status: 'active' });
  });

  it('and unlocks them in the same act', async ({ given, program, server }) => {
    const { acme, admin, users } = await world(given, program);
    const dan = await given.user('dan@acme.example', { of: acme });
    await admin.delete(`${users}/${dan.id}`);
    const added = await admin.post(`${users}/${dan.id}/add`, { unlock: true });
    expect(added.json).toMatchObject({ status: 'active', locks: [] });
    await server.app.delivery.drain();
    expect((await given.mails()).map(({ kind }) => kind)).toEqual([
      'removed_from_account',
      'added_to_account',
    ]);
  });

  it('and takes the removal back, with the roles there were', async ({ given, program }) => {
    const { acme, admin, users, beta } = await world(given, program);
    const dan = await given.user('dan@acme.example', { of: acme, roles: ['co_administrator'] });
    const eve = await given.user('eve@acme.example', { of: acme });
    await admin.delete(`${users}/${dan.id}`);
    await admin.delete(`${users}/${eve.id}`);
    expect((await admin.post(`${users}/${dan.id}/restore`)).json).toMatchObject({
      status: 'active',
      roles: ['co_administrator'],
      locks: [],
    });
    // Who joined elsewhere meanwhile is not brought back.
    await given.work(async (work) => {
      const { affiliate } = await import('#identity/users/affiliate.ts');
      await affiliate(work, eve.id, beta.id, 'test');
    });
    expect((await admin.post(`${users}/${eve.id}/restore`)).status).toBe(404);
  });

  it('whose own country is none of the account’s: they get the one of their domain (F24)', async ({
    given,
    program,
    server,
  }) => {
    const { acme, admin, co, users } = await world(given, program);
    await admin.patch(`/accounts/${acme.id}/domains/acme.example`, {
      defaults: { entitlementCountry: 'DE' },
    });
    const country = async (email: string) =>
      (await given.rows('select entitlement_country as c from users where email = $1', [email]))[0]!
        .c;
    await co.post(users, someone('fred@acme.example', { country: 'FR' }));
    await co.post(users, someone('uma@acme.example', { country: 'US' }));
    expect([await country('fred@acme.example'), await country('uma@acme.example')]).toEqual([
      'DE',
      'US',
    ]);
    // Who never chose a password is asked for one when the removal is taken back.
    const [fred] = await given.rows<{ id: string }>(
      `select id from users where email = 'fred@acme.example'`,
    );
    await co.delete(`${users}/${fred!.id}`);
    await co.post(`${users}/${fred!.id}/restore`);
    expect((await mailTo(server, 'fred@acme.example')).kind).toBe('activation');
    expect(await country('fred@acme.example')).toBe('DE');
  });

  it('who registered, and lets them in by approving', async ({ given, program }) => {
    const { acme, co, users } = await world(given, program);
    const pat = await given.user('pat@acme.example');
    await given.waiting(pat, acme);
    const refused = await co.post(users, someone('pat@acme.example'));
    expect(refused.json).toMatchObject({
      code: 'pending_approval',
      detail: 'pat@acme.example registered and is waiting for approval.',
    });
    expect(rels(refused)).toEqual(['approve']);
  });

  it('who is suspended', async ({ given, program }) => {
    const { co, users } = await world(given, program);
    const zoe = await given.user('zoe@acme.example');
    await given.locked(zoe, 'operator');
    expect((await co.post(users, someone('zoe@acme.example'))).json).toMatchObject({
      status: 409,
      code: 'user_not_addable',
      detail: 'This user is not associated to any account and cannot be added. Contact support.',
    });
  });

  it('of nobody’s domain: invited, and in the list until they answer', async ({
    given,
    program,
    server,
  }) => {
    const { co, users } = await world(given, program);
    const made = await co.post(users, someone('new@gmail.com', { roles: ['co_administrator'] }));
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      outcome: 'invited',
      message: 'Invited. The user joins your account when the invitation is accepted.',
      user: { status: 'invited', affiliation: 'provisional', roles: [] },
    });
    await server.app.delivery.drain();
    expect(await given.mails()).toMatchObject([{ kind: 'invitation', recipient: 'new@gmail.com' }]);
    expect((await co.get(users)).json.items).toMatchObject([{ email: 'new@gmail.com' }]);

    const again = await co.post(users, someone('new@gmail.com'));
    expect(again.json).toMatchObject({ code: 'already_invited' });
    expect(again.json.detail).toMatch(/^new@gmail\.com was invited on \w+ \d+, \d{4}\.$/);
    expect(rels(again)).toEqual(['resend_invitation']);

    // Removed from the list, the address is free again, and nobody is locked.
    expect((await co.delete(`${users}/${made.json.user.id}`)).status).toBe(204);
    expect((await co.get(users)).json.items).toEqual([]);
    expect((await co.post(users, someone('new@gmail.com'))).status).toBe(201);
  });

  it('only to see what would happen', async ({ given, program }) => {
    const { co, users } = await world(given, program);
    const dry = await co.post(users, someone('ann@acme.example', { mode: 'dry-run' }));
    expect(dry).toMatchObject({ status: 200 });
    expect(dry.json).toEqual({
      outcome: 'created',
      dryRun: true,
      message: 'Created and invited.',
      user: null,
    });
    expect(await given.rows('select * from users')).toEqual([]);
    expect(await given.rows('select * from outbox')).toEqual([]);
  });

  it('while the account is on hold', async ({ given, program }) => {
    const { acme, admin, operator, users } = await world(given, program);
    await given.hold(acme);
    for (const who of [admin, operator])
      expect((await who.post(users, someone('ann@acme.example'))).json).toMatchObject({
        status: 403,
        code: 'account_on_hold',
        detail: "Your organization's account is on hold; users cannot be added.",
      });
  });

  it.for([
    'kate',
    '\u212aate@acme.example',
    'm\u0131ke@acme.example',
    'ann@ａcme.example',
    'an\u200bn@acme.example',
    'ann\u00ad@acme.example',
    '\u202eann@acme.example',
    'ann@acme.example\r\nBcc: eve@evil.example',
    'ann@acme.example, eve@evil.example',
    '<ann@acme.example>',
    '"ann@evil.example "@acme.example',
    'ann@acme.example.',
    'ann(comment)@acme.example',
    ' ann@acme.example',
  ])('whose address is none: %j', async (email, { given, program }) => {
    const { co, users, acme } = await world(given, program);
    for (const path of [users, `/accounts/${acme.id}/invitations`]) {
      const refused = await co.post(path, someone(email));
      expect(refused.status).toBe(422);
      expect(refused.json).toMatchObject({
        code: 'invalid_email',
        detail: 'Enter a valid e-mail address.',
      });
    }
    expect(await given.rows('select * from users')).toEqual([]);
  });

  it('with a role above their own', async ({ given, program }) => {
    const { co, users } = await world(given, program);
    for (const email of ['ann@acme.example', 'new@gmail.com'])
      for (const role of ['account_administrator', 'operator'])
        expect((await co.post(users, someone(email, { roles: [role] }))).json).toMatchObject({
          status: 403,
          code: 'cannot_grant_higher_role',
        });
    expect(await given.rows('select * from users')).toEqual([]);
  });
});

describe('nobody can reserve an address of somebody else’s company', () => {
  it('the owner of the domain adds whom another merely invited', async ({ given, program }) => {
    const evil = await given.account('Evil');
    const evilAdmin = caller(program, await given.apiToken(evil));
    const reserved = await evilAdmin.post(
      `/accounts/${evil.id}/users`,
      someone('ceo@acme.example', { givenName: 'Bogus', roles: ['co_administrator'] }),
    );
    expect(reserved.json).toMatchObject({ outcome: 'invited' });

    const { admin, users } = await world(given, program);
    const added = await admin.post(users, someone('ceo@acme.example', { givenName: 'Carla' }));
    expect(added.status).toBe(201);
    expect(added.json).toMatchObject({
      outcome: 'created',
      user: { givenName: 'Carla', affiliation: 'member', roles: [] },
    });
    expect((await evilAdmin.get(`/accounts/${evil.id}/users`)).json.items).toEqual([]);
    expect(await given.rows('select state from invitations')).toEqual([{ state: 'superseded' }]);
  });
});

describe('whom an account merely invited', () => {
  it('is none of its people: nothing it does to them holds anywhere else', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const evil = await given.account('Evil');
    const users = `/accounts/${evil.id}/users`;
    const admin = caller(program, await given.apiToken(evil));
    const invited = await admin.post(users, someone('ceo@gmail.com', { givenName: 'Bogus' }));
    const place = `${users}/${invited.json.user.id}`;
    for (const [what, body] of [
      ['lock', { note: 'Nobody else shall have you.' }],
      ['unlock', {}],
      ['reset-password', {}],
      ['second-factors/require', { required: true }],
    ] as const)
      expect([what, (await admin.post(`${place}/${what}`, body)).json.code]).toEqual([
        what,
        'only_invited',
      ]);
    await admin.patch(place, { communicationEmail: 'evil@evil.example' });

    // They ask for a password themselves: then they are somebody, and still nobody's.
    await forget(browser, 'ceo@gmail.com');
    const mail = await mailTo(server, 'ceo@gmail.com');
    expect(mail.kind).toBe('activation');
    expect(mail.text).not.toContain('Evil');
    await choose(browser, await browser.get(linkIn(mail)), 'seven quiet otters swim');
    expect(
      await given.rows(
        `select identity, affiliation, account_id, communication_email from users where email = $1`,
        ['ceo@gmail.com'],
      ),
    ).toEqual([
      { identity: 'ready', affiliation: 'none', account_id: null, communication_email: null },
    ]);
    expect((await admin.get(place)).json.code).toBe('user_not_found');
    expect(await given.rows('select state from invitations')).toEqual([{ state: 'pending' }]);
  });
});

describe('a person without an account, of nobody’s domain', () => {
  it('is invited, by two accounts at once if they like', async ({ given, program, server }) => {
    const { co, users, betaAdmin, betaUsers } = await world(given, program);
    const carol = await given.user('carol@gmail.com');
    const refused = await co.post(users, someone('carol@gmail.com'));
    expect(refused.json).toMatchObject({
      code: 'user_exists_other_domain',
      detail:
        "This user already exists but their email domain isn't part of your organization. Click 'Invite to Account' to invite user to your account.",
      actions: [
        {
          rel: 'invite_to_account',
          href: expect.stringMatching(`/api/v1${users}/${carol.id}/invite$`),
        },
      ],
    });
    expect((await co.post(`${users}/${carol.id}/add`)).json).toMatchObject({
      code: 'user_exists_other_domain',
    });
    expect((await co.post(`${users}/${carol.id}/invite`)).json).toMatchObject({ state: 'pending' });
    expect((await betaAdmin.post(`${betaUsers}/${carol.id}/invite`)).status).toBe(201);
    await server.app.delivery.drain();
    expect((await given.mails()).map(({ subject }) => subject)).toEqual([
      'Acme invites you to join',
      'Beta Engineering invites you to join',
    ]);
    expect((await given.person(carol))?.affiliation).toBe('none');
  });

  it('is nobody to an account that has no reason to know of them', async ({ given, program }) => {
    const { co, users, beta } = await world(given, program);
    const bob = await given.user('bob@beta.example', { of: beta });
    for (const what of ['add', 'invite', 'request-transfer'])
      expect((await co.post(`${users}/${bob.id}/${what}`)).json).toMatchObject({
        status: 404,
        code: 'user_not_found',
      });
  });
});

describe('one person, one account', () => {
  it('two accounts that take the same person at once: one has them, the other is told', async ({
    given,
    program,
  }) => {
    const { admin, users, betaAdmin, betaUsers, acme, beta } = await world(given, program);
    // Beta is trusted with Acme's domain, so both may add.
    await given.trust(acme, beta, 'acme.example');
    const ann = await given.user('ann@acme.example');
    const answers = await Promise.all([
      admin.post(`${users}/${ann.id}/add`),
      betaAdmin.post(`${betaUsers}/${ann.id}/add`),
    ]);
    expect(inOrder(answers)).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)!.json.code).toMatch(
      /already_affiliated|user_in_other_account/,
    );
    expect(
      await given.rows('select 1 as one from affiliations where ended_at is null'),
    ).toHaveLength(1);
  });

  it('the same new address, ten times at once, is one person', async ({ given, program }) => {
    const { admin, users } = await world(given, program);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => admin.post(users, someone('new@acme.example'))),
    );
    expect(inOrder(answers)).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
    expect(
      new Set(answers.filter(({ status }) => status === 409).map(({ json }) => json.code)),
    ).toEqual(new Set(['already_member']));
    expect(await given.rows('select 1 as one from users')).toHaveLength(1);
  });
});

describe('how often', () => {
  it('an account adds sixty in a minute, and not more', async ({ given, program }) => {
    const { co, users } = await world(given, program);
    const answers = [];
    for (let index = 0; index < 62; index += 1)
      answers.push(await co.post(users, someone(`p${index}@acme.example`, { mode: 'dry-run' })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(60);
    expect(answers.at(-1)!.json).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(answers.at(-1)!.headers['retry-after']).toBe('60');
  });

  it('an account learns of five hundred registered addresses a day, and not more', async ({
    given,
    program,
    server,
  }) => {
    const { co, users, acme } = await world(given, program);
    await given.user('known@gmail.com');
    await given.rows(
      `insert into attempt_counters (bucket, day_start, day_count, updated_at)
       values ('conflicts:' || $1, now(), 499, now())`,
      [acme.id],
    );
    expect((await co.post(users, someone('known@gmail.com'))).json).toMatchObject({
      code: 'user_exists_other_domain',
    });
    expect((await co.post(users, someone('known@gmail.com'))).json).toMatchObject({
      code: 'rate_limited',
    });
    server.clock.advance(24 * 3600);
    expect((await co.post(users, someone('known@gmail.com'))).json).toMatchObject({
      code: 'user_exists_other_domain',
    });
  });
});

/** How often each status came, whoever was first. */
function inOrder(answers: readonly { status: number }[]): number[] {
  return answers.map(({ status }) => status).sort((one, other) => one - other);
}
