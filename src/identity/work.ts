import type { Clock } from '#platform/clock.ts';
import type { Database, Transaction } from '#platform/database/database.ts';
import type { Param } from '#platform/database/sql.ts';
import type { Vault } from '#platform/secrets.ts';
import type { Actor } from './access/actor.ts';
import type { AuditAction } from './audit/actions.ts';

/** Where a request came from: written beside what it did. */
export interface Origin {
  ip?: string | null;
  userAgent?: string | null;
  /** The short text shown to the person, by which support finds what happened. */
  reference?: string | null;
  batchId?: string | null;
}

export interface AuditTarget {
  type:
    | 'user'
    | 'address'
    | 'account'
    | 'client'
    | 'terms'
    | 'domain'
    | 'key'
    | 'api_token'
    | 'scim_token'
    | 'group'
    | 'approval'
    | 'invitation'
    | 'role'
    | 'webhook'
    | 'connection'
    | 'audit'
    | 'bulk_job'
    | 'resource'
    | 'session';
  id: string;
}

/** Something that leaves after the commit: a mail, a logout token, a webhook. */
export interface Outgoing {
  kind: 'mail' | 'backchannel_logout' | 'webhook' | 'task';
  /** What it is about, such as a user's id: what is ordered is ordered per subject. */
  subject: string;
  payload: Record<string, unknown>;
  /** What nobody may read in the database, such as the link of a mail. Sealed until delivered. */
  secret?: Record<string, unknown>;
  /** The same key is queued once. */
  dedupKey?: string;
  /** After this it is of no use and not sent. */
  expiresAt?: Date;
}

/**
 * One unit of work: one transaction, one actor, one moment.
 *
 * A function that takes `work` reads or writes; a function that does not is pure. Inside, only
 * `work` reaches the database: see `Transaction`.
 */
export interface Work extends Omit<Transaction, 'last'> {
  readonly actor: Actor;
  readonly origin: Origin;

  /** The moment of this unit of work. Every timestamp it writes is this one. */
  readonly now: Date;

  /** An address of ours, such as `/reset-password?token=...`, as it stands in a mail. */
  link(path: string): string;

  /** Adds an audit row to this transaction: it happened and is written, or neither. */
  record(
    action: AuditAction,
    target: AuditTarget,
    details?: Record<string, unknown>,
    accountId?: string | null,
  ): void;

  /**
   * A statement whose outcome is known before: it goes out with the commit. In a part that can be
   * taken back it is sent at once.
   */
  atEnd(text: string, params: readonly Param[]): Promise<unknown>;

  /** Queues what is to leave once this transaction is committed. */
  send(outgoing: Outgoing): void;
}

/** What every rule stands on. Put together once, at the start. */
export interface Foundation {
  database: Database;
  vault: Vault;
  clock: Clock;
  /** The public address: every link is built from it, never from a request. */
  issuer: string;
  /** Called after a commit that queued something: it need not wait for the next look. */
  sent?: () => void;
}

export interface WorkContext {
  actor: Actor;
  origin?: Origin;
  /** Nothing is kept: everything is done, answered as if, and taken back. */
  rehearsal?: boolean;
  /** Hears, at the end, what was written down and sent, or in a rehearsal would have been. */
  heard?(audit: readonly AuditRow[], outbox: readonly Outgoing[]): void;
}

/** Thrown at the end of a rehearsal, so that the transaction takes everything back. */
class Rehearsed {
  readonly result: unknown;

  constructor(result: unknown) {
    this.result = result;
  }
}

/**
 * Runs `command` in a transaction of its own. A thrown error saves nothing.
 *
 * Audit rows and outgoing messages are written by one statement, which goes out with the commit.
 */
export async function unitOfWork<T>(
  { database, vault, clock, issuer, sent }: Foundation,
  { actor, origin = {}, rehearsal = false, heard }: WorkContext,
  command: (work: Work) => Promise<T>,
): Promise<T> {
  const outbox: Outgoing[] = [];
  const audit: AuditRow[] = [];
  const last: Parameters<Transaction['last']>[] = [];
  const transaction = database.transaction(async (tx) => {
    const now = clock();
    const work: Work = {
      get em() {
        return tx.em;
      },
      flush: () => tx.flush(),
      forget: () => tx.forget(),
      query: (text, params) => tx.query(text, params),
      actor: withoutAddress(actor),
      origin,
      now,
      link: (path) => new URL(path, issuer).href,
      record(action, target, details = {}, accountId = null) {
        audit.push({ action, target, details, accountId });
      },
      async atEnd(...statement) {
        last.push(statement);
      },
      send(outgoing) {
        outbox.push(outgoing);
      },
    };
    const answer = await command(work);
    // MikroORM writes its changes at the commit; audit rows refer to rows it may still hold back.
    await tx.flush();
    const said = audit.length > 0 ? auditParams(work, audit) : null;
    const leaving = outbox.length > 0 ? outboxParams(vault, now, outbox) : null;
    if (said && leaving) last.push([insertBoth, [...said, ...leaving]]);
    else if (said) last.push([insertAudit, said]);
    else if (leaving) last.push([insertOutbox, leaving]);
    if (rehearsal) {
      for (const statement of last) await tx.query(...statement);
      throw new Rehearsed(answer);
    }
    for (const statement of last) tx.last(...statement);
    return answer;
  });
  let result: T;
  try {
    result = await transaction;
  } catch (error) {
    if (!(error instanceof Rehearsed)) throw error;
    result = error.result as T;
  }
  heard?.(audit, outbox);
  if (outbox.length > 0 && !rehearsal) sent?.();
  return result;
}

