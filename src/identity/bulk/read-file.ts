import { CsvError } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { unguarded } from '#platform/csv.ts';
import { Refusal } from '../refusal.ts';
import { canonicalEmail } from '../users/email.ts';
import { cellLimit, columnsOf, formats, rowLimit, type BulkKind, type Cells } from './format.ts';

/** A row as it was read; `problem` where the file alone says that nothing can come of it. */
export interface ReadRow {
  cells: Cells;
  problem: { code: 'duplicate_in_file' | 'invalid_value'; message: string } | null;
}

export interface ReadFile {
  /** In the order of the file. */
  columns: string[];
  rows: ReadRow[];
}

/**
 * Reads a file: RFC 4180, with commas, semicolons or tabs between the cells, whichever makes sense of
 * the header. Names of columns are known in any case, with or without spaces and underscores, and with
 * something in parentheses behind them, such as `CurrentEmail (required)`.
 *
 * Nothing is guessed: a column that is not known would be one whose content is silently dropped.
 *
 * @throws {Refusal} `invalid_file`, with what is wrong and where; `too_many_rows`
 */
export function readFile(kind: BulkKind, text: string): ReadFile {
  if (text.includes('\0'))
    throw unreadable('not_text', 'This is not a text file. Save it as CSV in UTF-8.');
  const delimiter = delimiterOf(kind, text);
  const [header, ...records] = recordsOf(text, delimiter).filter(({ record }) =>
    record.some((cell) => cell.trim() !== ''),
  );
  if (!header) throw unreadable('empty', 'The file is empty.');
  const columns = columnsIn(kind, header.record);
  if (records.length > rowLimit)
    throw new Refusal(
      'too_many_rows',
      { limit: rowLimit },
      [],
      `The file has more than ${rowLimit} rows. Split it into several files.`,
    );
  if (records.length === 0) throw unreadable('no_rows', 'There is no row below the header.');
  return { columns, rows: rowsOf(kind, columns, records) };
}

interface CsvRecord {
  record: string[];
  /** On which line of the file it ends. */
  line: number;
}

/** @throws {Refusal} `invalid_file` */
function recordsOf(text: string, delimiter: string, to = rowLimit + 2): CsvRecord[] {
  try {
    const read = parse(text, {
      bom: true,
      delimiter,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: 10 * cellLimit,
      to,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return read.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = (error as { lines?: unknown }).lines;
    const where = typeof line === 'number' ? { line } : {};
    throw unreadable(
      'malformed',
      error.code === 'CSV_MAX_RECORD_SIZE'
        ? `Line ${String(line)} is too long.`
        : `Line ${String(line)} is not CSV: a quotation mark is missing, or one too many.`,
      where,
    );
  }
}

/** The one of the three that the most columns are known with. */
function delimiterOf(kind: BulkKind, text: string): string {
  const end = /\r\n|\n|\r/.exec(text)?.index ?? text.length;
  const header = text.slice(0, Math.min(end, 10 * cellLimit));
  const known = new Set(columnsOf(kind).map(plain));
  const [best] = [',', ';', '\t']
    .map((delimiter) => ({
      delimiter,
      found: new Set(header.split(delimiter).map(plain)).intersection(known).size,
    }))
    .sort((one, other) => other.found - one.found);
  return best!.delimiter;
}

/** What a column is called by, however it is written. */
function plain(name: string): string {
  return name
    .replaceAll(/["\uFEFF]/g, '')
    .replace(/\([^()]*\)\s*$/, '')
    .replaceAll(/[\s_]/g, '')
    .toLowerCase();
}

/** @throws {Refusal} `invalid_file` */
function columnsIn(kind: BulkKind, header: readonly string[]): string[] {
  const known = new Map(columnsOf(kind).map((name) => [plain(name), name]));
  // Spreadsheets leave empty columns at the end.
  const names = [...header];
  while (names.at(-1)?.trim() === '') names.pop();
  const unknown = names.filter((name) => !known.has(plain(name)));
  if (unknown.length > 0) {
    const shown = unknown.slice(0, 10).map((name) => JSON.stringify(name.trim().slice(0, 60)));
    throw unreadable(
      'unknown_columns',
      `There is no such column: ${shown.join(', ')}. The columns are ${columnsOf(kind).join(', ')}.`,
      { columns: unknown.slice(0, 10).map((name) => name.trim().slice(0, 60)) },
    );
  }
  const columns = names.map((name) => known.get(plain(name))!);
  const twice = columns.filter((name, index) => columns.indexOf(name) !== index);
  if (twice.length > 0)
    throw unreadable('duplicate_columns', `A column is there twice: ${twice.join(', ')}.`, {
      columns: twice,
    });
  const missing = formats[kind].required.filter((name) => !columns.includes(name));
  if (missing.length > 0)
    throw unreadable('missing_columns', `A column is missing: ${missing.join(', ')}.`, {
      columns: missing,
    });
  return columns;
}

function rowsOf(
  kind: BulkKind,
  columns: readonly string[],
  records: readonly CsvRecord[],
): ReadRow[] {
  const seen = new Map<string, number>();
  return records.map(({ record }, index): ReadRow => {
    const cells = Object.fromEntries(
      columns.map((column, place) => [column, unguarded(record[place] ?? '').trim()]),
    );
    const problem = problemOf(columns, record);
    if (problem) return { cells: shortened(cells), problem };
    const address = cells[formats[kind].who]!;
    const who = canonicalEmail(address) ?? address.toLowerCase();
    const first = seen.get(who);
    if (who !== '' && first !== undefined)
      return {
        cells,
        problem: { code: 'duplicate_in_file', message: `Row ${first} is about the same person.` },
      };
    seen.set(who, index + 1);
    return { cells, problem: null };
  });
}

function problemOf(columns: readonly string[], record: readonly string[]): ReadRow['problem'] {
  const extra = record.slice(columns.length).some((cell) => cell.trim() !== '');
  if (record.length < columns.length || extra)
    return {
      code: 'invalid_value',
      message: `The row has ${record.length} cells; the header has ${columns.length}.`,
    };
  for (const [place, column] of columns.entries()) {
    const cell = record[place]!;
    if (cell.length > cellLimit)
      return { code: 'invalid_value', message: `${column}: more than ${cellLimit} characters.` };
    if (!cell.isWellFormed() || /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u.test(cell.trim()))
      return { code: 'invalid_value', message: `${column}: must be text on one line.` };
  }
  return null;
}

/** What is kept of a row that is no good: enough to know it again. */
function shortened(cells: Cells): Cells {
  return Object.fromEntries(
    Object.entries(cells).map(([column, cell]) => [
      column,
      cell
        .toWellFormed()
        .replaceAll(/\p{Cc}/gu, ' ')
        .slice(0, 200),
    ]),
  );
}

function unreadable(problem: string, message: string, details: object = {}): Refusal {
  return new Refusal('invalid_file', { problem, ...details }, [], message);
}
