import { byteOrderMark, csvRow } from '#platform/csv.ts';
import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import type { Cells } from './format.ts';
import { rowsOf, type BulkJob } from './job.ts';

const page = 250;

/** What came of each row: the file as it was, with what happened behind it. */
export async function* resultFile(sql: Sql, job: BulkJob): AsyncGenerator<string> {
  yield byteOrderMark + csvRow([...job.columns, 'Row', 'Result', 'Code', 'Message', 'UserId']);
  for (let after = 0; ;) {
    const rows = await rowsOf(sql, job.id, { after, limit: page });
    for (const { cells, row, result, code, message, userId } of rows)
      yield csvRow([
        ...job.columns.map((column) => cells[column]),
        row,
        result ?? 'waiting',
        code,
        message,
        userId,
      ]);
    if (rows.length < page) return;
    after = rows.at(-1)!.row;
  }
}

/**
 * An update that puts back what a job of updates changed, row by row. Its columns are those of the
 * job; whoever was locked or unlocked by it needs a note for that.
 */
export async function* undoFile(sql: Sql, job: BulkJob): AsyncGenerator<string> {
  requireUndoable(job);
  const columns = [
    ...job.columns.filter((column) => column !== 'LockNote'),
    ...(job.columns.includes('Locked') ? ['LockNote'] : []),
  ];
  yield byteOrderMark + csvRow(columns);
  for (let after = 0; ;) {
    const rows = await changedRows(sql, job.id, after);
    for (const { cells, before } of rows)
      yield csvRow(columns.map((column) => undoCell(column, cells, before)));
    if (rows.length < page) return;
    after = rows.at(-1)!.row;
  }
}

/** What the row left as it was, the undo leaves too: it says again what is so, or nothing. */
function undoCell(column: string, cells: Cells, before: Cells): string {
  if (column === 'CurrentEmail' && before['NewEmail'] !== undefined) return cells['NewEmail']!;
  if (before[column] !== undefined) return before[column];
  return ['NewEmail', 'Locked', 'LockNote'].includes(column) ? '' : (cells[column] ?? '');
}

/** @throws {Refusal} `job_closed` */
export function requireUndoable({ kind, state }: BulkJob): void {
  if (kind !== 'update' || (state !== 'done' && state !== 'cancelled'))
    throw new Refusal(
      'job_closed',
      { kind, state },
      [],
      'There is a file to undo an update once it was done; removed people can be restored.',
    );
}

function changedRows(
  sql: Sql,
  jobId: string,
  after: number,
): Promise<{ row: number; cells: Cells; before: Cells }[]> {
  return sql.query(
    `select r.row, r.cells, r.before from bulk_rows r
     where r.job_id = $1 and r.row > $2 and r.before is not null order by r.row limit $3`,
    [jobId, after, page],
  );
}
