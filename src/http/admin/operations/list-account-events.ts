import { z } from 'zod';
import { findEvents } from '#identity/audit/find-events.ts';
import { operation } from '../operation.ts';
import { auditFilter } from '../schemas.ts';
import { AuditList } from '../views.ts';

export default operation({
  id: 'listAccountEvents',
  tag: 'Audit',
  method: 'get',
  path: '/accounts/:accountId/audit',
  summary: 'Lists what happened in an account, the latest first.',
  right: 'audit:read',
  query: z.strictObject(auditFilter),
  result: AuditList,

  async handle(work, { tools, account, asking, query: { limit, ...filter }, cursor }) {
    const rows = await findEvents(work, {
      ...filter,
      addressMark: tools.addressMark,
      accountId: account.id,
      before: cursor.after === undefined ? undefined : Number(cursor.after),
      limit: limit + 1,
      withoutSettings: asking.role === 'co_administrator',
    });
    return cursor.page(rows, limit, ({ id }) => id);
  },
});
