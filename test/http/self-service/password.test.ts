import { describe, expect } from 'vitest';
import { sendReset } from '#identity/credentials/password.ts';
import { it } from '#test/support/it.ts';
import { authorizeUrl, codeOf, refresh, signIn, tokensFor } from '#test/support/sign-in.ts';
import { itBehindProxy, sameness, told } from '../../security/guesses.ts';
import { choose, codeIn, forget, linkIn, mailsTo, mailTo } from './mailbox.ts';

const fresh = 'seven swans were swimming';

describe('a person who forgot the password', () => {
  it('gets a mail with a link and a code, and chooses a new one', async ({
    given,
    server,
    browser,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const sent = await forget(browser, ann.email);
    expect(sent.words).toContain('If the address is known you will get a mail.');

    const mail = await mailTo(server, ann.email);
    expect(mail.kind).toBe('password_reset');
    const page = await browser.get(linkIn(mail));
    expect(page.forms[0]!.fields).toMatchObject({ email: ann.email, password: '' });
    const done = await choose(browser, page, fresh);
    expect(done.status).toBe(200);
    expect(done.words).toContain('Your password is changed');

    const old = await signIn(server.agent(), client, ann);
    expect(old.alerts).toEqual([told.wrong]);
    expect(codeOf(await signIn(server.agent(), client, { ...ann, password: fresh }))).toBeTruthy();
    expect((await mailsTo(server, ann.email)).map(({ kind }) => kind)).toEqual([
      'credential_changed',
      'password_reset',
    ]);
    expect(await given.events()).toEqual(
      expect.arrayContaining(['password.reset_requested', 'password.changed']),
    );
    expect(server.errors).toEqual([]);
  });

  it('may type the code instead, in the browser that asked', async ({ given, server, browser }) => {
    const ann = await given.user();
    const sent = await forget(browser, ann.email);
    const mail = await mailTo(server, ann.email);

    const answer = await browser.submit(sent.forms[0]!, { code: codeIn(mail) });
    expect(answer.status).toBe(303);
    const page = await browser.follow(answer);
    expect((await choose(browser, page, fresh)).words).toContain('Your password is changed');
    // The link in the same mail is spent with it.
    expect((await browser.get(linkIn(mail))).status).toBe(410);
  });

  it('comes back to the sign-in it came from, in the same browser only', async ({
    given,
    server,
    browser,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const start = await browser.follow(await browser.get(authorizeUrl(client)));
    const forgot = /href="(\/forgot-password\?sign_in=[^"]+)"/.exec(start.text)![1]!;

    await forget(browser, ann.email, forgot);
    const here = await choose(
      browser,
      await browser.get(linkIn(await mailTo(server, ann.email))),
      fresh,
    );
    const [, back] = /class="button primary" href="([^"]+)"/.exec(here.text)!;
    expect(back).toBe(start.url.pathname);
    expect((await browser.get(back!)).forms[0]!.fields).toHaveProperty('email');

    await forget(browser, ann.email, forgot);
    const phone = server.agent();
    const there = await choose(
      phone,
      await phone.get(linkIn(await mailTo(server, ann.email))),
      'eight geese a-laying',
    );
    expect(there.text).toContain('class="button primary" href="/"');
  });

  it('is led nowhere else by what stands in the address', async ({ browser }) => {
    for (const target of [
      'https://evil.example/',
      '//evil.example',
      '/x',
      '../..',
      'a'.repeat(80),
      '\0',
    ]) {
      const page = await browser.get(`/forgot-password?sign_in=${encodeURIComponent(target)}`);
      expect(page.status).toBe(200);
      expect(page.text).toContain('<a href="/">');
    }
  });

  it('is out everywhere else: sessions, refresh tokens, devices, other links', async ({
    given,
    server,
    browser,
    program,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const tokens = await tokensFor(browser, client, ann, { scope: 'openid offline_access' });
    await forget(browser, ann.email);
    const earlier = linkIn(await mailTo(server, ann.email));
    await forget(browser, ann.email);
    const link = linkIn(await mailTo(server, ann.email));

    const elsewhere = server.agent();
    await choose(elsewhere, await elsewhere.get(link), fresh);

    const silent = await browser.get(authorizeUrl(client, { prompt: 'none' }));
    expect(silent.location?.searchParams.get('error')).toBe('login_required');
    expect((await refresh(program, client, tokens.refresh_token!)).json).toMatchObject({
      error: 'invalid_grant',
    });
    expect(await given.rows('select * from trusted_devices')).toEqual([]);
    expect((await browser.get(earlier)).status).toBe(410);
    expect(server.errors).toEqual([]);
  });

  it('is free of the lock that wrong guesses brought', async ({ given, server, browser }) => {
    const ann = await given.user();
    const client = await given.client();
    await given.locked(ann, 'too_many_attempts');
    await forget(browser, ann.email);
    await choose(browser, await browser.get(linkIn(await mailTo(server, ann.email))), fresh);
    expect(codeOf(await signIn(browser, client, { ...ann, password: fresh }))).toBeTruthy();
  });

  it('is not free of that lock as an administrator, nor of an administrator’s lock', async ({
    given,
    server,
    browser,
  }) => {
    const acme = await given.account();
    const fay = await given.user('fay@acme.example', {
      of: acme,
      roles: ['account_administrator'],
    });
    const bob = await given.user('bob@acme.example', { of: acme });
    await given.locked(fay, 'too_many_attempts');
    await given.locked(bob, 'admin');
    for (const person of [fay, bob]) {
      await forget(browser, person.email);
      const done = await choose(
        browser,
        await browser.get(linkIn(await mailTo(server, person.email))),
        fresh,
      );
      expect(done.status).toBe(200);
    }
    const client = await given.client();
    expect((await signIn(server.agent(), client, { ...fay, password: fresh })).alerts).toEqual([
      told.locked,
    ]);
    expect((await signIn(server.agent(), client, { ...bob, password: fresh })).words).toContain(
      'Your administrator locked this account.',
    );
  });

  it('whose password became known cannot keep it', async ({ given, server, browser }) => {
    const ann = await given.user();
    await given.locked(ann, 'compromised');
    await forget(browser, ann.email);
    const page = await browser.get(linkIn(await mailTo(server, ann.email)));
    const same = await choose(browser, page, ann.password);
    expect(same.status).toBe(422);
    expect(same.alerts).toEqual(['This is the password you already have. Choose a new one.']);
    expect((await given.person(ann))?.locks).toHaveLength(1);
    expect((await choose(browser, same, fresh)).status).toBe(200);
    expect((await given.person(ann))?.locks).toEqual([]);
  });

  it('is told what is wrong with a new password, and the link is still good', async ({
    given,
    server,
    browser,
  }) => {
    const ann = await given.user();
    await forget(browser, ann.email);
    let page = await browser.get(linkIn(await mailTo(server, ann.email)));
    for (const [password, again, problem] of [
      ['short', 'short', 'Use at least 12 characters.'],
      [
        'passwordpassword',
        'passwordpassword',
        'This password is one of those attackers try first. Choose another one.',
      ],
      [
        'ann@acme.example',
        'ann@acme.example',
        'Leave out your name, your e-mail address and the name of your organization.',
      ],
      [fresh, 'something else', 'The two passwords are not the same.'],
      ['', '', 'Enter a password.'],
      ['x'.repeat(20_000), 'x'.repeat(20_000), 'Use at most 128 characters.'],
    ] as const) {
      page = await choose(browser, page, password, again);
      expect(page.status).toBe(422);
      expect(page.alerts).toEqual([problem]);
    }
    expect((await choose(browser, page, fresh)).status).toBe(200);
  });
});

