import type { Sql } from '#platform/database/sql.ts';
import { newId } from '#platform/ids.ts';
import type { Actor } from '../access/actor.ts';
import type { Asking, Capability, PermittedAccount } from '../access/rights.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { chainsOf } from './chains.ts';
import { defaultOptions, type BulkKind, type BulkOptions, type Cells } from './format.ts';
import { readFile } from './read-file.ts';

/**
 *     checking  -> checked     each row was tried and taken back; somebody may apply it now
 *     checked   -> running     somebody did
 *     running   -> done        each row is done, or was refused
 *     any of the first three -> cancelled
 */
export const jobStates = ['checking', 'checked', 'running', 'done', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

export const rowResults = ['ok', 'skipped', 'error'] as const;
export type RowResult = (typeof rowResults)[number];

export interface BulkJob {
  id: string;
  accountId: string;
  kind: BulkKind;
  state: JobState;
  options: BulkOptions;
  columns: string[];
  /** Rows, and how many of them came to what. */
  total: number;
  succeeded: number;
  skipped: number;
  failed: number;
  /** Who uploaded it, or, later, who applied it. */
  by: string | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** Until when its rows are kept; null when they are gone. */
  rowsUntil: Date | null;
}

export interface BulkRow {
  row: number;
  cells: Cells;
  /** Null while it waits. */
  result: RowResult | null;
  code: string | null;
  message: string | null;
  userId: string | null;
}

/** How long the rows of a job are kept once it is done (behaviour.md M14). */
export const resultLife = 7 * 24 * 3600_000;

/** How many jobs of one account are worked on at once. */
const openLimit = 5;

/**
 * Takes a file. Nothing happens here but that it is read; the rows are worked on in the background.
 *
 * @param mode `dry-run`: each row is tried and taken back, and somebody decides then.
 * @throws {Refusal} `invalid_file`, `too_many_rows`, `limit_reached`
 */
export async function uploadFile(
  work: Work,
  asking: Asking,
  account: Pick<PermittedAccount, 'id'>,
  {
    kind,
    mode,
    text,
    options,
  }: {
    kind: BulkKind;
    mode: 'dry-run' | 'apply';
    text: string;
    options: Partial<BulkOptions>;
  },
): Promise<BulkJob> {
  const { columns, rows } = readFile(kind, text);
  await requireRoom(work, account.id);
  const id = newId(work.now.getTime());
  const applied = mode === 'apply';
  const chains = await chainsOf(
    work,
    kind,
    account.id,
    rows.map(({ cells, problem }) => (problem ? {} : cells)),
  );
  await work.query(
    `insert into bulk_jobs (id, account_id, kind, state, options, columns, total, asking, actor,
       origin, created_at, started_at, rows_until)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      id,
      account.id,
      kind,
      applied ? 'running' : 'checking',
      JSON.stringify({ ...defaultOptions, ...options }),
      columns,
      rows.length,
      JSON.stringify(asking),
      JSON.stringify(work.actor),
      JSON.stringify(work.origin),
      work.now,
      applied ? work.now : null,
      new Date(work.now.getTime() + resultLife),
    ],
  );
  await work.query(
    `insert into bulk_rows (job_id, row, cells, chain, waiting, fixed, result, code, message)
     select $1, r.row, r.cells, r.chain, r.code is null, r.code is not null,
       case when r.code is not null then 'error' end, r.code, r.message
     from jsonb_to_recordset($2::jsonb)
       as r (row int, cells jsonb, chain int, code text, message text)`,
    [
      id,
      JSON.stringify(
        rows.map(({ cells, problem }, index) => ({
          row: index + 1,
          cells,
          chain: chains[index],
          code: problem?.code ?? null,
          message: problem?.message ?? null,
        })),
      ),
    ],
  );
  record(work, 'uploaded', { id, accountId: account.id }, { kind, mode, rows: rows.length });
  return jobById(work, account.id, id);
}

/**
 * What was tried is done now, with the rights of who says so. Each row is judged anew: meanwhile
 * things may have changed.
 *
 * @throws {Refusal} `not_found`, `job_closed`, `limit_reached`
 */
export async function applyJob(
  work: Work,
  asking: Asking,
  accountId: string,
  jobId: string,
): Promise<BulkJob> {
  const job = await lockJob(work, accountId, jobId);
  if (job.state !== 'checked') throw new Refusal('job_closed', { state: job.state });
  await requireRoom(work, accountId);
  await work.query(
    `update bulk_jobs set state = 'running', started_at = $2, rows_until = $3, asking = $4,
       actor = $5, origin = $6
     where id = $1`,
    [
      jobId,
      work.now,
      new Date(work.now.getTime() + resultLife),
      JSON.stringify(asking),
      JSON.stringify(work.actor),
      JSON.stringify(work.origin),
    ],
  );
  await work.query(
    `update bulk_rows set waiting = true, result = null, code = null, message = null,
       user_id = null, attempts = 0
     where job_id = $1 and not fixed`,
    [jobId],
  );
  record(work, 'started', job, { kind: job.kind, rows: job.total });
  return jobById(work, accountId, jobId);
}

/**
 * Stops a job: what is done stays, what waits is left.
 *
 * @throws {Refusal} `not_found`, `job_closed`
 */
export async function cancelJob(work: Work, accountId: string, jobId: string): Promise<BulkJob> {
  const job = await lockJob(work, accountId, jobId);
  if (job.state === 'done' || job.state === 'cancelled')
    throw new Refusal('job_closed', { state: job.state });
  await endEarly(work, job, 'cancelled', 'The job was cancelled before this row.');
  record(work, 'cancelled', job);
  return jobById(work, accountId, jobId);
}

/** Leaves what waits, and says why. */
export async function endEarly(
  work: Work,
  { id, state }: Pick<BulkJob, 'id' | 'state'>,
  code: string,
  message: string,
): Promise<void> {
  // What was only tried has come to nothing: it must not look as if it were done.
  await work.query(
    `update bulk_rows set waiting = false, result = 'skipped', code = $2, message = $3
     where job_id = $1 and not fixed and (waiting or $4)`,
    [id, code, message, state !== 'running'],
  );
  await work.query(
    `update bulk_jobs j set state = 'cancelled', finished_at = $2, rows_until = $3,
       succeeded = c.succeeded, skipped = c.skipped, failed = c.failed
     from (${counts}) c where j.id = $1`,
    [id, work.now, new Date(work.now.getTime() + resultLife)],
  );
}

/** @throws {Refusal} `not_found` */
export async function jobById(sql: Sql, accountId: string, jobId: string): Promise<BulkJob> {
  const [job] = await jobs(sql, 'j.account_id = $1 and j.id = $2', [accountId, jobId]);
  if (!job) throw new Refusal('not_found');
  return job;
}

/** The jobs of an account, the newest first. */
export function listJobs(
  sql: Sql,
  accountId: string,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<BulkJob[]> {
  return jobs(
    sql,
    'j.account_id = $1 and ($2::uuid is null or j.id < $2::uuid) order by j.id desc limit $3',
    [accountId, after ?? null, limit],
  );
}

export interface RowFilter {
  /** `waiting`: not come to anything yet. */
  result?: RowResult | 'waiting' | undefined;
  /** The row that the page before ended with. */
  after?: number | undefined;
  limit: number;
}

/** The rows of a job, in the order of the file. */
export function rowsOf(
  sql: Sql,
  jobId: string,
  { result, after = 0, limit }: RowFilter,
): Promise<BulkRow[]> {
  return sql.query<BulkRow>(
    `select r.row, r.cells, r.result, r.code, r.message, r.user_id as "userId"
     from bulk_rows r
     where r.job_id = $1 and r.row > $2 and ($3::text is null or coalesce(r.result, 'waiting') = $3)
     order by r.row limit $4`,
    [jobId, after, result ?? null, limit],
  );
}

/**
 * Whether a person sees to a job themselves, or a program does: with a file, many are put out at
 * once, so a person proves who they are anew before more than ten (behaviour.md section 7, rule 4).
 *
 * @throws {Refusal} `step_up_required`
 */
export function requireProof(asking: Asking, kind: BulkKind, rows: number): void {
  if (kind === 'delete' && rows > 10 && asking.userId !== null && asking.provedAnew !== true)
    throw new Refusal('step_up_required');
}

/** Forgets the rows of jobs that are long done, and what nobody ever applied. */
export async function sweepJobs(sql: Sql, now: Date): Promise<number> {
  const swept = await sql.query(
    `with due as (
       update bulk_jobs j set swept_at = $1,
         state = case when j.state = 'checked' then 'cancelled' else j.state end,
         succeeded = coalesce(j.succeeded, c.succeeded), skipped = coalesce(j.skipped, c.skipped),
         failed = coalesce(j.failed, c.failed)
       from bulk_jobs o cross join lateral (${counts.replace('$1', 'o.id')}) c
       where o.id = j.id and j.swept_at is null and j.rows_until <= $1
         and j.state in ('checked', 'done', 'cancelled')
       returning j.id as swept
     ), gone as (delete from bulk_rows r using due where r.job_id = due.swept)
     select swept from due`,
    [now],
  );
  return swept.length;
}

/** How many rows of job `$1` came to what. */
const counts = `
  select count(*) filter (where r.result = 'ok')::int as succeeded,
    count(*) filter (where r.result = 'skipped')::int as skipped,
    count(*) filter (where r.result = 'error')::int as failed
  from bulk_rows r where r.job_id = $1`;

function jobs(sql: Sql, where: string, params: (string | number | null)[]): Promise<BulkJob[]> {
  return sql.query<BulkJob>(
    `select j.id, j.account_id as "accountId", j.kind, j.state, j.options, j.columns, j.total,
       coalesce(j.succeeded, c.succeeded) as succeeded, coalesce(j.skipped, c.skipped) as skipped,
       coalesce(j.failed, c.failed) as failed,
       coalesce(j.actor ->> 'name', (select u.email_display from users u
         where u.id = case when j.actor ->> 'type' = 'user' then (j.actor ->> 'id')::uuid end)) as by,
       j.created_at as "createdAt", j.started_at as "startedAt", j.finished_at as "finishedAt",
       case when j.swept_at is null then j.rows_until end as "rowsUntil"
     from bulk_jobs j cross join lateral (${counts.replace('$1', 'j.id')}) c
     where ${where}`,
    params,
  );
}

/** What who works on a job needs to know of it. */
export interface OpenJob extends Pick<BulkJob, 'id' | 'accountId' | 'kind' | 'state' | 'options'> {
  asking: Asking;
  actor: Actor;
}

/** @throws {Refusal} `not_found` */
async function lockJob(work: Work, accountId: string, jobId: string): Promise<BulkJob> {
  await work.query('select 1 from bulk_jobs where id = $1 and account_id = $2 for update', [
    jobId,
    accountId,
  ]);
  return jobById(work, accountId, jobId);
}

/** @throws {Refusal} `limit_reached` */
async function requireRoom(work: Work, accountId: string): Promise<void> {
  const open = await work.query(
    `select 1 from bulk_jobs where account_id = $1 and state in ('checking', 'running')`,
    [accountId],
  );
  if (open.length >= openLimit) throw new Refusal('limit_reached', { limit: openLimit });
}

function record(
  work: Work,
  what: 'uploaded' | 'started' | 'cancelled',
  { id, accountId }: Pick<BulkJob, 'id' | 'accountId'>,
  details: Record<string, unknown> = {},
): void {
  work.record(`bulk_job.${what}`, { type: 'bulk_job', id }, details, accountId);
}

/** What somebody needs who sees to a file with these columns: no more is done by it than they may. */
export function rightsFor({ kind, columns }: Pick<BulkJob, 'kind' | 'columns'>): Capability[] {
  const more = { Roles: 'users:roles', Groups: 'groups:manage', Locked: 'users:lock' } as const;
  if (kind !== 'update') return [rightOf[kind]];
  return [
    rightOf.update,
    ...Object.entries(more)
      .filter(([column]) => columns.includes(column))
      .map(([, right]) => right),
  ];
}

/** What each row of a file needs the right to. */
export const rightOf = {
  add: 'users:add',
  update: 'users:edit',
  delete: 'users:remove',
} as const;
