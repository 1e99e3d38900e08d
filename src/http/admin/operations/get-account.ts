import { accountById } from '#identity/accounts/find-accounts.ts';
import { operation } from '../operation.ts';
import { AccountView } from '../views.ts';

export default operation({
  id: 'getAccount',
  tag: 'Accounts',
  method: 'get',
  path: '/accounts/:accountId',
  summary: 'Shows an account.',
  right: 'account:read',
  result: AccountView,

  handle: (work, { account }) => accountById(work, account.id),
});
