import { tokenStands } from '../access/api-token.ts';
import { requireAccount, type Asking } from '../access/rights.ts';
import { conflictsLeft, countConflict } from '../belonging/limits.ts';
import { tellAdministrators } from '../domains/tell.ts';
import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import { Refusal } from '../refusal.ts';
import { findPerson } from '../users/person.ts';
import { tentatively, unitOfWork, type Foundation, type Origin, type Work } from '../work.ts';
import { carryOutRow } from './carry-out.ts';
import type { Cells } from './format.ts';
import { endEarly, resultLife, rightOf, type OpenJob } from './job.ts';
import type { Outcome } from './row.ts';

/** Who hears of what should not happen. */
export interface BulkLog {
  error(details: object, message: string): void;
}

/** How many rows of one job before the next job has its turn. */
const stretch = 20;

/** After this many failures of ours a row is given up. */
const attemptsAtMost = 3;

/**
 * Goes on with the jobs there are, a stretch of each. Returns whether there is more to do.
 *
 * A row is taken, judged, done and marked in one transaction, whoever takes it: another process passes
 * it by, and one that is killed leaves it as it was. So no row is done twice, and none is lost.
 */
export async function workOnBulk(
  foundation: Foundation,
  log: BulkLog,
  stopping?: AbortSignal,
): Promise<boolean> {
  const open = await foundation.database.query<OpenJob & { origin: Origin }>(
    `select id, account_id as "accountId", kind, state, options, asking, actor, origin
     from bulk_jobs where state in ('checking', 'running') order by created_at limit 20`,
  );
  let more = false;
  for (const job of open) {
    let left = true;
    for (let rows = 0; rows < stretch && left;) {
      if (stopping?.aborted) return true;
      const done = await nextRow(foundation, job, log);
      left = done > 0;
      rows += done;
    }
    if (left) more = true;
    else await finish(foundation, job);
  }
  return more;
}

/**
 * Does the next row that nobody is at, or tries it and all that hang together with it. Returns how
 * many that were.
 */
async function nextRow(
  foundation: Foundation,
  job: OpenJob & { origin: Origin },
  log: BulkLog,
): Promise<number> {
  let at: number | null = null;
  try {
    const told = await unitOfWork(
      foundation,
      { actor: job.actor, origin: { ...job.origin, batchId: job.id } },
      async (work) => {
        const taken = await takeRows(work, job.id);
        if (!taken) return [];
        at = taken.rows[0]!.row;
        const stopped = await rightsLost(work, taken.job);
        if (stopped) {
          await endEarly(work, taken.job, 'permission_denied', stopped);
          work.record(
            'bulk_job.stopped',
            { type: 'bulk_job', id: job.id },
            { why: 'permission_denied' },
            job.accountId,
          );
          return [null];
        }
        const judge = async (part: Work): Promise<Outcome[]> => {
          const outcomes: Outcome[] = [];
          for (const { row, cells, counted } of taken.rows) {
            at = row;
            outcomes.push(await judged(part, taken.job, cells, counted));
          }
          return outcomes;
        };
        const applied = taken.job.state === 'running';
        // Of a dry run nothing stays; but each row of it is judged upon what those before it did.
        const outcomes = await (applied ? judge(work) : tentatively(work, judge, { keep: false }));
        for (const [index, outcome] of outcomes.entries())
          await keep(work, job.id, taken.rows[index]!.row, outcome, applied);
        return taken.rows.map(({ counted }, index) => (counted ? null : outcomes[index]!.code));
      },
    );
    for (const code of told)
      if (code)
        // Outside the transaction, as at every door; the set of codes is the rule's.
        await countConflict(foundation.database, job.accountId, code, foundation.clock());
    return told.length;
  } catch (error) {
    // Without a row it is the database, not the row: it is tried again at the next turn.
    if (at === null) throw error;
    await failed(foundation, job.id, at, error, log);
    return 1;
  }
}

interface TakenRow {
  row: number;
  cells: Cells;
  /** It was tried before, and what it told was counted then. */
  counted: boolean;
}

/**
 * Takes the job against being cancelled meanwhile, and the row against everybody; for a dry run with
 * all that hang together with it. One that hangs on another is not taken before that one is done.
 */
async function takeRows(
  work: Work,
  jobId: string,
): Promise<{ job: OpenJob; rows: TakenRow[] } | null> {
  const [job] = await work.query<OpenJob>(
    `select id, account_id as "accountId", kind, state, options, asking, actor
     from bulk_jobs where id = $1 and state in ('checking', 'running') for share`,
    [jobId],
  );
  if (!job) return null;
  const [first] = await work.query<TakenRow & { chain: number | null }>(
    `select r.row, r.cells, r.counted, r.chain from bulk_rows r
     where r.job_id = $1 and r.waiting and not exists (
       select from bulk_rows b
       where b.job_id = $1 and b.chain = r.chain and b.row < r.row and b.waiting)
     order by r.row limit 1 for update skip locked`,
    [jobId],
  );
  if (!first) return null;
  if (first.chain === null || job.state === 'running') return { job, rows: [first] };
  const rows = await work.query<TakenRow>(
    `select row, cells, counted from bulk_rows
     where job_id = $1 and chain = $2 and waiting order by row for update`,
    [jobId, first.chain],
  );
  return { job, rows };
}

