import { z } from 'zod';
import { inviteToAccount } from '#identity/belonging/add.ts';
import { pendingInvitationOf } from '#identity/belonging/invite.ts';
import { counting, given, ofThePerson, ofWhatIsGiven } from '../adding.ts';
import { operation } from '../operation.ts';
import { InvitationView } from '../views-belonging.ts';

export default operation({
  id: 'inviteUser',
  tag: 'Invitations',
  method: 'post',
  path: '/accounts/:accountId/users/:userId/invite',
  summary: 'Asks a person who belongs to no account whether they want to join this one.',
  right: 'users:add',
  whom: 'unchecked',
  body: z.strictObject(given),
  example: { roles: [] },
  result: InvitationView,
  status: 201,
  refusals: [...ofWhatIsGiven, ...ofThePerson],
  ...counting,

  async handle(work, { account, asking, params, body }) {
    const userId = params['userId']!;
    await inviteToAccount(work, asking, account, userId, body);
    return pendingInvitationOf(work, account.id, userId);
  },
});
