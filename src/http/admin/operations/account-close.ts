import { z } from 'zod';
import { closeAccount } from '#identity/accounts/close.ts';
import { accountById } from '#identity/accounts/find-accounts.ts';
import { operation } from '../operation.ts';
import { note } from '../schemas.ts';
import { AccountView } from '../views.ts';

export default operation({
  id: 'closeAccount',
  tag: 'Accounts',
  method: 'post',
  path: '/accounts/:accountId/close',
  summary: 'Closes an account in thirty days: its people are let go, its domains are free.',
  right: 'accounts:close',
  body: z.strictObject({ reason: note.describe('Those who look after it read this.') }),
  example: { reason: 'The contract ended.' },
  result: AccountView,
  refusals: ['account_closed'],

  async handle(work, { account, body }) {
    await closeAccount(work, account.id, body.reason);
    return accountById(work, account.id);
  },
});
