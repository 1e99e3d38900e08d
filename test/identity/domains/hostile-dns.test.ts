import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  agreed,
  lookForProof,
  type Finding,
  type Outcome,
} from '#identity/domains/look-for-proof.ts';
import { proofNetwork } from '#identity/domains/proof-network.ts';
import { dnsResolvers } from '#platform/dns/resolver.ts';
import { egressAllowance } from '#platform/egress.ts';
import { FakeDns } from '#test/support/dns.ts';

const challenge = 'd41d8cd98f00b204e9800998ecf8427e';
const value = `ostiary-domain-verification=${challenge}`;
const name = 'c.test';
const place = '_ostiary-challenge.c.test';

let one: FakeDns;
let two: FakeDns;
beforeAll(async () => {
  [one, two] = await Promise.all([FakeDns.start(), FakeDns.start()]);
});
afterAll(() => Promise.all([one.stop(), two.stop()]));
beforeEach(() => {
  for (const dns of [one, two]) {
    dns.zones.clear();
    dns.asked.length = 0;
    dns.set(name, {});
  }
});

async function look(servers = [one.server, two.server], limitMs = 1500): Promise<Finding> {
  const network = {
    ...proofNetwork(servers, egressAllowance([])),
    resolvers: () => dnsResolvers(servers, { limitMs }),
  };
  const [finding] = await lookForProof(network, { name, challenge }, ['dns']);
  return finding!;
}

function both(where: string, zone: Parameters<FakeDns['set']>[1]): void {
  for (const dns of [one, two]) dns.set(where, zone);
}

describe('the record of an organization', () => {
  it('is seen where it was asked for, at the challenge or at the domain itself', async () => {
    both(place, { txt: [value] });
    expect((await look()).outcome).toBe('found');
    both(place, { txt: [] });
    both(name, { txt: ['v=spf1 -all', value] });
    expect((await look()).outcome).toBe('found');
  });

  it('is seen by two looks, also where there is one resolver', async () => {
    one.set(place, { txt: [value] });
    expect((await look([one.server])).outcome).toBe('found');
    expect(one.asked.filter((asked) => asked === `${place} TXT`)).toHaveLength(2);
  });

  it('is that very text and no other', async () => {
    for (const other of [
      `${value} `,
      ` ${value}`,
      `${value};`,
      value.toUpperCase(),
      `"${value}"`,
      challenge,
      value.slice(0, -1),
      `x${value}`,
      `${value},${value}`,
      `ostiary-domain-verification=${'0'.repeat(32)}`,
    ]) {
      both(place, { txt: [other] });
      expect([other, (await look()).outcome]).toEqual([other, 'missing']);
    }
  });

  it('may stand among many others, and in pieces', async () => {
    const others = Array.from({ length: 60 }, (_, index) => `record ${index} ${'x'.repeat(300)}`);
    both(place, { txt: [...others, value] });
    expect((await look()).outcome).toBe('found');
  });
});

describe('whoever answers for others (D-32)', () => {
  it('proves nothing by a wildcard with another text', async () => {
    both('*.c.test', { txt: ['v=spf1 -all', `ostiary-domain-verification=${'0'.repeat(32)}`] });
    const finding = await look();
    expect(finding.outcome).toBe('missing');
    expect(finding.seen).toEqual([`ostiary-domain-verification=${'0'.repeat(32)}`]);
  });

  it('proves nothing behind an alias, though the text is there', async () => {
    both(place, { cname: 'anything.saas.test' });
    both('anything.saas.test', { txt: [value] });
    expect((await look()).outcome).toBe('missing');
    both('*.c.test', { cname: 'anything.saas.test' });
    for (const dns of [one, two]) dns.remove(place);
    expect((await look()).outcome).toBe('missing');
  });
});

describe('resolvers that do not agree', () => {
  it('decide nothing, whichever of them is wrong', async () => {
    one.set(place, { txt: [value] });
    expect((await look()).outcome).toBe('unknown');
  });

  it('decide nothing where one of two is silent, and everything where two of three speak', async () => {
    one.set(place, { txt: [value] });
    two.set(place, { silent: true });
    expect((await look()).outcome).toBe('unknown');
    expect((await look([one.server, two.server, one.server])).outcome).toBe('found');
  });

  it.each<[Outcome[], Outcome]>([
    [['found', 'found'], 'found'],
    [['missing', 'missing'], 'missing'],
    [['found', 'missing'], 'unknown'],
    [['found', 'unknown'], 'unknown'],
    [['missing', 'unknown'], 'unknown'],
    [['found', 'found', 'unknown'], 'found'],
    [['missing', 'missing', 'unknown'], 'missing'],
    [['missing', 'missing', 'found'], 'unknown'],
    [['unknown', 'unknown'], 'unknown'],
    [[], 'unknown'],
  ])('%j together say %s', (said, together) => {
    expect(agreed(said)).toBe(together);
  });
});

describe('trouble (D-32)', () => {
  it.each(['SERVFAIL', 'REFUSED'] as const)('%s is no answer', async (fails) => {
    both(place, { fails });
    both(name, { fails });
    expect((await look()).outcome).toBe('unknown');
  });

  it('at one of the two places is no answer either', async () => {
    both(name, { fails: 'SERVFAIL' });
    expect((await look()).outcome).toBe('unknown');
    both(place, { txt: [value] });
    expect((await look()).outcome).toBe('found');
  });

  it('is not that the name is gone: that is an answer', async () => {
    for (const dns of [one, two]) dns.zones.clear();
    expect((await look()).outcome).toBe('missing');
  });

  it('takes its time, and no more than that', async () => {
    both(place, { silent: true });
    both(name, { delayMs: 60_000 });
    const began = performance.now();
    expect((await look([one.server, two.server], 900)).outcome).toBe('unknown');
    expect(performance.now() - began).toBeLessThan(2500);
  });

  it('is not ten thousand records, nor an answer that is as long as one can be', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `${index}`);
    one.set(place, { txt: many.slice(0, 3500) });
    two.set(place, { txt: Array.from({ length: 250 }, () => 'x'.repeat(240)) });
    const began = performance.now();
    expect((await look()).outcome).toBe('missing');
    one.set(place, { txt: [...many.slice(0, 3500), value] });
    two.set(place, { txt: [...Array.from({ length: 240 }, () => 'x'.repeat(240)), value] });
    expect((await look()).outcome).toBe('found');
    // More than a message holds cannot be said at all.
    one.set(place, { txt: [...many, value] });
    expect((await look()).outcome).not.toBe('found');
    expect(performance.now() - began).toBeLessThan(8000);
  });

  it('is a resolver that is not there', async () => {
    both(place, { txt: [value] });
    expect((await look(['127.0.0.1:1', 'no-such-host.invalid:53'])).outcome).toBe('unknown');
  });
});
