import { z } from 'zod';
import { addToAccount } from '#identity/belonging/add.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { counting, given, ofThePerson, ofWhatIsGiven } from '../adding.ts';
import { operation } from '../operation.ts';
import { UserView } from '../views.ts';

export default operation({
  id: 'addUser',
  tag: 'Users',
  method: 'post',
  path: '/accounts/:accountId/users/:userId/add',
  summary: 'Adds a person who belongs to no account and has an address of a domain of this one.',
  right: 'users:add',
  whom: 'unchecked',
  body: z.strictObject({
    ...given,
    unlock: z.boolean().default(false).describe('Lifts the lock that removal from an account set.'),
  }),
  example: { unlock: true },
  result: UserView,
  refusals: [
    ...ofWhatIsGiven,
    ...ofThePerson,
    'domain_pending_ownership',
    'user_exists_other_domain',
  ],
  ...counting,

  async handle(work, { account, asking, params, body }) {
    await addToAccount(work, asking, account, params['userId']!, body);
    return userOfAccount(work, account.id, params['userId']!, work.now);
  },
});
