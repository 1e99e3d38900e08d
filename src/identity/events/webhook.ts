import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { newSecret, type Vault } from '#platform/secrets.ts';
import { auditActions } from '../audit/actions.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';

/**
 * Who wants to hear what happens: an address of an account, or (without one) of the installation.
 *
 *     active   -> events are sent as they are sealed, those of one subject one after the other
 *     paused   -> by an administrator: nothing is sent, and nothing is lost
 *     failing  -> by us, when one event was not taken for a day: as paused, and the administrators
 *                 are told
 *
 * A webhook remembers how far along the audit log it has read, and no event is kept for it: so
 * whatever stopped it, it goes on where it stopped, or from any point it is sent back to.
 */
export interface Webhook {
  id: string;
  accountId: string | null;
  url: string;
  description: string;
  /** Such as `user.locked`, `user.*`, `*`. */
  actions: string[];
  state: 'active' | 'paused' | 'failing';
  failingSince: Date | null;
  lastError: string | null;
  lastSentAt: Date | null;
  /** How many events wait to be sent or sent again. */
  waiting: number;
  createdAt: Date;
  version: number;
}

/** What is sealed in a webhook's row. */
export interface WebhookSecrets {
  current: string;
  /** Signs too, until then: so that the receiver has time to change. */
  previous?: { secret: string; until: string };
}

/** The secrets of Standard Webhooks begin so, and the key is the rest, as base64. */
const secretPrefix = 'whsec_';
const overlapMs = 24 * 3600_000;
const limitPerAccount = 20;

export function sealSecrets(vault: Vault, id: string, secrets: WebhookSecrets): string {
  return vault.seal(JSON.stringify(secrets), `webhook:${id}`);
}

export function openSecrets(vault: Vault, id: string, sealed: string): WebhookSecrets {
  return JSON.parse(vault.open(sealed, `webhook:${id}`)) as WebhookSecrets;
}

function freshSecret(): string {
  return secretPrefix + Buffer.from(newSecret(32), 'base64url').toString('base64');
}

const columns = `w.id, w.account_id as "accountId", w.url, w.description, w.actions, w.state,
  w.failing_since as "failingSince", w.last_error as "lastError", w.last_sent_at as "lastSentAt",
  (select count(*)::int from webhook_deliveries d where d.webhook_id = w.id and d.state = 'pending')
    as waiting, w.created_at as "createdAt", w.version`;

/** Those of an account, or (null) of the installation. */
export function listWebhooks(sql: Sql, accountId: string | null): Promise<Webhook[]> {
  return sql.query<Webhook>(
    `select ${columns} from webhooks w where w.account_id is not distinct from $1::uuid
     order by w.id`,
    [accountId],
  );
}

/** @throws {Refusal} `not_found` */
export async function requireWebhook(
  sql: Sql,
  accountId: string | null,
  id: string,
): Promise<Webhook> {
  const [webhook] = await sql.query<Webhook>(
    `select ${columns} from webhooks w
     where w.id = $1 and w.account_id is not distinct from $2::uuid`,
    [id, accountId],
  );
  if (!webhook) throw new Refusal('not_found');
  return webhook;
}

export interface NewWebhook {
  /** Looked at by the caller: `Egress.check`. */
  url: string;
  description?: string;
  actions: readonly string[];
}

/**
 * Registers an address. It hears what happens from now on. The secret is in the answer, once.
 *
 * @throws {Refusal} `invalid_value` for an action there is not, `limit_reached`
 */
export async function createWebhook(
  work: Work,
  vault: Vault,
  accountId: string | null,
  { url, description = '', actions }: NewWebhook,
): Promise<{ webhook: Webhook; secret: string }> {
  requireActions(actions);
  const [count] = await work.query<{ count: number }>(
    'select count(*)::int as count from webhooks where account_id is not distinct from $1::uuid',
    [accountId],
  );
  if (count!.count >= limitPerAccount)
    throw new Refusal('limit_reached', { limit: limitPerAccount });
  const id = newId(work.now.getTime());
  const secret = freshSecret();
  await work.query(
    `insert into webhooks (id, account_id, url, description, actions, sealed, cursor, created_by,
       created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, ${end}, $7, $8, $8)`,
    [
      id,
      accountId,
      url,
      description,
      [...new Set(actions)],
      sealSecrets(vault, id, { current: secret }),
      JSON.stringify(work.actor),
      work.now,
    ],
  );
  work.record(
    'webhook.created',
    { type: 'webhook', id },
    { host: new URL(url).host, actions },
    accountId,
  );
  return { secret, webhook: await requireWebhook(work, accountId, id) };
}

