import {
  invitationById,
  invitationStates,
  listInvitations,
  resendInvitation,
  revokeInvitation,
  type InvitationState,
} from '#identity/belonging/invite.ts';
import { invitationsPage, revokePage } from '../../pages/console/invitations.ts';
import type { Room, Visit } from '../room.ts';

const atOnce = 50;

/** Who was asked to join, and what became of it. */
export const invitations: Room = {
  menu: {
    path: '/invitations',
    title: 'people.invitations',
    section: 'people',
    right: 'users:read',
  },
  open(door) {
    door.get('/invitations', 'users:read', async (visit) => {
      const state = stateOf(visit);
      const cursor = visit.cursor(['invitations', state]);
      const rows = await listInvitations(visit.sql, visit.account.id, {
        state,
        before: cursor.after ?? null,
        limit: atOnce + 1,
      });
      const { items, nextCursor } = cursor.page(rows, atOnce, ({ id }) => id);
      visit.show(
        invitationsPage({
          ...visit.page,
          invitations: items.map((one) => ({
            ...one,
            // One that ran out and was not looked after yet is no longer open to anybody.
            state: one.state === 'pending' && one.expiresAt <= visit.now ? 'expired' : one.state,
            invitedBy: one.invitedBy.name ?? null,
          })),
          state: state ?? '',
          nextCursor,
          later: cursor.after !== undefined,
          may: visit.may('users:add'),
        }),
      );
    });

    door.post('/invitations/:invitationId/resend', 'users:add', async (visit) => {
      const { email } = await visit.act((work, { account, asking }) =>
        resendInvitation(work, asking, account, visit.params['invitationId']!),
      );
      visit.done(
        `/invitations#invitation-${visit.params['invitationId']}`,
        visit.say('people.add.resent', { email }),
      );
    });

    door.get('/invitations/:invitationId/revoke', 'users:add', async (visit) => {
      const { id, email } = await invitationById(
        visit.sql,
        visit.account.id,
        visit.params['invitationId']!,
      );
      visit.show(revokePage({ ...visit.page, id, invited: email }));
    });

    door.post('/invitations/:invitationId/revoke', 'users:add', async (visit) => {
      await visit.act((work, { account }) =>
        revokeInvitation(work, account.id, visit.params['invitationId']!),
      );
      visit.done('/invitations', visit.say('people.invitation.revoked'));
    });
  },
};

function stateOf({ value }: Visit): InvitationState | undefined {
  return invitationStates.find((state) => state === value('state'));
}
