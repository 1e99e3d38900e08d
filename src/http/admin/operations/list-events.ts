import { z } from 'zod';
import { findEvents } from '#identity/audit/find-events.ts';
import { operation } from '../operation.ts';
import { auditFilter } from '../schemas.ts';
import { AuditList } from '../views.ts';

export default operation({
  id: 'listEvents',
  tag: 'Audit',
  method: 'get',
  path: '/audit',
  summary: 'Lists what happened anywhere, the latest first.',
  right: 'audit:read_all',
  query: z.strictObject(auditFilter),
  result: AuditList,

  async handle(work, { tools, query: { limit, ...filter }, cursor }) {
    const rows = await findEvents(work, {
      ...filter,
      addressMark: tools.addressMark,
      accountId: null,
      before: cursor.after === undefined ? undefined : Number(cursor.after),
      limit: limit + 1,
    });
    return cursor.page(rows, limit, ({ id }) => id);
  },
});
