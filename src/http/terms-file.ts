import { termsEvidence } from '#identity/terms/terms.ts';
import { byteOrderMark, csvRow } from '#platform/csv.ts';
import type { Sql } from '#platform/database/sql.ts';

const columns = [
  'id',
  'userId',
  'email',
  'kind',
  'version',
  'locale',
  'sha256',
  'acceptedAt',
  'ip',
  'userAgent',
  'clientId',
  'interaction',
] as const;

/** Who accepted which version, as a table, while it is read. */
export async function* evidenceTable(sql: Sql): AsyncGenerator<string> {
  yield byteOrderMark + csvRow(columns);
  for await (const row of termsEvidence(sql)) yield csvRow(columns.map((column) => row[column]));
}
