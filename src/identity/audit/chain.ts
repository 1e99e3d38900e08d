import { hash } from 'node:crypto';
import type { Database } from '#platform/database/database.ts';
import type { Sql } from '#platform/database/sql.ts';
import { keyedHash, sameSecret, type Vault } from '#platform/secrets.ts';

/**
 * THE AUDIT CHAIN
 *
 * Each account has a chain of its audit rows; what belongs to no account is in the chain of the
 * installation. A row is written by the transaction of what it tells, and sealed after the commit:
 * it gets `seq`, the next number of its chain without a gap, and
 *
 *     hash = base64url(SHA-256(UTF-8(JCS(statement))))
 *
 * where the statement is the row with the hash before it (`statementOf`), written in the one way of
 * RFC 8785. An export holds all that is needed to compute it again with nothing of ours.
 *
 * **The order** is the order in which rows became visible; rows that became visible together are in
 * the order of their ids. Ids alone would not do: a long transaction commits a small id late. Where
 * one thing happened after another (its transaction began to write when the other had committed),
 * whoever sees the second sees the first, and its id is greater; so a chain never tells an effect
 * before its cause, and a long transaction holds up nobody else's seal.
 *
 * **One at a time**: whoever seals holds an advisory lock, and gives all rows, of whatever chain, a
 * `position` in one order. Webhooks read along it and cannot miss a row.
 *
 * **The end** of a chain is kept with a mark that only who has SECRET_KEY can make, so that rows cut
 * off at the end, or a chain computed anew from the start, show.
 */
export interface AuditRow {
  id: number;
  at: Date;
  account_id: string | null;
  actor: unknown;
  action: string;
  target_type: string | null;
  target_id: string | null;
  details: unknown;
  ip: string | null;
  user_agent: string | null;
  reference: string | null;
  batch_id: string | null;
}

export interface SealedRow extends AuditRow {
  seq: number;
  prev_hash: string | null;
  hash: string;
}

/** The chain of what belongs to no account. */
export const installationChain = '00000000-0000-0000-0000-000000000000';

/** What is hashed. `v` is the version of this form. */
export function statementOf(row: AuditRow, seq: number, previous: string | null): object {
  return {
    v: 1,
    seq,
    previous,
    id: row.id,
    at: row.at.toISOString(),
    account: row.account_id,
    actor: row.actor,
    action: row.action,
    targetType: row.target_type,
    targetId: row.target_id,
    details: row.details,
    ip: row.ip,
    userAgent: row.user_agent,
    reference: row.reference,
    batch: row.batch_id,
  };
}

export function hashOf(row: AuditRow, seq: number, previous: string | null): string {
  return hash('sha256', canonicalJson(statementOf(row, seq, previous)), 'base64url');
}

/** JSON Canonicalization Scheme: RFC 8785. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value as Record<string, unknown>)
    .filter(([, one]) => one !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, one]) => `${JSON.stringify(name)}:${canonicalJson(one)}`);
  return `{${members.join(',')}}`;
}

const columns = `id, at, account_id, actor, action, target_type, target_id, details, ip, user_agent,
  reference, batch_id`;

/** Any number that nothing else locks. */
const advisoryLock = 7_268_411_591;

interface Head {
  account_id: string;
  seq: number;
  hash: string;
}

/**
 * Seals what was committed and is not sealed yet, `batch` rows at most. Returns how many; null when
 * another process is at it.
 */
export async function sealAudit(
  database: Database,
  vault: Vault,
  batch = 500,
): Promise<number | null> {
  // Most of the time there is nothing: then no transaction is opened for it.
  const waiting = await database.query('select 1 from audit_events where hash is null limit 1');
  if (waiting.length === 0) return 0;
  return database.transaction(async (tx) => {
    const [turn] = await tx.query<{ mine: boolean }>(
      'select pg_try_advisory_xact_lock($1) as mine',
      [advisoryLock],
    );
    if (!turn!.mine) return null;
    const rows = await tx.query<AuditRow>(
      `select ${columns} from audit_events where hash is null order by id limit $1`,
      [batch],
    );
    if (rows.length === 0) return 0;

    const heads = new Map<string, Head>();
    const chains = [...new Set(rows.map(chainOf))];
    for (const head of await tx.query<Head>(
      'select account_id, seq, hash from audit_chains where account_id = any ($1::uuid[])',
      [chains],
    ))
      heads.set(head.account_id, head);
    const [last] = await tx.query<{ position: number }>(
      `select coalesce(max(position), 0) as position from audit_events where position is not null`,
    );
    let position = last!.position;

    const seals = rows.map((row) => {
      const chain = chainOf(row);
      const before = heads.get(chain);
      const seq = (before?.seq ?? 0) + 1;
      const previous = before?.hash ?? null;
      const seal = hashOf(row, seq, previous);
      heads.set(chain, { account_id: chain, seq, hash: seal });
      position += 1;
      return { id: row.id, seq, prev_hash: previous, hash: seal, position };
    });
    await tx.query(
      `update audit_events e set seq = r.seq, prev_hash = r.prev_hash, hash = r.hash,
         position = r.position
       from jsonb_to_recordset($1::jsonb)
         as r(id bigint, seq bigint, prev_hash text, hash text, position bigint)
       where e.id = r.id and e.hash is null`,
      [JSON.stringify(seals)],
    );
    await tx.query(
      `insert into audit_chains (account_id, seq, hash, mark)
       select r.account_id, r.seq, r.hash, r.mark from jsonb_to_recordset($1::jsonb)
         as r(account_id uuid, seq bigint, hash text, mark text)
       on conflict (account_id) do update
         set seq = excluded.seq, hash = excluded.hash, mark = excluded.mark`,
      [JSON.stringify(chains.map((chain) => marked(vault, heads.get(chain)!)))],
    );
    return rows.length;
  });
}

