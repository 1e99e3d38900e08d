import { findRoles } from '#identity/access/service-roles.ts';
import { operation } from '../operation.ts';
import { RoleList } from '../belonging-views.ts';

export default operation({
  id: 'listRoles',
  tag: 'Roles',
  method: 'get',
  path: '/roles',
  summary: 'Lists the roles there are, and how many people have each.',
  right: 'roles:define',
  result: RoleList,

  async handle(work) {
    return { items: await findRoles(work, null), nextCursor: null };
  },
});
