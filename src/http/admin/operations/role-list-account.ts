import { findRoles } from '#identity/access/service-roles.ts';
import { operation } from '../operation.ts';
import { RoleList } from '../belonging-views.ts';

export default operation({
  id: 'listAccountRoles',
  tag: 'Roles',
  method: 'get',
  path: '/accounts/:accountId/roles',
  summary: 'Lists the roles that people of an account can have, and how many have each.',
  right: 'roles:read',
  result: RoleList,

  async handle(work, { account }) {
    return { items: await findRoles(work, account.id), nextCursor: null };
  },
});
