import { exportUsers, type ExportFormat } from '#identity/bulk/export-users.ts';
import { requireUndoable, resultFile, undoFile } from '#identity/bulk/files.ts';
import {
  bulkKinds,
  fileLimit,
  formats,
  rowLimit,
  sampleFile,
  type BulkKind,
} from '#identity/bulk/format.ts';
import {
  applyJob,
  cancelJob,
  jobById,
  listJobs,
  requireProof,
  rowResults,
  rowsOf,
  uploadFile,
  type BulkJob,
} from '#identity/bulk/job.ts';
import { Refusal } from '#identity/refusal.ts';
import { sendFile } from '../../download.ts';
import { notText } from '../../body.ts';
import {
  bulkPage,
  jobPage,
  uploadPage,
  type RowShown,
  type UploadPage,
} from '../../pages/console/bulk.ts';
import type { Room, Visit } from '../room.ts';

const atOnce = 50;

/** Files that add, change or remove many at once, and the list of people as a file. */
export const bulk: Room = {
  menu: { path: '/bulk', title: 'bulk.title', section: 'people', right: 'bulk:read' },
  open(door) {
    door.get('/bulk', 'bulk:read', (visit) => showJobs(visit));
    door.get('/bulk/new', 'bulk:manage', (visit) => showForm(visit));
    door.post('/bulk/new', 'bulk:manage', (visit) => take(visit), { upload: fileLimit });
    door.get('/bulk/sample.csv', 'bulk:read', (visit) => {
      const kind = kindOf(visit);
      send(visit, `${kind}-users.csv`, [sampleFile(kind)]);
    });
    door.get('/bulk/users.csv', 'users:read', (visit) => download(visit));

    door.get('/bulk/:jobId', 'bulk:read', (visit) => showJob(visit));
    door.post('/bulk/:jobId/apply', 'bulk:manage', async (visit) => {
      const { jobId = '' } = visit.params;
      await visit.act(async (work, { account, asking }) => {
        const job = await applyJob(work, asking, account.id, jobId);
        requireProof(asking, job.kind, job.total);
      });
      visit.done(`/bulk/${jobId}`);
    });
    door.post('/bulk/:jobId/cancel', 'bulk:manage', async (visit) => {
      const { jobId = '' } = visit.params;
      await visit.act((work, { account }) => cancelJob(work, account.id, jobId));
      visit.done(`/bulk/${jobId}`, visit.say('bulk.stopped'));
    });
    door.get('/bulk/:jobId/result.csv', 'bulk:read', async (visit) => {
      send(visit, 'result.csv', resultFile(visit.sql, await jobOf(visit)));
    });
    door.get('/bulk/:jobId/undo.csv', 'bulk:read', async (visit) => {
      const job = await jobOf(visit);
      requireUndoable(job);
      send(visit, 'undo.csv', undoFile(visit.sql, job));
    });
    door.post('/bulk/:jobId/undo', 'bulk:manage', (visit) => undo(visit));
  },
};

async function showJobs(visit: Visit): Promise<void> {
  const cursor = visit.cursor(['bulk']);
  const rows = await listJobs(visit.sql, visit.account.id, {
    after: cursor.after,
    limit: atOnce + 1,
  });
  const { items, nextCursor } = cursor.page(rows, atOnce, ({ id }) => id);
  visit.show(
    bulkPage({
      ...visit.page,
      jobs: items,
      nextCursor,
      later: cursor.after !== undefined,
      may: { upload: visit.may('bulk:manage'), export: visit.may('users:read') },
    }),
  );
}

function showForm(visit: Visit, changes: Partial<UploadPage> = {}, status = 200): void {
  const kind = kindOf(visit);
  const { required, optional } = formats[kind];
  const box = (name: string, otherwise: boolean): boolean =>
    visit.ctx.method === 'POST' ? visit.value(name) !== '' : otherwise;
  visit.show(
    uploadPage({
      ...visit.page,
      kind,
      required,
      optional,
      rowLimit,
      options: {
        sendInvitation: box('sendInvitation', true),
        addExisting: box('addExisting', false),
        inviteExisting: box('inviteExisting', false),
        note: visit.value('note'),
      },
      error: null,
      ...changes,
    }),
    status,
  );
}