/** A statement that changes something and gives rows where it did, and what is written down then. */
export interface ChangeAtOnce {
  text: string;
  params: readonly Param[];
  audit: readonly AuditRow[];
}

/**
 * A unit of work that is one statement: what it changes and the audit rows about it are written
 * together. Where it changes nothing, nothing is written down.
 */
export async function workAtOnce<Row>(
  { database, clock }: Foundation,
  { actor, origin = {}, heard }: Omit<WorkContext, 'rehearsal'>,
  change: (now: Date) => ChangeAtOnce,
): Promise<Row[]> {
  const now = clock();
  const { text, params, audit } = change(now);
  const rows = await database.query<Row>(withAudit(text, params.length), [
    ...params,
    ...auditParams({ now, actor: withoutAddress(actor), origin }, audit),
  ]);
  if (rows.length > 0) heard?.(audit, []);
  return rows;
}

/** The statement behind others, whose parameters come first: so many. */
function moved(text: string, taken: number): string {
  return text.replaceAll(/\$(\d+)/g, (_all, at) => `$${Number(at) + taken}`);
}

const auditedTexts = new Map<string, string>();

/** The statement with `insertAudit` behind it, whose parameters follow its own. There are few such. */
function withAudit(text: string, taken: number): string {
  let whole = auditedTexts.get(text);
  if (whole === undefined) {
    const written = moved(insertAudit, taken);
    whole = `with changed as (${text}), written as (${written} where exists (select from changed))
      select * from changed`;
    auditedTexts.set(text, whole);
  }
  return whole;
}

/**
 * Runs a part of a unit of work that can be taken back alone: when it throws, nothing of it stays,
 * neither rows nor what it wrote down or was to send, and the rest goes on.
 *
 * @param keep whether what it did stays when it does not throw. A dry run says no.
 */
export async function tentatively<T>(
  work: Work,
  command: (work: Work) => Promise<T>,
  { keep = true }: { keep?: boolean } = {},
): Promise<T> {
  const records: Parameters<Work['record']>[] = [];
  const outbox: Outgoing[] = [];
  const part = partOf(work, {
    record: (...record) => void records.push(record),
    send: (outgoing) => void outbox.push(outgoing),
  });
  await work.flush();
  await work.query('savepoint part');
  let result: T;
  try {
    result = await command(part);
    await work.flush();
  } catch (error) {
    await takeBack(work);
    throw error;
  }
  if (!keep) {
    await takeBack(work);
    return result;
  }
  await work.query('release savepoint part');
  for (const record of records) work.record(...record);
  for (const outgoing of outbox) work.send(outgoing);
  return result;
}

/** Also the savepoint goes, or a part around this one would find it in the place of its own. */
async function takeBack(work: Work): Promise<void> {
  work.forget();
  await work.query('rollback to savepoint part');
  await work.query('release savepoint part');
}

/** The same unit of work, where something else hears what is written down and sent. */
export function partOf(work: Work, hears: Pick<Work, 'record' | 'send'>): Work {
  const part: Partial<Work> = { ...hears, atEnd: (text, params) => work.query(text, params) };
  return Object.assign(Object.create(work) as Work, part);
}

/** What is written down for ever names a person by their id alone: an address is to be erased one day. */
function withoutAddress(actor: Actor): Actor {
  return actor.type === 'user' ? { type: 'user', id: actor.id } : actor;
}

export interface AuditRow {
  action: AuditAction;
  target: AuditTarget;
  details: Record<string, unknown>;
  accountId: string | null;
}

export const insertAudit = `
  insert into audit_events
    (at, account_id, actor, action, target_type, target_id, details, ip, user_agent, reference, batch_id)
  select $1::timestamptz, r.account_id, $2::jsonb, r.action, r.target_type, r.target_id,
         coalesce(r.details, '{}'), $3, $4, $5, $6::uuid
  from jsonb_to_recordset($7::jsonb)
    as r(account_id uuid, action text, target_type text, target_id text, details jsonb)`;

function auditParams(
  { now, actor, origin }: Pick<Work, 'now' | 'actor' | 'origin'>,
  rows: readonly AuditRow[],
): Param[] {
  return [
    now,
    JSON.stringify(actor),
    origin.ip ?? null,
    origin.userAgent?.slice(0, 400) ?? null,
    origin.reference ?? null,
    origin.batchId ?? null,
    JSON.stringify(
      rows.map(({ action, target, details, accountId }) => ({
        account_id: accountId,
        action,
        target_type: target.type,
        target_id: target.id,
        details,
      })),
    ),
  ];
}

export const insertOutbox = `
  insert into outbox (kind, dedup_key, subject, payload, sealed, created_at, available_at, expires_at)
  select r.kind, r.dedup_key, r.subject, coalesce(r.payload, '{}'), r.sealed, $1, $1, r.expires_at
  from jsonb_to_recordset($2::jsonb)
    as r(kind text, dedup_key text, subject text, payload jsonb, sealed text, expires_at timestamptz)
  on conflict (dedup_key) do nothing`;

/** What is written down and what is to leave, by one statement: nearly every change does both. */
const insertBoth = `with written as (${insertAudit}) ${moved(insertOutbox, 7)}`;

/** The parameters of `insertOutbox`. */
export function outboxParams(vault: Vault, now: Date, rows: readonly Outgoing[]): Param[] {
  return [
    now,
    JSON.stringify(
      rows.map(({ kind, subject, payload, secret, dedupKey, expiresAt }) => ({
        kind,
        subject,
        payload,
        sealed: secret ? vault.seal(JSON.stringify(secret), `outbox:${kind}`) : null,
        dedup_key: dedupKey ?? null,
        expires_at: expiresAt ?? null,
      })),
    ),
  ];
}
