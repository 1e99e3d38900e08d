import type { Sql } from '#platform/database/sql.ts';
import { administratorsOf } from '../accounts/administrators.ts';
import { mail } from '../mail/mail.ts';
import { toReader } from '../mail/recipient.ts';
import { unitOfWork, type Foundation, type Origin, type Work } from '../work.ts';
import type { UpstreamProblemCode } from './assertion.ts';
import { failingFrom } from './connection.ts';
import { goodOutcomes } from './kept-traces.ts';

/** What is the provider's fault, or that of how we are set up with it; not a person's who gave up. */
const failures: ReadonlySet<UpstreamProblemCode> = new Set([
  'upstream_error',
  'upstream_unreachable',
  'response_invalid',
]);

/**
 * Counts that a provider did not do its part. At the twentieth time in a row the connection is
 * failing, and its administrators are told once (behaviour.md 2.6, M20).
 */
export async function countFailure(
  foundation: Foundation,
  connectionId: string,
  problem: { code: UpstreamProblemCode; detail: string },
  origin: Origin = {},
): Promise<void> {
  if (!failures.has(problem.code)) return;
  const context = { actor: { type: 'system', id: 'federation' }, origin } as const;
  await unitOfWork(foundation, context, async (work) => {
    const [row] = await work.query<{ account_id: string; name: string; failures: number }>(
      `update connections set failures = failures + 1, last_failure_at = $2, last_failure = $3,
         failing_since = case when failures + 1 >= $4 then coalesce(failing_since, $2) end
       where id = $1 and deleted_at is null
       returning account_id, name, failures`,
      [connectionId, work.now, `${problem.code}: ${problem.detail}`.slice(0, 500), failingFrom],
    );
    if (!row || row.failures !== failingFrom) return;
    work.record(
      'connection.failing',
      { type: 'connection', id: connectionId },
      { failures: row.failures, problem: problem.code },
      row.account_id,
    );
    await tellAdministrators(work, row.account_id, {
      what: 'connection_failing',
      label: row.name,
      days: 0,
      endsAt: null,
    });
  });
}

export interface HealthFigures {
  /** Attempts that came to an end, in the last day and in the last 30 days. */
  day: { succeeded: number; failed: number };
  month: { succeeded: number; failed: number };
  /** What went wrong most often in the last 30 days. */
  reasons: { outcome: string; count: number }[];
}

/** Counts along the traces that are kept. */
export async function healthFigures(
  sql: Sql,
  connectionId: string,
  now: Date,
): Promise<HealthFigures> {
  const days = (count: number): Date => new Date(now.getTime() - count * 24 * 3600_000);
  const rows = await sql.query<{ outcome: string; day: number; month: number }>(
    `select outcome, count(*) filter (where began_at > $2)::int as day, count(*)::int as month
     from federated_traces where connection_id = $1 and began_at > $3 and outcome is not null
     group by outcome order by month desc`,
    [connectionId, days(1), days(30)],
  );
  const sum = (good: boolean, of: 'day' | 'month'): number =>
    rows
      .filter(({ outcome }) => goodOutcomes.includes(outcome) === good)
      .reduce((total, row) => total + row[of], 0);
  return {
    day: { succeeded: sum(true, 'day'), failed: sum(false, 'day') },
    month: { succeeded: sum(true, 'month'), failed: sum(false, 'month') },
    reasons: rows
      .filter(({ outcome }) => !goodOutcomes.includes(outcome))
      .slice(0, 10)
      .map(({ outcome, month }) => ({ outcome, count: month })),
  };
}

/** Writes to everybody who looks after an account that something of a connection wants attention. */
export async function tellAdministrators(
  work: Work,
  accountId: string,
  about: {
    what: 'client_secret' | 'certificate' | 'certificate_found' | 'connection_failing';
    label: string;
    days: number;
    endsAt: Date | null;
  },
): Promise<void> {
  const [account] = await work.query<{ name: string }>('select name from accounts where id = $1', [
    accountId,
  ]);
  for (const reader of await administratorsOf(work, accountId))
    mail(work, toReader(reader), {
      kind: 'secret_expiring',
      account: account!.name,
      ...about,
      settingsLink: work.link('/console/connections'),
    });
}
