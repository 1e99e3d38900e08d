import { z } from 'zod';
import { addExistingUser } from '#identity/users/add-user.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { operation } from '../operation.ts';
import { Country, line } from '../schemas.ts';
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
    entitlementCountry: Country.optional(),
    roles: z.array(z.string().max(100)).max(50).default([]),
    groups: z.array(line(100)).max(200).default([]),
    unlock: z.boolean().default(false).describe('Lifts the lock that removal from an account set.'),
  }),
  example: { unlock: true },
  result: UserView,
  refusals: [
    'invalid_country',
    'already_member',
    'domain_pending_ownership',
    'role_not_found',
    'cannot_grant_higher_role',
    'not_found',
  ],

  async handle(work, { account, asking, params, body }) {
    await addExistingUser(work, asking, account, params['userId']!, body);
    return userOfAccount(work, account.id, params['userId']!, work.now);
  },
});
