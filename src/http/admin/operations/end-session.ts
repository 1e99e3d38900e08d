import { Refusal } from '#identity/refusal.ts';
import { endSession, sessionsOf } from '#identity/users/sessions.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'endSession',
  tag: 'Sessions',
  method: 'delete',
  path: '/accounts/:accountId/users/:userId/sessions/:sessionId',
  summary: 'Ends one session of a person.',
  right: 'users:end_sessions',
  result: null,
  refusals: ['not_found'],

  async handle(work, { person, params }) {
    const open = await sessionsOf(work, person.id, work.now);
    const session = open.find(({ id }) => id === params['sessionId']);
    if (!session) throw new Refusal('not_found');
    await endSession(work, session.id, 'administrator');
  },
});
