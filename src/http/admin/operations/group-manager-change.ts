import { z } from 'zod';
import { groupById } from '#identity/groups/groups.ts';
import { changeManagers } from '#identity/groups/membership.ts';
import { operation } from '../operation.ts';
import { GroupView } from '../belonging-views.ts';
import { Ids } from '../schemas.ts';

export default operation({
  id: 'changeGroupManagers',
  tag: 'Groups',
  method: 'post',
  path: '/accounts/:accountId/groups/:groupId/managers',
  summary: 'Has members of a group look after it, or not any more.',
  right: 'groups:manage',
  body: z.strictObject({ add: Ids, remove: Ids }),
  example: { add: ['01a201aa-a637-7dcc-b569-3b562a947439'], remove: [] },
  result: GroupView,
  refusals: ['not_found', 'user_not_found'],

  async handle(work, { account, params, body }) {
    await changeManagers(work, account.id, params['groupId']!, body);
    return groupById(work, account.id, params['groupId']!);
  },
});
