import { groupById } from '#identity/groups/groups.ts';
import { operation } from '../operation.ts';
import { GroupView } from '../belonging-views.ts';

export default operation({
  id: 'getGroup',
  tag: 'Groups',
  method: 'get',
  path: '/accounts/:accountId/groups/:groupId',
  summary: 'Gives a group.',
  right: 'groups:read',
  result: GroupView,
  refusals: ['not_found'],

  handle(work, { account, params }) {
    return groupById(work, account.id, params['groupId']!);
  },
});
