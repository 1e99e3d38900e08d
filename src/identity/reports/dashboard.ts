import type { Sql } from '#platform/database/sql.ts';
import { openConflicts } from '../federation/conflicts.ts';
import { everywhere } from './count.ts';

const day = 24 * 3600_000;

/** What happened on one day of UTC. */
export interface DayFigures {
  /** `2026-11-22` */
  day: string;
  signIns: number;
  /** Wrong passwords. For all accounts together, those typed for names nobody has too. */
  failures: number;
  /** A right password, and yet no way in: the person is locked. */
  refused: number;
  /** Had to wait after too many wrong passwords. */
  throttled: number;
  locked: number;
  unlocked: number;
  joined: number;
  left: number;
  /** Asked to be let in. */
  requested: number;
  approved: number;
  rejected: number;
  invited: number;
}

export interface Dashboard {
  /** The first and the last day, the last one still going on. */
  from: string;
  to: string;
  days: DayFigures[];
  /** How people signed in, and how many times. */
  signInsBy: Record<string, number>;
  /** How people came to the account. */
  joinedBy: Record<string, number>;
  lockedBy: Record<string, number>;
  now: Standing;
}

/** How it stands at this moment. Nothing is counted beyond 10,000: more is more. */
export interface Standing {
  people: number;
  locked: number;
  pendingApprovals: number;
  oldestApprovalAt: Date | null;
  openInvitations: number;
  /** Domains whose proof was lost, or that somebody else has proved too. */
  domainsInTrouble: number;
  webhooksFailing: number;
  /** Connections whose provider fails, time and again. */
  connectionsFailing: number;
  /** People whom a company's provider names, and who do not fit who is known. */
  signInConflicts: number;
  /** Directories that wait for a decision, because they would put out too many people. */
  directoriesHeld: number;
}

/** Where counting ends. */
export const countedUpTo = 10_000;

const sums = {
  signed_in: 'signIns',
  wrong_password: 'failures',
  refused: 'refused',
  throttled: 'throttled',
  locked: 'locked',
  unlocked: 'unlocked',
  joined: 'joined',
  left: 'left',
  approval_requested: 'requested',
  approved: 'approved',
  rejected: 'rejected',
  invited: 'invited',
} as const satisfies Record<string, keyof DayFigures>;

const kinds: Partial<Record<string, 'signInsBy' | 'joinedBy' | 'lockedBy'>> = {
  signed_in: 'signInsBy',
  joined: 'joinedBy',
  locked: 'lockedBy',
};

/**
 * The figures of the last `days` days, of an account or (null) of all. Reads some rows a day, however
 * much happened.
 */
export async function dashboardOf(
  sql: Sql,
  accountId: string | null,
  { days, now }: { days: number; now: Date },
): Promise<Dashboard> {
  const all = Array.from({ length: days }, (_, index) =>
    new Date(now.getTime() - (days - 1 - index) * day).toISOString().slice(0, 10),
  );
  const rows = await sql.query<{ day: string; figure: string; count: number }>(
    `select day::text as day, figure, count from daily_figures
     where account_id = $1 and day >= $2::date order by day`,
    [accountId ?? everywhere, all[0]!],
  );
  const dashboard: Dashboard = {
    from: all[0]!,
    to: all.at(-1)!,
    days: all.map(emptyDay),
    signInsBy: {},
    joinedBy: {},
    lockedBy: {},
    now: await standingOf(sql, accountId),
  };
  const byDay = new Map(dashboard.days.map((one) => [one.day, one]));
  for (const { day: date, figure, count } of rows) {
    const [name = '', kind] = figure.split('.', 2);
    const sum = name in sums ? sums[name as keyof typeof sums] : undefined;
    const found = byDay.get(date);
    if (!sum || !found) continue;
    found[sum] += count;
    const by = kinds[name];
    if (by && kind) dashboard[by][kind] = (dashboard[by][kind] ?? 0) + count;
  }
  return dashboard;
}

function emptyDay(date: string): DayFigures {
  return {
    day: date,
    signIns: 0,
    failures: 0,
    refused: 0,
    throttled: 0,
    locked: 0,
    unlocked: 0,
    joined: 0,
    left: 0,
    requested: 0,
    approved: 0,
    rejected: 0,
    invited: 0,
  };
}

/** `$1` the account or null, `$2` where counting ends. Each part is a bounded walk along an index. */
const standing = `
  select
    (select count(*)::int from (select from users
      where ($1::uuid is null or account_id = $1) and identity <> 'erased' limit $2) p) as people,
    (select count(distinct user_id)::int from (select l.user_id from user_locks l
      join users u on u.id = l.user_id
      where l.released_at is null and ($1::uuid is null or (l.account_id = $1 and u.account_id = $1))
      limit $2) p) as locked,
    (select count(*)::int from (select from approval_requests
      where ($1::uuid is null or account_id = $1) and state = 'open' limit $2) p)
      as "pendingApprovals",
    (select min(requested_at) from approval_requests
      where ($1::uuid is null or account_id = $1) and state = 'open') as "oldestApprovalAt",
    (select count(*)::int from (select from invitations
      where ($1::uuid is null or account_id = $1) and state = 'pending' limit $2) p)
      as "openInvitations",
    (select count(*)::int from (select from domains
      where ($1::uuid is null or account_id = $1) and state in ('at_risk', 'lapsed', 'contested')
      limit $2) p) as "domainsInTrouble",
    (select count(*)::int from (select from webhooks
      where account_id is not distinct from $1::uuid and state = 'failing' limit $2) p)
      as "webhooksFailing",
    (select count(*)::int from (select from connections
      where ($1::uuid is null or account_id = $1) and failing_since is not null
        and deleted_at is null and state <> 'disabled' limit $2) p) as "connectionsFailing",
    (select count(*)::int from (select ${openConflicts} limit $2) p) as "signInConflicts",
    (select count(*)::int from (select from scim_tokens
      where ($1::uuid is null or account_id = $1) and held_at is not null and revoked_at is null
      limit $2) p) as "directoriesHeld"`;

async function standingOf(sql: Sql, accountId: string | null): Promise<Standing> {
  const [row] = await sql.query<Standing>(standing, [accountId, countedUpTo]);
  return row!;
}
