import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Delivery,
  type DeliveryWorker,
  deliveryWorker,
  type Handler,
  Undeliverable,
} from '#delivery/worker.ts';
import { insertOutbox, type Outgoing, outboxParams } from '#identity/work.ts';
import type { Database } from '#platform/database/database.ts';
import { vault } from '#platform/secrets.ts';
import { testDatabase } from '#test/support/database.ts';
import { fakeClock, type FakeClock, type FakeLog, fakeLog } from './fakes.ts';

const keys = vault([Buffer.alloc(32, 7)]);
const minute = 60_000;
const hour = 60 * minute;

let database: Database;
let clock: FakeClock;
let log: FakeLog;

beforeAll(async () => {
  ({ database } = await testDatabase());
});

beforeEach(async () => {
  await database.query('truncate outbox');
  clock = fakeClock();
  log = fakeLog();
});

function worker(mail: Handler, more: Record<string, Handler> = {}): DeliveryWorker {
  const handlers = { mail, ...more };
  return deliveryWorker({ database, vault: keys, clock, handlers, log, random: () => 1 });
}

async function queue(...rows: (Partial<Outgoing> & { n?: number })[]): Promise<void> {
  const outgoing = rows.map(({ n = 0, ...row }, index): Outgoing => ({
    kind: 'mail',
    subject: `subject ${index}`,
    payload: { n },
    ...row,
  }));
  await database.query(insertOutbox, outboxParams(keys, clock(), outgoing));
}

interface OutboxRow {
  payload: Record<string, unknown>;
  sealed: string | null;
  attempts: number;
  available_at: Date;
  claimed_until: Date | null;
  delivered_at: Date | null;
  failed_at: Date | null;
  last_error: string | null;
}

const outbox = (): Promise<OutboxRow[]> => database.query('select * from outbox order by id');

const nOf = (delivery: Delivery): number => delivery.payload['n'] as number;

it('hands over what was committed, and empties it', async () => {
  await queue({ payload: { n: 1, to: 'ada@acme.example', kept: { letter: 'welcome' } } });
  const seen: Delivery[] = [];

  await worker(async (delivery) => void seen.push(delivery)).drain();

  expect(seen).toMatchObject([{ kind: 'mail', attempts: 1, payload: { n: 1 } }]);
  expect(await outbox()).toMatchObject([
    {
      payload: { kept: { letter: 'welcome' } },
      delivered_at: clock(),
      claimed_until: null,
      failed_at: null,
    },
  ]);
});

it('opens a secret for the handler alone, and forgets it afterwards', async () => {
  await queue({ payload: {}, secret: { link: 'https://id.example.com/reset?token=xyz' } });
  const [before] = await outbox();
  expect(before!.sealed).toBeTruthy();
  expect(JSON.stringify(before)).not.toContain('xyz');

  const seen: unknown[] = [];
  await worker(async ({ secret }) => void seen.push(secret)).drain();

  expect(seen).toEqual([{ link: 'https://id.example.com/reset?token=xyz' }]);
  expect(await outbox()).toMatchObject([{ payload: {}, sealed: null }]);
});

it('queues the same key once', async () => {
  await queue({ dedupKey: 'reminder:acme:2026-06-01' });
  await queue({ dedupKey: 'reminder:acme:2026-06-01' }, {});
  let sent = 0;
  await worker(async () => void sent++).drain();
  expect(sent).toBe(2);
});

it('leaves what it has no handler for', async () => {
  await queue({ kind: 'webhook' }, {});
  const seen: string[] = [];
  await worker(async ({ kind }) => void seen.push(kind)).drain();
  expect(seen).toEqual(['mail']);
  expect(await outbox()).toMatchObject([{ attempts: 0, delivered_at: null }, { attempts: 1 }]);
});

