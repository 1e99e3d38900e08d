import { describe, expect } from 'vitest';
import { lockoutPolicy } from '#identity/credentials/lockout.ts';
import { passwordHasher } from '#platform/password-hash.ts';
import { it } from '#test/support/it.ts';
import { authorizeUrl, codeOf, refresh, signIn, tokensFor } from '#test/support/sign-in.ts';
import type { World } from '#test/support/world.ts';
import { Guesser, itBehindProxy, itWith, sameness, told } from './guesses.ts';

const counters = (given: World) =>
  given.rows<{ bucket: string; failures: number; next_at: Date | null }>(
    'select bucket, failures, next_at from attempt_counters order by bucket',
  );

describe('whoever guesses', () => {
  it('waits longer and longer, and is not told whether a guess made meanwhile was right (D-49)', async ({
    given,
    server,
  }) => {
    const ann = await given.user();
    const guesser = new Guesser(server, await given.client());
    for (let guess = 1; guess <= 4; guess += 1)
      expect((await guesser.guess(ann.email, `wrong ${guess}`)).alerts).toEqual([told.wrong]);

    for (const [index, wait] of [...lockoutPolicy.delays, 900].entries()) {
      const fails = await guesser.guess(ann.email, `wrong again ${index}`);
      expect(fails.alerts).toEqual([told.locked]);
      const before = await counters(given);

      server.clock.advance(wait - 2);
      const right = await guesser.guess(ann.email, ann.password);
      const wrong = await guesser.guess(ann.email, 'quite another');
      expect(sameness(right)).toEqual(sameness(wrong));
      expect(right.status).toBe(401);
      expect(right.alerts).toEqual([told.locked]);
      expect(await counters(given)).toEqual(before);
      server.clock.advance(3);
    }

    expect((await guesser.guess(ann.email, ann.password)).status).toBe(303);
    expect(await counters(given)).toEqual([]);
    expect(server.errors).toEqual([]);
  });

  it('waits an hour from the twentieth of a day on', async ({ given, server }) => {
    const ann = await given.user();
    const guesser = new Guesser(server, await given.client());
    for (let guess = 1; guess <= lockoutPolicy.dailyLimit; guess += 1) {
      await guesser.guess(ann.email, `wrong ${guess}`);
      if (guess < lockoutPolicy.dailyLimit) server.clock.advance(901);
    }
    server.clock.advance(lockoutPolicy.dailyDelay - 2);
    expect((await guesser.guess(ann.email, ann.password)).alerts).toEqual([told.locked]);
    server.clock.advance(3);
    await guesser.guess(ann.email, 'wrong 21');
    server.clock.advance(901);
    expect((await guesser.guess(ann.email, ann.password)).alerts).toEqual([told.locked]);

    // A day later the steps are those of a day's first guesses again.
    server.clock.advance(24 * 3600);
    await guesser.guess(ann.email, 'wrong 22');
    server.clock.advance(901);
    expect((await guesser.guess(ann.email, ann.password)).status).toBe(303);
  });

  it('learns nothing of a name nobody has, from the first guess to the hundredth and after (D-47)', async ({
    given,
    server,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const [atAnn, atNobody] = [new Guesser(server, client), new Guesser(server, client)];
    for (let guess = 1; guess <= lockoutPolicy.hardLimit; guess += 1) {
      const known = await atAnn.guess(ann.email, `wrong ${guess}`);
      const unknown = await atNobody.guess('nobody@acme.example', `wrong ${guess}`);
      expect(sameness(known), `guess ${guess}`).toEqual(sameness(unknown));
      server.clock.advance(guess < 20 ? 901 : 3601);
    }

    // Time opens nothing any more, for neither.
    server.clock.advance(30 * 24 * 3600);
    const known = await atAnn.guess(ann.email, ann.password);
    const unknown = await atNobody.guess('nobody@acme.example', ann.password);
    expect(known.alerts).toEqual([told.locked]);
    expect(sameness(known)).toEqual(sameness(unknown));
    await server.app.delivery.drain();
    expect((await given.person(ann))?.locks).toEqual([
      { reason: 'too_many_attempts', until: null },
    ]);
    const [row] = await given.rows<{ failures: number; hard: boolean }>(
      `select (details ->> 'failures')::int as failures, (details ->> 'hard')::boolean as hard
       from audit_events where action = 'sign_in.throttled' order by id desc limit 1`,
    );
    expect(row).toEqual({ failures: 100, hard: true });
    expect(server.errors).toEqual([]);
  }, 180_000);

  it('has one budget for all ways to write an address (D-51)', async ({ given, server }) => {
    const ann = await given.user('Ann@Acme.Example');
    const guesser = new Guesser(server, await given.client());
    const spellings = [
      'ann@acme.example',
      'ANN@ACME.EXAMPLE',
      'aNn@acme.example',
      'Ann@Acme.Example',
    ];
    for (const [index, spelling] of spellings.entries())
      expect((await guesser.guess(spelling, `wrong ${index}`)).alerts).toEqual([told.wrong]);
    expect((await guesser.guess('ann@ACME.example', 'wrong 5')).alerts).toEqual([told.locked]);
    expect(await counters(given)).toMatchObject([{ bucket: `user:${ann.id}`, failures: 5 }]);
  });

  it('has one budget for all ways to write an address nobody has', async ({ given, server }) => {
    const guesser = new Guesser(server, await given.client());
    for (const [index, spelling] of ['x@a.example', 'X@A.EXAMPLE', 'x@A.example'].entries())
      await guesser.guess(spelling, `wrong ${index}`);
    expect(await counters(given)).toMatchObject([{ failures: 3 }]);
  });

  it('pays nothing for typing the same wrong password again', async ({ given, server }) => {
    const ann = await given.user();
    const guesser = new Guesser(server, await given.client());
    for (let again = 0; again < 50; again += 1)
      expect((await guesser.guess(ann.email, 'my old password')).alerts).toEqual([told.wrong]);
    expect((await guesser.guess(ann.email, ann.password)).status).toBe(303);
  });

  it('is forgiven by the right password', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const guesser = new Guesser(server, client);
    for (let round = 0; round < 3; round += 1) {
      for (let guess = 0; guess < 4; guess += 1)
        await guesser.guess(ann.email, `${round} ${guess}`);
      const fresh = new Guesser(server, client);
      expect((await fresh.guess(ann.email, ann.password)).status).toBe(303);
    }
    expect(await counters(given)).toEqual([]);
  });

  it('may not use an empty password or one of a megabyte to any end', async ({ given, server }) => {
    const ann = await given.user();
    const guesser = new Guesser(server, await given.client());
    expect((await guesser.guess(ann.email, '')).alerts).toEqual([told.wrong]);
    expect((await guesser.guess(ann.email, 'x'.repeat(2000))).alerts).toEqual([told.wrong]);
    expect((await guesser.guess(ann.email, 'x'.repeat(1_000_000))).status).toBe(413);
    expect(server.errors).toEqual([]);
  });
});

