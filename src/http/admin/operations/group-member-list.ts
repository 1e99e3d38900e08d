import { z } from 'zod';
import { groupById } from '#identity/groups/groups.ts';
import { membersOf } from '#identity/groups/membership.ts';
import { operation } from '../operation.ts';
import { GroupMemberList } from '../belonging-views.ts';
import { paging } from '../schemas.ts';

export default operation({
  id: 'listGroupMembers',
  tag: 'Groups',
  method: 'get',
  path: '/accounts/:accountId/groups/:groupId/members',
  summary: 'Lists who is in a group, and whose country is not that of the group.',
  right: 'groups:read',
  query: z.strictObject(paging),
  result: GroupMemberList,
  refusals: ['not_found'],

  async handle(work, { account, params, query: { limit }, cursor }) {
    const group = await groupById(work, account.id, params['groupId']!);
    const rows = await membersOf(work, group.id, { after: cursor.after, limit: limit + 1 });
    return cursor.page(rows, limit, ({ id }) => id);
  },
});
