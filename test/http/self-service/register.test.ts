import { describe, expect } from 'vitest';
import { purgeRegistrations } from '#identity/belonging/register.ts';
import type { Agent, Answer } from '#test/support/agent.ts';
import { it } from '#test/support/it.ts';
import { acceptAll, authorizeUrl, codeOf, redeem, userinfo } from '#test/support/sign-in.ts';
import type { TestServer } from '#test/support/server.ts';
import type { World } from '#test/support/world.ts';
import { forget } from './mailbox.ts';

const password = 'seven quiet otters swim';
const ann = {
  email: 'ann@acme.example',
  given_name: 'Ann',
  family_name: 'Archer',
  country: 'US',
};

/** Fills in the form, from a sign-in or from nowhere. */
async function register(
  browser: Agent,
  person: Record<string, string> = ann,
  path = '/register',
): Promise<Answer> {
  const page = await browser.get(path);
  expect(page.status).toBe(200);
  expect(page.text).toMatch(/<select[^>]*name="country"[^>]*required/);
  return browser.submit(page.forms[0]!, person);
}

async function lastMail(server: TestServer, given: World) {
  await server.app.delivery.drain();
  const mail = (await given.mails()).at(-1)!;
  return {
    ...mail,
    code: /\b(\d{6})\b/.exec(mail.text)?.[1] ?? '',
    link: new URL(/https?:\/\/\S+\/register\/confirm\S+/.exec(mail.text)?.[0] ?? 'http://none'),
  };
}

async function typeCode(browser: Agent, page: Answer, code: string): Promise<Answer> {
  return browser.follow(await browser.submit(page.forms[0]!, { code }));
}

function choosePassword(browser: Agent, page: Answer, chosen = password): Promise<Answer> {
  return browser.submit(page.forms[0]!, { password: chosen, password_again: chosen });
}

/** From the form to the password, by the code. */
async function registered(
  browser: Agent,
  server: TestServer,
  given: World,
  person: Record<string, string> = ann,
): Promise<Answer> {
  const sent = await register(browser, person);
  const { code } = await lastMail(server, given);
  return choosePassword(browser, await typeCode(browser, sent, code));
}

it('who has not finished registering gets that mail again for a forgotten password', async ({
  given,
  browser,
  server,
}) => {
  await given.account('Acme', { owns: ['acme.example'] });
  await register(browser);
  const first = await lastMail(server, given);
  // Asked from anywhere: the mail goes to the mailbox alone.
  const elsewhere = server.agent();
  const asked = await forget(elsewhere, ann.email);
  const nobody = await forget(server.agent(), 'nobody@acme.example');
  expect(asked.words.replace(ann.email, '')).toBe(nobody.words.replace('nobody@acme.example', ''));
  const again = await lastMail(server, given);
  expect((await given.mails()).map(({ kind }) => kind)).toEqual([
    'registration_code',
    'registration_code',
  ]);
  expect([again.recipient, again.link.href === first.link.href]).toEqual([ann.email, false]);
  expect((await elsewhere.get(first.link)).status).not.toBe(200);
  expect((await elsewhere.get(again.link)).status).toBe(200);
});