describe('a person whom others attack', () => {
  itBehindProxy(
    'signs in at once on a device of their own, after 60 failures of strangers (D-48)',
    async ({ given, server }) => {
      const ann = await given.user();
      const client = await given.client();
      const own = new Guesser(server, client, { from: '198.51.100.1' });
      expect((await own.guess(ann.email, ann.password)).status).toBe(303);

      for (let guess = 0; guess < 60; guess += 1) {
        const stranger = new Guesser(server, client, { from: `203.0.113.${guess + 1}` });
        await stranger.guess(ann.email, `wrong ${guess}`);
        server.clock.advance(3601);
      }
      const stranger = new Guesser(server, client, { from: '203.0.113.99' });
      await stranger.guess(ann.email, 'one more');
      expect((await stranger.guess(ann.email, ann.password)).alerts).toEqual([told.locked]);

      // Not even a slip of the finger makes them wait.
      expect((await own.guess(ann.email, 'a slip')).alerts).toEqual([told.wrong]);
      expect((await own.guess(ann.email, ann.password)).status).toBe(303);
      expect(server.errors).toEqual([]);
    },
    120_000,
  );

  it('waits on their own device too after ten wrong passwords there', async ({ given, server }) => {
    const ann = await given.user();
    const own = new Guesser(server, await given.client());
    await own.guess(ann.email, ann.password);
    // The same one again and again is one.
    for (let again = 1; again <= 12; again += 1)
      expect((await own.guess(ann.email, 'wrong 1')).alerts).toEqual([told.wrong]);
    for (let guess = 2; guess <= 10; guess += 1) {
      expect(await given.rows('select 1 from trusted_devices')).toHaveLength(1);
      expect((await own.guess(ann.email, `wrong ${guess}`)).alerts).toEqual([told.wrong]);
    }
    expect(await given.rows('select 1 from trusted_devices')).toEqual([]);
    expect((await own.guess(ann.email, 'wrong 11')).alerts).toEqual([told.locked]);
    expect((await own.guess(ann.email, ann.password)).alerts).toEqual([told.locked]);
  });

  it('cannot lend a device: the cookie of one person gives another no trust', async ({
    given,
    server,
  }) => {
    const ann = await given.user();
    const eve = await given.user('eve@acme.example');
    const hers = new Guesser(server, await given.client());
    await hers.guess(eve.email, eve.password);
    for (let guess = 1; guess <= 5; guess += 1) await hers.guess(ann.email, `wrong ${guess}`);
    expect((await hers.guess(ann.email, ann.password)).alerts).toEqual([told.locked]);
  });

  it('stays signed in, and their applications go on', async ({
    given,
    server,
    browser,
    program,
  }) => {
    const ann = await given.user();
    const client = await given.client();
    const tokens = await tokensFor(browser, client, ann, { scope: 'openid offline_access' });
    await given.locked(ann, 'too_many_attempts');
    expect(codeOf(await browser.get(authorizeUrl(client, { prompt: 'none' })))).toBeTruthy();
    expect((await refresh(program, client, tokens.refresh_token!)).status).toBe(200);
    expect((await new Guesser(server, client).guess(ann.email, ann.password)).alerts).toEqual([
      told.locked,
    ]);
  });

  it('gets one mail a day about it, and the next day another', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const mails = async () => {
      await server.app.delivery.drain();
      return (await given.mails()).map(({ kind, recipient }) => ({ kind, recipient }));
    };
    const attack = async (round: number) => {
      const guesser = new Guesser(server, client);
      for (let guess = 0; guess < 6; guess += 1) {
        await guesser.guess(ann.email, `wrong ${round} ${guess}`);
        if (guess === 4) server.clock.advance(61);
      }
    };
    const about = { kind: 'locked_out', recipient: ann.email };

    await attack(1);
    expect(await mails()).toEqual([about]);
    server.clock.advance(130);
    await new Guesser(server, client).guess(ann.email, ann.password);
    await attack(2);
    const today = (await mails()).length;
    expect(today).toBeLessThanOrEqual(2);
    server.clock.advance(25 * 3600);
    await new Guesser(server, client).guess(ann.email, ann.password);
    await attack(3);
    expect(await mails()).toHaveLength(today + 1);
    expect(new Set(await given.events())).toContain('sign_in.throttled');
  });
});