describe('a password', () => {
  it('is what was typed, to the last sign, but for how a keyboard composes letters (D-58)', async ({
    given,
    server,
  }) => {
    const client = await given.client();
    const accepted: [string, string][] = [
      [`${'a1b2c3d4'.repeat(9)}x`, `${'a1b2c3d4'.repeat(9)}x`],
      ['  caf\u00e9 au lait  ', '  cafe\u0301 au lait  '],
      ['\u{1f427}\u{1f33b} ride a bicycle', '\u{1f427}\u{1f33b} ride a bicycle'],
    ];
    const refused: [string, string][] = [
      [`${'a1b2c3d4'.repeat(9)}x`, `${'a1b2c3d4'.repeat(9)}y`],
      ['  caf\u00e9 au lait  ', 'caf\u00e9 au lait'],
      ['Ride A Bicycle Now', 'ride a bicycle now'],
    ];
    let person = 0;
    for (const [pairs, right] of [
      [accepted, true],
      [refused, false],
    ] as const)
      for (const [chosen, typed] of pairs) {
        const who = await given.user(`p${(person += 1)}@acme.example`, { password: chosen });
        const answer = await signIn(server.agent(), client, { ...who, password: typed });
        expect(answer.location !== null, typed).toBe(right);
      }
    const ann = await given.user('ann@acme.example');
    const nul = await signIn(server.agent(), client, { ...ann, password: `${ann.password}\0` });
    expect(nul.status).toBe(400);
    expect(server.errors).toEqual([]);
  });

  it('is hashed anew at a sign-in when its hash is of weaker make', async ({ given, server }) => {
    const ann = await given.user();
    const { hash } = await import('@node-rs/argon2');
    const weak = await hash(ann.password, {
      algorithm: 2,
      memoryCost: 8192,
      timeCost: 1,
      parallelism: 1,
    });
    await given.work((work) => work.query('update passwords set hash = $1', [weak]));
    const client = await given.client();
    codeOf(await signIn(server.agent(), client, ann));
    const [row] = await given.rows<{ hash: string }>('select hash from passwords');
    expect(server.app.hasher.isOutdated(row!.hash)).toBe(false);
    codeOf(await signIn(server.agent(), client, ann));
  });
});

