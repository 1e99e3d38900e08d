import { revokeAccess } from '#identity/users/revoke.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'endSessions',
  tag: 'Sessions',
  method: 'delete',
  path: '/accounts/:accountId/users/:userId/sessions',
  summary: 'Ends all sessions of a person, and every token that was given out in their name.',
  right: 'users:end_sessions',
  result: null,

  async handle(work, { account, person }) {
    await revokeAccess(work, person.id, { keepDevices: true });
    work.record(
      'session.ended',
      { type: 'user', id: person.id },
      { user: person.id, reason: 'administrator', all: true },
      account.id,
    );
  },
});
