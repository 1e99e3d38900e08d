import type { Outgoing } from '#identity/work.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import type { Vault } from '#platform/secrets.ts';

export type DeliveryKind = Outgoing['kind'];

/** What is to leave. */
export interface Delivery {
  id: number;
  kind: DeliveryKind;
  subject: string;
  payload: Record<string, unknown>;
  /** What was sealed, opened. */
  secret: Record<string, unknown>;
  /** This one included. */
  attempts: number;
  createdAt: Date;
  expiresAt: Date | null;
}

/** Hands one thing over. When it returns, another system has it; when it throws, it is repeated. */
export type Handler = (delivery: Delivery) => Promise<void>;

/** Trying again changes nothing: the delivery is given up at once. */
export class Undeliverable extends Error {
  override readonly name = 'Undeliverable';
}

export interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

export interface DeliveryDependencies {
  database: Database;
  vault: Vault;
  clock: Clock;
  /** Who takes what. What has no handler here waits for a process that has one. */
  handlers: Partial<Record<DeliveryKind, Handler>>;
  log: Log;
  /** Between 0 and 1. */
  random?: () => number;
}

export interface DeliveryWorker {
  start(): Promise<void>;
  /** Something was committed that is to leave. */
  nudge(): void;
  /** Takes nothing new, and waits for what is under way. */
  stop(): Promise<void>;
  /** Delivers until nothing is due. For tests. */
  drain(): Promise<void>;
  /** Deletes what was delivered a week ago, or failed a month ago. Returns how many rows. */
  sweep(): Promise<number>;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** How long one attempt may take. The claim is longer, so nobody else takes it meanwhile. */
const attemptMs = 60 * second;
const claimMs = 2 * minute;

/** How many of one kind are under way at once: a receiver that hangs holds up only its own kind. */
const perKind = 4;

const pollMs = 2 * second;
const sweepEveryMs = 10 * minute;
const sweepBatch = 500;

/**
 * Takes out of the outbox what was committed there, oldest first, and hands it over at least once.
 *
 *     waiting -> claimed -> delivered            payload and secret are emptied
 *                        -> waiting, later       it failed: 5 s, 10 s, 20 s ... one hour, with jitter
 *                        -> failed               for good, or out of time: at its end, or after a day
 *
 * Rows of one kind and subject leave one after the other. No transaction is open while something is
 * sent. A process that dies between sending and saying so leaves a claim that ends after two
 * minutes; then that one row is sent again, under the same Message-ID.
 */
export function deliveryWorker({
  database,
  vault,
  clock,
  handlers,
  log,
  random = Math.random,
}: DeliveryDependencies): DeliveryWorker {
  const kinds = Object.keys(handlers) as DeliveryKind[];
  const underWay = new Map<Promise<void>, DeliveryKind>();
  let running: Promise<void> | undefined;
  const closing = new AbortController();
  let wake = (): void => {};
  let woken = false;
  let unlisten: (() => void) | undefined;

  function nudge(): void {
    woken = true;
    wake();
  }

  function load(kind: DeliveryKind): number {
    return [...underWay.values()].filter((other) => other === kind).length;
  }

  /** Takes what is due and begins it. Returns how many. */
  async function take(): Promise<number> {
    const open = kinds.filter((kind) => load(kind) < perKind);
    if (open.length === 0) return 0;
    const room = perKind - Math.max(...open.map(load));
    const now = clock();
    const rows = await database.query<Row>(claim, [
      now,
      new Date(now.getTime() + claimMs),
      open,
      room,
    ]);
    for (const row of rows) {
      const delivering: Promise<void> = deliver(row).finally(() => {
        underWay.delete(delivering);
        nudge();
      });
      underWay.set(delivering, row.kind);
    }
    return rows.length;
  }

  async function deliver(row: Row): Promise<void> {
    const told = { outbox: row.id, kind: row.kind, attempt: row.attempts };
    try {
      if (row.expires_at && row.expires_at <= clock()) throw new Undeliverable('expired');
      await inTime(handlers[row.kind]!(opened(vault, row)));
    } catch (error) {
      await failed(row, error, told).catch((error: unknown) => {
        log.error({ ...told, error: reason(error) }, 'a failed delivery could not be marked');
      });
      return;
    }
    try {
      await database.query(markDelivered, [row.id, clock()]);
      log.info(told, 'delivered');
    } catch (error) {
      // It was sent. Unless it can be said now, it is sent once more when the claim ends.
      log.error({ ...told, error: reason(error) }, 'delivered, but that could not be marked');
    }
  }

  async function failed(row: Row, error: unknown, told: object): Promise<void> {
    const now = clock();
    const next = new Date(now.getTime() + backoff(row.attempts, random()));
    const end = row.expires_at ?? new Date(row.created_at.getTime() + day);
    const details = { ...told, error: reason(error) };
    if (error instanceof Undeliverable) {
      await database.query(markFailed, [row.id, now, reason(error)]);
      log.warn(details, 'cannot be delivered');
    } else if (next >= end) {
      await database.query(markFailed, [row.id, now, reason(error)]);
      log.error(details, 'not delivered in time, and given up');
    } else {
      await database.query(markWaiting, [row.id, next, reason(error)]);
      log.warn({ ...details, next }, 'not delivered, and tried again later');
    }
  }

  async function run(): Promise<void> {
    let swept = performance.now();
    while (!closing.signal.aborted) {
      woken = false;
      try {
        if ((await take()) > 0) continue;
        if (performance.now() - swept > sweepEveryMs) {
          swept = performance.now();
          await sweep();
        }
      } catch (error) {
        log.warn({ error: reason(error) }, 'the outbox could not be read');
      }
      if (!woken && !closing.signal.aborted) await rest();
    }
  }

  function rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pollMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function settled(): Promise<void> {
    await Promise.all(underWay.keys());
  }

  async function sweep(): Promise<number> {
    const now = clock().getTime();
    const before = [new Date(now - 7 * day), new Date(now - 30 * day)];
    let total = 0;
    for (;;) {
      const rows = await database.query(deleteOld, [...before, sweepBatch]);
      total += rows.length;
      if (rows.length < sweepBatch) return total;
    }
  }

  return {
    async start() {
      unlisten ??= await database.listen('ostiary_outbox', nudge);
      running ??= run();
    },

    nudge,

    async stop() {
      unlisten?.();
      closing.abort();
      wake();
      await running;
      await settled();
    },

    async drain() {
      for (;;) {
        const taken = await take();
        if (taken === 0 && underWay.size === 0) return;
        if (underWay.size > 0) await Promise.race(underWay.keys());
      }
    },

    sweep,
  };
}

interface Row {
  id: number;
  kind: DeliveryKind;
  subject: string;
  payload: Record<string, unknown>;
  sealed: string | null;
  attempts: number;
  created_at: Date;
  expires_at: Date | null;
}

/**
 * `skip locked` lets workers pass one another. A row waits while an older one of its kind and subject
 * is not done, even one that waits for its next attempt: order is kept, at the price of the wait.
 */
const claim = `
  with due as (
    select o.id from outbox o
    where o.delivered_at is null and o.failed_at is null
      and o.available_at <= $1
      and (o.claimed_until is null or o.claimed_until <= $1)
      and o.kind = any($3::text[])
      and not exists (
        select from outbox older
        where older.delivered_at is null and older.failed_at is null
          and older.kind = o.kind and older.subject = o.subject and older.id < o.id
      )
    order by o.available_at, o.id
    limit $4
    for update of o skip locked
  )
  update outbox set claimed_until = $2, attempts = attempts + 1
  from due where outbox.id = due.id
  returning outbox.id, kind, subject, payload, sealed, attempts, created_at, expires_at`;

/** Of the payload only `kept` stays, which says nothing about a person. */
const markDelivered = `
  update outbox
  set delivered_at = $2, claimed_until = null, last_error = null, sealed = null,
      payload = jsonb_strip_nulls(jsonb_build_object('kept', payload -> 'kept'))
  where id = $1`;

const markWaiting = `
  update outbox set claimed_until = null, available_at = $2, last_error = $3
  where id = $1 and delivered_at is null`;

const markFailed = `
  update outbox set claimed_until = null, failed_at = $2, last_error = $3, sealed = null
  where id = $1 and delivered_at is null`;

const deleteOld = `
  delete from outbox where id in (
    select id from outbox where delivered_at < $1 or failed_at < $2 order by id limit $3
    for update skip locked
  ) returning id`;

function opened(vault: Vault, row: Row): Delivery {
  const { id, kind, subject, payload, sealed, attempts } = row;
  const secret =
    sealed === null
      ? {}
      : (JSON.parse(vault.open(sealed, `outbox:${kind}`)) as Record<string, unknown>);
  const { created_at: createdAt, expires_at: expiresAt } = row;
  return { id, kind, subject, payload, secret, attempts, createdAt, expiresAt };
}

/** 5 s, 10 s, 20 s ... one hour, each between half and all of it, so that a crowd spreads out. */
function backoff(attempts: number, chance: number): number {
  const full = Math.min(5 * second * 2 ** (attempts - 1), hour);
  return full * (0.5 + chance / 2);
}

async function inTime(delivering: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it took too long')), attemptMs);
  });
  try {
    await Promise.race([delivering, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What went wrong, for the log and the row: without addresses and links. */
function reason(error: unknown): string {
  const { name, message, code } = error as Error & { code?: unknown };
  const text = `${name}${typeof code === 'string' ? ` ${code}` : ''}: ${message}`;
  return text
    .replace(/\b[a-z]+:\/\/\S+/gi, '<link>')
    .replace(/\S+@\S+/g, '<address>')
    .slice(0, 300);
}
