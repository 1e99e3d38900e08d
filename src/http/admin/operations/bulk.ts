import { z } from 'zod';
import { isWithinScopes, type ApiToken } from '#identity/access/api-token.ts';
import { exportFormats, exportUsers } from '#identity/bulk/export-users.ts';
import { requireUndoable, resultFile, undoFile } from '#identity/bulk/files.ts';
import {
  bulkKinds,
  columnsOf,
  fileLimit,
  rowLimit,
  sampleFile,
  type BulkKind,
} from '#identity/bulk/format.ts';
import {
  applyJob,
  cancelJob,
  jobById,
  jobStates,
  listJobs,
  requireProof,
  rightsFor,
  rowResults,
  rowsOf,
  uploadFile,
  type BulkJob,
} from '#identity/bulk/job.ts';
import { Refusal } from '#identity/refusal.ts';
import type { Sql } from '#platform/database/sql.ts';
import { operation, type AskedFile, type Download } from '../operation.ts';
import { listOf, Moment, note, paging } from '../schemas.ts';

const JobView = z
  .object({
    id: z.string(),
    kind: z.enum(bulkKinds),
    state: z
      .enum(jobStates)
      .describe(
        '`checking`: rows are tried, and taken back. `checked`: it can be applied. `running`, then `done`.',
      ),
    options: z.object({
      sendInvitation: z.boolean(),
      addExisting: z.boolean(),
      inviteExisting: z.boolean(),
      note: z.string().nullable(),
      notify: z.boolean(),
    }),
    columns: z.array(z.string()),
    total: z.number().int().describe('Rows.'),
    waiting: z.number().int().describe('Rows that have not come to anything yet.'),
    succeeded: z.number().int(),
    skipped: z.number().int().describe('Rows that had nothing to do, or were left.'),
    failed: z.number().int(),
    by: z.string().nullable(),
    createdAt: Moment,
    startedAt: Moment.nullable(),
    finishedAt: Moment.nullable(),
    rowsUntil: Moment.nullable().describe('Until when the rows are kept. Null when they are gone.'),
  })
  .meta({ id: 'BulkJob' });

const RowView = z
  .object({
    row: z.number().int().describe('1 for the first one below the header.'),
    cells: z.record(z.string(), z.string()),
    result: z.enum(rowResults).nullable().describe('Null while it waits.'),
    code: z.string().nullable(),
    message: z.string().nullable(),
    userId: z.string().nullable(),
  })
  .meta({ id: 'BulkRow' });

function jobView(job: BulkJob): z.output<typeof JobView> {
  const { total, succeeded, skipped, failed } = job;
  const over = job.state === 'done' || job.state === 'cancelled';
  return { ...job, waiting: over ? 0 : total - succeeded - skipped - failed };
}

const tag = 'Bulk';
const base = '/accounts/:accountId/bulk';
const flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .optional();

const upload = operation({
  id: 'uploadBulk',
  tag,
  method: 'post',
  path: base,
  summary: 'Takes a CSV file that adds, updates or deletes many people.',
  description: [
    `At most ${rowLimit} rows and 2 MiB, in UTF-8, with commas, semicolons or tabs.`,
    ...bulkKinds.map((kind) => `\`${kind}\`: ${columnsOf(kind).join(', ')}.`),
    'In an update a column that is not there leaves things as they are, and an empty cell clears (not a name, NewEmail or Locked). Lists are separated by semicolons; `+a;-b` adds and removes.',
    'The rows are worked on in the background: ask for the job until its `state` is `checked` or `done`.',
  ].join(' '),
  right: 'bulk:manage',
  query: z.strictObject({
    kind: z.enum(bulkKinds),
    mode: z
      .enum(['dry-run', 'apply'])
      .default('dry-run')
      .describe('`dry-run` says for each row what would happen; `…/apply` then does it.'),
    sendInvitation: flag.describe('Sends the mail to set a password by. By default it does.'),
    addExisting: flag.describe('Adds people of your domains who exist and belong to no account.'),
    inviteExisting: flag.describe('Invites people of other domains who belong to no account.'),
    note: note.optional().describe('Why people are locked, where a row does not say it.'),
    notify: flag.describe('Sends a mail when it is done. By default it does.'),
  }),
  file: { types: ['text/csv', 'application/csv', 'text/plain'], limit: fileLimit },
  body: z.string(),
  example: 'Email,FirstName,LastName,Country\r\nann@acme.example,Ann,Archer,US\r\n',
  result: JobView,
  status: 202,
  refusals: ['invalid_file', 'too_many_rows', 'limit_reached'],

  async handle(work, { token, account, asking, query, body }) {
    const { kind, mode, ...chosen } = query;
    const options = Object.fromEntries(
      Object.entries(chosen).filter(([, value]) => value !== undefined),
    );
    const job = await uploadFile(work, asking, account, { kind, mode, text: body, options });
    requireScopes(token, job);
    if (mode === 'apply') requireProof(asking, kind, job.total);
    return jobView(job);
  },
});

