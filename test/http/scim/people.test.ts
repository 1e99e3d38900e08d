import { describe, expect } from 'vitest';
import { accountSchema } from '#identity/scim/schema.ts';
import { affiliate } from '#identity/users/affiliate.ts';
import type { Agent } from '#test/support/agent.ts';
import type { World } from '#test/support/world.ts';
import { it } from '#test/support/it.ts';
import { refresh, signIn, tokensFor, userinfo } from '#test/support/sign-in.ts';
import { directoryOf, user } from './support.ts';

const reasonOf = ({ json }: { json: Record<string, Record<string, unknown>> }): unknown =>
  json['urn:ostiary:params:scim:api:messages:1.0:ErrorDetail']?.['reason'];

async function locksOf(given: World, email: string): Promise<string[]> {
  const rows = await given.rows<{ reason: string }>(
    `select l.reason from user_locks l join users u on u.id = l.user_id
     where u.email = $1 and l.released_at is null order by 1`,
    [email],
  );
  return rows.map(({ reason }) => reason);
}

async function subOf(given: World, email: string): Promise<string | undefined> {
  return (await given.rows<{ id: string }>('select id from users where email = $1', [email]))[0]
    ?.id;
}

/** A company whose directory sends its people. */
async function acmeByScim(given: World, program: Agent) {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  return { acme, entra: await directoryOf(given, program, acme) };
}

describe('whom a directory may bring (D-34)', () => {
  it('is whoever has an address in a domain of the account; others are explained', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.account('Beta', { owns: ['beta.example'] });
    await given.rows(
      `insert into domains (id, account_id, name, state, claimed_at, created_at) values (gen_random_uuid(), $1, 'claimed.example', 'pending', now(), now())`,
      [acme.id],
    );
    const entra = await directoryOf(given, program, acme);
    for (const [email, reason] of [
      ['x@nobody.example', 'domain_not_owned'],
      ['x@gmail.com', 'domain_not_owned'],
      ['x@beta.example', 'domain_owned_elsewhere'],
      ['x@claimed.example', 'domain_pending'],
      ['x', 'invalid_email'],
    ]) {
      const refused = await entra.post('/Users', user(email!));
      expect([refused.status, refused.json.scimType, reasonOf(refused)]).toEqual([
        400,
        'invalidValue',
        reason,
      ]);
      expect(refused.text).not.toContain('Beta');
    }
    expect(await given.rows('select 1 from users')).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it('may be anybody whom nobody else owns, for a directory that is tried out', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.account('Beta', { owns: ['beta.example'] });
    const entra = await directoryOf(given, program, acme, { domainPolicy: 'any_unowned' });
    await given.user('known@free.example');
    const made = await entra.user('new@free.example', { name: { givenName: 'New' } });
    expect(made[accountSchema]).toMatchObject({ affiliation: 'invited' });
    expect(
      (await entra.filter('/Users', 'userName eq "NEW@free.example"')).json.Resources[0].id,
    ).toBe(made.id);
    const known = await entra.post('/Users', user('known@free.example'));
    expect([known.status, reasonOf(known)]).toEqual([400, 'invitation_required']);
    expect(reasonOf(await entra.post('/Users', user('x@beta.example')))).toBe(
      'domain_owned_elsewhere',
    );
    // Nobody is locked out of anything for having been brought here.
    expect(
      (await entra.patch(`/Users/${made.id}`, { op: 'replace', path: 'active', value: false })).json
        .active,
    ).toBe(false);
    expect(await locksOf(given, 'new@free.example')).toEqual([]);
    expect((await entra.delete(`/Users/${made.id}`)).status).toBe(204);
    expect((await entra.get(`/Users/${made.id}`)).status).toBe(404);
    expect(await given.rows(`select 1 from users where email = 'new@free.example'`)).toEqual([]);
    const again = await entra.user('new@free.example');
    // Who was put out before they came is not let in by an invitation.
    const early = await entra.user('early@free.example', { active: false });
    expect(early).toMatchObject({ active: false, [accountSchema]: { lockState: 'open' } });
    const earlyId = (await subOf(given, 'early@free.example'))!;
    await given.work((work) => affiliate(work, earlyId, acme.id, 'accepted'));
    expect((await entra.get(`/Users/${early.id}`)).json).toMatchObject({
      active: false,
      [accountSchema]: { affiliation: 'member', lockReasons: ['directory'] },
    });
    // The owner of the domain is in nobody's way.
    const free = await given.account('Free', { owns: ['free.example'] });
    const theirs = await directoryOf(given, program, free);
    expect((await theirs.post('/Users', user('new@free.example'))).status).toBe(201);
    expect((await entra.get(`/Users/${again.id}`)).status).toBe(404);
  });
});