/** Where the sealed log ends. */
const end = `(select coalesce(max(position), 0) from audit_events where position is not null)`;

export interface WebhookChange {
  url?: string | undefined;
  description?: string | undefined;
  actions?: readonly string[] | undefined;
  /** `active` goes on where it stopped. */
  state?: 'active' | 'paused' | undefined;
}

/** @throws {Refusal} `not_found`, `invalid_value` */
export async function changeWebhook(
  work: Work,
  accountId: string | null,
  id: string,
  { url, description, actions, state }: WebhookChange,
): Promise<Webhook> {
  if (actions) requireActions(actions);
  const before = await requireWebhook(work, accountId, id);
  await work.query(
    `update webhooks set url = coalesce($2, url), description = coalesce($3, description),
       actions = coalesce($4::text[], actions), updated_at = $5, version = version + 1
     where id = $1`,
    [id, url ?? null, description ?? null, actions ? [...new Set(actions)] : null, work.now],
  );
  if (state === 'active') await switchOn(work, id);
  else if (state) await work.query('update webhooks set state = $2 where id = $1', [id, state]);
  work.record(
    'webhook.changed',
    { type: 'webhook', id },
    {
      ...(url !== undefined && { host: new URL(url).host }),
      ...(actions && { actions }),
      ...(state && state !== before.state && { state }),
    },
    accountId,
  );
  return requireWebhook(work, accountId, id);
}

/** What waits is tried at once, and has a day again. */
async function switchOn(work: Work, id: string): Promise<void> {
  await work.query(
    `update webhooks set state = 'active', failures = 0, failing_since = null, last_error = null
     where id = $1`,
    [id],
  );
  await work.query(
    `update webhook_deliveries set available_at = $2, first_at = null, attempts = 0
     where webhook_id = $1 and state = 'pending' and claimed_until is null`,
    [id, work.now],
  );
}

/** @throws {Refusal} `not_found` */
export async function removeWebhook(
  work: Work,
  accountId: string | null,
  id: string,
): Promise<void> {
  const { url } = await requireWebhook(work, accountId, id);
  await work.query('delete from webhooks where id = $1', [id]);
  work.record('webhook.removed', { type: 'webhook', id }, { host: new URL(url).host }, accountId);
}

/**
 * Another secret. The one before signs along for a day, so that nothing is refused meanwhile.
 *
 * @throws {Refusal} `not_found`
 */
export async function rotateWebhookSecret(
  work: Work,
  vault: Vault,
  accountId: string | null,
  id: string,
): Promise<{ webhook: Webhook; secret: string }> {
  await requireWebhook(work, accountId, id);
  const [row] = await work.query<{ sealed: string }>(
    'select sealed from webhooks where id = $1 for update',
    [id],
  );
  const { current } = openSecrets(vault, id, row!.sealed);
  const secret = freshSecret();
  const until = new Date(work.now.getTime() + overlapMs).toISOString();
  await work.query(
    'update webhooks set sealed = $2, updated_at = $3, version = version + 1 where id = $1',
    [
      id,
      sealSecrets(vault, id, { current: secret, previous: { secret: current, until } }),
      work.now,
    ],
  );
  work.record('webhook.secret_rotated', { type: 'webhook', id }, { until }, accountId);
  return { secret, webhook: await requireWebhook(work, accountId, id) };
}

/**
 * Sends everything anew from a point on: all events since then, though some were taken before. A
 * receiver knows them by their ids.
 *
 * @throws {Refusal} `not_found`
 */
export async function replayWebhook(
  work: Work,
  accountId: string | null,
  id: string,
  since: Date,
): Promise<Webhook> {
  await requireWebhook(work, accountId, id);
  const [from] = await work.query<{ cursor: number }>(
    `select coalesce(
       (select min(position) - 1 from audit_events
        where position is not null and at >= $1 and ($2::uuid is null or account_id = $2::uuid)),
       ${end}) as cursor`,
    [since, accountId],
  );
  await work.query('delete from webhook_deliveries where webhook_id = $1 and position > $2', [
    id,
    from!.cursor,
  ]);
  await work.query('update webhooks set cursor = $2 where id = $1', [id, from!.cursor]);
  await switchOn(work, id);
  work.record(
    'webhook.replayed',
    { type: 'webhook', id },
    { since: since.toISOString() },
    accountId,
  );
  return requireWebhook(work, accountId, id);
}