describe('somebody registers', () => {
  it('with auto-approval: code, password, terms, and the waiting application gets its code', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.rows(
      `update domains set signup = 'auto', defaults = '{"entitlementCountry":"DE"}'`,
    );
    await given.terms();
    const client = await given.client({ requiresAccount: true });

    const start = await browser.follow(
      await browser.get(authorizeUrl(client, { scope: 'openid email organization' })),
    );
    const link = /href="(\/register\?sign_in=[^"]+)"/.exec(start.text)![1]!;
    const sent = await register(browser, ann, link);
    expect(sent.words).toContain('We sent a code to ann@acme.example');

    const mail = await lastMail(server, given);
    expect(mail).toMatchObject({ kind: 'registration_code', recipient: 'ann@acme.example' });
    const page = await typeCode(browser, sent, mail.code);
    expect(page.forms[0]!.fields['email']).toBe('ann@acme.example');
    const terms = await browser.follow(await choosePassword(browser, page));
    expect(terms.words).toContain('Terms of Service');
    expect((await given.rows('select * from users'))[0]).toMatchObject({ affiliation: 'none' });

    const back = await acceptAll(browser, terms);
    const tokens = (await redeem(browser, client, codeOf(back))).json;
    expect((await userinfo(browser, tokens.access_token)).json).toMatchObject({
      email: 'ann@acme.example',
      email_verified: true,
      org: acme.id,
      usage_country_iso: 'US',
    });
    expect((await lastMail(server, given)).kind).toBe('welcome');
    expect((await given.events()).filter((one) => /registered|affiliated/.test(one))).toEqual([
      'user.registered',
      'user.affiliated',
    ]);
    expect(server.errors).toEqual([]);
  });

  it('with an approval to wait for: almost there, and the administrators know', async ({
    given,
    browser,
    server,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
    await given.user('cole@acme.example', { of: acme, roles: ['co_administrator'] });
    const client = await given.client({ requiresAccount: true });
    const start = await browser.follow(await browser.get(authorizeUrl(client)));
    const link = /href="(\/register\?sign_in=[^"]+)"/.exec(start.text)![1]!;
    const sent = await register(browser, ann, link);
    const page = await typeCode(browser, sent, (await lastMail(server, given)).code);
    const stopped = await browser.follow(await choosePassword(browser, page));
    expect(stopped.words).toContain(
      'Almost there... An administrator of your organization must approve your registration.',
    );
    expect(stopped.words).toContain('These people look after Acme');
    expect(stopped.words).toContain('fay@acme.example');
    await server.app.delivery.drain();
    expect(
      (await given.mails())
        .filter(({ kind }) => kind === 'approval_reminder')
        .map(({ recipient }) => recipient)
        .sort(),
    ).toEqual(['cole@acme.example', 'fay@acme.example']);
    expect(await given.rows('select state, client_id, source from approval_requests')).toEqual([
      { state: 'open', client_id: client.id, source: 'registration' },
    ]);
  });

  it('of nobody’s domain: belongs nowhere, and is welcome', async ({ given, browser, server }) => {
    const done = await registered(browser, server, given, { ...ann, email: 'Ann@Gmail.com' });
    expect(done.words).toContain('You are registered');
    expect(
      await given.rows('select email, email_display, identity, affiliation, source from users'),
    ).toEqual([
      {
        email: 'ann@gmail.com',
        email_display: 'Ann@Gmail.com',
        identity: 'ready',
        affiliation: 'none',
        source: 'registration',
      },
    ]);
    expect(await lastMail(server, given)).toMatchObject({
      kind: 'welcome',
      recipient: 'Ann@Gmail.com',
    });
  });

  it('and there is nobody until the mailbox is proved', async ({ given, browser, server }) => {
    await register(browser);
    await server.app.delivery.drain();
    expect(await given.rows('select * from users')).toEqual([]);
    server.clock.advance(7 * 24 * 3600 + 1);
    expect(await purgeRegistrations(given.foundation.database, server.clock())).toBe(1);
  });

  it('and is told what is missing in the form, beside each field', async ({ browser }) => {
    const page = await browser.get('/register');
    const answer = await browser.submit(page.forms[0]!, { email: 'nonsense', given_name: ' ' });
    expect(answer.status).toBe(422);
    expect(answer.alerts).toHaveLength(4);
  });

  it.for([
    '\u212aate@acme.example',
    'm\u0131ke@acme.example',
    'ann@ａcme.example',
    'an\u200bn@acme.example',
    'ann\u00ad@acme.example',
    '\u202eann@acme.example',
    'ann@acme.example\r\nBcc: eve@evil.example',
    'ann@acme.example, eve@evil.example',
    '"ann"@acme.example',
    'ann@acme.example.',
  ])('not with %j, which is no address', async (email, { browser, given, server }) => {
    const answer = await register(browser, { ...ann, email });
    expect(answer.status).toBe(422);
    await server.app.delivery.drain();
    expect(await given.mails()).toEqual([]);
  });

  it('in their own language, countries too', async ({ browser, given, server }) => {
    const page = await browser.get('/register?ui_locales=de');
    expect(page.words).toContain('Konto erstellen');
    expect(page.text).toMatch(/<option value="DE"[^>]*>Deutschland</);
    await browser.submit(page.forms[0]!, ann);
    expect((await lastMail(server, given)).subject).toContain('Bestätigen');
  });
});

