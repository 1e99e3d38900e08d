import { resendInvitation } from '#identity/belonging/invite.ts';
import { rowsOfTheTable } from '../adding.ts';
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
  refusals: [...rowsOfTheTable, 'invitation_closed', 'rate_limited'],

  handle(work, { account, asking, params }) {
    return resendInvitation(work, asking, account, params['invitationId']!);
  },
});
