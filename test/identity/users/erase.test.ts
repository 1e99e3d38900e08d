import { describe, expect } from 'vitest';
import { createGroup } from '#identity/groups/groups.ts';
import { changeMembers } from '#identity/groups/membership.ts';
import { Refusal } from '#identity/refusal.ts';
import {
  cancelErasure,
  cancelErasureByLink,
  decideErasure,
  emailMark,
  eraseDue,
  managerOf,
  openErasures,
  requestErasure,
} from '#identity/users/erase.ts';
import { unaffiliate } from '#identity/users/affiliate.ts';
import { exportPerson } from '#identity/users/export.ts';
import { unlockUser } from '#identity/users/lock.ts';
import { unitOfWork } from '#identity/work.ts';
import { it } from '#test/support/it.ts';
import { codeOf, refresh, signIn, tokensFor, typePassword } from '#test/support/sign-in.ts';
import type { TestServer } from '#test/support/server.ts';
import type { GivenUser, World } from '#test/support/world.ts';
import { mailsTo } from '../../http/self-service/mailbox.ts';

const marks = Buffer.alloc(32, 3);
const days = 86_400;

const operator = { type: 'command_line', id: 'otto' } as const;

/** The person asks for it themselves. */
async function asks(given: World, user: GivenUser) {
  const person = (await given.person(user))!;
  const actor = { type: 'user', id: user.id } as const;
  return unitOfWork(given.foundation, { actor }, (work) => requestErasure(work, person));
}

async function erased(server: TestServer, user: GivenUser): Promise<void> {
  await asks(server.given, user);
  server.clock.advance(31 * days);
  await server.app.delivery.drain();
  await eraseDue(server.given.foundation, marks);
}

/** The tables in which a text stands somewhere. */
async function whereIs(given: World, text: string): Promise<string[]> {
  const tables = await given.rows<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await given.rows(`select 1 from ${name} t where t::text ilike $1 limit 1`, [
      `%${text}%`,
    ]);
    if (rows.length > 0) found.push(name);
  }
  return found;
}

