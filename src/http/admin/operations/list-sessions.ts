import { sessionsOf } from '#identity/users/sessions.ts';
import { operation } from '../operation.ts';
import { SessionList } from '../views.ts';

export default operation({
  id: 'listSessions',
  tag: 'Sessions',
  method: 'get',
  path: '/accounts/:accountId/users/:userId/sessions',
  summary: 'Lists where a person is signed in.',
  right: 'users:read',
  result: SessionList,

  async handle(work, { person }) {
    return { items: await sessionsOf(work, person.id, work.now), nextCursor: null };
  },
});
