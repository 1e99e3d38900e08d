import { describe, expect } from 'vitest';
import { expireInvitations } from '#identity/belonging/housekeeping.ts';
import { affiliate } from '#identity/users/affiliate.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import { enrolApp } from '#test/support/factors.ts';
import { it } from '#test/support/it.ts';
import { typePassword } from '#test/support/sign-in.ts';
import type { TestServer } from '#test/support/server.ts';
import { password, type GivenUser, type World } from '#test/support/world.ts';
import { caller, someone } from '../admin/support.ts';

const chosen = 'seven quiet otters swim';

/** Acme, an administrator's token, and the link of the last invitation that was sent. */
async function world(given: World, program: Agent, server: TestServer) {
  const acme = await given.account('Acme', { owns: ['acme.example'] });
  const token = await given.apiToken(acme);
  const admin = caller(program, token);
  const users = `/accounts/${acme.id}/users`;
  return {
    acme,
    admin,
    users,
    invitations: `/accounts/${acme.id}/invitations`,
    async link(): Promise<string> {
      await server.app.delivery.drain();
      const mail = (await given.mails()).filter(({ kind }) => kind === 'invitation').at(-1)!;
      return new URL(/https?:\/\/\S+\/invitations\/\S+/.exec(mail.text)![0]).pathname;
    },
    /** Invites somebody nobody knows, and gives the link. */
    async invited(email: string, more: object = {}): Promise<string> {
      const made = await admin.post(users, someone(email, more));
      expect(made.json).toMatchObject({ outcome: 'invited' });
      return this.link();
    },
    /** Invites a person there is. */
    async asked(user: GivenUser, more: object = {}): Promise<string> {
      const made = await admin.post(`${users}/${user.id}/invite`, more);
      expect(made.status).toBe(201);
      return this.link();
    },
  };
}

async function signedIn(browser: Agent, user: { email: string; password: string }): Promise<void> {
  const page = await browser.follow(await browser.get('/profile'));
  const done = await typePassword(browser, page, user);
  expect(done.url.pathname).toBe('/profile');
}

/** As it is read: what marks up a name leaves no space behind it. */
const words = (page: Answer) => page.words.replace(/ ([.:,])/g, '$1');
const accept = (browser: Agent, page: Answer, typed = {}) =>
  browser.submit(
    page.forms.find(({ action }) => action.endsWith('/accept'))!,
    typed,
  );
const decline = (browser: Agent, page: Answer) =>
  browser.submit(page.forms.find(({ action }) => action.endsWith('/decline'))!);

describe('a person nobody knows is invited', () => {
  it('reads who invites and what changes, chooses a password, and belongs', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const { acme, invited, admin, users, ...rest } = await world(given, program, server);
    const group = await admin.post(`/accounts/${acme.id}/groups`, { name: 'Bridges' });
    const link = await invited.call({ admin, users, acme, invited, ...rest }, 'new@gmail.com', {
      roles: ['co_administrator'],
      ...(group.status === 201 && { groups: ['bridges'] }),
    });
    for (let look = 0; look < 3; look += 1) {
      const page = await server.agent().get(link);
      expect(words(page)).toContain('Acme invites you to join');
      expect(words(page)).toContain(
        'If you accept, you join Acme: its licenses and its administrators apply to you from then on. If you decline, nothing changes.',
      );
    }
    const page = await browser.get(link);
    expect(page.forms[0]!.fields).toMatchObject({
      email: 'new@gmail.com',
      given_name: 'New',
      family_name: 'Person',
    });
    const form = { country: 'DE', password: chosen, password_again: chosen };
    const done = await accept(browser, page, { ...form, family_name: 'Realname' });
    expect(words(done)).toContain('You now belong to Acme.');

    const [user] = (await admin.get(users)).json.items;
    expect(user).toMatchObject({
      email: 'new@gmail.com',
      familyName: 'Realname',
      country: 'DE',
      entitlementCountry: 'DE',
      status: 'active',
      affiliation: 'member',
      roles: ['co_administrator'],
    });
    await signedIn(browser, { email: 'new@gmail.com', password: chosen });
    expect((await server.agent().get(link)).words).toContain('accepted already');
    expect(server.errors).toEqual([]);
  });

  it('and is told what is wrong with what they typed', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const page = await browser.get(await w.invited('new@gmail.com'));
    const refused = await accept(browser, page, {
      given_name: '',
      country: 'US',
      password: 'short',
      password_again: 'short',
    });
    expect(refused.status).toBe(422);
    expect(refused.alerts).toHaveLength(1);
    const again = await accept(browser, page, {
      country: 'US',
      password: 'short',
      password_again: 'short',
    });
    expect(again.alerts[0]).toContain('at least 12');
  });

  it('accepts twice at once, and is one person (D-80)', async ({ given, program, server }) => {
    const w = await world(given, program, server);
    const link = await w.invited('new@gmail.com');
    const browsers = [server.agent(), server.agent(), server.agent()];
    const pages = await Promise.all(browsers.map((one) => one.get(link)));
    const answers = await Promise.all(
      browsers.map((one, index) =>
        accept(one, pages[index]!, { country: 'US', password: chosen, password_again: chosen }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await given.rows('select 1 as one from users')).toHaveLength(1);
    expect(await given.rows('select 1 as one from affiliations')).toHaveLength(1);
  });

  it('declines, and nothing is left of them', async ({ given, program, server, browser }) => {
    const w = await world(given, program, server);
    const page = await browser.get(await w.invited('new@gmail.com'));
    expect((await decline(browser, page)).words).toContain('You declined the invitation');
    expect(await given.rows('select * from users')).toEqual([]);
    expect((await decline(browser, page)).status).toBe(410);
    expect((await accept(browser, page, {})).words).toContain('This invitation was declined');
  });
});

