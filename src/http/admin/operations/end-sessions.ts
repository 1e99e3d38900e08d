import { endEverySession } from '#identity/users/sessions.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'endSessions',
  tag: 'Sessions',
  method: 'delete',
  path: '/accounts/:accountId/users/:userId/sessions',
  summary: 'Ends all sessions of a person, and every token that was given out in their name.',
  right: 'users:end_sessions',
  result: null,

  handle: (work, { account, person }) => endEverySession(work, person.id, account.id),
});
