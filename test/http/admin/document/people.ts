import { tendBelonging } from '#identity/belonging/housekeeping.ts';
import { unaffiliate } from '#identity/users/affiliate.ts';
import type { GivenUser } from '#test/support/world.ts';
import { someone, type Caller } from '../support.ts';
import { domainOf, unknown, type Scene } from './scene.ts';

const day = 24 * 3600;

/** Acme with somebody for every row of the table, and who looks after it. */
async function acmeOf(scene: Scene) {
  const { given, as } = scene;
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const beta = await given.account('Beta', { owns: ['beta.example'] });
  const held = await given.account('Held', { owns: ['held.example'] });
  await given.hold(held);
  await domainOf(scene, acme, 'pending.example', 'pending');
  await domainOf(scene, acme, 'lapsed.example', 'lapsed', 'dns');
  const fay = await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
  return {
    acme,
    beta,
    held,
    fay,
    path: `/accounts/${acme.id}`,
    aa: as(await given.apiToken(acme)),
    co: as(await given.apiToken(acme, 'co_administrator')),
    ofHeld: as(await given.apiToken(held)),
    ann: await given.user('ann@acme.example', { of: acme }),
    waiting: await given.user('walt@acme.example'),
    elsewhere: await given.user('xena@acme.example', { of: beta }),
    loose: await given.user('loose@acme.example'),
    barred: await given.user('barred@acme.example'),
    pending: await given.user('pia@pending.example'),
    lapsed: await given.user('lou@lapsed.example'),
    carol: await given.user('carol@free.example'),
    dora: await given.user('dora@free.example'),
    betas: await given.user('ben@beta.example'),
    heldLoose: await given.user('hal@held.example'),
  };
}

/** What cannot be given, whoever it is to be given to. */
async function nothingGiven(
  { no }: Scene,
  { aa, co }: { aa: Caller; co: Caller },
  path: string,
  body: object = {},
): Promise<void> {
  for (const [as, more, code] of [
    [aa, { roles: ['nothing'] }, 'role_not_found'],
    [aa, { roles: ['account_administrator'] }, 'step_up_required'],
    [co, { roles: ['account_administrator'] }, 'cannot_grant_higher_role'],
    [aa, { groups: ['nothing'] }, 'not_found'],
    [aa, { entitlementCountry: 'FR' }, 'invalid_country'],
  ] as const)
    await no(code, as.post(path, { ...body, ...more }));
}