describe('a delivery that fails', () => {
  it('is tried again after 5, 10, 20 seconds and so on, up to an hour', async () => {
    await queue({});
    const failing = worker(() => Promise.reject(new Error('no')));
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 12; attempt++) {
      await failing.drain();
      const [row] = await outbox();
      expect(row).toMatchObject({ attempts: attempt, claimed_until: null, delivered_at: null });
      const wait = row!.available_at.getTime() - clock().getTime();
      waits.push(wait / 1000);
      clock.pass(wait - 1);
      await failing.drain();
      expect((await outbox())[0]!.attempts).toBe(attempt);
      clock.pass(1);
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
  });

  it('waits between half and all of that, so that not all come back at once', async () => {
    await queue({});
    const handlers = { mail: () => Promise.reject(new Error('no')) };
    await deliveryWorker({ database, vault: keys, clock, handlers, log, random: () => 0 }).drain();
    const [row] = await outbox();
    expect(row!.available_at.getTime() - clock().getTime()).toBe(2500);
  });

  it('is given up after a day, loudly', async () => {
    await queue({ secret: { link: 'x' } });
    const failing = worker(() => Promise.reject(new Error('no')));
    for (let hours = 0; hours < 30; hours++) {
      await failing.drain();
      clock.pass(hour);
    }
    const [row] = await outbox();
    expect(row).toMatchObject({ last_error: 'Error: no', sealed: null });
    const age = row!.failed_at!.getTime() - Date.parse('2026-06-01T09:00:00Z');
    expect(age).toBeGreaterThan(22 * hour);
    expect(age).toBeLessThanOrEqual(24 * hour);
    expect(log.lines.at(-1)).toMatch(/^error .*given up/);
  });

  it('is given up at its end, not later', async () => {
    await queue({ expiresAt: new Date(clock().getTime() + 12_000) });
    const failing = worker(() => Promise.reject(new Error('no')));
    await failing.drain();
    clock.pass(5000);
    await failing.drain();
    expect(await outbox()).toMatchObject([{ attempts: 2, failed_at: clock() }]);
  });

  it('is given up at once when that is for good', async () => {
    await queue({});
    await worker(() => Promise.reject(new Undeliverable('SMTP 550'))).drain();
    expect(await outbox()).toMatchObject([
      { attempts: 1, failed_at: clock(), last_error: 'Undeliverable: SMTP 550' },
    ]);
  });

  it('leaves no address and no link in the log or in its row', async () => {
    await queue({});
    const text = 'refused <ada@acme.example>, see https://id.example.com/reset?token=xyz';
    await worker(() => Promise.reject(new Error(text))).drain();
    const told = JSON.stringify([log.lines, await outbox()]);
    expect(told).toContain('refused');
    expect(told).not.toMatch(/acme|token|xyz/);
  });

  it('succeeds later', async () => {
    await queue({});
    let attempt = 0;
    const flaky = worker(async () => {
      if (++attempt < 3) throw new Error('no');
    });
    for (let i = 0; i < 5; i++) {
      await flaky.drain();
      clock.pass(minute);
    }
    expect(attempt).toBe(3);
    expect(await outbox()).toMatchObject([{ last_error: null, attempts: 3 }]);
  });
});

it('does not send what has expired meanwhile', async () => {
  await queue({ expiresAt: new Date(clock().getTime() + minute) });
  clock.pass(minute);
  let sent = 0;
  await worker(async () => void sent++).drain();
  expect(sent).toBe(0);
  expect(await outbox()).toMatchObject([{ last_error: 'Undeliverable: expired' }]);
});

it('keeps the order of one subject, and lets others pass', async () => {
  await queue(
    { subject: 'ada', n: 1 },
    { subject: 'ada', n: 2 },
    { subject: 'bob', n: 3 },
    { subject: 'ada', n: 4 },
  );
  const seen: number[] = [];
  let failures = 2;
  const one = worker(async (delivery) => {
    if (nOf(delivery) === 1 && failures-- > 0) throw new Error('no');
    seen.push(nOf(delivery));
  });
  await one.drain();
  expect(seen).toEqual([3]);
  for (let i = 0; i < 3; i++) {
    clock.pass(minute);
    await one.drain();
  }
  expect(seen).toEqual([3, 1, 2, 4]);
});

it('does not let a mail wait for a webhook of the same subject', async () => {
  await queue({ subject: 'ada', kind: 'webhook' }, { subject: 'ada' });
  const seen: string[] = [];
  const mail: Handler = async () => void seen.push('mail');
  await worker(mail, { webhook: () => Promise.reject(new Error('no')) }).drain();
  expect(seen).toEqual(['mail']);
});

