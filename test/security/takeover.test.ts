import { describe, expect, inject } from 'vitest';
import { createApiToken } from '#identity/access/api-token.ts';
import { revokeRole } from '#identity/access/roles.ts';
import { makeSetupLink } from '#identity/federation/setup-link.ts';
import { createConnection } from '#identity/federation/manage.ts';
import { unlockUser } from '#identity/users/lock.ts';
import { revokeAccess } from '#identity/users/revoke.ts';
import { endSession } from '#identity/users/sessions.ts';
import { newId } from '#platform/ids.ts';
import type { Agent, Answer, Form } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import type { TestServer } from '#test/support/server.ts';
import {
  authorizeUrl,
  codeOf,
  refresh,
  signIn,
  tokensFor,
  typePassword,
} from '#test/support/sign-in.ts';
import { untilWaiting } from '#test/support/waiting.ts';
import type { GivenClient, GivenUser } from '#test/support/world.ts';
import { caller } from '../http/admin/support.ts';
import { connected, provider, signInUpstream } from '../http/federation/support.ts';
import { directoryOf, user as scimUser } from '../http/scim/support.ts';
import { choose, forget, linkIn, mailsTo } from '../http/self-service/mailbox.ts';

/** Whoever took a user account over, or is about to: what they keep of it when its owner comes back. */

const chosen = 'another quiet otter swims';
const acmeIdp = provider();

async function open(browser: Agent, path: string, user: GivenUser): Promise<Answer> {
  const page = await browser.follow(await browser.get(path));
  return page.url.pathname.startsWith('/sign-in/') ? typePassword(browser, page, user) : page;
}

function formTo(page: Answer, path: string): Form {
  const form = page.forms.find(({ action }) => new URL(action).pathname === path);
  if (!form) throw new Error(`No form to ${path} on: ${page.words}`);
  return form;
}

/** Asks for another address in the profile. */
async function askFor(browser: Agent, user: GivenUser, email: string): Promise<Answer> {
  const page = await open(browser, '/profile', user);
  return browser.submit(formTo(page, '/profile/email'), { email });
}

/** Follows the link of the newest mail of a kind, and does what its page offers. */
async function followLink(server: TestServer, kind: string, to: RegExp): Promise<Answer> {
  const found = (await mailsTo(server)).find((mail) => mail.kind === kind && to.test(mail.text));
  const browser = server.agent();
  const page = await browser.get(linkIn(found!));
  return page.forms[0] ? browser.submit(page.forms[0]) : page;
}

/** Types the right password, and does not go on yet: to an application that takes a form. */
async function uncollected(thief: Agent, client: GivenClient, user: GivenUser): Promise<URL> {
  const page = await thief.follow(
    await thief.get(authorizeUrl(client, { login_hint: user.email, response_mode: 'form_post' })),
  );
  return (await thief.submit(page.forms[0]!, { password: user.password })).location!;
}

describe('a sign-in that was finished and not collected', () => {
  it('is worth nothing once its person chose another password', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const thief = server.agent();
    const kept = await uncollected(thief, client, ann);
    const owner = server.agent();
    await forget(owner, ann.email);
    const [mail] = await mailsTo(server, ann.email);
    expect((await choose(owner, await owner.get(linkIn(mail!)), chosen)).status).toBe(200);
    const late = await thief.follow(await thief.get(kept));
    expect([late.status, late.location]).toEqual([400, null]);
    expect(await given.rows('select 1 from oidc_sessions where user_id is not null')).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it('nor once they were locked, when that is over', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const thief = server.agent();
    const kept = await uncollected(thief, client, ann);
    await given.locked(ann, 'admin');
    await given.work((work) => unlockUser(work, ann.id, ['admin']));
    expect((await thief.follow(await thief.get(kept))).status).toBe(400);
  });

  it('and is collected once, also by two at the same moment', async ({ given, server }) => {
    const ann = await given.user();
    const thief = server.agent();
    const kept = await uncollected(thief, await given.client(), ann);
    const answers = await Promise.all([1, 2, 3, 4].map(() => thief.get(kept)));
    const codes = answers.filter((one) => one.forms[0]?.fields['code']);
    expect(codes).toHaveLength(1);
    expect(await given.rows('select 1 from oidc_sessions where user_id is not null')).toHaveLength(
      1,
    );
    expect(server.errors).toEqual([]);
  });
});

