import type { Sql } from '#platform/database/sql.ts';

/** How a connection to a directory is doing. */
export interface DirectoryHealth {
  tokenId: string;
  name: string;
  /** The worst that is to be said of it. */
  state: 'held' | 'expired' | 'failing' | 'expiring' | 'silent' | 'never_used' | 'ok';
  /** What that means, in a sentence. */
  says: string;
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
  expiresAt: Date | null;
  daysLeft: number | null;
  /** When somebody came with this token though it was revoked, over, or not the right one. */
  refusedAt: Date | null;
  heldSince: Date | null;
}

const day = 24 * 3600_000;

interface Row extends Omit<DirectoryHealth, 'state' | 'says' | 'errorRate' | 'daysLeft'> {}

/** Of every token of an account that is alive or ended within the last month. */
export async function directoryHealth(
  sql: Sql,
  accountId: string,
  now: Date,
): Promise<DirectoryHealth[]> {
  const rows = await sql.query<Row>(
    `select t.id as "tokenId", t.name, t.last_used_at as "lastUsedAt", t.expires_at as "expiresAt",
       t.refused_at as "refusedAt", t.held_at as "heldSince",
       greatest(${last('read')}, ${last('changed')}, ${last('nothing')}) as "lastSuccessAt",
       greatest(${last('changed')}, ${last('nothing')}) as "lastSyncAt",
       greatest(${last('refused')}, ${last('held')}, ${last('failed')}) as "lastErrorAt",
       (select coalesce(e.reason, '') || coalesce(': ' || e.detail, '') from scim_exchanges e
        where e.token_id = t.id and e.outcome in ('refused', 'held', 'failed')
        order by e.at desc limit 1) as "lastError",
       coalesce(d.requests, 0) as requests, coalesce(d.errors, 0) as errors
     from scim_tokens t
     left join lateral (
       select count(*)::int as requests,
         (count(*) filter (where e.outcome in ('refused', 'held', 'failed')))::int as errors
       from scim_exchanges e where e.token_id = t.id and e.id > $2) d on true
     where t.account_id = $1 and t.revoked_at is null
       and (t.expires_at is null or t.expires_at > $3)
     order by t.id desc`,
    [accountId, firstIdAt(now.getTime() - day), new Date(now.getTime() - 30 * day)],
  );
  return rows.map((row) => {
    const errorRate = row.requests === 0 ? 0 : row.errors / row.requests;
    const daysLeft =
      row.expiresAt === null ? null : Math.floor((row.expiresAt.getTime() - now.getTime()) / day);
    return { ...row, errorRate, daysLeft, ...verdictOf({ ...row, errorRate, daysLeft }, now) };
  });
}

/** Ids begin with their moment: those of a day lie side by side in the index. */
function firstIdAt(moment: number): string {
  const time = moment.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}

/** An index finds the last of each outcome; together they would be sorted. */
function last(outcome: string): string {
  return `(select max(e.at) from scim_exchanges e
    where e.token_id = t.id and e.outcome = '${outcome}')`;
}

function verdictOf(
  {
    heldSince,
    daysLeft,
    lastUsedAt,
    requests,
    errors,
    errorRate,
  }: Row & Pick<DirectoryHealth, 'errorRate' | 'daysLeft'>,
  now: Date,
): Pick<DirectoryHealth, 'state' | 'says'> {
  if (heldSince)
    return {
      state: 'held',
      says: 'It would have put out more people than it may. Its changes wait for your decision.',
    };
  if (daysLeft !== null && daysLeft < 0)
    return { state: 'expired', says: 'The token is over. Make another, and enter it there.' };
  if (errors >= 5 && errorRate >= 0.5)
    return { state: 'failing', says: `${errors} of ${requests} requests were refused or failed.` };
  if (daysLeft !== null && daysLeft < 30)
    return {
      state: 'expiring',
      says: `The token is over in ${daysLeft} ${daysLeft === 1 ? 'day' : 'days'}. Make another before.`,
    };
  if (lastUsedAt === null)
    return { state: 'never_used', says: 'Nobody has come with this token yet.' };
  if (now.getTime() - lastUsedAt.getTime() > 2 * day)
    return { state: 'silent', says: 'Nothing was heard for more than two days.' };
  return { state: 'ok', says: 'It works.' };
}
