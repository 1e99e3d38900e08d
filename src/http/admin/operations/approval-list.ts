import { z } from 'zod';
import { listApprovals } from '#identity/belonging/approvals.ts';
import { operation } from '../operation.ts';
import { paging } from '../schemas.ts';
import { ApprovalList } from '../views-belonging.ts';

export default operation({
  id: 'listApprovals',
  tag: 'Approvals',
  method: 'get',
  path: '/accounts/:accountId/approvals',
  summary: 'Lists who waits for approval, the longest wait first.',
  right: 'users:read',
  query: z.strictObject({
    state: z.enum(['open', 'approved', 'rejected', 'superseded', 'expired']).default('open'),
    ...paging,
  }),
  result: ApprovalList,

  async handle(work, { account, query: { limit, state }, cursor }) {
    const rows = await listApprovals(work, account.id, {
      state,
      after: cursor.after ?? null,
      limit: limit + 1,
    });
    return cursor.page(rows, limit, ({ id }) => id);
  },
});
