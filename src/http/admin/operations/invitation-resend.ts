import { resendInvitation } from '#identity/belonging/invite.ts';
import { operation } from '../operation.ts';
import { InvitationView } from '../views-belonging.ts';

export default operation({
  id: 'resendInvitation',
  tag: 'Invitations',
  method: 'post',
  path: '/accounts/:accountId/invitations/:invitationId/resend',
  summary: 'Sends an invitation once more, for another seven days; the link before is dead.',
  right: 'users:add',
  result: InvitationView,
  refusals: [
    'not_found',
    'account_on_hold',
    'invitation_closed',
    'already_invited',
    'domain_owned_by_other',
    'user_not_addable',
    'cannot_grant_higher_role',
  ],

  handle(work, { account, asking, params }) {
    return resendInvitation(work, asking, account, params['invitationId']!);
  },
});
