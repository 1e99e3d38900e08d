import { resumeAccount } from '#identity/accounts/change-account.ts';
import { accountById } from '#identity/accounts/find-accounts.ts';
import { operation } from '../operation.ts';
import { AccountView } from '../views.ts';

export default operation({
  id: 'resumeAccount',
  tag: 'Accounts',
  method: 'post',
  path: '/accounts/:accountId/resume',
  summary: 'Ends the hold of an account.',
  right: 'accounts:hold',
  result: AccountView,

  async handle(work, { account }) {
    await resumeAccount(work, account.id);
    return accountById(work, account.id);
  },
});