describe('the link of the mail', () => {
  it('works in any browser, and is not used up by being looked at', async ({
    browser,
    server,
    given,
  }) => {
    await register(browser);
    const { link } = await lastMail(server, given);
    const elsewhere = server.agent();
    for (let scan = 0; scan < 3; scan += 1)
      expect((await server.agent({ cookies: false }).get(link)).status).toBe(200);
    const done = await choosePassword(elsewhere, await elsewhere.get(link));
    expect(done.words).toContain('You are registered');
    expect((await elsewhere.get(link)).status).toBe(410);
    expect(await given.rows('select 1 as one from users')).toHaveLength(1);
  });

  it('is dead a day later', async ({ browser, server, given }) => {
    await register(browser);
    const { link } = await lastMail(server, given);
    server.clock.advance(24 * 3600 + 1);
    expect((await browser.get(link)).status).toBe(410);
  });

  it('sent twice at once makes one person', async ({ browser, server, given }) => {
    await register(browser);
    const { link } = await lastMail(server, given);
    const page = await browser.get(link);
    const answers = await Promise.all([
      choosePassword(browser, page),
      choosePassword(browser, page),
      choosePassword(browser, page, 'another long sentence'),
    ]);
    expect(inOrder(answers)).toEqual([200, 410, 410]);
    expect(await given.rows('select 1 as one from users')).toHaveLength(1);
  });

  it('takes no bad password, and stays good', async ({ browser, server, given }) => {
    await register(browser);
    const { link } = await lastMail(server, given);
    const refused = await choosePassword(browser, await browser.get(link), 'short');
    expect(refused.status).toBe(422);
    expect(refused.alerts).toHaveLength(1);
    expect((await choosePassword(browser, refused)).status).toBe(200);
  });
});

describe('the code of the mail', () => {
  it('is refused after five wrong ones, even if right', async ({ browser, server, given }) => {
    const sent = await register(browser);
    const { code, link } = await lastMail(server, given);
    const wrong = code === '000000' ? '000001' : '000000';
    for (let tries = 0; tries < 5; tries += 1)
      expect((await typeCode(browser, sent, wrong)).alerts[0]).toContain('This code is not right');
    expect((await typeCode(browser, sent, code)).alerts[0]).toBe(
      'Code no longer valid. Ask for a new one.',
    );
    // The link is another proof, and still good.
    expect((await browser.get(link)).status).toBe(200);
  });

  it('keeps the count of wrong ones when another is sent, and ends at ten a day', async ({
    browser,
    server,
    given,
  }) => {
    const sent = await register(browser);
    const again = async () => {
      await browser.submit(sent.forms[1]!);
      return (await lastMail(server, given)).code;
    };
    const guess = async () => (await typeCode(browser, sent, 'x')).alerts[0];
    for (let tries = 0; tries < 3; tries += 1) await guess();
    let code = await again();
    for (let tries = 0; tries < 2; tries += 1) await guess();
    expect((await typeCode(browser, sent, code)).status).toBe(422);
    code = await again();
    for (let tries = 0; tries < 5; tries += 1) expect(await guess()).toContain('not right');
    code = await again();
    expect((await typeCode(browser, sent, code)).alerts[0]).toContain('no longer valid');
  });

  it('sent again is another, and the one before is dead', async ({ browser, server, given }) => {
    const sent = await register(browser);
    const first = await lastMail(server, given);
    const resent = await browser.submit(sent.forms[1]!);
    expect(resent.words).toContain('We sent another code');
    const second = await lastMail(server, given);
    expect((await browser.get(first.link)).status).toBe(410);
    expect((await typeCode(browser, sent, second.code)).forms[0]!.fields).toHaveProperty('token');
  });

  it('works in no other browser, for no other address and no other purpose', async ({
    browser,
    server,
    given,
  }) => {
    const sent = await register(browser);
    const { code } = await lastMail(server, given);

    const other = server.agent();
    const elsewhere = await register(other, { ...ann, email: 'bob@acme.example' });
    const stolen = await other.submit(elsewhere.forms[0]!, { email: 'ann@acme.example', code });
    expect(stolen.alerts[0]).toContain('no longer valid');
    expect((await other.submit(elsewhere.forms[0]!, { code })).status).toBe(422);

    const forgot = await browser.get('/forgot-password');
    const reset = await browser.submit(forgot.forms[0]!, { email: 'ann@acme.example' });
    expect((await browser.submit(reset.forms[0]!, { code })).status).toBe(422);
    expect((await typeCode(browser, sent, code)).status).toBe(200);
  });

  it('is good for one of ten who send it at once', async ({ browser, server, given }) => {
    const sent = await register(browser);
    const { code } = await lastMail(server, given);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => browser.submit(sent.forms[0]!, { code })),
    );
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
  });

  it('is dead when the address is registered again', async ({ browser, server, given }) => {
    const sent = await register(browser);
    const first = await lastMail(server, given);
    const other = server.agent();
    const second = await register(other);
    const { code, link } = await lastMail(server, given);
    expect((await typeCode(browser, sent, first.code)).alerts[0]).toContain('no longer valid');
    expect((await browser.get(first.link)).status).toBe(410);
    expect((await typeCode(other, second, code)).status).toBe(200);
    expect((await browser.get(link)).status).toBe(200);
  });

  it('is dead after ten minutes', async ({ browser, server, given }) => {
    const sent = await register(browser);
    const { code } = await lastMail(server, given);
    server.clock.advance(10 * 60 + 1);
    expect((await typeCode(browser, sent, code)).alerts[0]).toContain('no longer valid');
  });
});

