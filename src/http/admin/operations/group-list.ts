import { z } from 'zod';
import { findGroups } from '#identity/groups/groups.ts';
import { operation } from '../operation.ts';
import { groupTypes, GroupList } from '../belonging-views.ts';
import { paging, Search } from '../schemas.ts';

export default operation({
  id: 'listGroups',
  tag: 'Groups',
  method: 'get',
  path: '/accounts/:accountId/groups',
  summary: 'Lists the groups of an account, by name.',
  right: 'groups:read',
  query: z.strictObject({
    q: Search.describe('Part of the name.'),
    type: z.enum(groupTypes).optional(),
    ...paging,
  }),
  result: GroupList,

  async handle(work, { account, query: { q, type, limit }, cursor }) {
    const filter = { accountId: account.id, q, type, after: cursor.after, limit: limit + 1 };
    return cursor.page(await findGroups(work, filter), limit, ({ id }) => id);
  },
});
