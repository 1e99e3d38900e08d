import { z } from 'zod';
import { accountStatuses } from '#identity/accounts/account.ts';
import { findAccounts } from '#identity/accounts/find-accounts.ts';
import { operation } from '../operation.ts';
import { paging, Search } from '../schemas.ts';
import { AccountList } from '../views.ts';

export default operation({
  id: 'listAccounts',
  tag: 'Accounts',
  method: 'get',
  path: '/accounts',
  summary: 'Lists accounts, in the order in which they were made.',
  right: 'accounts:list',
  query: z.strictObject({
    q: Search.describe('Part of the name, the number or a domain.'),
    status: z.enum(accountStatuses).optional(),
    ...paging,
  }),
  result: AccountList,

  async handle(work, { query: { limit, q, status }, cursor }) {
    const rows = await findAccounts(work, { q, status, after: cursor.after, limit: limit + 1 });
    return cursor.page(rows, limit, ({ id }) => id);
  },
});
