/**
 * CSV as RFC 4180 has it, for people who open it in a spreadsheet.
 *
 * The attack: a name of `=HYPERLINK(...)` is text here and a formula there. A cell that begins like
 * one gets an apostrophe in front (behaviour.md F18). So does a cell that begins as if it had got one:
 * then what is read back with `unguarded` is what was written, always.
 */
export function csvRow(cells: readonly CsvValue[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

export type CsvValue = string | number | boolean | Date | null | undefined;

function csvCell(value: CsvValue): string {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'string') return String(value);
  const text = /^(?:[=+\-@\t\r]|'[=+\-@\t\r'])/.test(value) ? `'${value}` : value;
  return /[",\r\n;\t]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A cell as it was before it was guarded. `'t Hooft` never was. */
export function unguarded(cell: string): string {
  return /^'[=+\-@\t\r']/.test(cell) ? cell.slice(1) : cell;
}

/** Tells a spreadsheet that what follows is UTF-8. */
export const byteOrderMark = '\uFEFF';
