import { describe, expect } from 'vitest';
import { newId } from '#platform/ids.ts';
import { it } from '#test/support/it.ts';
import type { World } from '#test/support/world.ts';
import { acmeAndFay, formTo, open, send } from './support.ts';

describe('adding a user', () => {
  const ann = {
    email: 'ann@acme.example',
    givenName: 'Ann',
    familyName: 'Archer',
    country: 'US',
  };

  it('says what is wrong beside the field, and adds somebody of an own domain at once', async ({
    given,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const form = await open(browser, '/users/add', fay);
    const wrong = await send(browser, form, '/users/add', { ...ann, email: 'ann', country: 'XX' });
    expect(wrong.status).toBe(422);
    expect(wrong.alerts).toEqual(['Enter your e-mail address.', 'Choose a country from the list.']);
    const added = await send(browser, form, '/users/add', ann);
    expect(added.words).toContain('Created and invited.');
    expect(
      await given.rows('select affiliation, account_id from users where email = $1', [ann.email]),
    ).toEqual([{ affiliation: 'member', account_id: acme.id }]);
    const again = await send(browser, form, '/users/add', ann);
    expect(again.status).toBe(409);
    expect(again.alerts.join()).toContain('ann@acme.example is already in your account.');
    expect(again.words).toContain('Show the user');
  });

  it('offers "Add to account" for who belongs nowhere, and unlocks them with it', async ({
    given,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const user = await given.user(ann.email);
    await given.locked(user, 'unaffiliated');
    const form = await open(browser, '/users/add', fay);
    const told = await send(browser, form, '/users/add', { ...ann, role: 'co_administrator' });
    expect(told.alerts.join()).toContain(
      "This user already exists. Click 'Add to account' to add to your account.",
    );
    const href = /href="\/console(\/users\/[^"]+\/add\?[^"]+)"/.exec(told.text)![1]!;
    const confirm = await open(browser, href.replaceAll('&amp;', '&'), fay);
    expect(formTo(confirm, `/users/${user.id}/add`).fields).toMatchObject({
      unlock: 'yes',
      role: 'co_administrator',
    });
    const page = await send(browser, confirm, `/users/${user.id}/add`);
    expect(page.words).toContain('ann@acme.example belongs to your account now.');
    expect(await given.person(user)).toMatchObject({
      account: { id: acme.id },
      locks: [],
      roles: ['co_administrator'],
    });
  });

  it('offers "Invite to Account" for who has an address of nobody', async ({ given, browser }) => {
    const { fay } = await acmeAndFay(given);
    const carol = await given.user('carol@mail.example');
    const form = await open(browser, '/users/add', fay);
    const told = await send(browser, form, '/users/add', { ...ann, email: carol.email });
    expect(told.alerts.join()).toContain("Click 'Invite to Account' to invite user");
    const confirm = await open(browser, `/users/${carol.id}/invite?email=${carol.email}`, fay);
    const list = await send(browser, confirm, `/users/${carol.id}/invite`);
    expect(list.words).toContain('carol@mail.example was invited.');
    expect((await given.person(carol))!.affiliation).toBe('none');
    const twice = await send(browser, form, '/users/add', { ...ann, email: carol.email });
    expect(twice.alerts.join()).toMatch(/carol@mail\.example was invited on .*\./);
  });

  it('names no other account where somebody belongs to one, and asks to come over', async ({
    given,
    browser,
  }) => {
    const { fay } = await acmeAndFay(given);
    const beta = await given.account('Secretive Beta');
    const bob = await given.user('bob@acme.example', { of: beta });
    const form = await open(browser, '/users/add', fay);
    const told = await send(browser, form, '/users/add', { ...ann, email: bob.email });
    expect(told.alerts.join()).toContain('This user already belongs to another account');
    expect(told.text).not.toContain('Secretive');
    const confirm = await open(browser, `/users/${bob.id}/transfer?email=${bob.email}`, fay);
    expect((await send(browser, confirm, `/users/${bob.id}/transfer`)).words).toContain(
      'bob@acme.example was asked.',
    );
    expect((await given.person(bob))!.account!.id).toBe(beta.id);
  });
});

describe('approvals', () => {
  it('are decided for as many as are chosen, each answered for itself', async ({
    given,
    browser,
    server,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const cora = await given.user('cora@acme.example', { of: acme, roles: ['co_administrator'] });
    const people = [];
    for (const name of ['ann', 'bob', 'eve']) {
      const user = await given.user(`${name}@acme.example`, { password: null });
      people.push({ user, request: await given.waiting(user, acme) });
    }
    const [ann, bob, eve] = people as [(typeof people)[0], (typeof people)[0], (typeof people)[0]];
    const queue = await open(browser, '/approvals', cora);
    expect(queue.text).toMatch(/Approvals\s*<span class="count">3<\/span>/);
    const confirm = await open(
      browser,
      `/approvals/approve?ids=${ann.request}&ids=${bob.request}`,
      cora,
    );
    expect(confirm.words).toContain('For 2 people');
    const form = formTo(confirm, '/approvals/approve');
    const fields = new URLSearchParams({ ...form.fields, ids: ann.request });
    fields.append('ids', bob.request);
    const done = await browser.follow(await browser.post(form.action, { form: fields }));
    expect(done.words).toContain('2 people were approved.');

    const reject = await open(browser, `/approvals/reject?ids=${eve.request}`, cora);
    // Somebody else is quicker.
    const other = server.agent();
    await send(
      other,
      await open(other, `/approvals/reject?ids=${eve.request}`, fay),
      '/approvals/reject',
      {
        message: 'Use your own company address.',
      },
    );
    const late = await send(browser, reject, '/approvals/reject');
    expect(late.status).toBe(409);
    expect(late.alerts.join()).toContain('This was decided already. By fay Archer');
    expect(await given.person(eve.user)).toMatchObject({ affiliation: 'none', locks: [] });
    expect(await given.person(ann.user)).toMatchObject({ account: { id: acme.id } });
  });
});

describe('invitations', () => {
  it('are sent, sent again and revoked', async ({ given, browser, server }) => {
    const { fay } = await acmeAndFay(given);
    const form = await open(browser, '/invitations/new', fay);
    const list = await send(browser, form, '/invitations/new', {
      email: 'gita@partner.example',
      givenName: 'Gita',
      familyName: 'Rao',
      country: 'DE',
    });
    expect(list.words).toContain('gita@partner.example');
    expect(list.words).toContain('Open');
    const again = list.forms.find(({ action }) => action.endsWith('/resend'))!;
    const soon = await browser.submit(again);
    expect(soon.status).toBe(429);
    expect(soon.alerts).toEqual(['Too many requests. Try again later.']);
    server.clock.advance(6 * 60);
    const sent = await browser.follow(await browser.submit(again));
    expect(sent.words).toContain('The invitation to gita@partner.example was sent again.');
    const path = new URL(again.action).pathname
      .replace('/console', '')
      .replace('/resend', '/revoke');
    expect((await send(browser, await open(browser, path, fay), path)).words).toContain(
      'The invitation was revoked.',
    );
    expect((await open(browser, '/invitations?state=revoked', fay)).words).toContain('Gita Rao');
    expect((await open(browser, '/invitations?state=pending', fay)).words).toContain(
      'Nobody fits this.',
    );
  });
});

describe('groups', () => {
  it('are made, filled, given a manager, and removed', async ({ given, browser }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    const form = await open(browser, '/groups/new', fay);
    expect((await send(browser, form, '/groups/new')).alerts).toEqual(['Give the group a name.']);
    const wrong = await send(browser, form, '/groups/new', {
      name: 'Licences',
      type: 'entitlement',
    });
    expect(wrong.alerts).toEqual(['Choose one of the countries of the account.']);
    const group = await send(browser, form, '/groups/new', { name: 'Bridges' });
    const path = group.url.pathname.replace('/console', '');
    const found = await open(browser, `${path}?q=ann`, fay);
    const inside = await browser.follow(
      await browser.submit(formTo(found, `${path}/members`, { add: ann.id })),
    );
    expect(inside.words).toContain('Added to the group.');
    const managed = await browser.follow(
      await browser.submit(formTo(inside, `${path}/managers`, { add: ann.id })),
    );
    expect(managed.words).toContain('This person looks after the group now.');
    const gone = await send(browser, await open(browser, `${path}/remove`, fay), `${path}/remove`);
    expect(gone.words).toContain('The group was removed.');
    expect((await given.person(ann))!.groups).toEqual([]);
  });

  it('are all that a group manager sees, and only their own', async ({ given, browser }) => {
    const { acme } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    const bob = await given.user('bob@acme.example', { of: acme });
    const [own, other] = [await group(given, acme, 'Bridges'), await group(given, acme, 'Tunnels')];
    await given.rows(
      'insert into group_members (group_id, user_id, added_at) values ($1, $2, now())',
      [own, ann.id],
    );
    await given.rows(
      `insert into role_assignments (id, user_id, role, account_id, group_id, granted_by, granted_at)
       values (gen_random_uuid(), $1, 'group_manager', $2, $3, '{}', now())`,
      [ann.id, acme.id, own],
    );
    const list = await open(browser, '/groups', ann);
    expect(list.words).toContain('Bridges');
    expect(list.words).not.toContain('Tunnels');
    expect(list.text).not.toContain('href="/console/users"');
    expect((await open(browser, `/groups/${other}`, ann)).status).toBe(404);
    expect((await open(browser, '/users', ann)).status).toBe(403);
    const page = await open(browser, `/groups/${own}`, ann);
    const path = `/groups/${own}/members`;
    expect((await send(browser, page, path, { email: 'nobody@acme.example' })).alerts).toEqual([
      'Nobody of your account has this address.',
    ]);
    const added = await send(browser, page, path, { email: bob.email });
    expect(added.words).toContain('bob@acme.example');
    // Who they are, and nothing else about them.
    expect(added.words).not.toContain('United States');
    expect((await given.person(bob))!.groups).toMatchObject([{ name: 'Bridges' }]);
    const account = await open(browser, '/account', ann);
    expect(account.words).toContain('fay@acme.example');
    expect(account.words).not.toContain('Entitlement countries');
  });
});

describe('fulfillment contacts', () => {
  it('look after themselves, by three letters or more, and the last one stays', async ({
    given,
    browser,
  }) => {
    const { acme } = await acmeAndFay(given);
    const frank = await given.user('frank@acme.example', { of: acme });
    const ann = await given.user('ann@acme.example', { of: acme });
    const id = newId();
    await given.rows(
      `insert into fulfillment_contacts (id, account_id, user_id, created_at) values ($1, $2, $3, now())`,
      [id, acme.id, frank.id],
    );
    expect((await open(browser, '/contacts?q=an', frank)).alerts).toEqual([
      'Enter three letters or more.',
    ]);
    const found = await open(browser, '/contacts?q=ann', frank);
    const added = await browser.follow(
      await browser.submit(formTo(found, '/contacts', { user: ann.id }), { country: 'DE' }),
    );
    expect(added.words).toContain('Germany');
    const last = await open(browser, `/contacts/${id}/remove`, frank);
    const refused = await send(browser, last, `/contacts/${id}/remove`);
    expect(refused.alerts).toEqual(['This is the last fulfillment contact of the account.']);
    expect((await open(browser, '/users', frank)).status).toBe(403);
  });
});

describe('roles', () => {
  it('are seen by administrators with who has them, and made by operators', async ({
    given,
    browser,
    server,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const list = await open(browser, '/roles', fay);
    expect(list.words).toContain('Account Administrator');
    expect(list.text).toContain('/console/users?role=account_administrator');
    expect((await open(browser, '/roles/new', fay)).status).toBe(403);

    const operator = server.agent();
    const olga = await given.user('olga@ostiary.example', { roles: ['operator'] });
    const accounts = await open(operator, '/accounts', olga);
    await operator.submit(formTo(accounts, '/acting', { account: acme.id }));
    const form = await open(operator, '/roles/new', olga);
    expect(
      (await send(operator, form, '/roles/new', { key: 'No Key', name: 'x' })).alerts,
    ).toHaveLength(1);
    const made = await send(operator, form, '/roles/new', { key: 'download', name: 'Download' });
    expect(made.words).toContain('Download');
    const twice = await send(operator, form, '/roles/new', { key: 'download', name: 'Download' });
    expect(twice.alerts).toEqual(['There is one of this name or kind already.']);
    const gone = await send(
      operator,
      await open(operator, '/roles/download/remove', olga),
      '/roles/download/remove',
    );
    expect(gone.words).toContain('The role was removed.');
  });
});

describe('the account', () => {
  it('stays readable on hold: people are looked at, locked and removed, not unlocked', async ({
    given,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    await given.locked(ann, 'admin');
    await given.hold(acme);
    const held = await open(browser, '/users', fay);
    expect(held.text).toContain('account is on hold');
    const unlock = await open(browser, `/users/do/unlock?ids=${ann.id}`, fay);
    expect(unlock.words).toContain('This is not possible now:');
    const removed = await send(
      browser,
      await open(browser, `/users/do/remove?ids=${ann.id}`, fay),
      '/users/do/remove',
    );
    expect(removed.words).toContain('One person was removed.');
  });
});

describe('deletion requests', () => {
  it('are decided by the administrators of the domain', async ({ given, browser, server }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    const own = server.agent();
    const profile = await open(own, '/../profile/data', ann);
    const form = profile.forms.find(({ action }) => action.endsWith('/profile/data/delete'))!;
    await own.submit(form, { understood: 'yes' });

    const list = await open(browser, '/erasures', fay);
    const path = /href="\/console(\/erasures\/[^"]+\/approve)"/.exec(list.text)![1]!;
    const done = await send(browser, await open(browser, path, fay), path);
    expect(done.words).toContain('The deletion has begun.');
    expect((await given.person(ann))!.identity).toBe('erasing');
    expect((await open(browser, path, fay)).status).toBe(404);
  });
});

async function group(given: World, acme: { id: string }, name: string): Promise<string> {
  const id = newId();
  await given.rows(
    `insert into groups (id, account_id, name, description, type, created_at, updated_at)
     values ($1, $2, $3, '', 'standard', now(), now())`,
    [id, acme.id, name],
  );
  return id;
}