it('does not let receivers that hang hold up the mails', async () => {
  await queue(...Array.from({ length: 10 }, () => ({ kind: 'webhook' as const })), {}, {});
  let release = (): void => {};
  const hanging = new Promise<void>((resolve) => (release = resolve));
  const seen: string[] = [];
  const one = worker(async () => void seen.push('mail'), { webhook: () => hanging });

  await one.start();
  await expect.poll(() => seen.length).toBe(2);
  release();
  await one.stop();
});

it('sends nothing twice when two workers take from one table', async () => {
  await queue(...Array.from({ length: 60 }, (_, n) => ({ n, subject: `s${n % 20}` })));
  const sent: number[] = [];
  const order = new Map<string, number[]>();
  const handler: Handler = async (delivery) => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
    sent.push(nOf(delivery));
    order.set(delivery.subject, [...(order.get(delivery.subject) ?? []), nOf(delivery)]);
  };
  const [one, two] = [worker(handler), worker(handler)];

  // A worker drains until nothing is due; what the other holds may free more, so both go again.
  for (let i = 0; i < 20 && sent.length < 60; i++) await Promise.all([one.drain(), two.drain()]);

  expect(sent.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, n) => n));
  for (const numbers of order.values()) expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
});

it('sends once more what a process took with it when it died', async () => {
  await queue({ n: 1 });
  // What a process leaves that claimed it, sent it, and died before it could say so.
  await database.query('update outbox set attempts = 1, claimed_until = $1', [
    new Date(clock().getTime() + 2 * minute),
  ]);

  const seen: number[] = [];
  const other = worker(async (delivery) => void seen.push(delivery.attempts));
  await other.drain();
  expect(seen).toEqual([]);
  clock.pass(2 * minute);
  await other.drain();
  expect(seen).toEqual([2]);
});

it('starts at a nudge, and at once when another process notifies', async () => {
  const seen: number[] = [];
  const one = worker(async (delivery) => void seen.push(nOf(delivery)));
  await one.start();

  await queue({ n: 1 });
  one.nudge();
  await expect.poll(() => seen, { timeout: 1000 }).toEqual([1]);

  await queue({ n: 2 });
  await database.notify('ostiary_outbox', '');
  await expect.poll(() => seen, { timeout: 1000 }).toEqual([1, 2]);
  await one.stop();
});

it('can be nudged from inside a transaction', async () => {
  const seen: number[] = [];
  const one = worker(async (delivery) => void seen.push(nOf(delivery)));
  await one.start();
  await queue({ n: 1 });
  await database.transaction(async () => one.nudge());
  await expect.poll(() => seen, { timeout: 1000 }).toEqual([1]);
  expect(log.lines.filter((line) => !line.startsWith('info'))).toEqual([]);
  await one.stop();
});

it('waits for what is under way when it is stopped, and takes nothing more', async () => {
  await queue({ n: 1, subject: 'ada' }, { n: 2, subject: 'ada' });
  const seen: number[] = [];
  let begun = false;
  const one = worker(async (delivery) => {
    begun = true;
    await new Promise((resolve) => setTimeout(resolve, 50));
    seen.push(nOf(delivery));
  });
  await one.start();
  await expect.poll(() => begun).toBe(true);
  await one.stop();
  expect(seen).toEqual([1]);
  expect(await outbox()).toMatchObject([
    { delivered_at: clock() },
    { attempts: 0, delivered_at: null },
  ]);
});

it('sweeps what was delivered a week ago or failed a month ago, and nothing else', async () => {
  await queue(...Array.from({ length: 1200 }, (_, n) => ({ n })));
  const at = clock().getTime();
  await database.query(
    `update outbox set delivered_at = case when (payload->>'n')::int < 1100 then $1::timestamptz end,
       failed_at = case when (payload->>'n')::int = 1100 then $1::timestamptz end`,
    [new Date(at)],
  );
  clock.pass(7 * 24 * hour + 1);
  expect(await worker(async () => {}).sweep()).toBe(1100);
  clock.pass(24 * 24 * hour);
  expect(await worker(async () => {}).sweep()).toBe(1);
  expect(await outbox()).toHaveLength(99);
});