/** Over the embedded database there is one transaction at a time, and no such moment. */
describe.skipIf(inject('templateUrl') === null)('a stolen session', () => {
  it('gives nothing that outlives it in the moment in which it is ended', async ({
    given,
    server,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const other = await given.client();
    const thief = server.agent();
    const offline = { scope: 'openid offline_access' };
    const tokens = await tokensFor(thief, client, ann, offline);
    let commit = (): void => {};
    const held = new Promise<void>((resolve) => (commit = resolve));
    let ended = (): void => {};
    const begun = new Promise<void>((resolve) => (ended = resolve));
    const putOut = given.work(async (work) => {
      await revokeAccess(work, ann.id);
      ended();
      await held;
    });
    await begun;
    const waiting = [
      thief.get(authorizeUrl(client, { ...offline, prompt: 'none' })),
      thief.get(authorizeUrl(other, { ...offline, prompt: 'none' })),
      refresh(thief, client, tokens.refresh_token!),
    ];
    // All of them have read what was there before, and wait to write.
    await untilWaiting(given, waiting.length);
    commit();
    await putOut;
    const answers = await Promise.all(waiting);
    expect(answers.filter((one) => one.location?.searchParams.has('code'))).toEqual([]);
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    for (const table of ['oidc_sessions', 'oidc_grants', 'oidc_artifacts'])
      expect(await given.rows(`select 1 from ${table} where user_id is not null`)).toEqual([]);
    expect(server.errors).toEqual([]);
  });
});

describe.skipIf(inject('templateUrl') === null)('whoever ends what somebody was given', () => {
  it.for(['a session', 'all of them'] as const)(
    'tells the application too that came to it in that moment: %s',
    async (what, { given, browser }) => {
      const ann = await given.user();
      const metadata = { backchannel_logout_uri: 'https://rp.example/logout' };
      const [first, second] = [await given.client({ metadata }), await given.client({ metadata })];
      codeOf(await signIn(browser, first, ann));
      const [session] = await given.rows<{ uid: string }>('select uid from oidc_sessions');
      const begun = Promise.withResolvers<void>();
      const held = Promise.withResolvers<void>();
      // What a sign-in at the second writes, which the one that ends it waits for.
      const comes = given.work(async (work) => {
        await work.query('select 1 from users where id = $1 for update', [ann.id]);
        await work.query(
          `update oidc_sessions
           set authorizations = authorizations || jsonb_build_object($1::text, '{"sid":"s2"}'::jsonb)`,
          [second.id],
        );
        begun.resolve();
        await held.promise;
      });
      await begun.promise;
      const ends = given.work((work) =>
        what === 'a session' ? endSession(work, session!.uid, 'test') : revokeAccess(work, ann.id),
      );
      await untilWaiting(given, 1);
      held.resolve();
      await Promise.all([comes, ends]);
      const told = await given.rows<{ client: string }>(
        `select payload ->> 'clientId' as client from outbox where kind = 'backchannel_logout'`,
      );
      expect(told.map(({ client }) => client).toSorted()).toEqual([first.id, second.id].toSorted());
    },
  );
});

describe('an address that a thief changed', () => {
  it('is taken back also after they chose a password, and changed it again', async ({
    given,
    server,
  }) => {
    const ann = await given.user('ann@home.example');
    const client = await given.client();
    const thief = server.agent();
    await askFor(thief, ann, 'eve@evil.example');
    await followLink(server, 'email_change', /eve@evil/);
    await forget(thief, 'eve@evil.example');
    const [reset] = await mailsTo(server, 'eve@evil.example');
    await choose(thief, await thief.get(linkIn(reset!)), chosen);
    await askFor(thief, { ...ann, email: 'eve@evil.example', password: chosen }, 'x@evil.example');
    await followLink(server, 'email_change', /x@evil/);

    const mails = await mailsTo(server);
    const links = ['ann@home.example', 'eve@evil.example'].map((to) =>
      linkIn(
        mails.find(({ kind, recipient }) => kind === 'credential_changed' && recipient === to)!,
      ),
    );
    const owner = server.agent();
    await owner.submit((await owner.get(links[0]!)).forms[0]!);
    expect(await given.person(ann)).toMatchObject({
      email: 'ann@home.example',
      locks: [{ reason: 'compromised' }],
    });
    // Neither the link that the thief was sent in between, nor the password, are of use to them.
    expect((await thief.get(links[1]!)).status).toBe(410);
    const known = { email: ann.email, password: chosen };
    expect((await signIn(server.agent(), client, known)).status).toBe(403);

    await forget(owner, ann.email);
    const [mine] = await mailsTo(server, ann.email);
    await choose(owner, await owner.get(linkIn(mine!)), 'seven green bridges');
    const back = { email: ann.email, password: 'seven green bridges' };
    expect(codeOf(await signIn(server.agent(), client, back))).toBeTruthy();
    expect(server.errors).toEqual([]);
  });

  it('hears what is done to it, wherever the thief has mails sent; until it is taken back', async ({
    given,
    server,
  }) => {
    const ann = await given.user('ann@home.example');
    const thief = server.agent();
    const page = await open(thief, '/profile', ann);
    await thief.submit(formTo(page, '/profile/mail'), { mail: 'eve@evil.example' });
    await followLink(server, 'communication_email', /eve@evil|ann@home/);
    const security = await thief.get('/profile/security');
    await thief.submit(formTo(security, '/profile/password'), {
      current: ann.password,
      password: chosen,
      password_again: chosen,
    });
    const data = await thief.get('/profile/data');
    await thief.submit(formTo(data, '/profile/data/delete'), { understood: 'yes' });
    const told = (await mailsTo(server)).slice(0, 2);
    expect(told.map(({ kind, recipient }) => [kind, recipient])).toEqual([
      ['erasure', ann.email],
      ['credential_changed', ann.email],
    ]);
    await followLink(server, 'erasure', /keep-account/);
    expect(await given.person(ann)).toMatchObject({ identity: 'ready', locks: [] });

    const again = server.agent();
    await askFor(again, { ...ann, password: chosen }, 'eve@evil.example');
    await followLink(server, 'email_change', /eve@evil/);
    await followLink(server, 'credential_changed', /email.revert/);
    expect(
      await given.rows('select email, communication_email, communication_proved from users'),
    ).toEqual([{ email: ann.email, communication_email: null, communication_proved: null }]);
  });

  it('is the same one afterwards, whatever letters its domain is written in', async ({
    given,
    server,
  }) => {
    const ann = await given.user('ann@home.example');
    await given.rows(
      `update users set email = 'ann@xn--bcher-kva.example', email_display = 'Ann@Bücher.example'`,
    );
    const browser = server.agent();
    const shown = { ...ann, email: 'Ann@Bücher.example' };
    const security = await open(browser, '/profile/security', shown);
    const changed = await browser.submit(formTo(security, '/profile/password'), {
      current: ann.password,
      password: chosen,
      password_again: chosen,
    });
    expect(changed.status).toBe(303);
    await askFor(browser, { ...shown, password: chosen }, 'eve@evil.example');
    await followLink(server, 'email_change', /eve@evil/);
    await followLink(server, 'credential_changed', /email\/revert/);
    expect(await given.rows('select email, email_display from users')).toEqual([
      { email: 'ann@xn--bcher-kva.example', email_display: 'Ann@Bücher.example' },
    ]);
  });
});

describe('an address of an organization', () => {
  it('is not left by its person where its company signs it in', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    const browser = server.agent();
    await open(browser, '/profile', ann);
    await connected(given, acme, acmeIdp);
    const asked = await askFor(browser, ann, 'ann@gmail.com');
    expect(asked.alerts).toEqual([
      'Your organization manages this address. Ask your administrator to change it.',
    ]);
    expect(await mailsTo(server)).toEqual([]);
  });

  it('nor by a link that was sent before the organization proved its domain', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme');
    const ann = await given.user('ann@acme.example', { of: acme });
    await askFor(server.agent(), ann, 'ann@gmail.com');
    await given.rows(
      `insert into domains (id, account_id, name, state, proof, signup, owned_at, created_at)
       values ($1, $2, 'acme.example', 'owned', 'dns', 'approve', now(), now())`,
      [newId(), acme.id],
    );
    expect((await followLink(server, 'email_change', /ann@gmail/)).status).toBe(410);
    expect((await given.person(ann))!.email).toBe('ann@acme.example');
  });
});