async function judged(
  work: Work,
  { kind, accountId, asking, options }: OpenJob,
  cells: Cells,
  counted: boolean,
): Promise<Outcome> {
  try {
    if (kind === 'add' && !counted && !(await conflictsLeft(work, accountId, work.now)))
      throw new Refusal('rate_limited');
    return await tentatively(work, async (part) => {
      const account = await requireAccount(part, asking, rightOf[kind], accountId, {
        guarded: kind !== 'add',
      });
      return carryOutRow(part, kind, { asking, account, options }, cells);
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { message } = error;
    const { userId, role, group } = error.details;
    const named = [role, group].find((one): one is string => typeof one === 'string');
    return {
      result: 'error',
      code: error.code,
      message: named === undefined || message.includes(named) ? message : `${message} (${named})`,
      userId: typeof userId === 'string' ? userId : null,
    };
  }
}

async function keep(
  work: Work,
  jobId: string,
  row: number,
  { result, code, message, userId, before }: Outcome,
  applied: boolean,
): Promise<void> {
  await work.query(
    // What was not looked at, for want of tries, told nothing.
    `update bulk_rows set waiting = false, counted = $4 <> 'rate_limited', result = $3, code = $4, message = $5,
       user_id = $6, before = $7
     where job_id = $1 and row = $2`,
    // Of a dry run nothing stays, and nobody's id that there never was.
    [
      jobId,
      row,
      result,
      code,
      message,
      applied || result !== 'ok' ? userId : null,
      applied && before ? JSON.stringify(before) : null,
    ],
  );
}

/** Something went wrong that is no answer. The row is tried again, a few times. */
async function failed(
  { database }: Foundation,
  jobId: string,
  row: number,
  error: unknown,
  log: BulkLog,
): Promise<void> {
  const { name, code } = error as Error & { code?: unknown };
  const [now] = await database.query<{ given_up: boolean }>(
    `update bulk_rows set attempts = attempts + 1, waiting = attempts + 1 < $3,
       result = case when attempts + 1 >= $3 then 'error' end,
       code = case when attempts + 1 >= $3 then 'internal_error' end,
       message = case when attempts + 1 >= $3 then 'Something went wrong here. Try this row again.' end
     where job_id = $1 and row = $2 and waiting returning not waiting as given_up`,
    [jobId, row, attemptsAtMost],
  );
  if (now?.given_up)
    log.error({ job: jobId, row, error: { name, code } }, 'a row of a file could not be done');
}

/**
 * Why a job may not go on, or null. Who began it has the rights for it at this moment, or not: a
 * right is gone at once with the role, the lock or the token (behaviour.md section 7, rule 5).
 */
async function rightsLost(work: Work, { actor, asking }: OpenJob): Promise<string | null> {
  if (actor.type === 'api_token') {
    const alive = await work.query(
      `select 1 from api_tokens t where t.id = $1 and ${tokenStands('$2')}`,
      [actor.id, work.now],
    );
    return alive.length > 0 ? null : 'The token that began this is no longer good.';
  }
  if (asking.userId === null) return null;
  const person = await findPerson(work, asking.userId, work.now);
  return person && hasStill(person, asking) ? null : 'Who began this may not do it any more.';
}

function hasStill(
  {
    identity,
    locks,
    roles,
    account,
    affiliation,
  }: NonNullable<Awaited<ReturnType<typeof findPerson>>>,
  { role, accountId }: Asking,
): boolean {
  if (identity !== 'ready' || locks.length > 0 || !roles.includes(role)) return false;
  return role === 'operator' || (affiliation === 'member' && account?.id === accountId);
}

/** Ends a job when no row waits, not even one that another process is at. Tells who began it. */
async function finish(foundation: Foundation, job: OpenJob): Promise<void> {
  const actor = { type: 'system', id: 'bulk' } as const;
  await unitOfWork(foundation, { actor, origin: { batchId: job.id } }, async (work) => {
    const until = new Date(work.now.getTime() + resultLife);
    const [ended] = await work.query<Counts & { state: 'checked' | 'done' }>(
      `update bulk_jobs j set rows_until = $3,
         state = case j.state when 'running' then 'done' else 'checked' end,
         finished_at = case when j.state = 'running' then $2::timestamptz end,
         checked_at = coalesce(j.checked_at, $2::timestamptz),
         succeeded = case when j.state = 'running' then c.succeeded end,
         skipped = case when j.state = 'running' then c.skipped end,
         failed = case when j.state = 'running' then c.failed end
       from (select count(*) filter (where result = 'ok')::int as succeeded,
           count(*) filter (where result = 'skipped')::int as skipped,
           count(*) filter (where result = 'error')::int as failed
         from bulk_rows where job_id = $1) c
       where j.id = $1 and j.state in ('checking', 'running')
         and not exists (select from bulk_rows r where r.job_id = $1 and r.waiting)
       returning j.state, c.succeeded, c.skipped, c.failed`,
      [job.id, work.now, until],
    );
    if (ended?.state !== 'done') return;
    const { succeeded, skipped, failed: refused } = ended;
    work.record(
      'bulk_job.finished',
      { type: 'bulk_job', id: job.id },
      { kind: job.kind, succeeded, skipped, failed: refused },
      job.accountId,
    );
    if (job.options.notify) await tell(work, job, ended, until);
  });
}

interface Counts {
  succeeded: number;
  skipped: number;
  failed: number;
}

/** M14: to who began it; where a program did, to the Account Administrators. */
async function tell(
  work: Work,
  { id, accountId, kind, actor }: OpenJob,
  { succeeded, skipped, failed: refused }: Counts,
  expiresAt: Date,
): Promise<void> {
  const letter = {
    kind: 'bulk_finished',
    job: kind,
    succeeded,
    skipped,
    failed: refused,
    resultLink: work.link(`/console/bulk/${id}`),
    expiresAt,
  } as const;
  const dedupKey = `bulk:${id}`;
  if (actor.type !== 'user') return tellAdministrators(work, accountId, letter, { dedupKey });
  const reader = await findPerson(work, actor.id, work.now);
  if (!reader || reader.email === null) return;
  mail(work, toPerson(reader), letter, { dedupKey });
}
