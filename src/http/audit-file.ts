import { exportEvents, type AuditExport, type ExportedRow } from '#identity/audit/find-events.ts';
import { byteOrderMark, csvRow } from '#platform/csv.ts';
import type { Sql } from '#platform/database/sql.ts';

/**
 * The audit log as a file, from its beginning: JSON lines hold all that is needed to compute the
 * chain again; CSV is for people and their spreadsheets.
 */
export async function* auditLines(sql: Sql, filter: AuditExport): AsyncGenerator<string> {
  for await (const row of exportEvents(sql, filter)) yield `${JSON.stringify(lineOf(row))}\n`;
}

export async function* auditTable(sql: Sql, filter: AuditExport): AsyncGenerator<string> {
  yield byteOrderMark + csvRow(Object.keys(cells));
  for await (const row of exportEvents(sql, filter))
    yield csvRow(Object.values(cells).map((cell) => cell(row)));
}

/** The statement that was sealed, by its own names (`statementOf`), its hash, and who it was. */
function lineOf(row: ExportedRow): object {
  return {
    v: 1,
    seq: row.seq,
    previous: row.previousHash,
    id: row.id,
    at: row.at,
    account: row.accountId,
    actor: row.sealedActor,
    action: row.action,
    targetType: row.target?.type ?? null,
    targetId: row.target?.id ?? null,
    details: row.details,
    ip: row.ip,
    userAgent: row.userAgent,
    reference: row.reference,
    batch: row.batchId,
    hash: row.hash,
    actorName: row.actor.name,
  };
}

const cells: Record<string, (row: ExportedRow) => string | number | Date | null> = {
  id: ({ id }) => id,
  seq: ({ seq }) => seq,
  at: ({ at }) => at,
  account: ({ accountId }) => accountId,
  actorType: ({ actor: { type } }) => type,
  actorId: ({ actor: { id } }) => id,
  actorName: ({ actor: { name } }) => name,
  action: (row) => row.action,
  targetType: (row) => row.target?.type ?? null,
  targetId: (row) => row.target?.id ?? null,
  details: ({ details }) => JSON.stringify(details),
  ip: ({ ip }) => ip,
  userAgent: ({ userAgent }) => userAgent,
  reference: ({ reference }) => reference,
  batch: ({ batchId }) => batchId,
  hash: ({ hash }) => hash,
};
