import { unlockByAdministrator } from '#identity/users/administer-locks.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { operation } from '../operation.ts';
import { UserView } from '../views.ts';

export default operation({
  id: 'unlockUser',
  tag: 'Users',
  method: 'post',
  path: '/accounts/:accountId/users/:userId/unlock',
  summary: 'Lifts every lock that you may lift. Those that are left are in the answer.',
  right: 'users:unlock',
  result: UserView,
  refusals: ['not_locked', 'lock_not_yours'],

  async handle(work, { account, asking, person }) {
    await unlockByAdministrator(work, asking, account, person);
    return userOfAccount(work, account.id, person.id, work.now);
  },
});
