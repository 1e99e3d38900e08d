import { createHmac } from 'node:crypto';
import { administratorsOf } from '#identity/accounts/administrators.ts';
import type { SealedRow } from '#identity/audit/chain.ts';
import { eventOf, type Event } from '#identity/events/event.ts';
import { likePatterns, openSecrets, type WebhookSecrets } from '#identity/events/webhook.ts';
import { mail } from '#identity/mail/mail.ts';
import { toReader, type Reader, type Recipient } from '#identity/mail/recipient.ts';
import { unitOfWork, type Foundation, type Work } from '#identity/work.ts';
import type { Egress } from '#platform/egress.ts';
import { EgressRefused } from '#platform/egress.ts';
import type { Log } from './worker.ts';

/**
 * EVENTS TO WEBHOOKS
 *
 *     audit log, sealed  --fan out-->  webhook_deliveries  --lanes-->  the receivers
 *
 * **Fan out** reads on, for each active webhook, from the position it has reached, and writes down
 * which events it is to be sent. A webhook that has a thousand waiting is not read on for.
 *
 * **Lanes** send. Each webhook has a lane of its own in each process, so a receiver that hangs holds
 * up itself alone; and a lane has four requests under way, or one while the receiver fails. An event
 * waits while an older one of the same webhook and subject is not done.
 *
 * An event is sent at least once: who dies between sending and writing that down sends again after
 * the claim ends, with the same `webhook-id`. What is not taken (by a 2xx) is tried again after 5,
 * 10, 20 seconds ... an hour, for a day; then the webhook is `failing`: nothing more is sent, its
 * administrators are told, and it goes on where it stopped once it is switched on again. A receiver
 * that answers 410 says that it is gone, and is believed at once.
 *
 * The request is that of Standard Webhooks: a POST of JSON with `webhook-id`, `webhook-timestamp`
 * and `webhook-signature`, which holds `v1,` and the base64 of the HMAC-SHA256 of
 * `id.timestamp.body`; two of them, separated by a space, while a secret is being changed.
 */
export interface WebhookDependencies {
  foundation: Foundation;
  egress: Egress;
  log: Log;
  /** Between 0 and 1. */
  random?: () => number;
  /** Milliseconds that a receiver has. */
  timeoutMs?: number;
}

export interface WebhookSender {
  /** Reads on and begins to send; returns whether there is more to read. Does not wait for receivers. */
  turn(): Promise<boolean>;
  /** Until nothing is due. For tests. */
  drain(): Promise<void>;
  /** Begins nothing more, and waits for what is under way. */
  stop(): Promise<void>;
  /** Deletes what was taken a week ago. Returns how many rows. */
  sweep(): Promise<number>;
}

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

const readAtOnce = 200;
const mostWaiting = 1000;
const mostLanes = 100;
const perLane = 4;
const claimMs = 60 * second;

interface Target {
  id: string;
  account_id: string | null;
  url: string;
  sealed: string;
  failures: number;
}

interface Due extends Omit<SealedRow, 'id'> {
  delivery: string;
  webhook_id: string;
  event_id: number | null;
  attempts: number;
  first_at: Date;
  created_at: Date;
}

