import { removeFromAccount } from '#identity/belonging/remove.ts';
import { operation } from '../operation.ts';
import { noFields } from '../schemas.ts';

export default operation({
  id: 'removeUser',
  tag: 'Users',
  method: 'delete',
  path: '/accounts/:accountId/users/:userId',
  summary: 'Removes a person from an account: what it gave is gone, and they are locked.',
  description: 'The person stays a person. Within 30 days it can be taken back: see `restore`.',
  right: 'users:remove',
  result: null,
  body: noFields,
  refusals: ['last_administrator', 'user_is_fulfillment_contact'],

  handle: (work, { account, person }) => removeFromAccount(work, account.id, person),
});