describe('the answer to a forgotten password', () => {
  it('is the same for everybody, and only some get a mail', async ({ given, server }) => {
    const acme = await given.account();
    const ann = await given.user();
    const invited = await given.user('ida@acme.example', {
      password: null,
      identity: 'invited',
      of: acme,
    });
    const locked = await given.user('lou@acme.example');
    await given.locked(locked, 'operator');
    const answers = [];
    for (const email of [ann.email, invited.email, locked.email, 'nobody@acme.example'])
      answers.push(sameness(await forget(server.agent(), email)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(
      (await mailsTo(server)).map(({ kind, recipient }) => `${kind} ${recipient}`).sort(),
    ).toEqual([
      'activation ida@acme.example',
      'password_reset ann@acme.example',
      'password_reset lou@acme.example',
    ]);
    expect(server.errors).toEqual([]);
  });

  it('is a mail to one address, as it is stored, whatever was typed (D-75, D-76)', async ({
    given,
    server,
    browser,
  }) => {
    await given.user('Kate@acme.example', {
      givenName: 'Kate\r\nBcc: eve@evil.example',
      familyName: '<b>K</b>',
    });
    for (const typed of [
      '\u212aate@acme.example',
      'k\u200bate@acme.example',
      'kate@acme.example, eve@evil.example',
      '"kate@acme.example"@evil.example',
      'kate@acme.example\r\nBcc: eve@evil.example',
      'kate@acme.example%0aBcc:eve@evil.example',
    ]) {
      const answer = await forget(browser, typed);
      expect(answer.status, typed).toBe(422);
      expect(answer.alerts).toEqual(['Enter your e-mail address. It looks like name@example.com.']);
    }
    await forget(browser, ' KATE@ACME.example ');
    const [mail, ...others] = await mailsTo(server);
    expect(others).toEqual([]);
    expect(mail!.recipient).toBe('Kate@acme.example');
    expect(mail!.subject).not.toMatch(/[\r\n]/);
    expect(mail!.html).not.toContain('<b>K</b>');
    expect(server.errors).toEqual([]);
  });

  it('names this server in its links, whatever a request says (D-71)', async ({
    given,
    server,
    browser,
  }) => {
    const ann = await given.user();
    const page = await browser.get('/forgot-password');
    for (const headers of [
      { host: 'evil.example' },
      { host: `evil.example:80@${browser.base.host}` },
      { host: `${browser.base.host}.evil.example` },
    ])
      expect((await browser.submit(page.forms[0]!, { email: ann.email }, headers)).status).toBe(
        421,
      );
    expect(await mailsTo(server)).toEqual([]);

    await browser.submit(
      page.forms[0]!,
      { email: ann.email },
      {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        'x-forwarded-prefix': '/evil',
        forwarded: 'host=evil.example;proto=https',
        'x-original-url': '/evil',
        'x-rewrite-url': '/evil',
      },
    );
    const { text, html } = await mailTo(server, ann.email);
    expect(text).toContain(`${server.url}/reset-password?token=`);
    expect(text + html).not.toContain('evil');
  });
});

describe('one source that asks again and again', () => {
  itBehindProxy('has to wait, and nobody else has', async ({ given, server }) => {
    const ann = await given.user();
    const from = (ip: string) =>
      Object.assign(server.agent(), { headers: { 'x-forwarded-for': ip } });
    const flood = from('203.0.113.7');
    const [form] = (await flood.get('/forgot-password')).forms;
    for (let round = 0; round < 30; round += 1)
      expect((await flood.submit(form!, { email: `p${round}@acme.example` })).status).toBe(200);
    const stopped = await flood.submit(form!, { email: ann.email });
    expect(stopped.status).toBe(429);
    expect(Number(stopped.headers['retry-after'])).toBeGreaterThan(0);
    expect((await forget(from('203.0.113.8'), ann.email)).status).toBe(200);
    server.clock.advance(60);
    expect((await flood.submit(form!, { email: ann.email })).status).toBe(200);
    expect(server.errors).toEqual([]);
  });
});

describe('a link', () => {
  it('that was sent before the person was locked is dead with the rest (D-63)', async ({
    given,
    server,
    browser,
  }) => {
    const ann = await given.user();
    const sent = await forget(browser, ann.email);
    const mail = await mailTo(server, ann.email);
    await given.locked(ann, 'admin');
    expect((await browser.get(linkIn(mail))).status).toBe(410);
    const late = await browser.submit(sent.forms[0]!, { code: codeIn(mail) });
    expect(late.alerts).toEqual(['Code no longer valid. Ask for a new one.']);
  });

  it('works once, and looking at it does not use it up', async ({ given, server, browser }) => {
    const ann = await given.user();
    await forget(browser, ann.email);
    const link = linkIn(await mailTo(server, ann.email));
    const scanner = server.agent();
    for (let look = 0; look < 3; look += 1) expect((await scanner.get(link)).status).toBe(200);
    await scanner.send(link, { method: 'HEAD' });

    const page = await browser.get(link);
    expect((await choose(browser, page, fresh)).status).toBe(200);
    const again = await choose(browser, page, 'another long password');
    expect(again.status).toBe(410);
    expect(again.words).toContain('This link no longer works');
    expect((await browser.get(link)).status).toBe(410);
  });

  it('sets one password, when its form is sent twice at the same time', async ({
    given,
    server,
    browser,
  }) => {
    const ann = await given.user();
    await forget(browser, ann.email);
    const page = await browser.get(linkIn(await mailTo(server, ann.email)));
    const answers = await Promise.all(
      Array.from({ length: 5 }, (_, index) => choose(browser, page, `${fresh} ${index}`)),
    );
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([
      200, 410, 410, 410, 410,
    ]);
    expect((await given.events()).filter((action) => action === 'password.changed')).toHaveLength(
      1,
    );
    expect(server.errors).toEqual([]);
  });

  it('is good for half an hour, its code for ten minutes', async ({ given, server, browser }) => {
    const ann = await given.user();
    const sent = await forget(browser, ann.email);
    const mail = await mailTo(server, ann.email);
    server.clock.advance(601);
    const late = await browser.submit(sent.forms[0]!, { code: codeIn(mail) });
    expect(late.alerts).toEqual(['Code no longer valid. Ask for a new one.']);
    server.clock.advance(1190);
    expect((await browser.get(linkIn(mail))).status).toBe(200);
    server.clock.advance(10);
    expect((await browser.get(linkIn(mail))).status).toBe(410);
  });

  it('of one purpose does not work for another (D-56)', async ({ given, server, browser }) => {
    const ann = await given.user();
    const ida = await given.user('ida@acme.example', { password: null, identity: 'invited' });
    await forget(browser, ann.email);
    await forget(browser, ida.email);
    const reset = linkIn(await mailTo(server, ann.email));
    const activation = linkIn(await mailTo(server, ida.email));
    expect((await browser.get(reset.replace('/reset-password', '/activate'))).status).toBe(410);
    expect((await browser.get(activation.replace('/activate', '/reset-password'))).status).toBe(
      410,
    );
    // And not by sending the form of one to the other.
    const page = await browser.get(reset);
    const crossed = await browser.submit(
      { ...page.forms[0]!, action: `${server.url}/activate` },
      { password: fresh, password_again: fresh },
    );
    expect(crossed.status).toBe(410);
    expect((await browser.get(reset)).status).toBe(200);
  });

  it('is not made up', async ({ browser, server }) => {
    for (const token of ['', 'x', '\0', 'a'.repeat(5000), "' or 1=1 --", '\u{1f427}'])
      expect((await browser.get(`/reset-password?token=${encodeURIComponent(token)}`)).status).toBe(
        410,
      );
    expect((await browser.get('/reset-password?token=a&token=b')).status).toBe(410);
    expect(server.errors).toEqual([]);
  });

  it('from an administrator has no code and says who sent it', async ({
    given,
    server,
    browser,
  }) => {
    const ann = await given.user();
    const person = (await given.person(ann))!;
    await given.work((work) => sendReset(work, person));
    const mail = await mailTo(server, ann.email);
    expect(mail.text).not.toMatch(/(?<!\d)\d{6}(?!\d)/);
    expect((await choose(browser, await browser.get(linkIn(mail)), fresh)).status).toBe(200);
  });
});

describe('a code', () => {
  it('works in the browser that asked, for the address it was asked for, and nowhere else (D-56)', async ({
    given,
    server,
    browser,
  }) => {
    const ann = await given.user();
    const bob = await given.user('bob@acme.example');
    const sent = await forget(browser, ann.email);
    const code = codeIn(await mailTo(server, ann.email));

    const other = server.agent();
    const theirs = await forget(other, 'nobody@acme.example');
    const stolen = await other.submit(theirs.forms[0]!, { email: ann.email, code });
    expect(stolen.alerts).toEqual(['Code no longer valid. Ask for a new one.']);
    await forget(browser, bob.email);
    const crossed = await browser.submit(sent.forms[0]!, { email: bob.email, code });
    expect(crossed.alerts).toEqual(['This code is not right. Check it and try again.']);

    expect(
      (await browser.submit(sent.forms[0]!, { code: `${code.slice(0, 3)} ${code.slice(3)}` }))
        .status,
    ).toBe(303);
    expect(server.errors).toEqual([]);
  });

  it('may be tried five times; then even the right one is spent (D-55)', async ({
    given,
    server,
    browser,
  }) => {
    const ann = await given.user();
    const sent = await forget(browser, ann.email);
    const code = codeIn(await mailTo(server, ann.email));
    for (let guess = 0; guess < 5; guess += 1) {
      const wrong = await browser.submit(sent.forms[0]!, { code: otherThan(code, guess) });
      expect(wrong.alerts).toEqual(['This code is not right. Check it and try again.']);
    }
    const right = await browser.submit(sent.forms[0]!, { code });
    expect(right.alerts).toEqual(['Code no longer valid. Ask for a new one.']);
    // Who reads the mail is not shut out.
    expect((await browser.get(linkIn(await mailTo(server, ann.email)))).status).toBe(200);
  });

  it('may be tried ten times a day for one address, however often it is sent again (D-55)', async ({
    given,
    server,
  }) => {
    const ann = await given.user();
    let tried = 0;
    for (let round = 0; round < 5; round += 1) {
      const attacker = server.agent();
      const sent = await forget(attacker, ann.email);
      await server.app.delivery.drain();
      for (let guess = 0; guess < 5; guess += 1) {
        const answer = await attacker.submit(sent.forms[0]!, { code: '123456' });
        if (answer.alerts[0]?.startsWith('This code is not right')) tried += 1;
      }
    }
    expect(tried).toBe(10);

    server.clock.advance(24 * 3600 + 1);
    const browser = server.agent();
    const sent = await forget(browser, ann.email);
    const code = codeIn(await mailTo(server, ann.email));
    expect((await browser.submit(sent.forms[0]!, { code })).status).toBe(303);
  });

  it('says the same of an address nobody has', async ({ given, server }) => {
    const ann = await given.user();
    for (let round = 0; round < 3; round += 1) {
      const [one, other] = [server.agent(), server.agent()];
      const [known, unknown] = [
        await forget(one, ann.email),
        await forget(other, 'nobody@acme.example'),
      ];
      await server.app.delivery.drain();
      for (let guess = 0; guess < 6; guess += 1)
        expect(sameness(await one.submit(known.forms[0]!, { code: '123456' }))).toEqual(
          sameness(await other.submit(unknown.forms[0]!, { code: '123456' })),
        );
    }
  });

  it('that is right lets in once, though typed ten times at once', async ({
    given,
    server,
    browser,
  }) => {
    const ann = await given.user();
    const sent = await forget(browser, ann.email);
    const code = codeIn(await mailTo(server, ann.email));
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => browser.submit(sent.forms[0]!, { code })),
    );
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
    expect(server.errors).toEqual([]);
  });
});

