import { z } from 'zod';
import { lockableReasons, lockByAdministrator } from '#identity/users/administer-locks.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { operation } from '../operation.ts';
import { note } from '../schemas.ts';
import { UserView } from '../views.ts';

export default operation({
  id: 'lockUser',
  tag: 'Users',
  method: 'post',
  path: '/accounts/:accountId/users/:userId/lock',
  summary: 'Locks a person: sessions and tokens end at once, and every application is told.',
  description:
    'JWT access tokens live out their five minutes. Applications that keep a session or licence of their own may let the person continue for a while.',
  right: 'users:lock',
  body: z.strictObject({
    note: note.describe('Why; other administrators read it, the person does not.'),
    reason: z
      .enum(lockableReasons)
      .default('admin')
      .describe('`operator` and `compromised` are for operators.'),
  }),
  example: { note: 'Left on 31 May.' },
  result: UserView,
  refusals: ['last_administrator', 'user_is_fulfillment_contact'],

  async handle(work, { account, asking, person, body }) {
    await lockByAdministrator(work, asking, account, person, body);
    return userOfAccount(work, account.id, person.id, work.now);
  },
});