describe('two hundred guesses at once', () => {
  let evaluated = 0;
  const hasher = passwordHasher({ parallel: 2, queue: 500 });
  const counting = itWith({
    hasher: {
      ...hasher,
      verify(password, stored) {
        evaluated += 1;
        return hasher.verify(password, stored);
      },
    },
  });

  counting(
    'are no more than the budget, and the right one beyond it fails (D-50)',
    async ({ given, server }) => {
      const ann = await given.user();
      const guesser = new Guesser(server, await given.client());
      await guesser.guess(ann.email, 'the first of all');
      evaluated = 0;
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          guesser.guess(ann.email, index < 190 ? `wrong ${index}` : ann.password),
        ),
      );
      expect(evaluated).toBe(lockoutPolicy.free);
      expect(answers.filter(({ status }) => status === 303)).toEqual([]);
      expect(answers.map(({ status }) => status)).toEqual(Array(200).fill(401));
      expect(await counters(given)).toMatchObject([{ failures: lockoutPolicy.free + 1 }]);
      expect(server.errors).toEqual([]);
    },
    60_000,
  );

  const open: (() => void)[] = [];
  const narrow = passwordHasher({ parallel: 1, queue: 1 });
  const itWhenBusy = itWith({
    hasher: {
      ...narrow,
      async verify(password, stored) {
        await new Promise<void>((resolve) => open.push(resolve));
        return narrow.verify(password, stored);
      },
    },
  });

  itWhenBusy('count nothing when there is no time for them', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const guessers = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const guesser = new Guesser(server, client);
        await guesser.guess(ann.email, '');
        return guesser;
      }),
    );
    const answers = guessers.map((guesser, index) => guesser.guess(ann.email, `wrong ${index}`));
    const shed = await Promise.all(
      answers.map((answer) =>
        Promise.race([answer, new Promise<null>((resolve) => setTimeout(resolve, 1500, null))]),
      ),
    );
    const refused = shed.filter((answer) => answer !== null);
    expect(refused).toHaveLength(6);
    for (const answer of refused) {
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toBe('2');
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.words).toContain('Try again in 2 seconds');
    }
    const release = setInterval(() => open.splice(0).forEach((resolve) => resolve()), 20);
    await Promise.all(answers);
    clearInterval(release);
    expect(await counters(given)).toMatchObject([{ failures: 2 }]);
    expect(server.errors).toEqual([]);
  });
});