describe('an invited person', () => {
  it('sets the first password through “Forgot password?”', async ({ given, server, browser }) => {
    const acme = await given.account();
    const ida = await given.user('ida@acme.example', {
      of: acme,
      password: null,
      identity: 'invited',
      givenName: 'Ida',
    });
    const client = await given.client();
    await forget(browser, ida.email);
    const mail = await mailTo(server, ida.email);
    expect(mail.kind).toBe('activation');
    const page = await browser.get(linkIn(mail));
    expect(page.words).toContain('Welcome, Ida');
    expect((await choose(browser, page, fresh)).status).toBe(200);
    expect(await given.person(ida)).toMatchObject({ identity: 'ready', emailVerified: true });
    expect(codeOf(await signIn(browser, client, { ...ida, password: fresh }))).toBeTruthy();
    // A first password is no change to be warned of.
    expect((await mailsTo(server, ida.email)).map(({ kind }) => kind)).toEqual(['activation']);
    expect(server.errors).toEqual([]);
  });

  it('has one activation link at a time', async ({ given, server, browser }) => {
    const ida = await given.user('ida@acme.example', { password: null, identity: 'invited' });
    await forget(browser, ida.email);
    const first = linkIn(await mailTo(server, ida.email));
    await forget(browser, ida.email);
    const second = linkIn(await mailTo(server, ida.email));
    expect((await browser.get(first)).status).toBe(410);
    expect((await browser.get(second)).status).toBe(200);
  });
});

function otherThan(code: string, guess: number): string {
  return String((Number(code) + guess + 1) % 1_000_000).padStart(6, '0');
}
