import { z } from 'zod';
import { invitationStates, listInvitations } from '#identity/belonging/invite.ts';
import { operation } from '../operation.ts';
import { paging } from '../schemas.ts';
import { InvitationList } from '../views-belonging.ts';

export default operation({
  id: 'listInvitations',
  tag: 'Invitations',
  method: 'get',
  path: '/accounts/:accountId/invitations',
  summary: 'Lists invitations, the newest first.',
  right: 'users:read',
  query: z.strictObject({ state: z.enum(invitationStates).optional(), ...paging }),
  result: InvitationList,

  async handle(work, { account, query: { limit, state }, cursor }) {
    const rows = await listInvitations(work, account.id, {
      state,
      before: cursor.after ?? null,
      limit: limit + 1,
    });
    return cursor.page(rows, limit, ({ id }) => id);
  },
});