describe('one truth with every other door', () => {
  it('finds who came by sign-in, by hand or by registration, and makes no second of them', async ({
    given,
    program,
    server,
  }) => {
    const { acme, entra } = await acmeByScim(given, program);
    const hand = await given.user('Hand@acme.example', { of: acme });
    for (const filter of [
      'userName eq "hand@acme.example"',
      'emails[type eq "work"].value eq "HAND@acme.example"',
      'emails eq "hand@acme.example"',
    ]) {
      const { json } = await entra.filter('/Users', filter);
      expect(json.totalResults).toBe(1);
      expect(json.Resources[0]).toMatchObject({
        userName: 'Hand@acme.example',
        [accountSchema]: { managedBy: 'administrator' },
      });
    }
    const second = await entra.post('/Users', user('hand@acme.example', { title: 'x' }));
    expect([second.status, second.json.scimType, reasonOf(second)]).toEqual([
      409,
      'uniqueness',
      'already_member',
    ]);
    const [found] = (await entra.filter('/Users', 'userName eq "hand@acme.example"')).json
      .Resources;
    const changed = await entra.patch(`/Users/${found.id}`, {
      op: 'replace',
      value: { externalId: 'x-1', title: 'Clerk' },
    });
    expect(changed.json).toMatchObject({
      externalId: 'x-1',
      title: 'Clerk',
      [accountSchema]: { managedBy: 'directory' },
    });
    expect(await subOf(given, 'hand@acme.example')).toBe(hand.id);
    expect(server.errors).toEqual([]);
  });

  it('takes in who registered and waits, and who belongs nowhere, with all they have', async ({
    given,
    program,
  }) => {
    const { acme, entra } = await acmeByScim(given, program);
    const waits = await given.user('waits@acme.example', { givenName: 'Wanda' });
    await given.waiting(waits, acme);
    const alone = await given.user('alone@acme.example', { givenName: 'Al' });
    for (const person of [waits, alone]) {
      const made = await entra.user(person.email, { title: 'Clerk' });
      expect(made).toMatchObject({ title: 'Clerk', name: { familyName: 'Archer' }, active: true });
      expect(await subOf(given, person.email)).toBe(person.id);
      const signedIn = await given.person(person);
      expect(signedIn).toMatchObject({
        identity: 'ready',
        affiliation: 'member',
        account: { id: acme.id },
      });
    }
    expect(await given.rows(`select state from approval_requests`)).toEqual([
      { state: 'superseded' },
    ]);
    const elsewhere = await given.account('Beta');
    await given.user('far@acme.example', { of: elsewhere });
    const far = await entra.post('/Users', user('far@acme.example'));
    expect([far.status, reasonOf(far)]).toEqual([409, 'user_in_other_account']);
    expect(far.text).not.toContain('Beta');
    await given.user('blocked@acme.example').then((one) => given.locked(one, 'compromised'));
    expect((await entra.post('/Users', user('blocked@acme.example'))).status).toBe(409);
  });

  it('gives who is brought again another id, and lets them be who they were', async ({
    given,
    program,
  }) => {
    const { entra } = await acmeByScim(given, program);
    const first = await entra.user('ann@acme.example', {
      externalId: '1',
      name: { givenName: 'Ann' },
    });
    const sub = await subOf(given, 'ann@acme.example');
    await entra.delete(`/Users/${first.id}`);
    expect(await locksOf(given, 'ann@acme.example')).toEqual(['unaffiliated']);
    const second = await entra.user('ann@acme.example');
    expect(second.id).not.toBe(first.id);
    expect(second).toMatchObject({ name: { givenName: 'Ann' }, active: true });
    expect(second).not.toHaveProperty('externalId');
    expect(await subOf(given, 'ann@acme.example')).toBe(sub);
    expect(await locksOf(given, 'ann@acme.example')).toEqual([]);
  });

  it('shows another account nothing, not even that there is something (D-33)', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const beta = await given.account('Beta', { owns: ['beta.example'] });
    const entra = await directoryOf(given, program, acme);
    const other = await directoryOf(given, program, beta);
    const ann = await entra.user('ann@acme.example', { externalId: 'x' });
    const group = await entra.group('Bridges', [ann]);
    const unknown = '2819c223-7f76-453a-919d-413861904646';
    for (const [method, body] of [
      ['GET'],
      ['PUT', user('ann@acme.example')],
      [
        'PATCH',
        {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
          Operations: [{ op: 'replace', path: 'externalId', value: 'y' }],
        },
      ],
      ['DELETE'],
    ] as const)
      for (const [path, id] of [
        ['Users', ann.id],
        ['Groups', group.id],
      ]) {
        const theirs = await other.send(method, `/${path}/${id}`, body);
        const nobody = await other.send(method, `/${path}/${unknown}`, body);
        expect([theirs.status, theirs.text]).toEqual([404, nobody.text]);
      }
    for (const filter of [
      `id eq "${ann.id}"`,
      'userName eq "ann@acme.example"',
      'externalId eq "x"',
      'emails eq "ann@acme.example"',
      'userName pr or userName pr',
    ])
      expect((await other.filter('/Users', filter)).json.totalResults).toBe(0);
    expect((await other.filter('/Groups', `members eq "${ann.id}"`)).json.totalResults).toBe(0);
    expect(
      (
        await other.post('/Groups', {
          schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
          displayName: 'G',
          members: [{ value: ann.id }],
        })
      ).status,
    ).toBe(400);
    expect((await entra.get(`/Users/${ann.id}`)).json.externalId).toBe('x');
  });

  it('renames within the domains of the account, and to nobody else (D-35)', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example', 'acme.test'] });
    await given.account('Beta', { owns: ['beta.example'] });
    const entra = await directoryOf(given, program, acme);
    const ann = await entra.user('ann@acme.example', { externalId: 'x' });
    await entra.user('bob@acme.example');
    await given.user('far@acme.example');
    const sub = await subOf(given, 'ann@acme.example');
    for (const [value, status, reason] of [
      ['bob@acme.example', 409, 'already_member'],
      ['far@acme.example', 409, 'user_in_other_account'],
      ['ann@beta.example', 400, 'domain_owned_elsewhere'],
      ['ann@free.example', 400, 'domain_not_owned'],
      ['no address', 400, 'invalid_email'],
    ] as const) {
      const refused = await entra.patch(`/Users/${ann.id}`, {
        op: 'replace',
        value: { title: 'x', userName: value },
      });
      expect([refused.status, reasonOf(refused)]).toEqual([status, reason]);
      const put = await entra.put(`/Users/${ann.id}`, user(value));
      expect([put.status, reasonOf(put)]).toEqual([status, reason]);
    }
    for (const [emails, status] of [
      [[{ value: 'bob@acme.example', type: 'work' }], 409],
      [[{ value: 'x@beta.example', type: 'home' }], 400],
      [[{ value: 'x@free.example', type: 'work', primary: true }], 400],
      [
        [
          { value: 'a@acme.test', primary: true },
          { value: 'b@acme.test', primary: true },
        ],
        400,
      ],
    ] as const)
      expect(
        (await entra.patch(`/Users/${ann.id}`, { op: 'replace', path: 'emails', value: emails }))
          .status,
      ).toBe(status);
    expect((await entra.get(`/Users/${ann.id}`)).json).toEqual(ann);
    const renamed = await entra.patch(`/Users/${ann.id}`, {
      op: 'replace',
      path: 'userName',
      value: 'Ann.B@acme.test',
    });
    expect(renamed.json).toMatchObject({
      id: ann.id,
      userName: 'Ann.B@acme.test',
      emails: [{ value: 'Ann.B@acme.test', primary: true }],
    });
    expect((await entra.get(`/Users/${ann.id}`)).json).toEqual(renamed.json);
    expect(await subOf(given, 'ann.b@acme.test')).toBe(sub);
    expect((await entra.filter('/Users', 'emails eq "ann@acme.example"')).json.totalResults).toBe(
      0,
    );
    const letters = await entra.patch(`/Users/${ann.id}`, {
      op: 'replace',
      path: 'userName',
      value: 'ANN.B@acme.test',
    });
    expect(letters.json.userName).toBe('ANN.B@acme.test');
    expect(server.errors).toEqual([]);
  });

  it('binds nobody by an externalId, whatever it looks like (D-43)', async ({ given, program }) => {
    const { acme, entra } = await acmeByScim(given, program);
    const boss = await given.user('boss@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    for (const [at, externalId] of [boss.id, '1', 'boss@acme.example'].entries()) {
      await entra.user(`p${at}@acme.example`, { externalId });
      expect(await subOf(given, `p${at}@acme.example`)).not.toBe(boss.id);
    }
    expect((await given.person(boss))?.roles).toEqual(['account_administrator']);
  });
});