async function take(visit: Visit): Promise<void> {
  const kind = kindOf(visit);
  const text = visit.form['file'] ?? '';
  if (text === '') return showForm(visit, { error: visit.say('bulk.wrong.choose') }, 422);
  if (text === notText) return showForm(visit, { error: visit.say('bulk.wrong.encoding') }, 422);
  const note = visit.value('note').slice(0, 500);
  try {
    const job = await visit.act((work, { account, asking }) =>
      uploadFile(work, asking, account, {
        kind,
        mode: 'dry-run',
        text,
        options: {
          sendInvitation: visit.value('sendInvitation') !== '',
          addExisting: visit.value('addExisting') !== '',
          inviteExisting: visit.value('inviteExisting') !== '',
          note: note === '' ? null : note,
        },
      }),
    );
    visit.done(`/bulk/${job.id}`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    showForm(visit, { error: wrongWith(visit, error) }, 422);
  }
}

/** Why a file is no good, in the reader's language. */
function wrongWith(visit: Visit, refusal: Refusal): string {
  if (refusal.code === 'too_many_rows')
    return visit.say('bulk.wrong.too_many_rows', { rows: rowLimit });
  const { problem, columns, line } = refusal.details;
  const values = {
    columns: Array.isArray(columns) ? columns.join(', ') : '',
    line: typeof line === 'number' ? line : 1,
  };
  switch (problem) {
    case 'not_text':
      return visit.say('bulk.wrong.not_text');
    case 'empty':
    case 'no_rows':
      return visit.say('bulk.wrong.no_rows');
    case 'unknown_columns':
      return visit.say('bulk.wrong.unknown_columns', values);
    case 'missing_columns':
      return visit.say('bulk.wrong.missing_columns', values);
    case 'duplicate_columns':
      return visit.say('bulk.wrong.duplicate_columns', values);
    case 'malformed':
      return visit.say('bulk.wrong.malformed', values);
    default:
      return visit.reason(refusal);
  }
}

async function showJob(visit: Visit): Promise<void> {
  const job = await jobOf(visit);
  const result = rowResults.find((one) => one === visit.value('result'));
  const cursor = visit.cursor(['bulk', job.id, result ?? '']);
  const working = job.state === 'checking' || job.state === 'running';
  const rows = working
    ? []
    : await rowsOf(visit.sql, job.id, {
        result,
        after: cursor.after === undefined ? undefined : Number(cursor.after),
        limit: atOnce + 1,
      });
  const { items, nextCursor } = cursor.page(rows, atOnce, ({ row }) => row);
  visit.show(
    jobPage({
      ...visit.page,
      job,
      result: result ?? '',
      rows: items.map(({ row, cells, result: came, code, message, userId }): RowShown => {
        const email = cells[formats[job.kind].who] ?? '';
        return {
          row,
          email,
          result: came,
          ...told(visit, { code, message, email }),
          userId,
        };
      }),
      nextCursor,
      later: cursor.after !== undefined,
      may: { manage: visit.may('bulk:manage') },
    }),
  );
}

/** What a row came to, in the reader's language; what names a column says it in the reader's too. */
function told(
  visit: Visit,
  { code, message, email }: { code: string | null; message: string | null; email: string },
): { text: string } {
  if (code === null) return { text: message ?? '' };
  const said = codeTexts[code];
  if (said === 'bulk.code.updated')
    return { text: visit.say(said, { columns: message?.replace(/^Changed: |\.$/g, '') ?? '' }) };
  if (said) return { text: visit.say(said) };
  const [, column] = /^([A-Z][A-Za-z]+): /.exec(message ?? '') ?? [];
  if (column !== undefined && visit.t.locale !== 'en')
    return { text: visit.say('bulk.code.value', { column }) };
  if (column !== undefined) return { text: message! };
  const text = visit.reason(new Refusal(code as Refusal['code'], { email }));
  // Which role, which group: the one word of it that is nobody's language.
  const [, named] =
    /(?:\((.+)\)|no (?:role|group) (.+)\.)$/.exec(message ?? '')?.filter(Boolean) ?? [];
  return { text: named === undefined ? text : `${text} (${named})` };
}

const codeTexts: Partial<Record<string, `bulk.code.${CodeText}`>> = {
  created: 'bulk.code.created',
  invited: 'bulk.code.invited',
  added: 'bulk.code.added',
  updated: 'bulk.code.updated',
  unchanged: 'bulk.code.unchanged',
  removed: 'bulk.code.removed',
  duplicate_in_file: 'bulk.code.duplicate_in_file',
  internal_error: 'bulk.code.internal_error',
  cancelled: 'bulk.code.cancelled',
};
type CodeText =
  | 'created'
  | 'invited'
  | 'added'
  | 'updated'
  | 'unchanged'
  | 'removed'
  | 'duplicate_in_file'
  | 'internal_error'
  | 'cancelled';

/** What was changed is checked first when it is put back, too. */
async function undo(visit: Visit): Promise<void> {
  const job = await jobOf(visit);
  requireUndoable(job);
  const text = (await Array.fromAsync(undoFile(visit.sql, job))).join('');
  try {
    const back = await visit.act((work, { account, asking }) =>
      uploadFile(work, asking, account, {
        kind: 'update',
        mode: 'dry-run',
        text,
        options: { note: job.options.note },
      }),
    );
    visit.done(`/bulk/${back.id}`);
  } catch (error) {
    if (!(error instanceof Refusal) || error.details['problem'] !== 'no_rows') throw error;
    visit.done(`/bulk/${job.id}`, visit.say('bulk.nothing_to_undo'), { tone: 'info' });
  }
}

async function download(visit: Visit): Promise<void> {
  const format: ExportFormat = visit.value('format') === 'compact' ? 'compact' : 'full';
  const { id } = visit.account;
  await visit.act((work) => {
    work.record('users.exported', { type: 'account', id }, { format }, id);
    return Promise.resolve();
  });
  send(visit, `users-${format}.csv`, exportUsers(visit.sql, id, format, visit.now));
}

function send({ ctx }: Visit, name: string, text: Iterable<string> | AsyncIterable<string>): void {
  sendFile(ctx, { name, type: 'text/csv', text });
}

/** @throws {Refusal} `not_found` */
function kindOf(visit: Visit): BulkKind {
  const kind = bulkKinds.find((one) => one === visit.value('kind'));
  if (!kind) throw new Refusal('not_found');
  return kind;
}

/** @throws {Refusal} `not_found` */
function jobOf({ sql, account, params }: Visit): Promise<BulkJob> {
  return jobById(sql, account.id, params['jobId']!);
}
