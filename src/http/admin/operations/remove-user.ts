import { pendingInvitationOf, revokeInvitation } from '#identity/belonging/invite.ts';
import { unaffiliate } from '#identity/users/affiliate.ts';
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

  async handle(work, { account, person }) {
    // Who was merely invited leaves nothing, and is not locked for it.
    if (person.affiliation === 'provisional') {
      const { id } = await pendingInvitationOf(work, account.id, person.id);
      return revokeInvitation(work, account.id, id);
    }
    return unaffiliate(work, person.id, account.id, 'administrator');
  },
});
