import { z } from 'zod';
import { changeMembers } from '#identity/groups/membership.ts';
import { operation } from '../operation.ts';
import { GroupView } from '../belonging-views.ts';
import { Ids } from '../schemas.ts';

export default operation({
  id: 'changeGroupMembers',
  tag: 'Groups',
  method: 'post',
  path: '/accounts/:accountId/groups/:groupId/members',
  summary: 'Puts people of the account into a group, and takes others out. All or nothing.',
  right: 'groups:manage',
  body: z.strictObject({ add: Ids, remove: Ids }),
  example: { add: ['01a201aa-a637-7dcc-b569-3b562a947439'], remove: [] },
  result: GroupView,
  refusals: ['not_found', 'user_not_found', 'managed_by_directory'],

  handle(work, { account, params, body }) {
    return changeMembers(work, account.id, params['groupId']!, body);
  },
});
