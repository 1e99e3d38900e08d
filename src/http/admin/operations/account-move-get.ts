import { moveById } from '#identity/accounts/move-people.ts';
import { operation } from '../operation.ts';
import { MoveView } from '../belonging-views.ts';

export default operation({
  id: 'getAccountMove',
  tag: 'Accounts',
  method: 'get',
  path: '/account-moves/:moveId',
  summary: 'Says how far a merge or a split has come.',
  right: 'accounts:move',
  result: MoveView,
  refusals: ['not_found'],

  handle(work, { params }) {
    return moveById(work, params['moveId']!);
  },
});