describe('one source that tries many people', () => {
  itBehindProxy('is told to wait, and nobody else is (spraying)', async ({ given, server }) => {
    const client = await given.client();
    const ann = await given.user();
    const sprayer = new Guesser(server, client, { from: '203.0.113.7' });
    for (let person = 0; person < 21; person += 1)
      expect((await sprayer.guess(`p${person}@acme.example`, 'Summer2026!')).status).toBe(401);
    const stopped = await sprayer.guess(ann.email, ann.password);
    expect(stopped.status).toBe(429);
    expect(Number(stopped.headers['retry-after'])).toBeGreaterThan(0);
    expect(stopped.words).toContain('Too many attempts from this network.');
    expect(
      (await counters(given)).find(({ bucket }) => bucket === `user:${ann.id}`),
    ).toBeUndefined();

    const neighbour = new Guesser(server, client, { from: '203.0.113.8' });
    expect((await neighbour.guess(ann.email, ann.password)).status).toBe(303);
    server.clock.advance(601);
    expect((await sprayer.guess(ann.email, ann.password)).status).toBe(303);
    expect(server.errors).toEqual([]);
  });

  itBehindProxy(
    'is one source in all of an IPv6 network of a customer, however it is written',
    async ({ given, server }) => {
      const client = await given.client();
      const addresses = [
        '2001:db8::5',
        '2001:db8::6:7',
        '2001:db8:0:0:1:2:3:4',
        '2001:0db8::ffff:1',
      ];
      for (const [index, from] of addresses.entries())
        await new Guesser(server, client, { from }).guess(`p${index}@acme.example`, 'Summer2026!');
      await new Guesser(server, client, { from: '2001:db8:0:1::5' }).guess('q@acme.example', 'x');
      const sources = (await counters(given)).filter(({ bucket }) => bucket.startsWith('source:'));
      expect(sources).toMatchObject([{ failures: 4 }, { failures: 1 }]);
    },
  );

  it('is not another one by headers that anybody can write (D-52)', async ({ given, server }) => {
    const ann = await given.user();
    const guesser = new Guesser(server, await given.client());
    for (const [index, headers] of spoofed.entries())
      await guesser.guess(`p${index}@acme.example`, 'Summer2026!', headers);
    await guesser.guess(ann.email, ann.password, spoofed[0]);
    expect(await given.rows(`select distinct ip from audit_events where ip is not null`)).toEqual([
      { ip: '127.0.0.1' },
    ]);
    expect(await given.rows(`select 1 from attempt_counters where bucket like 'source:%'`)).toEqual(
      [],
    );
  });

  itBehindProxy(
    'is the last address before the proxies we know, whatever stands before it',
    async ({ given, server }) => {
      const client = await given.client();
      const chains = [
        '203.0.113.7',
        '6.6.6.6, 203.0.113.7',
        '127.0.0.1, 203.0.113.7',
        'unknown, "_hidden", 203.0.113.7',
        `${Array.from({ length: 50 }, (_, hop) => `10.0.0.${hop}`).join(', ')}, 203.0.113.7`,
        '203.0.113.7, 127.0.0.1',
        '::ffff:203.0.113.7',
      ];
      for (const [index, from] of chains.entries())
        await new Guesser(server, client, { from }).guess(`p${index}@acme.example`, 'x', {
          forwarded: 'for=6.6.6.6',
          'x-real-ip': '6.6.6.6',
        });
      expect(
        (await counters(given)).filter(({ bucket }) => bucket.startsWith('source:')),
      ).toMatchObject([{ bucket: 'source:203.0.113.7', failures: chains.length }]);
    },
  );

  itBehindProxy('is the proxy itself where that names nobody', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    for (const from of [undefined, 'unknown', '', '203.0.113.7, _hidden', '6.6.6.6, ::1, x']) {
      const browser = new Guesser(server, client, from === undefined ? {} : { from });
      if (from === '') browser.agent.headers['x-forwarded-for'] = '';
      expect((await browser.guess(ann.email, ann.password)).status).toBe(303);
    }
    const seen = await given.rows<{ ip: string }>(
      `select distinct ip from audit_events where action = 'sign_in.succeeded'`,
    );
    expect(seen.map(({ ip }) => ip).sort()).toEqual(['127.0.0.1']);
    expect(server.errors).toEqual([]);
  });
});

