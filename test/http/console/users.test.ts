import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { refresh, tokensFor, typePassword } from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';
import { packIds, unpackIds } from '#http/console/selection.ts';
import { acmeAndFay, formTo, open, send, statementsOf } from './support.ts';

describe('the list of users', () => {
  it('shows who is locked and why, with whom and when, at the padlock', async ({
    given,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    await open(browser, '/users', fay);
    const confirm = await open(browser, `/users/do/lock?ids=${ann.id}`, fay);
    expect(confirm.words).toContain('They are signed out everywhere at once');
    expect((await send(browser, confirm, '/users/do/lock')).alerts).toContain(
      'Say why, so that others know.',
    );
    const list = await send(browser, confirm, '/users/do/lock', { note: 'Left on Friday' });
    expect(list.url.pathname).toBe('/console/users');
    expect(list.words).toContain('One person is locked.');
    expect(list.words).toMatch(/Locked by fay@acme\.example on .* : Left on Friday/);
    expect(list.text).toMatch(/<button type="button" class="lock" aria-describedby="why-/);

    const again = await send(browser, list, '/users/do/unlock');
    expect(again.words).toContain('One person is unlocked.');
    expect((await given.person(ann))!.locks).toEqual([]);
  });

  it('is narrowed and sorted, and every choice stands in the address', async ({
    given,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme, familyName: 'Zimmer' });
    await given.user('bob@acme.example', { of: acme, familyName: 'Abel' });
    await given.locked(ann, 'inactive');
    const names = async (query: string): Promise<string[]> => {
      const page = await open(browser, `/users${query}`, fay);
      return [...page.text.matchAll(/<bdi>(ann|bob|fay) /g)].map(([, name]) => name!);
    };
    expect(await names('')).toEqual(['bob', 'fay', 'ann']);
    expect(await names('?order=-name')).toEqual(['ann', 'fay', 'bob']);
    expect(await names('?q=zim')).toEqual(['ann']);
    expect(await names('?status=locked')).toEqual(['ann']);
    expect(await names('?lock=inactive')).toEqual(['ann']);
    expect(await names('?lock=admin')).toEqual([]);
    expect(await names('?role=account_administrator')).toEqual(['fay']);
    expect(await names('?status=nonsense&lock=x&group=y&domain=..&since=z')).toHaveLength(3);
    expect((await open(browser, '/users?q=nobody', fay)).words).toContain('Nobody fits this.');
    expect(
      await names('?since=0000-01-01&cursor=forged&sel=%F0%9F%92%A9&column=x&columns=chosen'),
    ).toHaveLength(3);
    expect((await open(browser, '/users?q=a%00b', fay)).status).toBe(400);
    const groups = `/users/do/groups?ids=${ann.id}`;
    const nowhere = await send(browser, await open(browser, groups, fay), '/users/do/groups', {
      into: 'no-id',
    });
    expect(nowhere.status).toBe(422);
  });

  it('keeps who was chosen on one page while another is looked at', async ({ given, browser }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ids = await given.rows<{ id: string }>(
      `insert into users (id, email, email_display, given_name, family_name, identity, affiliation,
         account_id, created_at, updated_at)
       select gen_random_uuid(), 'p' || n || '@mail.example', 'p' || n || '@mail.example', 'P0',
         lpad(n::text, 3, '0'), 'ready', 'member', $1, now(), now() from generate_series(1, 70) n
       returning id`,
      [acme.id],
    );
    const one = await open(browser, '/users', fay);
    const cursor = /name="cursor" value="([^"]+)"/.exec(one.text)![1]!;
    const picked = unpackIds(packIds(ids.map(({ id }) => id)))[0]!;
    const two = await open(
      browser,
      `/users?${new URLSearchParams({ ids: picked, cursor, sort: 'name' })}`,
      fay,
    );
    expect(two.words).toContain('Chosen: 1');
    expect(
      unpackIds(two.forms[1]?.fields['sel'] ?? /name="sel" value="([^"]+)"/.exec(two.text)![1]!),
    ).toEqual([picked]);

    const all = await open(browser, '/users?all=matching&q=p0', fay);
    expect(all.words).toContain('Chosen: 70');
    const go = await browser.get(`/console/users/selected?do=reset&ids=${picked}`);
    expect(go.location!.pathname).toBe('/console/users/do/reset');
    const none = await browser.follow(await browser.get('/console/users/selected?do=reset'));
    expect(none.words).toContain('Choose at least one person first.');
  });

  it('answers in few statements, one of them the list', async ({ given, browser, server }) => {
    const { acme, fay } = await acmeAndFay(given);
    await given.user('ann@acme.example', { of: acme });
    await open(browser, '/users', fay);
    const { texts } = await statementsOf(server, browser, '/console/users?q=an&status=active');
    expect(texts.filter((text) => text.includes('row_number() over'))).toHaveLength(1);
    expect(texts.length).toBeLessThan(6);
  });

  it('says beforehand who cannot be locked, and does the others', async ({ given, browser }) => {
    const { acme, fay } = await acmeAndFay(given);
    const cora = await given.user('cora@acme.example', { of: acme, roles: ['co_administrator'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    const page = await open(browser, `/users/do/lock?ids=${fay.id}&ids=${ann.id}`, cora);
    expect(page.words).toContain('Not possible for one person:');
    expect(page.words).toContain('You cannot act on a user with a higher role than your own.');
    expect((await given.person(ann))!.locks).toEqual([]);

    const done = await send(browser, page, '/users/do/lock', { note: 'why' });
    expect(done.status).toBe(409);
    expect(done.words).toContain('One person is locked.');
    expect(done.alerts.join()).toContain('You cannot act on a user with a higher role');
    expect((await given.person(ann))!.locks).toHaveLength(1);
    expect((await given.person(fay))!.locks).toHaveLength(0);
  });

  it('removes people, says what they lose, and takes it back', async ({
    given,
    browser,
    program,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme, roles: ['co_administrator'] });
    const page = await open(browser, `/users/do/remove?ids=${ann.id}&from=user`, fay);
    expect(page.words).toContain('roles, groups, entitlement');
    const list = await send(browser, page, '/users/do/remove');
    expect(list.words).toContain('One person was removed.');
    expect((await given.person(ann))!.account).toBeNull();

    const removed = await open(browser, '/users/removed', fay);
    expect(removed.words).toContain('ann@acme.example');
    expect(removed.words).toContain('fay@acme.example');
    // A program is told the same.
    const told = await program.get(`/api/v1/accounts/${acme.id}/removed-users`, {
      headers: { authorization: `Bearer ${await given.apiToken(acme)}` },
    });
    expect(told.json.items).toEqual([
      {
        id: ann.id,
        email: ann.email,
        givenName: 'ann',
        familyName: 'Archer',
        removedAt: expect.any(String),
        removedBy: fay.email,
      },
    ]);
    const back = await send(browser, list, '/users/do/restore');
    expect(back.words).toContain('One person is back.');
    expect(await given.person(ann)).toMatchObject({
      account: { id: acme.id },
      roles: ['co_administrator'],
      locks: [],
    });
  });

  it('removes more than ten at once only for who has just signed in', async ({
    given,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const people = [];
    for (let n = 0; n < 11; n += 1)
      people.push(await given.user(`p${n}@acme.example`, { of: acme, password: null }));
    const path = `/users/do/remove?sel=${packIds(people.map(({ id }) => id))}`;
    expect((await open(browser, path, fay)).words).toContain('For 11 people');
    await signedInLongAgo(given);
    const asked = await browser.get(`/console${path}`);
    expect(asked.location!.pathname).toBe('/oauth/authorize');
    expect((await open(browser, path, fay)).words).toContain('For 11 people');
  });

  it('gives and takes roles; an Account Administrator is made by who signs in anew', async ({
    given,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    const path = `/users/do/roles?ids=${ann.id}`;
    const page = await open(browser, path, fay);
    expect((await send(browser, page, '/users/do/roles')).alerts.join()).toContain(
      'Choose a role to give or to take away.',
    );
    await send(browser, page, '/users/do/roles', { give: 'co_administrator' });
    expect((await given.person(ann))!.roles).toEqual(['co_administrator']);

    await signedInLongAgo(given);
    const stale = await open(browser, path, fay);
    const asked = await browser.submit(formTo(stale, '/users/do/roles'), {
      give: 'account_administrator',
    });
    expect(asked.location!.pathname).toBe('/oauth/authorize');
    const back = await typePassword(browser, await browser.follow(asked), fay);
    expect(back.url.pathname).toBe('/console/users/do/roles');
    expect(back.words).toContain('Nothing of it is lost');
    await send(browser, back, '/users/do/roles');
    expect((await given.person(ann))!.roles).toContain('account_administrator');
  });

  it('puts somebody out of what they opened', async ({ given, browser, server }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    const client = await given.client();
    const tokens = await tokensFor(server.agent(), client, ann, {
      scope: 'openid offline_access',
      prompt: 'consent',
    });
    const page = await open(browser, `/users/${ann.id}`, fay);
    expect(page.words).toContain('Signed in on');
    const session = page.forms.find(({ fields }) => 'session' in fields)!;
    const after = await browser.follow(await browser.submit(session));
    expect(after.words).toContain('The session was ended.');
    expect(after.words).toContain('Not signed in anywhere.');

    await send(
      browser,
      await open(browser, `/users/do/sessions?ids=${ann.id}`, fay),
      '/users/do/sessions',
    );
    expect((await refresh(server.agent(), client, tokens.refresh_token!)).status).toBe(400);
  });
});

describe('the page of a user', () => {
  it('tells everything there is, and who can lift a lock', async ({ given, browser }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    await given.locked(ann, 'directory');
    await given.locked(ann, 'admin', 'Asked for it');
    const page = await open(browser, `/users/${ann.id}`, fay);
    expect(page.words).toContain('Disabled by the directory');
    expect(page.words).toContain('Ends when the directory enables the person again.');
    expect(page.words).toContain('You can unlock this.');
    expect(page.words).toContain('Member since');
    expect(page.words).toContain('Joined the account');
    const done = await send(
      browser,
      await open(browser, `/users/do/unlock?ids=${ann.id}&from=user`, fay),
      '/users/do/unlock',
    );
    expect(done.url.pathname).toBe(`/console/users/${ann.id}`);
    expect((await given.person(ann))!.locks.map(({ reason }) => reason)).toEqual(['directory']);
  });

  it('corrects what stands about somebody, unless it comes from elsewhere', async ({
    given,
    browser,
  }) => {
    const { acme, fay } = await acmeAndFay(given);
    const ann = await given.user('ann@acme.example', { of: acme });
    const path = `/users/${ann.id}/change`;
    const form = await open(browser, path, fay);
    const wrong = await send(browser, form, path, { givenName: '', email: 'no' });
    expect(wrong.alerts).toHaveLength(2);
    const foreign = await send(browser, form, path, { email: 'ann@mail.example' });
    expect(foreign.status).toBe(409);
    const page = await send(browser, form, path, {
      familyName: 'Baker',
      email: 'anna@acme.example',
      country: 'DE',
    });
    expect(page.words).toContain('ann Baker');
    expect(page.words).toContain('anna@acme.example by an administrator');
    expect(await given.person(ann)).toMatchObject({ familyName: 'Baker', country: 'DE' });
  });

  it('is not there for people of others', async ({ given, browser }) => {
    const { fay } = await acmeAndFay(given);
    const beta = await given.account('Beta');
    const bob = await given.user('bob@beta.example', { of: beta });
    expect((await open(browser, `/users/${bob.id}`, fay)).status).toBe(404);
    expect((await open(browser, '/users/nonsense', fay)).status).toBe(404);
    const chosen = await open(browser, `/users/do/lock?ids=${bob.id}`, fay);
    expect(chosen.words).toContain('Choose at least one person first.');
  });
});

/** Everybody who is signed in did so more than 15 minutes ago. */
async function signedInLongAgo(given: World): Promise<void> {
  await given.rows(
    `update oidc_sessions set payload =
       jsonb_set(payload, '{loginTs}', to_jsonb((payload ->> 'loginTs')::int - 1000))`,
  );
}
