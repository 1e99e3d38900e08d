import { z } from 'zod';
import { changeManyRoles } from '#identity/access/change-roles.ts';
import { operation } from '../operation.ts';
import { Done } from '../belonging-views.ts';
import { Ids, RoleKeys } from '../schemas.ts';

export default operation({
  id: 'assignRoles',
  tag: 'Roles',
  method: 'post',
  path: '/accounts/:accountId/roles/assign',
  summary: 'Gives many people many roles, and takes others. All or nothing.',
  right: 'users:roles',
  body: z.strictObject({ users: Ids, add: RoleKeys, remove: RoleKeys }),
  example: { users: ['01a201aa-a637-7dcc-b569-3b562a947439'], add: ['download'], remove: [] },
  result: Done,
  refusals: [
    'user_not_found',
    'role_not_found',
    'cannot_grant_higher_role',
    'cannot_act_on_higher_role',
    'step_up_required',
    'role_required_by_other',
    'last_administrator',
  ],

  async handle(work, { account, asking, body: { users, ...change } }) {
    // Taken before anybody's row, as wherever it changes who looks after an account.
    await work.query('select 1 from accounts where id = $1 for no key update', [account.id]);
    await changeManyRoles(work, asking, account.id, users, change);
    return { count: new Set(users).size };
  },
});
