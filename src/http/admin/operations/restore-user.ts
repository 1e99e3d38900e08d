import { restoreUser } from '#identity/users/restore.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { operation } from '../operation.ts';
import { UserView } from '../views.ts';

export default operation({
  id: 'restoreUser',
  tag: 'Users',
  method: 'post',
  path: '/accounts/:accountId/users/:userId/restore',
  summary: 'Takes back a removal of the last 30 days, with the roles and groups there were.',
  right: 'users:restore',
  whom: 'former',
  result: UserView,
  refusals: [
    'user_not_addable',
    'already_invited',
    'domain_owned_by_other',
    'domain_not_owned',
    'domain_pending_ownership',
    'cannot_grant_higher_role',
    'step_up_required',
  ],

  async handle(work, { account, asking, person }) {
    await restoreUser(work, asking, account, person);
    return userOfAccount(work, account.id, person.id, work.now);
  },
});