describe('a person who asks to be deleted', () => {
  it('is locked at once, put out everywhere, and told until when they may change their mind', async ({
    server,
    given,
    browser,
    program,
  }) => {
    const ann = await given.user('ann@nowhere.example');
    const client = await given.client();
    const tokens = await tokensFor(browser, client, ann, {
      scope: 'openid offline_access',
      prompt: 'consent',
    });
    expect(await asks(given, ann)).toBe('erasing');
    expect(await given.person(ann)).toMatchObject({
      identity: 'erasing',
      locks: [{ reason: 'erasing' }],
    });
    expect((await refresh(program, client, tokens.refresh_token!)).json.error).toBe(
      'invalid_grant',
    );
    await server.app.delivery.drain();
    const [mail] = (await given.mails()).filter(({ kind }) => kind === 'erasure');
    expect(mail).toMatchObject({ recipient: 'ann@nowhere.example' });
    expect(mail!.text).toMatch(/\/keep-account\?token=\S+/);
  });

  it('keeps everything when they change their mind in time, and the link works once', async ({
    server,
    given,
    browser,
  }) => {
    const ann = await given.user('ann@nowhere.example');
    const client = await given.client();
    await asks(given, ann);
    await server.app.delivery.drain();
    const [mail] = await given.mails();
    const secret = /token=([\w-]+)/.exec(mail!.text)![1]!;
    server.clock.advance(29 * days);
    await cancelErasureByLink(given.foundation, secret, {});
    await expect(cancelErasureByLink(given.foundation, secret, {})).rejects.toBeInstanceOf(Refusal);
    server.clock.advance(5 * days);
    await eraseDue(given.foundation, marks);
    expect(await given.person(ann)).toMatchObject({ identity: 'ready', locks: [] });
    expect((await signIn(browser, client, ann)).location).not.toBeNull();
  });

  it('is told at the sign-in until when, and takes it back there', async ({
    server,
    given,
    browser,
  }) => {
    const ann = await given.user('ann@nowhere.example');
    const client = await given.client();
    await asks(given, ann);
    server.clock.advance(2 * days);
    const wrong = await signIn(browser, client, { ...ann, password: 'not the right one' });
    expect(wrong.text).not.toContain('keep-account');

    const stopped = await signIn(browser, client, ann);
    expect(stopped.status).toBe(403);
    const due = new Date(server.clock().getTime() + 28 * days * 1000);
    const date = due.toLocaleDateString('en', { dateStyle: 'long', timeZone: 'UTC' });
    expect(stopped.words).toContain(`This account is being deleted on ${date}.`);
    const keep = stopped.forms.find(({ action }) => action.endsWith('/keep-account'))!;
    const page = await browser.follow(await browser.submit(keep, {}));
    expect(codeOf(await typePassword(browser, page, ann))).toBeTruthy();
    expect((await browser.submit(keep, {})).status).toBe(410);

    // Whoever looks at the page for too long asks again.
    await asks(given, ann);
    const late = await signIn(server.agent(), client, ann);
    server.clock.advance(16 * 60);
    const form = late.forms.find(({ action }) => action.endsWith('/keep-account'))!;
    expect((await browser.submit(form, {})).status).toBeGreaterThanOrEqual(400);
    expect((await given.person(ann))!.identity).toBe('erasing');
  });

  it('whose organization owns the domain has its administrators decide', async ({
    server,
    given,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    const { database } = given.foundation;
    expect(await managerOf(database, (await given.person(ann))!)).toBe('Acme');
    expect(await asks(given, ann)).toBe('requested');
    expect(await given.person(ann)).toMatchObject({ identity: 'ready', locks: [] });
    await server.app.delivery.drain();
    expect((await given.mails()).map(({ kind, recipient }) => [kind, recipient])).toEqual([
      ['erasure_request', 'fay@acme.example'],
    ]);

    const [request] = await openErasures(database, acme.id);
    await given.work((work) => decideErasure(work, acme.id, request!.id, 'refuse', 'Still here.'));
    expect(await openErasures(database, acme.id)).toEqual([]);
    await asks(given, ann);
    const [again] = await openErasures(database, acme.id);
    await given.work((work) => decideErasure(work, acme.id, again!.id, 'approve'));
    expect((await given.person(ann))!.identity).toBe('erasing');
    const letters = await mailsTo(server, ann.email);
    expect(letters.map(({ text }) => text.split('\n')[2])).toEqual([
      expect.stringContaining('You asked us to delete your user account. It is locked now'),
      expect.stringContaining('An administrator of Acme did not agree to the deletion.'),
    ]);
  });

  it('and whose organization let them go meanwhile, is no longer kept waiting by it', async ({
    server,
    given,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    const { database } = given.foundation;
    const [ann, bob] = [
      await given.user('ann@acme.example', { of: acme }),
      await given.user('bob@acme.example', { of: acme }),
    ];
    expect(await asks(given, ann)).toBe('requested');
    expect(await asks(given, ann)).toBe('requested');
    await given.work((work) => unaffiliate(work, ann.id, acme.id, 'administrator'));
    await given.work((work) => unlockUser(work, ann.id, ['unaffiliated']));
    expect(await asks(given, ann)).toBe('erasing');
    expect(await openErasures(database, acme.id)).toEqual([]);
    // An operator does not wait for the administrators, and the person is not told that they asked.
    expect(await asks(given, bob)).toBe('requested');
    const person = (await given.person(bob))!;
    expect(await given.work((work) => requestErasure(work, person), operator)).toBe('erasing');
    const [told] = await mailsTo(server, bob.email);
    expect(told!.text).toContain('We were asked to delete your user account.');
  });

  it('who looks after an account as its last cannot', async ({ given }) => {
    const acme = await given.account();
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    await expect(asks(given, fay)).rejects.toMatchObject({ code: 'last_administrator' });
  });

  it('can be kept by an operator, too', async ({ given }) => {
    const ann = await given.user('ann@nowhere.example');
    await asks(given, ann);
    await given.work((work) => cancelErasure(work, ann.id));
    expect((await given.person(ann))!.identity).toBe('ready');
  });
});

describe('a person who was erased', () => {
  it('is found nowhere in the database by address or name, and told so at the last', async ({
    server,
    given,
    browser,
  }) => {
    const beta = await given.account('Beta', { countries: ['US'] });
    const ann = await given.user('Ann.Unusual@nowhere.example', {
      of: beta,
      givenName: 'Anneliese',
      familyName: 'Unusual-Name',
    });
    await given.user('fay@beta.example', { of: beta, roles: ['account_administrator'] });
    const client = await given.client();
    await tokensFor(browser, client, ann);
    await given.work(async (work) => {
      const group = await createGroup(work, { ...beta, countries: ['US'] }, { name: 'Pilots' });
      await changeMembers(work, beta.id, group.id, { add: [ann.id] });
      await work.query(
        `insert into invitations (id, account_id, email, email_display, given_name, invited_by,
           sent_at, created_at, expires_at)
         values (gen_random_uuid(), $1, 'ann.unusual@nowhere.example', 'Ann.Unusual@nowhere.example',
           'Anneliese', '{}', now(), now(), now() + interval '7 days')`,
        [beta.id],
      );
    });
    expect(await whereIs(given, 'unusual')).not.toEqual([]);
    await erased(server, ann);

    expect((await whereIs(given, 'unusual')).filter((table) => table !== 'outbox')).toEqual([]);
    expect(await whereIs(given, 'anneliese')).toEqual([]);
    await server.app.delivery.drain();
    expect(await whereIs(given, 'unusual')).toEqual(['mailbox']);
    const last = (await given.mails()).at(-1)!;
    expect(last).toMatchObject({ kind: 'erasure', recipient: 'Ann.Unusual@nowhere.example' });
    expect(server.errors).toEqual([]);
  });

  it('leaves what has to stay true: the id, the terms, who belonged where, what happened', async ({
    server,
    given,
  }) => {
    await given.terms();
    const beta = await given.account('Beta');
    const ann = await given.user('ann@nowhere.example', { of: beta });
    await erased(server, ann);
    const count = async (text: string): Promise<unknown> =>
      (await given.rows(`select count(*)::int as n from ${text}`, [ann.id]))[0]!['n'];
    expect(await count('terms_acceptances where user_id = $1')).toBe(1);
    expect(await count('affiliations where user_id = $1 and ended_at is not null')).toBe(1);
    expect(await count('audit_events where target_id = $1')).toBeGreaterThan(4);
    const [row] = await given.rows('select identity, former_email_mark from users where id = $1', [
      ann.id,
    ]);
    expect(row).toEqual({
      identity: 'erased',
      former_email_mark: emailMark(marks, 'ann@nowhere.example'),
    });
    expect(await given.person(ann)).toMatchObject({
      email: null,
      affiliation: 'none',
      account: null,
    });
  });

  it('is somebody else when the address registers again', async ({ server, given }) => {
    const before = await given.user('ann@nowhere.example');
    await erased(server, before);
    const after = await given.user('ann@nowhere.example');
    expect(after.id).not.toBe(before.id);
    expect((await given.person(before))!.identity).toBe('erased');
  });

  it('is erased once, by whichever process comes first', async ({ server, given }) => {
    const ann = await given.user('ann@nowhere.example');
    await asks(given, ann);
    server.clock.advance(31 * days);
    await Promise.all([1, 2, 3].map(() => eraseDue(given.foundation, marks)));
    const events = await given.events();
    expect(events.filter((action) => action === 'user.erased')).toHaveLength(1);
  });
});

it('gives a person all that is kept about them, and no secret', async ({ given, browser }) => {
  const acme = await given.account();
  const ann = await given.user('ann@acme.example', { of: acme });
  const client = await given.client();
  await tokensFor(browser, client, ann);
  await given.locked(ann, 'admin', 'She talks too much.');
  const file = await exportPerson(given.foundation.database, ann.id, given.foundation.clock());
  expect(file).toMatchObject({
    profile: { email: 'ann@acme.example', account: { name: 'Acme' } },
    affiliations: [{ account: 'Acme', endedAt: null }],
    locks: [{ reason: 'admin' }],
  });
  const text = JSON.stringify(file);
  expect(text).not.toContain('argon2');
  expect(text).not.toContain('talks too much');
});
