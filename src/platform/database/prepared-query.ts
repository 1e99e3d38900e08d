import type { Connection, Submittable } from 'pg';
import type { Param } from './sql.ts';

/** A statement as it was described on this connection: its columns, and how their values are read. */
export type Columns = readonly { name: string; read(text: string): unknown }[];

/** What of `pg`'s connection its types do not name; its version is pinned exactly. */
interface Prepared {
  readonly parsedStatements: Record<string, string>;
  readonly submittedNamedStatements: Record<string, string>;
  parse(statement: { name: string; text: string }): void;
  bind(statement: { statement: string; values: readonly (string | null)[] }): void;
  describe(portal: { type: 'P'; name: string }): void;
  execute(portal: { portal: string }): void;
  sync(): void;
}

export interface PreparedQueryOptions<Row> {
  name: string;
  text: string;
  /** As `written` has them. */
  values: readonly (string | null)[];
  /** What is known of the statements of this connection; a first query adds its own. */
  known: Map<string, Columns>;
  parserOf: (type: number) => (text: string) => unknown;
  done: (error: Error | null, rows: Row[]) => void;
}

/**
 * A statement with a name, for `client.query` of `pg`, in place of its own `Query`: that has the
 * server describe the columns each time, looks their parsers up, and tells of each row by an event. All
 * of it is known from the first time, and was a third of what a statement costs here.
 */
export class PreparedQuery<Row> implements Submittable {
  readonly name: string;
  readonly text: string;
  readonly #options: PreparedQueryOptions<Row>;
  readonly #rows: Row[] = [];
  #columns: Columns | undefined;
  #broken: Error | undefined;

  constructor(options: PreparedQueryOptions<Row>) {
    this.name = options.name;
    this.text = options.text;
    this.#options = options;
  }

  submit(connection: Connection): void {
    const { name, text } = this;
    const { values, known } = this.#options;
    const wire = connection as unknown as Prepared;
    if (!(name in wire.parsedStatements) && !(name in wire.submittedNamedStatements)) {
      wire.parse({ name, text });
      wire.submittedNamedStatements[name] = text;
    }
    wire.bind({ statement: name, values });
    this.#columns = known.get(name);
    if (!this.#columns) wire.describe({ type: 'P', name: '' });
    wire.execute({ portal: '' });
    wire.sync();
  }

  handleRowDescription({ fields }: { fields: { name: string; dataTypeID: number }[] }): void {
    const { known, parserOf } = this.#options;
    this.#columns = fields.map((field) => ({
      name: field.name,
      read: parserOf(field.dataTypeID),
    }));
    known.set(this.name, this.#columns);
  }

  handleDataRow({ fields }: { fields: readonly (string | null)[] }): void {
    if (this.#broken) return;
    const columns = this.#columns!;
    const row: Record<string, unknown> = {};
    try {
      for (let at = 0; at < columns.length; at += 1) {
        const { name, read } = columns[at]!;
        const value = fields[at]!;
        row[name] = value === null ? null : read(value);
      }
    } catch (error) {
      this.#broken = error as Error;
    }
    this.#rows.push(row as Row);
  }

  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}

  handleReadyForQuery(): void {
    this.#options.done(this.#broken ?? null, this.#rows);
  }

  handleError(error: Error): void {
    this.#options.done(error, []);
  }
}

/** A value as PostgreSQL reads it. Times as ISO 8601, which is quicker to make than what `pg` makes of them. */
export function written(value: Param): string | null {
  if (value === null || typeof value === 'string') return value;
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'object') return `{${value.map(element).join(',')}}`;
  return String(value);
}

function element(value: string | number): string {
  return `"${String(value).replace(/["\\]/g, '\\$&')}"`;
}
