import { z } from 'zod';
import { holdAccount } from '#identity/accounts/change-account.ts';
import { accountById } from '#identity/accounts/find-accounts.ts';
import { operation } from '../operation.ts';
import { note } from '../schemas.ts';
import { AccountView } from '../views.ts';

export default operation({
  id: 'holdAccount',
  tag: 'Accounts',
  method: 'post',
  path: '/accounts/:accountId/hold',
  summary: 'Puts an account on hold: nobody is added, and its people are refused where it matters.',
  right: 'accounts:hold',
  body: z.strictObject({ reason: note.describe('Its people read this.') }),
  example: { reason: 'The invoice of May is open.' },
  result: AccountView,

  async handle(work, { account, body }) {
    await holdAccount(work, account.id, body.reason);
    return accountById(work, account.id);
  },
});
