import { sendResetByAdministrator } from '#identity/credentials/administer-password.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { operation } from '../operation.ts';
import { UserView } from '../views.ts';

export default operation({
  id: 'resetPassword',
  tag: 'Users',
  method: 'post',
  path: '/accounts/:accountId/users/:userId/reset-password',
  summary: 'Sends the person a mail to choose a password by. Nobody sees or sets it for them.',
  right: 'users:reset_password',
  result: UserView,
  refusals: ['domain_not_owned'],

  async handle(work, { account, person }) {
    await sendResetByAdministrator(work, person);
    return userOfAccount(work, account.id, person.id, work.now);
  },
});