export function webhookSender({
  foundation,
  egress,
  log,
  random = Math.random,
  timeoutMs = 10 * second,
}: WebhookDependencies): WebhookSender {
  const { database, vault, clock } = foundation;
  const lanes = new Map<string, Promise<void>>();
  let stopping = false;

  async function turn(): Promise<boolean> {
    const more = await fanOut();
    const waiting = await database.query<{ id: string }>(withDue, [clock(), mostLanes]);
    for (const { id } of waiting) {
      if (stopping || lanes.size >= mostLanes) break;
      if (lanes.has(id)) continue;
      const lane = runLane(id)
        .catch((error: unknown) => log.error({ error, webhook: id }, 'a webhook lane broke'))
        .finally(() => lanes.delete(id));
      lanes.set(id, lane);
    }
    return more;
  }

  /** Returns whether somebody has more to read. */
  async function fanOut(): Promise<boolean> {
    const behind = await database.query<{ id: string; actions: string[] }>(readers, [mostWaiting]);
    let more = false;
    for (const { id, actions } of behind) {
      if (stopping) return false;
      const [{ read } = { read: 0 }] = await database.query<{ read: number }>(readOn, [
        id,
        likePatterns(actions),
        clock(),
        readAtOnce,
      ]);
      more ||= read === readAtOnce;
    }
    return more;
  }

  async function runLane(id: string): Promise<void> {
    for (;;) {
      const [target] = await database.query<Target>(
        'select id, account_id, url, sealed, failures from webhooks where id = $1',
        [id],
      );
      if (!target || stopping) return;
      const now = clock();
      const due = await database.query<Due>(claim, [
        id,
        now,
        new Date(now.getTime() + claimMs),
        target.failures > 0 ? 1 : perLane,
      ]);
      if (due.length === 0) return;
      await Promise.all(due.map((one) => deliver(target, one)));
    }
  }

  async function deliver(target: Target, due: Due): Promise<void> {
    const begun = performance.now();
    const outcome = await send(target, due);
    const took = Math.round(performance.now() - begun);
    if (outcome.taken) {
      await database.query(markDelivered, [
        due.delivery,
        clock(),
        outcome.status,
        took,
        due.webhook_id,
      ]);
      return;
    }
    const told = { webhook: target.id, attempt: due.attempts, ...outcome };
    log.warn(told, 'an event was not taken');
    await failed(target, due, outcome, took);
  }

  async function send(target: Target, due: Due): Promise<Outcome> {
    const event = due.event_id === null ? testEvent(target, due) : eventOf(idOf(due));
    const body = JSON.stringify(event);
    const timestamp = Math.floor(clock().getTime() / 1000);
    try {
      const secrets = openSecrets(vault, target.id, target.sealed);
      const { status, headers } = await egress.send(target.url, {
        method: 'POST',
        timeoutMs,
        body,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'Ostiary-Webhooks/1',
          'webhook-id': event.id,
          'webhook-timestamp': String(timestamp),
          'webhook-signature': signatures(secrets, event.id, timestamp, body, clock()),
        },
      });
      const wait = Number(headers['retry-after']);
      return {
        taken: status >= 200 && status < 300,
        gone: status === 410,
        status,
        error: `HTTP ${status}`,
        waitMs: Number.isFinite(wait) ? Math.min(wait * second, hour) : 0,
      };
    } catch (error) {
      return { taken: false, gone: false, status: null, error: describe(error), waitMs: 0 };
    }
  }

  async function failed(target: Target, due: Due, outcome: Outcome, took: number): Promise<void> {
    const now = clock();
    if (due.event_id === null) {
      await database.query(markTested, [due.delivery, outcome.status, outcome.error, took]);
      return;
    }
    const pause = Math.max(backoff(due.attempts, random()), outcome.waitMs);
    const next = new Date(now.getTime() + pause);
    await database.query(markWaiting, [
      due.delivery,
      next,
      outcome.status,
      outcome.error,
      took,
      target.id,
    ]);
    if (outcome.gone || next.getTime() > due.first_at.getTime() + day)
      await unitOfWork(foundation, { actor: { type: 'system', id: 'webhooks' } }, (work) =>
        giveUp(work, target, outcome.error),
      );
  }

  async function settled(): Promise<void> {
    await Promise.all(lanes.values());
  }

  return {
    turn,
    async drain() {
      while (await turn());
      await settled();
    },
    async stop() {
      stopping = true;
      await settled();
    },
    async sweep() {
      const rows = await database.query(
        `delete from webhook_deliveries where id in (
           select id from webhook_deliveries where state <> 'pending' and created_at < $1 limit 1000
         ) returning 1`,
        [new Date(clock().getTime() - 7 * day)],
      );
      return rows.length;
    },
  };
}

interface Outcome {
  taken: boolean;
  gone: boolean;
  status: number | null;
  error: string;
  /** How long the receiver asks us to wait. */
  waitMs: number;
}

/** Switches a webhook off and tells who looks after it. */
async function giveUp(work: Work, target: Target, error: string): Promise<void> {
  const rows = await work.query(
    `update webhooks set state = 'failing', failing_since = $2, last_error = $3
     where id = $1 and state = 'active' returning 1`,
    [target.id, work.now, error],
  );
  if (rows.length === 0) return;
  const { host } = new URL(target.url);
  work.record('webhook.failing', { type: 'webhook', id: target.id }, { host }, target.account_id);
  const [account] = await work.query<{ name: string }>('select name from accounts where id = $1', [
    target.account_id,
  ]);
  for (const to of await lookingAfter(work, target.account_id))
    mail(work, to, {
      kind: 'webhook_failing',
      account: account?.name ?? new URL(work.link('/')).host,
      label: host,
      settingsLink: work.link('/console/webhooks'),
    });
}

async function lookingAfter(work: Work, accountId: string | null): Promise<Recipient[]> {
  const people =
    accountId === null
      ? await work.query<Reader>(
          `select u.id, u.given_name as name, u.email_display as email, u.language
           from role_assignments r join users u on u.id = r.user_id
           where r.role = 'operator' and u.email is not null`,
        )
      : await administratorsOf(work, accountId);
  return people.map(toReader);
}

/** `v1,` and the signature, by each secret that is alive. */
export function signatures(
  { current, previous }: WebhookSecrets,
  id: string,
  timestamp: number,
  body: string,
  now: Date,
): string {
  const alive = [current, ...(previous && new Date(previous.until) > now ? [previous.secret] : [])];
  return alive
    .map((secret) => {
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
    })
    .join(' ');
}