describe('a person there is, is invited', () => {
  it('signs in as themselves and accepts', async ({ given, program, server, browser }) => {
    const w = await world(given, program, server);
    const carol = await given.user('carol@gmail.com');
    const link = await w.asked(carol);

    const page = await browser.get(link);
    expect(page.words).toContain('Sign in to accept');
    const sign = page.forms.find(({ action }) => action.endsWith('/sign-in'))!;
    const signIn = await browser.follow(await browser.submit(sign));
    const back = await typePassword(browser, signIn, carol);
    expect(back.url.pathname).toBe(link);
    expect(words(await accept(browser, back))).toContain('You now belong to Acme.');
    expect(await given.person(carol)).toMatchObject({ account: { id: w.acme.id } });
    // Accepting once more changes nothing, and is no mistake.
    const again = await accept(browser, back);
    expect(again.status).toBe(200);
    expect(words(again)).toContain('You now belong to Acme.');
    expect((await server.agent().get(link)).words).toContain('accepted already');
  });

  it('and the link alone does not accept for them', async ({ given, program, server }) => {
    const w = await world(given, program, server);
    const carol = await given.user('carol@gmail.com');
    const link = await w.asked(carol);
    const thief = server.agent();
    const page = await thief.get(link);
    const { csrf } = page.forms[0]!.fields;
    const tried = await thief.post(`${link}/accept`, {
      form: {
        csrf: csrf!,
        given_name: 'Thief',
        family_name: 'Thief',
        country: 'US',
        password: chosen,
        password_again: chosen,
      },
    });
    expect(tried.location?.pathname).toBe('/oauth/authorize');
    expect((await given.person(carol))?.affiliation).toBe('none');
  });

  it('and forwards the mail: another person is refused in words (D-80)', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const carol = await given.user('carol@gmail.com');
    const eve = await given.user('eve@evil.example');
    const link = await w.asked(carol);
    const page = await browser.get(link);
    await signedIn(browser, eve);
    const shown = await browser.get(link);
    expect(shown.status).toBe(403);
    expect(shown.words).toContain('Only the person who was invited can accept it.');
    const { csrf } = page.forms[0]!.fields;
    for (const answer of [
      await browser.post(`${link}/accept`, { form: { csrf: csrf! } }),
      await decline(browser, page),
    ])
      expect(answer.status).toBe(403);
    expect((await given.person(carol))?.affiliation).toBe('none');
    expect((await given.person(eve))?.affiliation).toBe('none');
    expect((await w.admin.get(w.invitations)).json.items[0]).toMatchObject({ state: 'pending' });
  });

  it('and was removed from an account: proves it by password, and is unlocked', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const beta = await given.account('Beta');
    const carol = await given.user('carol@gmail.com', { of: beta });
    const betaAdmin = caller(program, await given.apiToken(beta));
    await betaAdmin.delete(`/accounts/${beta.id}/users/${carol.id}`);
    const page = await browser.get(await w.asked(carol));
    expect(page.words).toContain('Enter your password');
    const wrong = await accept(browser, page, { password: 'not this one at all' });
    expect(wrong.alerts[0]).toContain("didn't recognize");
    const done = await accept(browser, page, { password });
    expect(words(done)).toContain('You now belong to Acme.');
    expect(await given.person(carol)).toMatchObject({ locks: [], account: { id: w.acme.id } });
    await signedIn(browser, carol);
  });

  it('and was removed, and has a second factor: shows that as well', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const beta = await given.account('Beta');
    const carol = await given.user('carol@gmail.com', { of: beta });
    const hers = server.agent();
    const setUp = await typePassword(
      hers,
      await hers.follow(await hers.get('/profile/factors/app')),
      carol,
    );
    const { app, recoveryCodes } = await enrolApp(hers, setUp, server.clock);
    await caller(program, await given.apiToken(beta)).delete(
      `/accounts/${beta.id}/users/${carol.id}`,
    );
    const page = await browser.get(await w.asked(carol));
    const asked = await accept(browser, page, { password });
    expect(asked.forms[0]!.fields).toHaveProperty('code');
    const wrong = await accept(browser, asked, { password, code: app.wrong() });
    expect(wrong.alerts[0]).toContain('not right');
    expect(await given.person(carol)).toMatchObject({ account: null });
    const done = await accept(browser, wrong, { password, code: recoveryCodes[0]! });
    expect(words(done)).toContain('You now belong to Acme.');
  });

  it('by two accounts: one is accepted, the other is closed', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const beta = await given.account('Beta');
    const betaAdmin = caller(program, await given.apiToken(beta));
    const carol = await given.user('carol@gmail.com');
    const first = await w.asked(carol);
    await betaAdmin.post(`/accounts/${beta.id}/users/${carol.id}/invite`);
    const second = await w.link();
    await signedIn(browser, carol);
    const pages = [await browser.get(first), await browser.get(second)];
    const answers = await Promise.all(pages.map((page) => accept(browser, page)));
    expect(inOrder(answers)).toEqual([200, 410]);
    expect(await given.rows('select state from invitations order by state')).toEqual([
      { state: 'accepted' },
      { state: 'superseded' },
    ]);
    expect(
      await given.rows('select 1 as one from affiliations where ended_at is null'),
    ).toHaveLength(1);
  });

  it('and is a member elsewhere by then: has to leave first, and it stays open', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const beta = await given.account('Beta', { owns: ['carol.example'] });
    const carol = await given.user('carol@gmail.com');
    const link = await w.asked(carol);
    await given.rows(`update users set affiliation = 'member', account_id = $1 where id = $2`, [
      beta.id,
      carol.id,
    ]);
    // Who merely has the link is not told.
    expect((await server.agent().get(link)).words).toContain('Sign in to accept');
    await signedIn(browser, carol);
    const page = await browser.get(link);
    expect(page.status).toBe(409);
    expect(page.words).toContain('You already belong to another organization.');
    expect(await given.rows('select state from invitations')).toEqual([{ state: 'pending' }]);
  });
});

