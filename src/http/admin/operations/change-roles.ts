import { z } from 'zod';
import { changeRoles } from '#identity/access/change-roles.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { operation } from '../operation.ts';
import { UserView } from '../views.ts';

const Roles = z.array(z.string().max(100)).max(50).default([]);

export default operation({
  id: 'changeRoles',
  tag: 'Users',
  method: 'post',
  path: '/accounts/:accountId/users/:userId/roles',
  summary: 'Gives a person roles and takes others.',
  right: 'users:roles',
  body: z.strictObject({ add: Roles, remove: Roles }),
  example: { add: ['co_administrator'], remove: [] },
  result: UserView,
  refusals: [
    'role_not_found',
    'cannot_grant_higher_role',
    'step_up_required',
    'role_required_by_other',
    'last_administrator',
  ],

  async handle(work, { account, asking, person, body }) {
    await changeRoles(work, asking, person, account.id, body);
    return userOfAccount(work, account.id, person.id, work.now);
  },
});
