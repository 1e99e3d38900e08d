import { z } from 'zod';
import { exportEvents, type AuditExport, type ExportedRow } from '#identity/audit/find-events.ts';
import { byteOrderMark, csvRow } from '#platform/csv.ts';
import type { AskedFile, Download } from '../operation.ts';
import { auditFilter } from '../schemas.ts';

const { actor, target, action, since, until } = auditFilter;
const query = z.strictObject({ actor, target, action, since, until });

/**
 * The audit log as a file, from its beginning: JSON lines hold all that is needed to compute the
 * chain again; CSV is for people and their spreadsheets.
 */
export const auditDownloads: readonly Download[] = [
  ...filesAt('/accounts/:accountId/audit', 'exportAccountAudit', 'audit:read'),
  ...filesAt('/audit', 'exportAudit', 'audit:read_all'),
];

function filesAt(path: string, id: string, right: Download['right']): Download[] {
  const common = { tag: 'Audit', right, query, begun } as const;
  return [
    {
      ...common,
      id: `${id}Lines`,
      path: `${path}.jsonl`,
      summary: 'What happened, as JSON lines, from the beginning, with the hashes of the chain.',
      fileName: 'audit.jsonl',
      mediaType: 'application/jsonl',
      async *rows(sql, asked) {
        for await (const row of exportEvents(sql, filterOf(asked)))
          yield `${JSON.stringify(lineOf(row))}\n`;
      },
    },
    {
      ...common,
      id: `${id}Table`,
      path: `${path}.csv`,
      summary: 'What happened, as a table, from the beginning.',
      fileName: 'audit.csv',
      async *rows(sql, asked) {
        yield byteOrderMark + csvRow(Object.keys(cells));
        for await (const row of exportEvents(sql, filterOf(asked)))
          yield csvRow(Object.values(cells).map((cell) => cell(row)));
      },
    },
  ];
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

/** Who took the log away is in the log. */
function begun(work: Parameters<NonNullable<Download['begun']>>[0], asked: AskedFile): void {
  const { accountId, query: filter } = asked;
  const id = accountId ?? 'installation';
  work.record('audit.exported', { type: 'audit', id }, { filter: Object.keys(filter) }, accountId);
}

function filterOf({ accountId, asking, query: filter, tools }: AskedFile): AuditExport {
  return {
    ...(filter as z.output<typeof query>),
    accountId,
    withoutSettings: asking.role === 'co_administrator',
    addressMark: tools.addressMark,
  };
}