const list = operation({
  id: 'listBulk',
  tag,
  method: 'get',
  path: base,
  summary: 'Lists the jobs of an account, the newest first.',
  right: 'bulk:read',
  query: z.strictObject(paging),
  result: listOf(JobView),

  async handle(work, { account, query: { limit }, cursor }) {
    const rows = await listJobs(work, account.id, { after: cursor.after, limit: limit + 1 });
    const { items, nextCursor } = cursor.page(rows, limit, ({ id }) => id);
    return { items: items.map(jobView), nextCursor };
  },
});

const get = operation({
  id: 'getBulk',
  tag,
  method: 'get',
  path: `${base}/:jobId`,
  summary: 'How far a job is.',
  right: 'bulk:read',
  result: JobView,
  refusals: ['not_found'],

  async handle(work, { account, params }) {
    return jobView(await jobById(work, account.id, params['jobId']!));
  },
});

const rows = operation({
  id: 'listBulkRows',
  tag,
  method: 'get',
  path: `${base}/:jobId/rows`,
  summary: 'What came, or would come, of each row.',
  right: 'bulk:read',
  query: z.strictObject({ result: z.enum([...rowResults, 'waiting']).optional(), ...paging }),
  result: listOf(RowView),
  refusals: ['not_found'],

  async handle(work, { account, params, query: { limit, result }, cursor }) {
    const job = await jobById(work, account.id, params['jobId']!);
    const found = await rowsOf(work, job.id, {
      result,
      after: cursor.after === undefined ? undefined : Number(cursor.after),
      limit: limit + 1,
    });
    return cursor.page(found, limit, ({ row }) => row);
  },
});

const apply = operation({
  id: 'applyBulk',
  tag,
  method: 'post',
  path: `${base}/:jobId/apply`,
  summary: 'Does what was tried. Each row is judged anew, with the rights of who says this.',
  right: 'bulk:manage',
  result: JobView,
  status: 202,
  refusals: ['not_found', 'job_closed', 'limit_reached'],

  async handle(work, { token, account, asking, params }) {
    const job = await applyJob(work, asking, account.id, params['jobId']!);
    requireScopes(token, job);
    requireProof(asking, job.kind, job.total);
    return jobView(job);
  },
});

const cancel = operation({
  id: 'cancelBulk',
  tag,
  method: 'post',
  path: `${base}/:jobId/cancel`,
  summary: 'Stops a job. What is done stays.',
  right: 'bulk:manage',
  result: JobView,
  refusals: ['not_found', 'job_closed'],

  async handle(work, { account, params }) {
    return jobView(await cancelJob(work, account.id, params['jobId']!));
  },
});

export const bulkOperations = [upload, list, get, rows, apply, cancel];

const sample: Download = {
  id: 'bulkSample',
  tag,
  path: `${base}/sample.csv`,
  summary: 'A file of the kind, with its header and one row.',
  right: 'bulk:read',
  fileName: 'sample.csv',
  query: z.strictObject({ kind: z.enum(bulkKinds) }),
  async *rows(_sql, { query: { kind } }) {
    yield sampleFile(kind as BulkKind);
  },
};

const result: Download = {
  id: 'bulkResult',
  tag,
  path: `${base}/:jobId/result.csv`,
  summary: 'The file as it was, with what came of each row.',
  right: 'bulk:read',
  fileName: 'result.csv',
  refusals: ['not_found'],
  begun: async (work, asked) => void (await jobAsked(work, asked)),
  async *rows(sql, asked) {
    yield* resultFile(sql, await jobAsked(sql, asked));
  },
};

const undo: Download = {
  id: 'bulkUndo',
  tag,
  path: `${base}/:jobId/undo.csv`,
  summary: 'A file that puts back what an update changed.',
  right: 'bulk:read',
  fileName: 'undo.csv',
  refusals: ['not_found', 'job_closed'],
  begun: async (work, asked) => requireUndoable(await jobAsked(work, asked)),
  async *rows(sql, asked) {
    yield* undoFile(sql, await jobAsked(sql, asked));
  },
};

const users: Download = {
  id: 'exportUsers',
  tag: 'Users',
  path: '/accounts/:accountId/users.csv',
  summary:
    'The people of an account. `compact` is what an update takes; read back, it changes nothing.',
  right: 'users:read',
  fileName: 'users.csv',
  query: z.strictObject({ format: z.enum(exportFormats).default('full') }),
  begun(work, { accountId, query: { format } }) {
    work.record('users.exported', { type: 'account', id: accountId! }, { format }, accountId);
  },
  rows: (sql, { accountId, query, tools }) =>
    exportUsers(
      sql,
      accountId!,
      query['format'] as (typeof exportFormats)[number],
      tools.foundation.clock(),
    ),
};

export const bulkDownloads: readonly Download[] = [sample, result, undo, users];

/** A file does nothing that its token could not do one by one. @throws {Refusal} `permission_denied` */
function requireScopes(token: ApiToken, job: BulkJob): void {
  for (const scope of rightsFor(job))
    if (!isWithinScopes(token, scope)) throw new Refusal('permission_denied', { scope });
}

function jobAsked(sql: Sql, { accountId, params }: AskedFile): Promise<BulkJob> {
  return jobById(sql, accountId!, params['jobId']!);
}
