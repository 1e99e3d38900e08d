import { revokeInvitation } from '#identity/belonging/invite.ts';
import { operation } from '../operation.ts';
import { noFields } from '../schemas.ts';

export default operation({
  id: 'revokeInvitation',
  tag: 'Invitations',
  method: 'delete',
  path: '/accounts/:accountId/invitations/:invitationId',
  summary: 'Takes an invitation back.',
  right: 'users:add',
  result: null,
  body: noFields,
  refusals: ['not_found', 'invitation_closed'],

  async handle(work, { account, params }) {
    await revokeInvitation(work, account.id, params['invitationId']!);
  },
});