function testEvent(target: Target, due: Due): Event {
  return {
    id: `test_${due.delivery}`,
    type: 'webhook.test',
    occurredAt: due.created_at.toISOString(),
    account: target.account_id === null ? null : { id: target.account_id },
    subject: { type: 'webhook', id: target.id },
    actor: { type: 'system', id: 'webhooks' },
    data: {},
    sequence: null,
    reference: null,
  };
}

function idOf(due: Due): Omit<Due, 'event_id'> & { id: number } {
  return { ...due, id: due.event_id! };
}

/** 5 s, 10 s, 20 s ... one hour, each between half and all of it. */
function backoff(attempts: number, chance: number): number {
  return Math.min(5 * second * 2 ** (attempts - 1), hour) * (0.5 + chance / 2);
}

function describe(error: unknown): string {
  if (error instanceof EgressRefused) return error.message;
  const { code, message } = error as Error & { code?: string };
  return (code ?? message).slice(0, 200);
}

/** Who is not at the end of what they may read. $1: how many may wait. */
const readers = `
  select w.id, w.actions from webhooks w
  where w.state = 'active'
    and exists (
      select from audit_events e where e.position > w.cursor
        and (w.account_id is null or e.account_id = w.account_id))
    and (select count(*) from (select from webhook_deliveries d
           where d.webhook_id = w.id and d.state = 'pending' limit $1) waiting) < $1`;

/**
 * Reads on for one webhook. In one statement, so that what it has read and what it is to be sent
 * change together; and it skips a locked row, because another process may be reading for it.
 */
const readOn = `
  with w as materialized (
    select id, account_id, cursor from webhooks where id = $1 and state = 'active'
    for update skip locked
  ), e as materialized (
    select e.id, e.position, e.action, coalesce(e.target_type || ':' || e.target_id, '') as subject
    from w cross join lateral (
      select * from audit_events e
      where e.position > w.cursor and (w.account_id is null or e.account_id = w.account_id)
      order by e.position limit $4
    ) e
  ), queued as (
    insert into webhook_deliveries
      (id, webhook_id, event_id, position, subject, created_at, available_at)
    select gen_random_uuid(), $1, e.id, e.position, e.subject, $3::timestamptz, $3
    from e where e.action like any ($2::text[])
    on conflict (webhook_id, event_id) do nothing
  ), moved as (
    update webhooks set cursor = (select max(position) from e)
    where id = (select id from w) and exists (select from e)
  )
  select count(*)::int as read from e`;

/** Whose events are due. A test is sent whatever the state. */
const withDue = `
  select distinct d.webhook_id as id from webhook_deliveries d join webhooks w on w.id = d.webhook_id
  where d.state = 'pending' and d.available_at <= $1
    and (d.claimed_until is null or d.claimed_until <= $1)
    and (w.state = 'active' or d.event_id is null)
  limit $2`;

const claim = `
  with due as (
    select d.id from webhook_deliveries d join webhooks w on w.id = d.webhook_id
    where d.webhook_id = $1 and d.state = 'pending' and d.available_at <= $2
      and (d.claimed_until is null or d.claimed_until <= $2)
      and (w.state = 'active' or d.event_id is null)
      and not exists (
        select from webhook_deliveries older
        where older.webhook_id = d.webhook_id and older.state = 'pending'
          and older.subject = d.subject and older.position < d.position)
    order by d.position nulls first limit $4
    for update of d skip locked
  ), claimed as (
    update webhook_deliveries d set claimed_until = $3, attempts = attempts + 1,
      first_at = coalesce(first_at, $2)
    from due where d.id = due.id
    returning d.id as delivery, d.webhook_id, d.event_id, d.attempts, d.first_at, d.created_at
  )
  select c.*, e.at, e.account_id, e.actor, e.action, e.target_type, e.target_id, e.details, e.seq,
    e.reference
  from claimed c left join audit_events e on e.id = c.event_id
  order by e.position`;

const markDelivered = `
  with done as (
    update webhook_deliveries set state = 'delivered', delivered_at = $2, claimed_until = null,
      status = $3, error = null, duration_ms = $4
    where id = $1
  )
  update webhooks set failures = 0, last_sent_at = $2, last_error = null where id = $5`;

const markWaiting = `
  with put_back as (
    update webhook_deliveries set available_at = $2, claimed_until = null, status = $3, error = $4,
      duration_ms = $5
    where id = $1 and state = 'pending'
  )
  update webhooks set failures = failures + 1, last_error = $4 where id = $6`;

const markTested = `
  update webhook_deliveries set state = 'skipped', claimed_until = null, status = $2, error = $3,
    duration_ms = $4
  where id = $1`;
