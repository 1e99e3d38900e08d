import { hash } from 'node:crypto';
import { describe, expect } from 'vitest';
import { lockoutPolicy } from '#identity/credentials/lockout.ts';
import { passwordHasher } from '#platform/password-hash.ts';
import { Guesser, itWith } from './guesses.ts';

/** What security.md D-54 allows. */
const within = 0.05;
const batch = 40;
/** What else a machine does comes in bursts that outlast a batch: as many as it takes to see beyond one. */
const batches = 12;

/**
 * Whether known and unknown take as long. They are asked in pairs, one after the other, so that
 * whatever else the machine does hits both; what is looked at is how the two of a pair compare.
 *
 * The median of it is to be within 5 %. On a busy machine forty pairs may not tell; then more are
 * asked, and it fails where the difference is beyond 5 % and no chance: where the whole 99 % interval
 * of the median lies outside.
 */
async function expectAlike(
  known: () => Promise<unknown>,
  unknown: () => Promise<unknown>,
): Promise<void> {
  const ratios: number[] = [];
  const timed = async (ask: () => Promise<unknown>): Promise<number> => {
    const began = performance.now();
    await ask();
    return performance.now() - began;
  };
  for (let round = 0; round < batches; round += 1) {
    for (let pair = 0; pair < batch; pair += 1)
      if (pair % 2 === 0) {
        const one = await timed(known);
        ratios.push(one / (await timed(unknown)));
      } else {
        const other = await timed(unknown);
        ratios.push((await timed(known)) / other);
      }
    if (Math.abs(quantile(ratios, 0) - 1) < within) return;
  }
  const deviations = 2.58;
  expect(quantile(ratios, -deviations)).toBeLessThan(1 + within);
  expect(quantile(ratios, deviations)).toBeGreaterThan(1 - within);
}

/** The median, or the bound of its interval so many standard deviations away: by rank, whatever the spread. */
function quantile(values: readonly number[], deviations: number): number {
  const sorted = [...values].sort((one, other) => one - other);
  const rank = sorted.length / 2 + (deviations * Math.sqrt(sorted.length)) / 2;
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.floor(rank)))]!;
}

/** With what a password really costs. */
const it = itWith({ hasher: passwordHasher() });

describe('how long an answer takes tells nothing about who exists (D-54)', () => {
  it('which a hash that is left out would', async () => {
    const hashing = (times: number) => () => {
      let text = 'a';
      for (let n = 0; n < times; n += 1) text = hash('sha256', text);
      return Promise.resolve(text);
    };
    await expect(expectAlike(hashing(300), hashing(200))).rejects.toThrow();
  });

  it('for a wrong password', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const [atAnn, atNobody] = [new Guesser(server, client), new Guesser(server, client)];
    // The same wrong password each time, so that nobody has to wait.
    await expectAlike(
      () => atAnn.guess(ann.email, 'wrong'),
      () => atNobody.guess('nobody@acme.example', 'wrong'),
    );
    expect(server.errors).toEqual([]);
  }, 120_000);

  const patient = { ...lockoutPolicy, delays: [1], dailyLimit: 100_000, hardLimit: 100_000 };
  itWith({ lockout: patient, hasher: passwordHasher() })(
    'for a guess that makes everybody wait',
    async ({ given, server }) => {
      const acme = await given.account();
      await given.user('fay@acme.example', { of: acme, roles: ['account_administrator'] });
      const ann = await given.user('ann@acme.example', { of: acme });
      const client = await given.client();
      const [atAnn, atNobody] = [new Guesser(server, client), new Guesser(server, client)];
      let round = 0;
      const guess = (guesser: Guesser, email: string) => {
        server.clock.advance(2);
        return guesser.guess(email, `wrong ${(round += 1)}`);
      };
      for (let before = 0; before < 5; before += 1) {
        await guess(atAnn, ann.email);
        await guess(atNobody, 'nobody@acme.example');
      }
      await expectAlike(
        () => guess(atAnn, ann.email),
        () => guess(atNobody, 'nobody@acme.example'),
      );
    },
    120_000,
  );

  it('while both wait', async ({ given, server }) => {
    const ann = await given.user();
    const client = await given.client();
    const [atAnn, atNobody] = [new Guesser(server, client), new Guesser(server, client)];
    for (let guess = 0; guess < 6; guess += 1) {
      await atAnn.guess(ann.email, `${guess}`);
      await atNobody.guess('nobody@acme.example', `${guess}`);
    }
    await expectAlike(
      () => atAnn.guess(ann.email, ann.password),
      () => atNobody.guess('nobody@acme.example', ann.password),
    );
  }, 120_000);

  it('for a forgotten password', async ({ given, server }) => {
    const ann = await given.user();
    const agent = server.agent();
    const [form] = (await agent.get('/forgot-password')).forms;
    const ask = (email: string) => agent.submit(form!, { email });
    await expectAlike(
      () => ask(ann.email),
      () => ask('nobody@acme.example'),
    );
  }, 120_000);

  it('for a code that is wrong', async ({ given, server }) => {
    const ann = await given.user();
    const agent = server.agent();
    const [form] = (await agent.get('/forgot-password')).forms;
    const sent = await agent.submit(form!, { email: ann.email });
    await agent.submit(form!, { email: 'nobody@acme.example' });
    await server.app.delivery.drain();
    const ask = (email: string) => agent.submit(sent.forms[0]!, { email, code: '000000' });
    await expectAlike(
      () => ask(ann.email),
      () => ask('nobody@acme.example'),
    );
  }, 120_000);
});
