import { z } from 'zod';
import { belongedOn } from '#identity/accounts/history.ts';
import { operation } from '../operation.ts';
import { BelongingList } from '../belonging-views.ts';
import { paging } from '../schemas.ts';

export default operation({
  id: 'listAffiliations',
  tag: 'Accounts',
  method: 'get',
  path: '/accounts/:accountId/affiliations',
  summary: 'Lists who belonged to an account on a day.',
  right: 'users:read',
  query: z.strictObject({
    on: z.iso.date().describe('The day, in UTC, such as 2027-05-31.'),
    ...paging,
  }),
  result: BelongingList,

  async handle(work, { account, query: { on, limit }, cursor }) {
    const rows = await belongedOn(work, account.id, on, { after: cursor.after, limit: limit + 1 });
    return cursor.page(rows, limit, ({ id }) => id);
  },
});
