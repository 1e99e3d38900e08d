import type { Said } from './command.ts';

/** What a terminal must not be told: control characters in a name could move the cursor or worse. */
function plain(value: unknown): string {
  if (value === null || value === undefined || value === '') return '-';
  if (Array.isArray(value)) return value.length > 0 ? value.map(plain).join(', ') : '-';
  if (typeof value !== 'string') return plain(JSON.stringify(value));
  return value.replace(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, '?');
}

/** Rows under their headings, or a word that there are none. */
export function table<Row>(
  rows: readonly Row[],
  columns: Readonly<Record<string, (row: Row) => unknown>>,
): string {
  if (rows.length === 0) return 'None.';
  const names = Object.keys(columns);
  const cells = [names, ...rows.map((row) => names.map((name) => plain(columns[name]!(row))))];
  const widths = names.map((_, index) => Math.max(...cells.map((line) => line[index]!.length)));
  return cells
    .map((line) =>
      line
        .map((cell, index) => cell.padEnd(widths[index]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** One thing, a field to a line. */
export function record(fields: Readonly<Record<string, unknown>>): string {
  const width = Math.max(...Object.keys(fields).map((name) => name.length));
  return Object.entries(fields)
    .map(([name, value]) => `${name.padEnd(width)}  ${plain(value)}`)
    .join('\n');
}

/** What a command says that lists things. */
export function listed<Row>(
  items: readonly Row[],
  columns: Readonly<Record<string, (row: Row) => unknown>>,
): Said {
  return { json: items, text: table(items, columns) };
}

/** What a command says that shows or made one thing: all of it, or only these fields to people. */
export function detailed(
  one: object,
  fields: Readonly<Record<string, unknown>> = { ...one },
): Said {
  return { json: one, text: record(fields) };
}

/** Lines of a list in the help, what they mean beside them. */
export function aligned(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(0, ...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`.trimEnd()).join('\n');
}