function chainOf(row: Pick<AuditRow, 'account_id'>): string {
  return row.account_id ?? installationChain;
}

function marked(vault: Vault, head: Head): Head & { mark: string } {
  return { ...head, mark: keyedHash(vault.derive('audit')[0]!, endOf(head)) };
}

function endOf({ account_id, seq, hash: end }: Head): string {
  return `${account_id} ${seq} ${end}`;
}

/** What is wrong with a chain, at its first wrong place. */
export type ChainFault =
  /** A row says something else than when it was sealed. */
  | { fault: 'altered'; seq: number; id: number }
  /** A number is left out: a row was taken out. */
  | { fault: 'missing'; seq: number }
  /** A row does not follow the one before it: rows changed places, or were put in. */
  | { fault: 'reordered'; seq: number; id: number }
  /** The chain ends before its end: rows were cut off. */
  | { fault: 'cut_off'; seq: number; expected: number }
  /** The end that is kept was not written by this installation. */
  | { fault: 'forged_end'; seq: number };

export interface ChainReport {
  /** Null for the chain of the installation. */
  accountId: string | null;
  /** How many rows were found to be right. */
  checked: number;
  /** Where it ends now: to be kept elsewhere by who wants to compare later. */
  end: { seq: number; hash: string } | null;
  fault: ChainFault | null;
}

/** Walks a chain from its beginning and finds the first row that is not as it was sealed. */
export async function verifyChain(
  sql: Sql,
  vault: Vault | null,
  chain: string = installationChain,
): Promise<ChainReport> {
  const accountId = chain === installationChain ? null : chain;
  let previous: string | null = null;
  let seq = 0;
  // The end first: what is sealed while we read lies behind it.
  const [head] = await sql.query<Head & { mark: string | null }>(
    'select account_id, seq, hash, mark from audit_chains where account_id = $1',
    [chain],
  );
  const found = (fault: ChainFault | null): ChainReport => ({
    accountId,
    checked: fault && 'id' in fault ? fault.seq - 1 : seq,
    end: previous === null ? null : { seq, hash: previous },
    fault,
  });

  for (;;) {
    const rows: SealedRow[] = await sql.query<SealedRow>(
      `select ${columns}, seq, prev_hash, hash from audit_events
       where coalesce(account_id, '${installationChain}') = $1::uuid and seq > $2
       order by seq limit 500`,
      [chain, seq],
    );
    for (const row of rows) {
      if (row.seq !== seq + 1) return found({ fault: 'missing', seq: seq + 1 });
      if (hashOf(row, row.seq, row.prev_hash) !== row.hash)
        return found({ fault: 'altered', seq: row.seq, id: row.id });
      if (row.prev_hash !== previous)
        return found({ fault: 'reordered', seq: row.seq, id: row.id });
      if (head && row.seq === head.seq && row.hash !== head.hash)
        return found({ fault: 'altered', seq: row.seq, id: row.id });
      seq = row.seq;
      previous = row.hash;
    }
    if (rows.length < 500) break;
  }
  if (head && seq < head.seq) return found({ fault: 'cut_off', seq: seq + 1, expected: head.seq });
  if (seq > 0 && !head) return found({ fault: 'forged_end', seq });
  if (head && vault) {
    const keys = vault.derive('audit');
    if (!keys.some((key) => sameSecret(head.mark ?? '', keyedHash(key, endOf(head)))))
      return found({ fault: 'forged_end', seq: head.seq });
  }
  return found(null);
}

/** All chains, or one. The installation's comes first. */
export async function verifyAudit(
  sql: Sql,
  vault: Vault | null,
  accountId: string | null = null,
): Promise<ChainReport[]> {
  const chains = accountId
    ? [accountId]
    : (
        await sql.query<{ chain: string }>(
          `select account_id as chain from audit_chains
           union select distinct coalesce(account_id, '${installationChain}')
             from audit_events where seq is not null
           order by chain`,
        )
      ).map(({ chain }) => chain);
  const reports: ChainReport[] = [];
  for (const chain of chains) reports.push(await verifyChain(sql, vault, chain));
  return reports;
}
