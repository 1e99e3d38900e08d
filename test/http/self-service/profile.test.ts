import { describe, expect } from 'vitest';
import { it } from '#test/support/it.ts';
import { mail } from '#identity/mail/mail.ts';
import { suppressAddress } from '#identity/mail/suppression.ts';
import { attestDomain } from '#identity/domains/attest-domain.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import { refresh, signIn, tokensFor, typePassword } from '#test/support/sign-in.ts';
import type { GivenUser } from '#test/support/world.ts';
import { forget, mailsTo } from './mailbox.ts';

/** Opens a page of the profile, signing in on the way when it has to. */
async function open(browser: Agent, path: string, user: GivenUser): Promise<Answer> {
  const page = await browser.follow(await browser.get(path));
  return page.url.pathname.startsWith('/sign-in/') ? typePassword(browser, page, user) : page;
}

function formTo(page: Answer, path: string) {
  const form = page.forms.find(({ action }) => new URL(action).pathname === path);
  if (!form) throw new Error(`No form to ${path} on: ${page.words}`);
  return form;
}

function linkIn(text: string): string {
  return /https?:\/\/\S+token=\S+/.exec(text)![0];
}

describe('the profile', () => {
  it('asks who one is, and comes back to the page that was asked for', async ({
    given,
    browser,
  }) => {
    const ann = await given.user();
    const page = await open(browser, '/profile/account', ann);
    expect(page.url.pathname).toBe('/profile/account');
    expect(page.words).toContain('You are not associated with an organization.');
  });

  it('tells people their organization, its administrators and the terms they accepted', async ({
    given,
    browser,
    server,
  }) => {
    await given.terms('2026');
    const acme = await given.account('Acme', { owns: ['acme.example'], number: '1001' });
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const ann = await given.user('ann@acme.example', { of: acme });
    const hers = server.agent();
    await open(hers, '/profile/account', fay);
    expect((await hers.get('/profile/account?ui_locales=de')).words).toContain(
      'Kontoadministrator',
    );
    const { words } = await open(browser, '/profile/account', ann);
    expect(words).toContain('You belong to Acme .');
    expect(words).toContain('Customer number 1001');
    expect(words).toContain('fay@acme.example');
    expect(words).toContain('Terms of Service , version 2026');
    // Which identity provider signs them in, where one does (F25).
    await given.rows(
      `with c as (
         insert into connections (id, account_id, kind, name, state, created_by, created_at, updated_at)
         values (gen_random_uuid(), $1, 'oidc', 'Acme sign-in', 'active', '{}', now(), now())
         returning id)
       insert into federated_links (id, user_id, connection_id, issuer, subject, domain, how,
         linked_at, last_used_at)
       select gen_random_uuid(), $2, id, 'https://idp.example', 'ann', 'acme.example', 'create',
         '2026-03-01', now() from c`,
      [acme.id, ann.id],
    );
    expect((await open(browser, '/profile/security', ann)).words).toContain(
      'Acme sign-in , since March 1, 2026',
    );
    // Who waits for one is told who can let them in.
    const pat = await given.user('pat@acme.example');
    await given.waiting(pat, acme);
    const waiting = await open(server.agent(), '/profile/account', pat);
    expect(waiting.words).toContain('You asked to join Acme');
    expect(waiting.words).toContain('fay@acme.example');
  });

  it('shows the way to the console to those who administer, and to nobody else', async ({
    given,
    server,
  }) => {
    const acme = await given.account('Acme');
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const ann = await given.user('ann@acme.example', { of: acme });
    const way = 'href="/console"';
    expect((await open(server.agent(), '/profile', fay)).text).toContain(way);
    expect((await open(server.agent(), '/profile', ann)).text).not.toContain(way);
  });

  it('keeps what people say about themselves, and says what is wrong beside it', async ({
    given,
    browser,
  }) => {
    const ann = await given.user();
    const page = await open(browser, '/profile', ann);
    const refused = await browser.submit(formTo(page, '/profile'), {
      givenName: '',
      phone: 'call me',
    });
    expect(refused.status).toBe(422);
    expect(refused.alerts).toEqual([
      'Enter a name of at most 100 characters.',
      'Enter a telephone number, such as +49 30 1234567.',
    ]);
    const saved = await browser.follow(
      await browser.submit(formTo(page, '/profile'), {
        givenName: 'Anna',
        familyName: 'Archer',
        country: 'DE',
        language: 'de',
        phone: '+49 30 1234567',
        jobTitle: 'Bridge engineer',
      }),
    );
    expect(saved.words).toContain('Gespeichert.');
    expect(await given.person(ann)).toMatchObject({
      givenName: 'Anna',
      country: 'DE',
      language: 'de',
      phone: '+49 30 1234567',
    });
    expect(await given.events()).toContain('user.changed');
  });

  it('changes the password of who says the old one, and ends every other session', async ({
    given,
    browser,
    server,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const elsewhere = server.agent();
    const tokens = await tokensFor(elsewhere, client, ann, { scope: 'openid offline_access' });

    const page = await open(browser, '/profile/security', ann);
    const form = formTo(page, '/profile/password');
    const wrong = await browser.submit(form, {
      current: 'not the password',
      password: 'another long sentence',
      password_again: 'another long sentence',
    });
    expect(wrong.alerts).toEqual(['This is not your current password.']);
    const changed = await browser.follow(
      await browser.submit(form, {
        current: ann.password,
        password: 'another long sentence',
        password_again: 'another long sentence',
      }),
    );
    expect(changed.words).toContain('Your password is changed.');
    expect((await refresh(elsewhere, client, tokens.refresh_token!)).json.error).toBe(
      'invalid_grant',
    );
    expect((await elsewhere.get('/profile')).status).toBe(303);
    expect((await browser.get('/profile')).status).toBe(200);
    await server.app.delivery.drain();
    expect((await given.mails()).map(({ subject }) => subject)).toHaveLength(1);
    const again = await signIn(server.agent(), client, {
      email: ann.email,
      password: 'another long sentence',
    });
    expect(again.location?.searchParams.get('code')).toBeTruthy();
  });

  it('ends a session that its owner does not know, and nobody else can', async ({
    given,
    browser,
    server,
  }) => {
    const ann = await given.user();
    const eve = await given.user('eve@acme.example');
    const elsewhere = server.agent();
    await open(elsewhere, '/profile', ann);
    const strangers = server.agent();
    const strange = await open(strangers, '/profile/security', eve);
    const [other] = await given.rows<{ uid: string }>(
      'select uid from oidc_sessions where user_id = $1',
      [ann.id],
    );
    await strangers.post('/profile/sessions', {
      form: { csrf: strange.forms[0]!.fields['csrf']!, session: other!.uid },
    });
    expect((await elsewhere.get('/profile')).status).toBe(200);

    const page = await open(browser, '/profile/security', ann);
    await browser.submit(formTo(page, '/profile/sessions'));
    expect((await elsewhere.get('/profile')).status).toBe(303);
    expect((await browser.get('/profile')).status).toBe(200);
  });

  it('changes the address once the new mailbox confirms it, and the old one can take it back', async ({
    given,
    browser,
    server,
  }) => {
    const ann = await given.user('ann@home.example');
    const page = await open(browser, '/profile', ann);
    const asked = await browser.submit(formTo(page, '/profile/email'), {
      email: 'anna@new.example',
    });
    expect(asked.words).toContain('If anna@new.example can be used, we have written to it.');
    expect((await given.person(ann))!.email).toBe('ann@home.example');

    await server.app.delivery.drain();
    const [confirm] = await given.mails();
    expect(confirm!.recipient).toContain('anna@new.example');
    const scanner = server.agent();
    const shown = await scanner.get(linkIn(confirm!.text));
    expect(shown.words).toContain('anna@new.example');
    expect((await given.person(ann))!.email).toBe('ann@home.example');
    const confirmed = await scanner.submit(shown.forms[0]!);
    expect(confirmed.words).toContain('You now sign in as anna@new.example .');
    expect((await scanner.submit(shown.forms[0]!)).status).toBe(410);
    expect(await given.person(ann)).toMatchObject({ id: ann.id, email: 'anna@new.example' });

    await server.app.delivery.drain();
    const told = (await given.mails()).slice(1);
    const old = told.find(({ recipient }) => recipient.includes('ann@home.example'))!;
    const undo = await scanner.get(linkIn(old.text));
    await scanner.submit(undo.forms[0]!);
    expect((await given.person(ann))!.email).toBe('ann@home.example');
  });

  it('says the same about an address that somebody has', async ({ given, browser, server }) => {
    const ann = await given.user('ann@home.example');
    await given.user('bob@new.example');
    const page = await open(browser, '/profile', ann);
    const asked = await browser.submit(formTo(page, '/profile/email'), {
      email: 'bob@new.example',
    });
    expect(asked.words).toContain('If bob@new.example can be used, we have written to it.');
    await server.app.delivery.drain();
    expect(await given.mails()).toEqual([]);
  });

  it('takes nobody into or out of an organization by a change of address', async ({
    given,
    browser,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.account('Beta', { owns: ['beta.example'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    const page = await open(browser, '/profile', ann);
    const form = formTo(page, '/profile/email');
    const managed = [
      'Your organization manages this address. Ask your administrator to change it.',
    ];
    for (const email of ['ann@beta.example', 'ann@home.example'])
      expect((await browser.submit(form, { email })).alerts).toEqual(managed);
    // Neither where the organization signs its people in, though the session is of before.
    await given.rows(
      `with c as (
         insert into connections (id, account_id, kind, name, state, created_by, created_at, updated_at)
         values (gen_random_uuid(), $1, 'oidc', 'Acme', 'active', '{}', now(), now()) returning id)
       insert into connection_domains (domain, connection_id, bound_at)
       select 'acme.example', id, now() from c`,
      [acme.id],
    );
    expect((await browser.submit(form, { email: 'ann@home.example' })).alerts).toEqual(managed);
  });

  it('does not let an address go that came to be managed before it was confirmed', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme');
    await given.account('Beta', { owns: ['beta.example'] });
    const ann = await given.user('ann@acme.example', { of: acme });
    const page = await open(browser, '/profile', ann);
    const form = formTo(page, '/profile/email');
    expect((await browser.submit(form, { email: 'ann@beta.example' })).alerts).toEqual([
      'This address belongs to another organization. Ask your administrator.',
    ]);
    await browser.submit(form, { email: 'ann@home.example' });
    await server.app.delivery.drain();
    const link = linkIn((await given.mails()).at(-1)!.text);
    await given.work((work) => attestDomain(work, acme.id, 'acme.example', 'By contract.'));
    const confirm = await browser.get(link);
    expect((await browser.submit(confirm.forms[0]!)).status).toBe(410);
    expect((await given.person(ann))!.email).toBe(ann.email);
  });

  it('has mail sent to another address once that one agrees, but none that lets anybody in', async ({
    given,
    browser,
    server,
  }) => {
    const ann = await given.user();
    const page = await open(browser, '/profile', ann);
    expect(page.words).toContain('We write to ann@acme.example');
    const form = formTo(page, '/profile/mail');
    expect((await browser.submit(form, { mail: 'nowhere' })).alerts).toEqual([
      'Enter your e-mail address.',
    ]);
    const asked = await browser.submit(form, { mail: 'Ann@Home.example' });
    expect(asked.words).toContain('ann@home.example is not confirmed yet');
    const sent = async (kind: 'lock_notice' | 'password_reset') => {
      if (kind === 'password_reset') await forget(server.agent(), ann.email);
      else
        await given.work(async (work) => {
          const to = { userId: ann.id, email: ann.email, locale: 'en' };
          const what = { account: 'Acme', at: work.now, administrators: [] };
          mail(work, to, { kind, event: 'unlocked', ...what });
          await Promise.resolve();
        });
      const [last] = await mailsTo(server);
      return [last!.kind, last!.recipient];
    };
    const [confirmation] = await mailsTo(server);
    expect([confirmation!.kind, confirmation!.recipient]).toEqual([
      'communication_email',
      'ann@home.example',
    ]);
    expect(await sent('lock_notice')).toEqual(['lock_notice', ann.email]);

    const elsewhere = server.agent();
    const confirm = await elsewhere.get(linkIn(confirmation!.text));
    expect(confirm.words).toContain('You still sign in as ann@acme.example');
    expect((await elsewhere.submit(confirm.forms[0]!)).words).toContain('We write to ann@home');
    expect((await elsewhere.submit(confirm.forms[0]!)).status).toBe(410);
    // Whoever did that without her is found out, and cannot have her password sent there.
    const [told] = await mailsTo(server);
    expect([told!.subject, told!.recipient]).toEqual([
      'Mail about your user account goes elsewhere now',
      ann.email,
    ]);
    expect(await sent('lock_notice')).toEqual(['lock_notice', 'ann@home.example']);
    expect(await sent('password_reset')).toEqual(['password_reset', ann.email]);
    // A mailbox that is no more is not written to, and nothing is lost for that.
    await given.work((work) => suppressAddress(work, 'ann@home.example', { reason: 'bounced' }));
    expect(await sent('lock_notice')).toEqual(['lock_notice', ann.email]);
  });

  it('gives people a copy of their data without a secret in it', async ({ given, browser }) => {
    const ann = await given.user();
    await open(browser, '/profile', ann);
    const copy = await browser.get('/profile/data/export.json');
    expect(copy.status).toBe(200);
    expect(copy.json).toMatchObject({ profile: { email: ann.email } });
    expect(copy.text).not.toMatch(/argon2|secret_hash|\$m=/);
  });

  it('keeps who looks after an organization as its last, and says why', async ({
    given,
    browser,
  }) => {
    const acme = await given.account();
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const page = await open(browser, '/profile/data', fay);
    const form = formTo(page, '/profile/data/delete');
    const refused = await browser.submit(form, { understood: 'yes' });
    expect(refused.status).toBe(422);
    expect(refused.alerts).toEqual([
      'You are the last administrator of Acme who can sign in. Appoint another one first.',
    ]);
    await given.user('gus@acme.example', { of: acme, roles: ['account_administrator'] });
    await given.rows(
      `insert into fulfillment_contacts (id, account_id, user_id, created_at)
       values (gen_random_uuid(), $1, $2, now())`,
      [acme.id, fay.id],
    );
    const contact = await browser.submit(form, { understood: 'yes' });
    expect(contact.alerts[0]).toContain('You are a fulfillment contact of Acme');
  });

  it('deletes the account of who asks for it and understands, and lets them change their mind', async ({
    given,
    browser,
    server,
  }) => {
    const ann = await given.user('ann@home.example');
    const page = await open(browser, '/profile/data', ann);
    const form = formTo(page, '/profile/data/delete');
    expect((await browser.submit(form)).status).toBe(422);
    await browser.submit(form, { understood: 'yes' });
    expect((await browser.get('/profile')).status).toBe(303);
    expect(await given.person(ann)).toMatchObject({ identity: 'erasing' });

    await server.app.delivery.drain();
    const [told] = await given.mails();
    const keep = await browser.get(linkIn(told!.text));
    await browser.submit(keep.forms[0]!);
    expect(await given.person(ann)).toMatchObject({ identity: 'ready', locks: [] });
  });
});
