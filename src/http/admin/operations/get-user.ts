import { userOfAccount } from '#identity/users/find-users.ts';
import { operation } from '../operation.ts';
import { UserView } from '../views.ts';

export default operation({
  id: 'getUser',
  tag: 'Users',
  method: 'get',
  path: '/accounts/:accountId/users/:userId',
  summary: 'Shows a person of an account.',
  right: 'users:read',
  result: UserView,

  handle: (work, { account, person }) => userOfAccount(work, account.id, person.id, work.now),
});
