import { removeRole } from '#identity/access/service-roles.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'removeRole',
  tag: 'Roles',
  method: 'delete',
  path: '/roles/:roleKey',
  summary: 'Removes a service role that nobody has and no other requires.',
  right: 'roles:define',
  result: null,
  refusals: ['role_not_found', 'invalid_value', 'role_in_use'],

  handle(work, { params }) {
    return removeRole(work, params['roleKey']!);
  },
});