/** People come in: added, invited, approved. */
export async function comingIn(scene: Scene): Promise<void> {
  const { given, server, no, yes, operator } = scene;
  const all = await acmeOf(scene);
  const { acme, held, path, aa, co, ofHeld } = all;
  await given.locked(all.barred, 'operator');
  const request = await given.waiting(all.waiting, acme);
  // An account adds sixty a minute.
  const later = (seconds = 61) => server.clock.advance(seconds);

  await yes(201, aa.post(`${path}/users/${all.dora.id}/invite`));
  const add = (email: string, more = {}) => aa.post(`${path}/users`, someone(email, more));
  const invite = (email: string, more = {}) => aa.post(`${path}/invitations`, someone(email, more));
  for (const [email, code, ofInvitation = code] of [
    ['nobody', 'invalid_email'],
    ['ann@acme.example', 'already_member'],
    ['walt@acme.example', 'pending_approval'],
    ['dora@free.example', 'already_invited'],
    ['eve@lapsed.example', 'domain_not_owned'],
    ['xena@acme.example', 'user_in_other_account'],
    ['barred@acme.example', 'user_not_addable'],
    ['eve@beta.example', 'domain_owned_by_other'],
    ['eve@pending.example', 'domain_pending_ownership', null],
    ['loose@acme.example', 'user_exists', null],
    ['carol@free.example', 'user_exists_other_domain', null],
  ] as const) {
    await no(code, add(email));
    if (ofInvitation) await no(ofInvitation, invite(email));
  }
  later();
  await no('account_on_hold', ofHeld.post(`/accounts/${held.id}/users`, someone('a@held.example')));
  const toHeld = `/accounts/${held.id}/invitations`;
  await no('account_on_hold', ofHeld.post(toHeld, someone('a@free.example')));
  await nothingGiven(scene, all, `${path}/users`, someone('new@acme.example'));
  await nothingGiven(scene, all, `${path}/invitations`, someone('new@free.example'));
  await yes(200, add('new@acme.example', { mode: 'dry-run' }));
  await yes(201, add('new@acme.example'));
  const invited = async (email: string) => {
    await yes(201, invite(email));
    const [{ id }] = (await given.rows<{ id: string }>(
      "select id from invitations where email = $1 and state = 'pending'",
      [email],
    )) as [{ id: string }];
    return { id };
  };
  const guest = await invited('guest@free.example');

  // Who is somebody already is added or invited by their id.
  later();
  const person = (one: { id: string }) => `${path}/users/${one.id}`;
  for (const [who, code, ofInviting = code] of [
    [all.ann, 'already_member'],
    [all.waiting, 'pending_approval'],
    [all.dora, 'already_invited'],
    [all.lapsed, 'domain_not_owned'],
    [all.elsewhere, 'user_in_other_account'],
    [all.barred, 'user_not_addable'],
    [all.betas, 'user_not_found'],
    [all.pending, 'domain_pending_ownership', null],
    [all.carol, 'user_exists_other_domain', null],
  ] as [GivenUser, string, (string | null)?][]) {
    await no(code, aa.post(`${person(who)}/add`));
    if (ofInviting) await no(ofInviting, aa.post(`${person(who)}/invite`));
  }
  const inHeld = `/accounts/${held.id}/users/${all.heldLoose.id}`;
  await no('account_on_hold', ofHeld.post(`${inHeld}/add`));
  await no('account_on_hold', ofHeld.post(`${inHeld}/invite`));
  await nothingGiven(scene, all, `${person(all.loose)}/add`);
  await nothingGiven(scene, all, `${person(all.carol)}/invite`);
  await yes(200, aa.post(`${person(all.loose)}/add`));
  later();
  await yes(204, aa.post(`${person(all.elsewhere)}/request-transfer`));
  await no('already_invited', aa.post(`${person(all.elsewhere)}/request-transfer`));
  await no('user_not_found', aa.post(`${person(all.ann)}/request-transfer`));

  // Invitations are sent again, and taken back.
  const barred = await invited('bad@free.example');
  const lost = await invited('late@later.example');
  const chief = someone('high@free.example', { roles: ['account_administrator'] });
  await yes(201, operator.post(`${path}/invitations`, chief));
  const [{ id: highest, user: highUser }] = (await given.rows(
    `select i.id, u.id as user from invitations i join users u on u.email = i.email
     where i.email = 'high@free.example'`,
  )) as [{ id: string; user: string }];
  const [{ id: heldOne, user: heldUser }] = (await given.rows(
    `with i as (
       insert into invitations (id, account_id, email, email_display, invited_by, sent_at, created_at, expires_at)
       values (gen_random_uuid(), $1::uuid, 'hal@held.example', 'hal@held.example', '{}', now(), now(), now() + interval '7 days')
       returning id, email)
     select i.id, u.id as user from i join users u on u.email = i.email`,
    [held.id],
  )) as [{ id: string; user: string }];
  later(400);
  const again = (id: string) => `${path}/invitations/${id}/resend`;
  const usersOf = async (email: string) =>
    (await given.rows<{ id: string }>('select id from users where email = $1', [email]))[0]!.id;
  const [guestUser, badUser, lateUser] = [
    await usersOf('guest@free.example'),
    await usersOf('bad@free.example'),
    await usersOf('late@later.example'),
  ];
  await given.locked({ id: badUser }, 'operator');
  await domainOf(scene, all.beta, 'later.example', 'owned', 'dns');
  for (const [invitation, userId, code] of [
    [barred.id, badUser, 'user_not_addable'],
    [lost.id, lateUser, 'domain_owned_by_other'],
    [unknown, all.ann.id, 'not_found'],
  ] as const) {
    await no(code, aa.post(again(invitation)));
    await no(code, aa.post(`${person({ id: userId })}/invite/resend`));
  }
  await no('cannot_grant_higher_role', co.post(again(highest)));
  await no('cannot_grant_higher_role', co.post(`${person({ id: highUser })}/invite/resend`));
  const ofHeldAgain = `/accounts/${held.id}/invitations/${heldOne}/resend`;
  await no('account_on_hold', ofHeld.post(ofHeldAgain));
  const ofHal = `/accounts/${held.id}/users/${heldUser}/invite/resend`;
  await no('account_on_hold', ofHeld.post(ofHal));
  await no('user_not_found', aa.post(`${path}/users/nobody/invite/resend`));
  await yes(200, aa.post(again(guest.id)));
  later(400);
  await yes(200, aa.post(`${person({ id: guestUser })}/invite/resend`));
  later(8 * day);
  await tendBelonging(given.foundation);
  await invited('guest@free.example');
  await no('already_invited', aa.post(again(guest.id)));
  const brief = await invited('brief@free.example');
  await yes(204, aa.delete(`${path}/invitations/${brief.id}`));
  await no('invitation_closed', aa.delete(`${path}/invitations/${brief.id}`));
  await no('invitation_closed', aa.post(again(brief.id)));

  // Those who wait.
  const decide = (ids: string[], more = {}, by = aa) =>
    by.post(`${path}/approvals/decide`, { ids, decision: 'approve', ...more });
  await nothingGiven(scene, all, `${path}/approvals/decide`, {
    ids: [request],
    decision: 'approve',
  });
  const bad = await given.user('bea@acme.example');
  const closed = await given.waiting(bad, acme);
  await given.locked(bad, 'operator');
  await no('user_not_addable', decide([closed]));
  await no('not_found', decide([unknown]));
  await yes(200, decide([request]));
  await no('already_decided', decide([request]));
  const ofHeldRequest = await given.waiting(all.heldLoose, held);
  await no(
    'account_on_hold',
    ofHeld.post(`/accounts/${held.id}/approvals/decide`, {
      ids: [ofHeldRequest],
      decision: 'approve',
    }),
  );
}

