import { z } from 'zod';
import type { AuditExport } from '#identity/audit/find-events.ts';
import { auditLines, auditTable } from '../../audit-file.ts';
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
      rows: (sql, asked) => auditLines(sql, filterOf(asked)),
    },
    {
      ...common,
      id: `${id}Table`,
      path: `${path}.csv`,
      summary: 'What happened, as a table, from the beginning.',
      fileName: 'audit.csv',
      rows: (sql, asked) => auditTable(sql, filterOf(asked)),
    },
  ];
}

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