const spoofed: Record<string, string>[] = [
  { 'x-forwarded-for': '6.6.6.6' },
  { 'x-forwarded-for': Array.from({ length: 50 }, (_, hop) => `6.6.6.${hop}`).join(', ') },
  { forwarded: 'for=6.6.6.6;host=evil.example' },
  { 'x-real-ip': '6.6.6.6', 'x-client-ip': '6.6.6.6', 'true-client-ip': '6.6.6.6' },
  { 'x-forwarded-for': "'; drop table users; --" },
];

describe('a locked password', () => {
  const strict = itWith({ lockout: { ...lockoutPolicy, hardLimit: 6 } });
  const lockOut = async (
    guesser: Guesser,
    email: string,
    server: { clock: { advance(s: number): void } },
  ) => {
    for (let guess = 0; guess < 6; guess += 1) {
      await guesser.guess(email, `wrong ${guess}`);
      server.clock.advance(901);
    }
  };

  strict(
    'is locked wherever it is typed, on a trusted device too',
    async ({ given, server, browser }) => {
      const ann = await given.user();
      const client = await given.client();
      await signIn(browser, client, ann);
      await lockOut(new Guesser(server, client), ann.email, server);
      const answer = await signIn(browser, client, ann, { prompt: 'login' });
      expect(answer.alerts).toEqual([told.locked]);
      await server.app.delivery.drain();
      expect(await given.events()).toContain('user.locked');
      expect(server.errors).toEqual([]);
    },
  );

  strict(
    'is opened by an administrator, and no other lock with it (D-57)',
    async ({ given, server }) => {
      const ann = await given.user();
      const client = await given.client();
      await lockOut(new Guesser(server, client), ann.email, server);
      await server.app.delivery.drain();
      await given.locked(ann, 'admin');
      const { unlockUser } = await import('#identity/users/lock.ts');
      expect(await given.work((work) => unlockUser(work, ann.id, ['too_many_attempts']))).toEqual([
        'too_many_attempts',
      ]);
      expect((await given.person(ann))?.locks).toEqual([{ reason: 'admin', until: null }]);
      const answer = await new Guesser(server, client).guess(ann.email, ann.password);
      expect(answer.words).toContain('Your administrator locked this account.');
    },
  );
});