describe('an address that somebody has', () => {
  it('is told apart by nothing but its mailbox', async ({ browser, server, given }) => {
    await given.user('known@acme.example');
    const other = server.agent();
    const pages = [
      await register(browser, { ...ann, email: 'known@acme.example' }),
      await register(other, { ...ann, email: 'fresh@acme.example' }),
    ];
    await server.app.delivery.drain();
    const plain = ({ status, words }: Answer) => ({
      status,
      words: words.replace(/known|fresh/g, ''),
    });
    expect(plain(pages[0]!)).toEqual(plain(pages[1]!));
    for (let tries = 0; tries < 7; tries += 1)
      expect(plain(await typeCode(browser, pages[0]!, 'x'))).toEqual(
        plain(await typeCode(other, pages[1]!, 'x')),
      );
    const mails = (await given.mails()).map(({ kind, recipient }) => `${kind} ${recipient}`);
    expect(mails.sort()).toEqual([
      'registration_code fresh@acme.example',
      'registration_known known@acme.example',
    ]);
  });

  it('and was only added gets the mail to choose a password by', async ({
    browser,
    server,
    given,
  }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.user('ann@acme.example', { of: acme, identity: 'invited', password: null });
    await register(browser);
    expect(await lastMail(server, given)).toMatchObject({ kind: 'activation' });
  });

  it('and its domain is closed to registration: the mailbox is told whom to ask', async ({
    browser,
    server,
    given,
  }) => {
    await given.account('Acme', { owns: ['acme.example'] });
    await given.rows(`update domains set signup = 'closed'`);
    const answer = await register(browser);
    expect(answer.words).toContain('We sent a code to');
    expect(await lastMail(server, given)).toMatchObject({ kind: 'registration_closed' });
  });

  it('became somebody’s between the mail and the link', async ({ browser, server, given }) => {
    await register(browser);
    const { link } = await lastMail(server, given);
    const page = await browser.get(link);
    await given.user('ann@acme.example');
    expect((await choosePassword(browser, page)).status).toBe(410);
  });
});

describe('who was once removed or rejected', () => {
  it('does not come in by the owner’s rule', async ({ browser, server, given, program }) => {
    const acme = await given.account('Acme', { owns: ['acme.example'] });
    await given.rows(`update domains set signup = 'auto'`);
    const dan = await given.user('dan@acme.example', { of: acme });
    const { caller } = await import('../admin/support.ts');
    const admin = caller(program, await given.apiToken(acme));
    await admin.delete(`/accounts/${acme.id}/users/${dan.id}`);
    await register(browser, { ...ann, email: 'dan@acme.example' });
    expect((await lastMail(server, given)).kind).toBe('registration_known');
    expect((await given.person(dan))?.affiliation).toBe('none');
  });
});

describe('forms of others', () => {
  it('are not taken: no token, another site, steps skipped', async ({ browser, given }) => {
    const page = await browser.get('/register');
    const { csrf, ...rest } = page.forms[0]!.fields;
    void csrf;
    expect((await browser.post('/register', { form: { ...rest, ...ann } })).status).toBe(403);
    expect(
      (await browser.submit(page.forms[0]!, ann, { origin: 'https://evil.example' })).status,
    ).toBe(403);
    expect((await browser.get('/register/confirm?token=nothing')).status).toBe(410);
    expect(await given.rows('select * from registrations')).toEqual([]);
  });
});

/** How often each status came, whoever was first. */
function inOrder(answers: readonly { status: number }[]): number[] {
  return answers.map(({ status }) => status).sort((one, other) => one - other);
}
