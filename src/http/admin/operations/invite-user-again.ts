import { pendingInvitationOf, resendInvitation } from '#identity/belonging/invite.ts';
import { operation } from '../operation.ts';
import { InvitationView } from '../views-belonging.ts';

export default operation({
  id: 'inviteUserAgain',
  tag: 'Invitations',
  method: 'post',
  path: '/accounts/:accountId/users/:userId/invite/resend',
  summary:
    'Sends the pending invitation of a person once more; the link of the mail before is dead.',
  right: 'users:add',
  whom: 'unchecked',
  result: InvitationView,
  refusals: [
    'not_found',
    'account_on_hold',
    'domain_owned_by_other',
    'user_not_addable',
    'cannot_grant_higher_role',
  ],

  async handle(work, { account, asking, params }) {
    const { id } = await pendingInvitationOf(work, account.id, params['userId']!);
    return resendInvitation(work, asking, account, id);
  },
});