describe('active (D-37, D-38, D-44)', () => {
  it('puts a person out everywhere at once, and lets them in again as they were', async ({
    given,
    program,
    browser,
    server,
  }) => {
    const { acme, entra } = await acmeByScim(given, program);
    const ann = await given.user('ann@acme.example', { of: acme });
    const client = await given.client({
      metadata: { backchannel_logout_uri: 'https://rp.example/out' },
    });
    const tokens = await tokensFor(browser, client, ann, {
      scope: 'openid offline_access',
      prompt: 'consent',
    });
    expect((await userinfo(program, tokens.access_token)).status).toBe(200);
    const [found] = (await entra.filter('/Users', 'userName eq "ann@acme.example"')).json.Resources;
    const group = await entra.group('Bridges', [found]);
    await entra.patch(`/Users/${found.id}`, { op: 'Replace', path: 'active', value: 'False' });
    expect((await userinfo(program, tokens.access_token)).status).toBe(401);
    expect((await refresh(program, client, tokens.refresh_token!)).json.error).toBe(
      'invalid_grant',
    );
    expect(
      await given.rows(`select kind from outbox where kind = 'backchannel_logout'`),
    ).toHaveLength(1);
    expect(await given.rows('select 1 from oidc_sessions')).toEqual([]);
    expect(await locksOf(given, ann.email)).toEqual(['directory']);
    // Still listed, in its groups, and to be found.
    expect((await entra.filter('/Users', 'active eq false')).json.Resources[0].id).toBe(found.id);
    expect((await entra.get(`/Groups/${group.id}`)).json.members).toHaveLength(1);
    await entra.patch(`/Users/${found.id}`, { op: 'replace', value: { active: true } });
    expect(await locksOf(given, ann.email)).toEqual([]);
    browser.forgetCookies();
    expect((await signIn(browser, client, ann)).status).toBeLessThan(400);
    expect((await entra.get(`/Users/${found.id}`)).json.groups).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });

  it('is the word of the directory, in whatever letters, and no other lock', async ({
    given,
    program,
  }) => {
    const { entra } = await acmeByScim(given, program);
    const ann = await entra.user('ann@acme.example');
    const set = (value: unknown) =>
      entra.patch(`/Users/${ann.id}`, { op: 'replace', path: 'active', value });
    for (const value of ['False', 'FALSE', 'false', false]) {
      expect((await set(value)).json.active).toBe(false);
      expect((await set(true)).json.active).toBe(true);
    }
    for (const value of [0, 'no', [false], {}]) expect((await set(value)).status).toBe(400);
    // Nothing said is nothing changed, and never silently active.
    expect((await set(false)).json.active).toBe(false);
    for (const value of [null, '']) expect((await set(value)).json.active).toBe(false);
    expect((await entra.put(`/Users/${ann.id}`, user('ann@acme.example'))).json.active).toBe(false);
    const soft = await entra.patch(`/Users/${ann.id}`, {
      op: 'replace',
      path: 'urn:ietf:params:scim:schemas:extension:Bentley:2.0:User:isSoftDeleted',
      value: 'False',
    });
    expect(soft.json.active).toBe(true);
    const again = await entra.patch(`/Users/${ann.id}`, {
      op: 'add',
      value: { 'urn:ietf:params:scim:schemas:extension:Bentley:2.0:User:isSoftDeleted': 'True' },
    });
    expect(again.json.active).toBe(false);
    await set(true);

    const id = (await subOf(given, 'ann@acme.example'))!;
    await given.locked({ id }, 'admin');
    const active = await set(true);
    expect(active.json).toMatchObject({
      active: true,
      [accountSchema]: { lockReasons: ['admin'] },
    });
    await set(false);
    await set(true);
    await entra.put(`/Users/${ann.id}`, user('ann@acme.example', { active: true }));
    expect(await locksOf(given, 'ann@acme.example')).toEqual(['admin']);
  });

  it('is refused for nobody who leaves while the account is on hold, and for everybody who comes', async ({
    given,
    program,
  }) => {
    const { acme, entra } = await acmeByScim(given, program);
    const ann = await entra.user('ann@acme.example');
    await given.hold(acme);
    const set = (value: boolean) =>
      entra.patch(`/Users/${ann.id}`, { op: 'replace', path: 'active', value });
    expect((await set(false)).status).toBe(200);
    expect((await set(true)).status).toBe(403);
    expect((await entra.post('/Users', user('bob@acme.example'))).status).toBe(403);
    expect((await entra.delete(`/Users/${ann.id}`)).status).toBe(204);
  });
});

