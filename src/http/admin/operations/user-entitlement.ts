import { z } from 'zod';
import { setEntitlementCountry } from '#identity/users/entitlement.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { operation } from '../operation.ts';
import { Country } from '../schemas.ts';
import { UserView } from '../views.ts';

export default operation({
  id: 'setEntitlementCountry',
  tag: 'Users',
  method: 'post',
  path: '/accounts/:accountId/users/:userId/entitlement',
  summary: 'Says in which country of the account a person is entitled.',
  right: 'users:entitlement',
  body: z.strictObject({
    country: Country.nullable().optional(),
    pinned: z.boolean().optional().describe('Stays, whatever the directory says at a sign-in.'),
  }),
  example: { country: 'DE', pinned: true },
  result: UserView,
  refusals: ['invalid_country'],

  async handle(work, { account, person, body }) {
    await setEntitlementCountry(work, account, person.id, body);
    return userOfAccount(work, account.id, person.id, work.now);
  },
});
