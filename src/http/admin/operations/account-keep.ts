import { keepAccount } from '#identity/accounts/close.ts';
import { accountById } from '#identity/accounts/find-accounts.ts';
import { operation } from '../operation.ts';
import { AccountView } from '../views.ts';

export default operation({
  id: 'keepAccount',
  tag: 'Accounts',
  method: 'post',
  path: '/accounts/:accountId/keep',
  summary: 'Keeps an account that is being closed.',
  right: 'accounts:close',
  result: AccountView,
  refusals: ['account_closed'],

  async handle(work, { account }) {
    await keepAccount(work, account.id);
    return accountById(work, account.id);
  },
});