describe('who is protected (D-39, D-40)', () => {
  it('is the last administrator: not put out, not removed, not renamed; the contacts hear of it', async ({
    given,
    program,
    server,
  }) => {
    const { acme, entra } = await acmeByScim(given, program);
    const boss = await given.user('boss@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const fay = await given.user('fay@acme.example', { of: acme });
    await given.user('op@ours.example', { roles: ['operator'] });
    await given.rows(
      `insert into fulfillment_contacts (id, account_id, user_id, created_at) values (gen_random_uuid(), $1, $2, now())`,
      [acme.id, fay.id],
    );
    const [found] = (await entra.filter('/Users', 'userName eq "boss@acme.example"')).json
      .Resources;
    const path = `/Users/${found.id}`;
    const out = await entra.patch(path, { op: 'replace', path: 'active', value: false });
    expect([out.status, out.json.scimType, reasonOf(out)]).toEqual([
      400,
      'mutability',
      'last_administrator',
    ]);
    const put = await entra.put(path, { ...found, active: false });
    expect([put.status, reasonOf(put)]).toEqual([400, 'last_administrator']);
    const gone = await entra.delete(path);
    expect([gone.status, reasonOf(gone)]).toEqual([409, 'last_administrator']);
    const renamed = await entra.patch(path, {
      op: 'replace',
      path: 'userName',
      value: 'eve@acme.example',
    });
    expect([renamed.status, reasonOf(renamed)]).toEqual([400, 'last_administrator']);
    expect((await entra.get(path)).json).toEqual(found);
    await server.app.delivery.drain();
    const told = (await given.mails()).map(({ kind, recipient }) => `${kind} ${recipient}`);
    expect(told).toContain('directory_spared fay@acme.example');
    expect(told).toContain('directory_spared op@ours.example');
    // With another there, who leaves leaves; what the role was goes with them.
    await given.user('second@acme.example', { of: acme, roles: ['account_administrator'] });
    expect((await entra.patch(path, { op: 'replace', path: 'active', value: false })).status).toBe(
      200,
    );
    const name = await entra.patch(path, {
      op: 'replace',
      path: 'userName',
      value: 'eve@acme.example',
    });
    expect([name.status, reasonOf(name)]).toEqual([400, 'administrator']);
    expect(
      (await entra.patch(path, { op: 'replace', path: 'password', value: 'seven green bridges' }))
        .status,
    ).toBe(400);
    expect(await subOf(given, 'boss@acme.example')).toBe(boss.id);
    expect((await entra.delete(path)).status).toBe(204);
    expect(server.errors).toEqual([]);
  });

  it('is the last fulfillment contact, who stays and may not come in any more', async ({
    given,
    program,
  }) => {
    const { acme, entra } = await acmeByScim(given, program);
    const fay = await given.user('fay@acme.example', { of: acme });
    const gus = await given.user('gus@acme.example', { of: acme });
    const contact = (person: { id: string }) =>
      given.rows(
        `insert into fulfillment_contacts (id, account_id, user_id, created_at)
         values (gen_random_uuid(), $1, $2, now())`,
        [acme.id, person.id],
      );
    await contact(fay);
    const [found] = (await entra.filter('/Users', 'userName eq "fay@acme.example"')).json.Resources;
    const kept = await entra.delete(`/Users/${found.id}`);
    expect([kept.status, reasonOf(kept)]).toEqual([409, 'user_is_fulfillment_contact']);
    expect((await entra.get(`/Users/${found.id}`)).json.active).toBe(false);
    await contact(gus);
    expect((await entra.delete(`/Users/${found.id}`)).status).toBe(204);
    expect(await given.rows('select user_id from fulfillment_contacts')).toEqual([
      { user_id: gus.id },
    ]);
  });

  it('is the emergency account and who runs the installation', async ({ given, program }) => {
    const { acme, entra } = await acmeByScim(given, program);
    await given.user('glass@acme.example', { of: acme });
    await given.rows(`update users set break_glass = true where email = 'glass@acme.example'`);
    await given.user('op@acme.example', { of: acme, roles: ['operator'] });
    for (const name of ['glass', 'op']) {
      const [found] = (await entra.filter('/Users', `userName eq "${name}@acme.example"`)).json
        .Resources;
      expect(
        (await entra.patch(`/Users/${found.id}`, { op: 'replace', path: 'title', value: 'x' })).json
          .scimType,
      ).toBe('mutability');
      expect((await entra.put(`/Users/${found.id}`, { ...found, active: false })).status).toBe(400);
      expect((await entra.delete(`/Users/${found.id}`)).status).toBe(409);
    }
  });

  it('is whoever no directory brought, where a connection is kept to its own', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const other = await directoryOf(given, program, acme);
    const okta = await directoryOf(given, program, acme, { departurePolicy: 'own_people' });
    await given.user('cora@acme.example', { of: acme });
    const found = async (): Promise<{ id: string; active: boolean }> =>
      (await okta.filter('/Users', 'userName eq "cora@acme.example"')).json.Resources[0];
    const cora = await found();
    const path = `/Users/${cora.id}`;
    const off = { op: 'replace', path: 'active', value: false };
    for (const refused of [
      await okta.patch(path, { op: 'replace', path: 'title', value: 'Clerk' }, off),
      await okta.put(path, { ...cora, active: false }),
    ])
      expect([refused.status, refused.json.scimType, reasonOf(refused)]).toEqual([
        400,
        'mutability',
        'not_of_directory',
      ]);
    const gone = await okta.delete(path);
    expect([gone.status, reasonOf(gone)]).toEqual([409, 'not_of_directory']);
    const bulk = await okta.post('/Bulk', {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
      Operations: [{ method: 'DELETE', path }],
    });
    expect(bulk.json.Operations[0].status).toBe('409');
    expect(await found()).toEqual(cora);

    // Whom it brought, or any directory took over, it may; and another connection may what it may.
    const ann = await okta.user('ann@acme.example');
    expect((await okta.delete(`/Users/${ann.id}`)).status).toBe(204);
    expect((await other.patch(path, off)).json.active).toBe(false);
    expect((await okta.patch(path, { ...off, value: true })).json.active).toBe(true);
    expect((await okta.patch(path, off)).json.active).toBe(false);
    expect(server.errors).toEqual([]);
  });

  it('is a group that gives something; one that gives nothing is taken over', async ({
    given,
    program,
  }) => {
    const { acme, entra } = await acmeByScim(given, program);
    const ann = await entra.user('ann@acme.example');
    const boss = await given.user('boss@acme.example', { of: acme });
    const [entitled, managed, plain] = await Promise.all(
      ['Entitled', 'Managed', 'Plain'].map(async (name) => {
        const [row] = await given.rows<{ id: string }>(
          `insert into groups (id, account_id, name, type, entitlement_country, created_at, updated_at)
           values (gen_random_uuid(), $1, $2, $3, nullif($4, ''), now(), now()) returning id`,
          [
            acme.id,
            name,
            name === 'Entitled' ? 'entitlement' : 'standard',
            name === 'Entitled' ? 'DE' : '',
          ],
        );
        return row!.id;
      }),
    );
    await given.rows(
      `insert into role_assignments (id, user_id, role, account_id, group_id, granted_by, granted_at) values (gen_random_uuid(), $1, 'group_manager', $2, $3, '{}', now())`,
      [boss.id, acme.id, managed!],
    );
    expect((await entra.get('/Groups')).json.totalResults).toBe(3);
    const join = { op: 'add', path: 'members', value: [{ value: ann.id }] };
    for (const id of [entitled, managed]) {
      for (const change of [join, { op: 'replace', path: 'displayName', value: 'Mine' }])
        expect((await entra.patch(`/Groups/${id}`, change)).json.scimType).toBe('mutability');
      expect(
        (
          await entra.put(`/Groups/${id}`, {
            schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'],
            displayName: 'Mine',
          })
        ).status,
      ).toBe(400);
      const gone = await entra.delete(`/Groups/${id}`);
      expect([gone.status, reasonOf(gone)]).toEqual([409, 'group_protected']);
    }
    expect((await entra.patch(`/Groups/${plain}`, join)).status).toBe(204);
    expect(await given.rows('select name, source from groups order by name')).toEqual([
      { name: 'Entitled', source: 'local' },
      { name: 'Managed', source: 'local' },
      { name: 'Plain', source: 'scim' },
    ]);
    const self = await entra.patch(`/Users/${ann.id}`, {
      op: 'add',
      path: 'groups',
      value: [{ value: entitled }],
    });
    expect(self.json.scimType).toBe('mutability');
  });
});