/** People are changed, locked, removed and restored; roles, groups and contacts. */
export async function beingIn(scene: Scene): Promise<void> {
  const { given, program, no, yes, operator } = scene;
  const all = await acmeOf(scene);
  const { acme, beta, path, aa, co, ann, fay } = all;
  const person = (one: { id: string }) => `${path}/users/${one.id}`;

  await no('invalid_domain', aa.get(`${path}/users?domain=nothing`));
  const guest = await given.user('gil@free.example', { of: acme });
  const change = (who: { id: string }, body: object) => aa.patch(person(who), body);
  for (const [who, body, code] of [
    [ann, { email: 'x' }, 'invalid_email'],
    [ann, { country: 'XX' }, 'invalid_country'],
    [guest, { email: 'gil@acme.example' }, 'domain_not_owned'],
    [ann, { email: 'ann@beta.example' }, 'domain_owned_by_other'],
    [ann, { email: 'ann@pending.example' }, 'domain_pending_ownership'],
    [ann, { email: 'fay@acme.example' }, 'already_member'],
    [ann, { email: 'xena@acme.example' }, 'user_in_other_account'],
  ] as [GivenUser, object, string][])
    await no(code, change(who, body));
  await yes(201, aa.post(`${path}/users/${all.dora.id}/invite`));
  const place = (await yes(201, aa.post(`${path}/users`, someone('zoe@free.example')))).json.user;
  await no('already_invited', change(place, { email: 'zoe@acme.example' }));
  const { secret } = (await yes(201, aa.post(`${path}/scim-tokens`, { name: 'Entra ID' }))).json;
  const pushed = async (kind: string, resource: object): Promise<{ id: string }> => {
    const answer = await program.post(`/scim/v2/${kind}s`, {
      body: JSON.stringify({
        schemas: [`urn:ietf:params:scim:schemas:core:2.0:${kind}`],
        ...resource,
      }),
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/scim+json' },
    });
    return answer.json as { id: string };
  };
  await pushed('User', {
    userName: 'max@acme.example',
    name: { givenName: 'Max', familyName: 'Miller' },
    active: true,
  });
  const [managed] = await given.rows<{ id: string }>(
    "select id from users where email = 'max@acme.example'",
  );
  await no('managed_by_directory', change(managed!, { givenName: 'Maximilian' }));

  await no('not_locked', aa.post(`${person(ann)}/unlock`));
  await no('last_administrator', operator.post(`${person(fay)}/lock`, { note: 'x' }));
  await yes(200, aa.post(`${person(ann)}/lock`, { note: 'Left.' }));
  await given.locked(guest, 'operator');
  await no('lock_not_yours', aa.post(`${person(guest)}/unlock`));
  await yes(200, aa.post(`${person(ann)}/unlock`));
  await no('domain_not_owned', aa.post(`${person(await lost(scene, acme))}/reset-password`));
  await no('invalid_country', aa.post(`${person(ann)}/entitlement`, { country: 'FR' }));

  // Mail that came back.
  const bounced = { email: 'ann@acme.example' };
  await yes(201, operator.post('/mail/bounces', bounced));
  await yes(204, aa.post(`${person(ann)}/allow-mail`));
  await no('not_found', operator.post('/mail/suppressions/allow', bounced));
  for (const path of ['/mail/bounces', '/mail/suppressions/allow'])
    await no('invalid_email', operator.post(path, { email: 'nobody' }));

  // Roles.
  await yes(201, operator.post('/roles', { key: 'draw', name: 'Draw' }));
  await yes(201, operator.post('/roles', { key: 'paint', name: 'Paint', requires: ['draw'] }));
  await no('name_taken', operator.post('/roles', { key: 'draw', name: 'Draw' }));
  await no('role_not_found', operator.post('/roles', { key: 'x', name: 'X', requires: ['y'] }));
  await no('client_not_found', operator.post('/roles', { key: 'x', name: 'X', clientId: 'y' }));
  await no('client_not_found', operator.patch('/roles/draw', { clientId: 'y' }));
  await yes(200, operator.patch('/roles/draw', { name: 'Drawing' }));
  const roles = (as: Caller, who: { id: string }, body: object) =>
    as.post(`${person(who)}/roles`, body);
  const assign = (as: Caller, who: { id: string }, body: object) =>
    as.post(`${path}/roles/assign`, { users: [who.id], ...body });
  for (const give of [roles, assign]) {
    await yes(200, give(aa, ann, { add: ['paint'] }));
    await no('role_required_by_other', give(aa, ann, { remove: ['draw'] }));
    await no('role_not_found', give(aa, ann, { add: ['nothing'] }));
    await no('step_up_required', give(aa, ann, { add: ['account_administrator'] }));
    await no('cannot_grant_higher_role', give(co, ann, { add: ['account_administrator'] }));
    await no('last_administrator', give(operator, fay, { remove: ['account_administrator'] }));
  }
  await no('cannot_act_on_higher_role', assign(co, fay, { add: ['paint'] }));
  await no('user_not_found', assign(aa, { id: unknown }, { add: ['paint'] }));
  await yes(201, operator.post('/roles', { key: 'ink', name: 'Ink' }));
  await no('role_in_use', operator.patch('/roles/draw', { requires: ['ink'] }));
  await no('role_in_use', operator.delete('/roles/draw'));
  await yes(200, roles(aa, ann, { remove: ['paint', 'draw'] }));
  await yes(204, operator.delete('/roles/paint'));

  // Groups.
  const group = (await yes(201, aa.post(`${path}/groups`, { name: 'Design' }))).json;
  const paid = { name: 'Paid', type: 'entitlement', entitlementCountry: 'DE' };
  const other = (await yes(201, aa.post(`${path}/groups`, paid))).json;
  await no('name_taken', aa.post(`${path}/groups`, { name: 'design' }));
  await no(
    'invalid_country',
    aa.post(`${path}/groups`, { ...paid, name: 'Y', entitlementCountry: 'FR' }),
  );
  const of = (one: { id: string }) => `${path}/groups/${one.id}`;
  await no('name_taken', aa.patch(of(other), { name: 'Design' }));
  await no('invalid_country', aa.patch(of(other), { entitlementCountry: 'FR' }));
  await no('user_not_found', aa.post(`${of(group)}/members`, { add: [unknown] }));
  await no('user_not_found', aa.post(`${of(group)}/managers`, { add: [ann.id] }));
  const theirs = await pushed('Group', { displayName: 'Directory' });
  await no('managed_by_directory', aa.patch(of(theirs), { name: 'Z' }));
  await no('managed_by_directory', aa.post(`${of(theirs)}/members`, { add: [ann.id] }));
  await no('managed_by_directory', aa.delete(of(theirs)));
  await yes(204, aa.delete(of(group)));

  const erase = (email: string) => operator.post('/erasures', { email });
  await no('last_administrator', operator.delete(person(fay)));
  await no('last_administrator', erase('fay@acme.example'));

  // Contacts.
  const contacts = `${path}/fulfillment-contacts`;
  const contact = (await yes(201, aa.post(contacts, { userId: fay.id }))).json;
  await no('name_taken', aa.post(contacts, { userId: fay.id }));
  await no('user_not_found', aa.post(contacts, { userId: unknown }));
  await no('invalid_country', aa.post(contacts, { userId: ann.id, country: 'FR' }));
  await no('last_contact', aa.delete(`${contacts}/${contact.id}`));
  const second = (await yes(201, aa.post(contacts, { userId: ann.id }))).json;
  await no('user_is_fulfillment_contact', aa.delete(person(ann)));
  await no('user_is_fulfillment_contact', aa.post(`${person(ann)}/lock`, { note: 'x' }));
  await no('user_is_fulfillment_contact', erase('ann@acme.example'));
  await yes(204, aa.delete(`${contacts}/${second.id}`));
  await given.rows(
    `insert into fulfillment_contacts (id, account_id, user_id, country, created_at)
     select gen_random_uuid(), $1::uuid, $2::uuid, chr(65 + n) || 'A', now()
     from generate_series(0, 9) n`,
    [acme.id, guest.id],
  );
  await no('limit_reached', aa.post(contacts, { userId: ann.id }));

  // Out, and back.
  await yes(204, aa.delete(person(ann)));
  await yes(200, aa.post(`${person(ann)}/restore`));
  const former = async (email: string, roles: string[] = []) => {
    const who = await given.user(email, { of: acme, roles });
    await given.work((work) => unaffiliate(work, who.id, acme.id, 'administrator'));
    return who;
  };
  const back = (who: { id: string }, by = aa) => by.post(`${person(who)}/restore`);
  const bad = await former('bad@acme.example');
  await given.locked(bad, 'operator');
  await no('user_not_addable', back(bad));
  const sold = await former('sam@sold.example');
  await domainOf(scene, beta, 'sold.example', 'owned', 'dns');
  await no('domain_owned_by_other', back(sold));
  await no('domain_not_owned', back(await former('len@lapsed.example')));
  await no('domain_pending_ownership', back(await former('per@pending.example')));
  const asked = await former('ian@free.example');
  await yes(201, aa.post(`${person(asked)}/invite`));
  await no('already_invited', back(asked));
  const chief = await former('cher@acme.example', ['account_administrator']);
  await no('step_up_required', back(chief));
  await no('cannot_grant_higher_role', back(chief, co));

  // Gone for good.
  await no('user_not_found', erase('nobody@acme.example'));
  await no('invalid_email', erase('nobody'));
  await yes(201, erase('loose@acme.example'));
  await yes(204, operator.post(`/erasures/${all.loose.id}/cancel`));
  await no('user_not_found', operator.post('/erasures/nobody/cancel'));
  const asks = (who: { id: string }) =>
    given.rows<{ id: string }>(
      `insert into erasure_requests (id, user_id, account_id, state, requested_by, requested_at)
       values (gen_random_uuid(), $1::uuid, $2::uuid, 'waiting', '{}', now()) returning id`,
      [who.id, acme.id],
    );
  const decide = async (who: { id: string }) =>
    aa.post(`${path}/erasures/${(await asks(who))[0]!.id}/decide`, { decision: 'approve' });
  await no('user_is_fulfillment_contact', decide(guest));
  await given.rows('delete from fulfillment_contacts where account_id = $1::uuid', [acme.id]);
  await no('last_administrator', decide(fay));
  await yes(204, decide(ann));
}

/** A member whose address is of a domain that the account has lost. */
async function lost({ given }: Scene, acme: { id: string }): Promise<GivenUser> {
  return given.user('lea@lapsed.example', { of: acme });
}