export interface WebhookDelivery {
  id: string;
  /** Null for a test. */
  event: string | null;
  type: string;
  state: 'pending' | 'delivered' | 'skipped';
  attempts: number;
  /** What the receiver answered last. */
  status: number | null;
  error: string | null;
  durationMs: number | null;
  createdAt: Date;
  nextAt: Date | null;
  deliveredAt: Date | null;
}

const deliveryColumns = `d.id, 'evt_' || d.event_id as event,
  coalesce(e.action, 'webhook.test') as type, d.state, d.attempts, d.status, d.error,
  d.duration_ms as "durationMs", d.created_at as "createdAt",
  case when d.state = 'pending' then d.available_at end as "nextAt",
  d.delivered_at as "deliveredAt"`;

/** What was sent and what waits, the latest first. What was taken is kept for a week. */
export async function listDeliveries(
  sql: Sql,
  accountId: string | null,
  webhookId: string,
  { state = null, limit = 100 }: { state?: WebhookDelivery['state'] | null; limit?: number } = {},
): Promise<WebhookDelivery[]> {
  await requireWebhook(sql, accountId, webhookId);
  return sql.query<WebhookDelivery>(
    `select ${deliveryColumns} from webhook_deliveries d
     left join audit_events e on e.id = d.event_id
     where d.webhook_id = $1 and ($3::text is null or d.state = $3)
     order by d.created_at desc, d.position desc nulls first limit $2`,
    [webhookId, limit, state],
  );
}

/**
 * Sends something harmless, to see whether it arrives; also while the webhook is paused.
 *
 * @throws {Refusal} `not_found`
 */
export async function testWebhook(
  work: Work,
  accountId: string | null,
  id: string,
): Promise<WebhookDelivery> {
  await requireWebhook(work, accountId, id);
  const delivery = newId(work.now.getTime());
  await work.query(
    `insert into webhook_deliveries (id, webhook_id, subject, created_at, available_at)
     values ($1, $2, $3, $4, $4)`,
    [delivery, id, `test:${delivery}`, work.now],
  );
  work.record('webhook.tested', { type: 'webhook', id }, {}, accountId);
  return requireDelivery(work, id, delivery);
}

/**
 * One event once more, or not any more: `skip` lets those behind it pass.
 *
 * @throws {Refusal} `not_found`
 */
export async function decideDelivery(
  work: Work,
  accountId: string | null,
  webhookId: string,
  deliveryId: string,
  decision: 'redeliver' | 'skip',
): Promise<WebhookDelivery> {
  await requireWebhook(work, accountId, webhookId);
  const rows = await work.query(
    decision === 'redeliver'
      ? `update webhook_deliveries set state = 'pending', attempts = 0, first_at = null,
           available_at = $3, claimed_until = null, delivered_at = null
         where webhook_id = $1 and id = $2 returning 1`
      : `update webhook_deliveries set state = 'skipped', claimed_until = null, available_at = $3
         where webhook_id = $1 and id = $2 and state = 'pending' returning 1`,
    [webhookId, deliveryId, work.now],
  );
  if (rows.length === 0) throw new Refusal('not_found');
  work.record(
    decision === 'redeliver' ? 'webhook.redelivered' : 'webhook.skipped',
    { type: 'webhook', id: webhookId },
    { delivery: deliveryId },
    accountId,
  );
  return requireDelivery(work, webhookId, deliveryId);
}

async function requireDelivery(
  sql: Sql,
  webhookId: string,
  deliveryId: string,
): Promise<WebhookDelivery> {
  const [delivery] = await sql.query<WebhookDelivery>(
    `select ${deliveryColumns} from webhook_deliveries d
     left join audit_events e on e.id = d.event_id
     where d.webhook_id = $1 and d.id = $2`,
    [webhookId, deliveryId],
  );
  if (!delivery) throw new Refusal('not_found');
  return delivery;
}

/** `*`, the beginning of an action before a point and `*`, or an action. */
function requireActions(actions: readonly string[]): void {
  const known = (pattern: string): boolean =>
    pattern === '*' ||
    (pattern.endsWith('.*')
      ? auditActions.some((action) => action.startsWith(pattern.slice(0, -1)))
      : (auditActions as readonly string[]).includes(pattern));
  const unknown = actions.filter((action) => !known(action));
  if (actions.length === 0 || unknown.length > 0)
    throw new Refusal('invalid_value', { actions: unknown });
}

/** The patterns as LIKE takes them. */
export function likePatterns(actions: readonly string[]): string[] {
  return actions.map((pattern) => pattern.replace(/[\\%_]/g, '\\$&').replace(/\*$/, '%'));
}