describe('what is left behind', () => {
  it('is written down with the directory that did it, and in a dry run nothing at all', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const trying = await directoryOf(given, program, acme, { name: 'Trying', dryRun: true });
    const dry = await trying.post('/Users', user('ann@acme.example'));
    expect(dry.status).toBe(201);
    expect((await trying.get(`/Users/${dry.json.id}`)).status).toBe(404);
    expect(await given.rows(`select 1 from users`)).toEqual([]);
    const entra = await directoryOf(given, program, acme, { name: 'Entra' });
    const ann = await entra.user('ann@acme.example');
    await entra.patch(`/Users/${ann.id}`, { op: 'replace', path: 'title', value: 'Boss' });
    await entra.delete(`/Users/${ann.id}`);
    const rows = await given.rows<{ action: string; actor: { name: string }; details: object }>(
      `select action, actor, details from audit_events where actor ->> 'type' = 'scim_token' order by id`,
    );
    expect(new Set(rows.map(({ actor }) => actor.name))).toEqual(new Set(['Entra']));
    expect(rows.map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        'user.added',
        'user.affiliated',
        'user.changed',
        'user.unaffiliated',
        'user.locked',
      ]),
    );
    expect(rows.find(({ action }) => action === 'user.changed')!.details).toEqual({
      changed: ['title'],
      by: 'directory',
    });
    await server.app.delivery.drain();
    expect((await given.mails()).map(({ kind }) => kind)).toEqual([
      'activation',
      'removed_from_account',
    ]);
  });

  it('of who is erased is nothing, in any account', async ({ given, program }) => {
    const { entra } = await acmeByScim(given, program);
    const ann = await entra.user('ann@acme.example', {
      displayName: 'Ann',
      externalId: 'x',
      nickName: 'Annie',
    });
    await entra.delete(`/Users/${ann.id}`);
    await given.rows(
      `update users set email = null, identity = 'erased', given_name = '', family_name = '' where email = 'ann@acme.example'`,
    );
    const kept = await given.rows(
      'select user_name, display_name, external_id, attributes from affiliations',
    );
    expect(kept).toEqual([
      { user_name: '', display_name: null, external_id: null, attributes: {} },
    ]);
    expect(await given.rows('select 1 from affiliation_emails')).toEqual([]);
  });

  it('of a password is its hash, where the person has one here', async ({
    given,
    program,
    browser,
  }) => {
    const { entra } = await acmeByScim(given, program);
    const weak = await entra.post('/Users', user('ann@acme.example', { password: 'password1234' }));
    expect([weak.status, weak.json.scimType]).toEqual([400, 'invalidValue']);
    expect(weak.text).not.toContain('password1234');
    await entra.user('ann@acme.example', { password: 'seven green bridges' });
    const client = await given.client();
    const answer = await signIn(browser, client, {
      email: 'ann@acme.example',
      password: 'seven green bridges',
    });
    expect(answer.status).toBeLessThan(400);
  });
});
