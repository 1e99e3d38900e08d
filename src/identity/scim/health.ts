import type { Sql } from '#platform/database/sql.ts';

export const directoryStates = [
  'held',
  'expired',
  'failing',
  'expiring',
  'silent',
  'never_used',
  'ok',
] as const;
export type DirectoryState = (typeof directoryStates)[number];

/** How a connection to a directory is doing. Each door says it in its own words. */
export interface DirectoryHealth {
  tokenId: string;
  name: string;
  /** The worst that is to be said of it. */
  state: DirectoryState;
  lastUsedAt: Date | null;
  lastSuccessAt: Date | null;
  /** The last time that something was changed, or was so already. */
  lastSyncAt: Date | null;
  lastErrorAt: Date | null;
  lastError: string | null;
  /** Of the last 24 hours. */
  requests: number;
  errors: number;
  /** 0 to 1. */
  errorRate: number;
  /** Refused or failed since the last success, counted to twenty. */
  errorsInRow: number;
  expiresAt: Date | null;
  daysLeft: number | null;
  /** When somebody came with this token though it was revoked, over, or not the right one. */
  refusedAt: Date | null;
  heldSince: Date | null;
}

const day = 24 * 3600_000;

interface Row extends Omit<DirectoryHealth, 'state' | 'errorRate' | 'daysLeft'> {}

/** Of every token of an account that is alive or ended within the last month. */
export async function directoryHealth(
  sql: Sql,
  accountId: string,
  now: Date,
): Promise<DirectoryHealth[]> {
  const rows = await sql.query<Row>(
    `${statement} where t.account_id = $1 and t.revoked_at is null
       and (t.expires_at is null or t.expires_at > $3)
     order by t.id desc`,
    [accountId, firstIdAt(now.getTime() - day), new Date(now.getTime() - 30 * day)],
  );
  return rows.map((row) => healthOf(row, now));
}

/** Of one token; null once it is gone. */
export async function healthOfToken(
  sql: Sql,
  tokenId: string,
  now: Date,
): Promise<DirectoryHealth | null> {
  const [row] = await sql.query<Row>(`${statement} where t.id = $1 and t.revoked_at is null`, [
    tokenId,
    firstIdAt(now.getTime() - day),
  ]);
  return row ? healthOf(row, now) : null;
}

function healthOf(row: Row, now: Date): DirectoryHealth {
  const errorRate = row.requests === 0 ? 0 : row.errors / row.requests;
  const daysLeft =
    row.expiresAt === null ? null : Math.floor((row.expiresAt.getTime() - now.getTime()) / day);
  const known = { ...row, errorRate, daysLeft };
  return { ...known, state: stateOf(known, now) };
}

/** Ids begin with their moment: those of a day lie side by side in the index. */
function firstIdAt(moment: number): string {
  const time = moment.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}

const bad = `('refused', 'held', 'failed')`;

/** An index finds the last of each outcome; together they would be sorted. */
function last(outcome: string): string {
  return `(select max(e.at) from scim_exchanges e
    where e.token_id = t.id and e.outcome = '${outcome}')`;
}

const lastSuccess = `greatest(${last('read')}, ${last('changed')}, ${last('nothing')})`;

/** So many in a row, and no success between, is a directory that does not work. */
const failingFrom = 20;

/** $2 is the first id of the last 24 hours. */
const statement = `
  select t.id as "tokenId", t.name, t.last_used_at as "lastUsedAt", t.expires_at as "expiresAt",
    t.refused_at as "refusedAt", t.held_at as "heldSince",
    s.at as "lastSuccessAt", greatest(${last('changed')}, ${last('nothing')}) as "lastSyncAt",
    greatest(${last('refused')}, ${last('held')}, ${last('failed')}) as "lastErrorAt",
    (select coalesce(e.reason, '') || coalesce(': ' || e.detail, '') from scim_exchanges e
     where e.token_id = t.id and e.outcome in ${bad}
     order by e.at desc limit 1) as "lastError",
    (select count(*)::int from (
       select 1 from scim_exchanges e
       where e.token_id = t.id and e.outcome in ${bad} and e.at > coalesce(s.at, '-infinity')
       limit ${failingFrom}) r) as "errorsInRow",
    coalesce(d.requests, 0) as requests, coalesce(d.errors, 0) as errors
  from scim_tokens t
  cross join lateral (select ${lastSuccess} as at) s
  left join lateral (
    select count(*)::int as requests,
      (count(*) filter (where e.outcome in ${bad}))::int as errors
    from scim_exchanges e where e.token_id = t.id and e.id > $2) d on true`;

function stateOf(
  {
    heldSince,
    daysLeft,
    lastUsedAt,
    lastErrorAt,
    errors,
    errorRate,
    errorsInRow,
  }: Omit<DirectoryHealth, 'state'>,
  now: Date,
): DirectoryState {
  if (heldSince) return 'held';
  if (daysLeft !== null && daysLeft < 0) return 'expired';
  const lately = lastErrorAt !== null && now.getTime() - lastErrorAt.getTime() < 2 * day;
  if ((errors >= 5 && errorRate >= 0.5) || (lately && errorsInRow >= failingFrom)) return 'failing';
  if (daysLeft !== null && daysLeft < 30) return 'expiring';
  if (lastUsedAt === null) return 'never_used';
  return now.getTime() - lastUsedAt.getTime() > 2 * day ? 'silent' : 'ok';
}