describe('an invitation is no good any more (D-80)', () => {
  it('a second after its end, whether anything swept or not', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const link = await w.invited('new@gmail.com');
    const page = await browser.get(link);
    server.clock.advance(7 * 24 * 3600 + 1);
    const late = await accept(browser, page, {
      country: 'US',
      password: chosen,
      password_again: chosen,
    });
    expect(late.status).toBe(410);
    expect(late.words).toContain('This invitation has run out.');
    expect(await expireInvitations(given.foundation)).toBe(1);
    expect(await given.rows('select * from users')).toEqual([]);
    expect((await browser.get(link)).words).toContain('run out');
  });

  it('when it was taken back', async ({ given, program, server, browser }) => {
    const w = await world(given, program, server);
    const link = await w.invited('new@gmail.com');
    const [{ id }] = (await w.admin.get(w.invitations)).json.items;
    expect((await w.admin.delete(`${w.invitations}/${id}`)).status).toBe(204);
    expect((await w.admin.delete(`${w.invitations}/${id}`)).json).toMatchObject({
      code: 'invitation_closed',
    });
    expect((await browser.get(link)).words).toContain('Acme has taken this invitation back.');
  });

  it('when it was sent again: the new link is good, and five minutes lie between', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const first = await w.invited('new@gmail.com');
    const [{ id }] = (await w.admin.get(w.invitations)).json.items;
    const early = await w.admin.post(`${w.invitations}/${id}/resend`);
    expect(early.json).toMatchObject({ status: 429, code: 'rate_limited' });
    server.clock.advance(5 * 60);
    expect((await w.admin.post(`${w.invitations}/${id}/resend`)).json).toMatchObject({
      sends: 2,
      state: 'pending',
    });
    const second = await w.link();
    expect(second).not.toBe(first);
    expect((await browser.get(first)).status).toBe(404);
    expect((await browser.get(second)).status).toBe(200);
  });

  it('when it ran out, and is begun again by sending it', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    await w.invited('new@gmail.com');
    server.clock.advance(8 * 24 * 3600);
    await expireInvitations(given.foundation);
    const [{ id, state }] = (await w.admin.get(w.invitations)).json.items;
    expect(state).toBe('expired');
    expect((await w.admin.post(`${w.invitations}/${id}/resend`)).json.state).toBe('pending');
    const page = await browser.get(await w.link());
    const done = await accept(browser, page, {
      country: 'US',
      password: chosen,
      password_again: chosen,
    });
    expect(done.status).toBe(200);
  });

  it('when the domain came to belong to somebody else', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const link = await w.invited('new@free.example');
    const page = await browser.get(link);
    await given.account('Gamma', { owns: ['free.example'] });
    const answer = await accept(browser, page, {
      country: 'US',
      password: chosen,
      password_again: chosen,
    });
    expect(answer.status).toBe(409);
    expect(answer.words).toContain('Email domain is owned by a different organization');
    expect(answer.words).not.toContain('Gamma');
    const [{ id }] = (await w.admin.get(w.invitations)).json.items;
    server.clock.advance(600);
    expect((await w.admin.post(`${w.invitations}/${id}/resend`)).json).toMatchObject({
      code: 'domain_owned_by_other',
    });
  });

  it('when whoever invited is no administrator any more', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const link = await w.invited('new@gmail.com', { roles: ['co_administrator'] });
    await given.rows('update api_tokens set revoked_at = now()');
    const page = await browser.get(link);
    expect(page.status).toBe(409);
    expect(page.words).toContain('Whoever sent this invitation may no longer do so.');
    // Another administrator sends it again, in their own name.
    const other = caller(program, await given.apiToken(w.acme, 'co_administrator'));
    const [{ id }] = (await other.get(w.invitations)).json.items;
    server.clock.advance(600);
    expect((await other.post(`${w.invitations}/${id}/resend`)).status).toBe(200);
    expect((await browser.get(await w.link())).status).toBe(200);
  });

  it('when it gives a role that whoever invited may no longer give', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const link = await w.invited('new@gmail.com', { roles: ['co_administrator'] });
    await given.rows(`update invitations set roles = '{account_administrator}'`);
    await given.rows(`update api_tokens set role = 'co_administrator'`);
    expect((await browser.get(link)).status).toBe(409);
    expect(await given.rows('select 1 as one from role_assignments')).toEqual([]);
  });

  it('when only operators make administrators by now; and a role that is no more is left out', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const { acme, admin, invitations, link } = await world(given, program, server);
    const setting = (accountAdminGrant: string) =>
      given.rows(
        `update accounts set settings = jsonb_build_object('accountAdminGrant', $1::text)`,
        [accountAdminGrant],
      );
    await setting('account_admin_and_tokens');
    await given.rows(
      `insert into roles (key, name, description, scope, built_in, created_at)
       values ('download', 'Download', '', 'account', false, now())`,
    );
    const boss = { roles: ['account_administrator', 'download'] };
    expect((await admin.post(invitations, someone('new@gmail.com', boss))).status).toBe(201);
    const page = await browser.get(await link());
    await setting('operator');
    const form = { country: 'DE', password: chosen, password_again: chosen };
    expect((await accept(browser, page, form)).status).toBe(409);
    await setting('account_admin_and_tokens');
    await given.rows(`delete from roles where key = 'download'`);
    expect((await accept(browser, page, form)).status).toBe(200);
    const roles = await given.rows('select role from role_assignments where account_id = $1', [
      acme.id,
    ]);
    expect(roles).toEqual([{ role: 'account_administrator' }]);
    expect(server.errors).toEqual([]);
  });

  it('while the account is on hold, and good again afterwards', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const link = await w.invited('new@gmail.com');
    const page = await browser.get(link);
    await given.hold(w.acme);
    const form = { country: 'US', password: chosen, password_again: chosen };
    expect((await accept(browser, page, form)).words).toContain('cannot take anybody in');
    await given.rows(`update accounts set status = 'active'`);
    expect((await accept(browser, page, form)).status).toBe(200);
  });

  it('when nobody ever sent it', async ({ browser }) => {
    for (const secret of ['x', 'a'.repeat(500), '%00', '..%2f..'])
      expect((await browser.get(`/invitations/${secret}`)).status).toBeGreaterThanOrEqual(400);
    expect((await browser.get('/invitations/nothing')).words).toContain(
      'not that of an open invitation',
    );
  });

  it('when the person joined by another way meanwhile', async ({
    given,
    program,
    server,
    browser,
  }) => {
    const w = await world(given, program, server);
    const beta = await given.account('Beta');
    const carol = await given.user('carol@gmail.com');
    const link = await w.asked(carol);
    await given.work((work) => affiliate(work, carol.id, beta.id, 'test'));
    await signedIn(browser, carol);
    expect((await browser.get(link)).words).toContain('you have joined an organization since');
  });
});

/** How often each status came, whoever was first. */
function inOrder(answers: readonly { status: number }[]): number[] {
  return answers.map(({ status }) => status).sort((one, other) => one - other);
}
