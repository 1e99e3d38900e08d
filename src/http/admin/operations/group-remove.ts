import { removeGroup } from '#identity/groups/groups.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'removeGroup',
  tag: 'Groups',
  method: 'delete',
  path: '/accounts/:accountId/groups/:groupId',
  summary: 'Removes a group. Its members stay in the account.',
  right: 'groups:manage',
  result: null,
  refusals: ['not_found', 'managed_by_directory'],

  handle(work, { account, params }) {
    return removeGroup(work, account.id, params['groupId']!);
  },
});