describe('a directory', () => {
  it('takes nobody over whose address is of no domain of its account', async ({
    given,
    server,
    program,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const kim = await given.user('kim@gmail.com', { of: acme });
    const client = await given.client();
    const entra = await directoryOf(given, program, acme);
    const [found] = (await entra.filter('/Users', 'userName eq "kim@gmail.com"')).json.Resources;
    const path = `/Users/${found.id}`;
    const renamed = await entra.patch(path, {
      op: 'replace',
      path: 'userName',
      value: 'kim@acme.example',
    });
    expect([renamed.status, renamed.json.scimType]).toEqual([400, 'invalidValue']);
    await entra.patch(path, { op: 'replace', path: 'password', value: chosen });
    expect(codeOf(await signIn(server.agent(), client, kim))).toBeTruthy();
    expect(await given.events()).not.toContain('password.changed');
    expect(server.errors).toEqual([]);
  });

  it('sets no password that is worse than the account wants', async ({ given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.rows(`update accounts set settings = '{"password": {"minLength": 20}}'`);
    const entra = await directoryOf(given, program, acme);
    const ann = await entra.user('ann@acme.example');
    const weak = { op: 'replace', path: 'password', value: 'seven green otters' };
    expect((await entra.patch(`/Users/${ann.id}`, weak)).status).toBe(400);
    const good = { op: 'replace', path: 'password', value: 'seven green otters swim' };
    expect((await entra.patch(`/Users/${ann.id}`, good)).status).toBe(200);
  });
});

describe('a setup link', () => {
  it('ends with the rights of the administrator who made it', async ({ given, server }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const { url } = await given.work(
      async (work) =>
        makeSetupLink(
          work,
          await createConnection(work, acme.id, { kind: 'saml', name: 'Sign-in' }),
          { contact: 'ida@it.example', days: 7, directory: true },
        ),
      { type: 'user', id: fay.id },
    );
    const ida = server.agent();
    const page = await ida.get(url);
    expect(page.status).toBe(200);
    await given.work((work) => revokeRole(work, fay.id, 'account_administrator', acme.id));
    expect((await ida.get(url)).status).toBe(410);
    for (const form of page.forms) expect((await ida.submit(form)).status).toBe(410);
  });
});

describe('an operator whose address is of a domain of an organization', () => {
  it('is taken over neither by its directory nor by its provider', async ({
    given,
    browser,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const { user: olga } = await given.operator('olga@acme.example');
    const client = await given.client();
    const entra = await directoryOf(given, program, acme);
    for (const more of [{ password: chosen }, { active: false }])
      expect((await entra.post('/Users', scimUser(olga.email, more))).status).toBe(409);
    await connected(given, acme, acmeIdp);
    acmeIdp.person = {
      sub: 'x',
      email: olga.email,
      given_name: 'Olga',
      family_name: 'O',
      country: 'US',
    };
    const turnedBack = await signInUpstream(browser, client, olga.email);
    expect([turnedBack.status, turnedBack.location]).toEqual([403, null]);
    expect(await given.rows('select 1 from federated_links')).toEqual([]);
    expect(await given.rows('select 1 from oidc_sessions where user_id is not null')).toEqual([]);
    expect(await given.person(olga)).toMatchObject({ affiliation: 'none', locks: [] });
    const [password] = await given.rows(
      'select 1 from passwords where user_id = $1 and disabled_at is null',
      [olga.id],
    );
    expect(password).toBeDefined();
    expect(server.errors).toEqual([]);
  });

  it('and somebody who is adopted keeps the password they chose', async ({
    given,
    program,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const una = await given.user('una@acme.example');
    const entra = await directoryOf(given, program, acme);
    await entra.user(una.email, { password: chosen });
    expect(codeOf(await signIn(server.agent(), await given.client(), una))).toBeTruthy();
    expect((await given.person(una))!.affiliation).toBe('member');
  });
});

describe('a person who signs out everywhere else', () => {
  it('is out also where somebody goes on without a session', async ({ given, browser, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const thief = server.agent();
    const offline = { scope: 'openid offline_access' };
    const theirs = await tokensFor(thief, client, ann, offline);
    await askFor(thief, ann, 'eve@evil.example');
    const mine = await tokensFor(browser, client, ann, offline);
    const page = await open(browser, '/profile/security', ann);
    await browser.submit(formTo(page, '/profile/sessions/others'));
    expect((await refresh(thief, client, theirs.refresh_token!)).json.error).toBe('invalid_grant');
    expect((await thief.get('/profile')).status).toBe(303);
    expect((await followLink(server, 'email_change', /eve@evil/)).status).toBe(410);
    expect((await refresh(browser, client, mine.refresh_token!)).status).toBe(200);
    expect((await browser.get('/profile')).status).toBe(200);
  });
});

describe('an API token', () => {
  it('is good while whoever made it may make one, also by way of another', async ({
    given,
    program,
  }) => {
    const acme = await given.account('Acme');
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const secret = await given.work(
      async (work) =>
        (
          await createApiToken(work, {
            name: 'nightly',
            accountId: acme.id,
            role: 'account_administrator',
          })
        ).secret,
      { type: 'user', id: fay.id },
    );
    const first = caller(program, secret);
    const path = `/accounts/${acme.id}/api-tokens`;
    const made = await first.post(path, { name: 'second', role: 'co_administrator' });
    const [second, machine] = [
      caller(program, made.json.secret),
      caller(program, await given.apiToken(acme)),
    ];
    const users = `/accounts/${acme.id}/users`;
    const statuses = () =>
      Promise.all([first, second, machine].map(async (one) => (await one.get(users)).status));
    expect(await statuses()).toEqual([200, 200, 200]);
    await given.locked(fay, 'admin');
    expect(await statuses()).toEqual([401, 401, 200]);
    await given.work((work) => unlockUser(work, fay.id, ['admin']));
    expect(await statuses()).toEqual([200, 200, 200]);
    // Guesses at her password are no reason to stop what runs at night.
    await given.locked(fay, 'too_many_attempts');
    expect(await statuses()).toEqual([200, 200, 200]);
    await given.work((work) => revokeRole(work, fay.id, 'account_administrator', acme.id));
    expect(await statuses()).toEqual([401, 401, 200]);
  });
});
