import { z } from 'zod';
import { changeRole } from '#identity/access/service-roles.ts';
import { operation } from '../operation.ts';
import { RoleView } from '../belonging-views.ts';
import { name, RoleKeys, text } from '../schemas.ts';

export default operation({
  id: 'changeRole',
  tag: 'Roles',
  method: 'patch',
  path: '/roles/:roleKey',
  summary: 'Changes a service role. Nobody is given another by that.',
  right: 'roles:define',
  body: z.strictObject({
    name: name.optional(),
    description: text(500).optional(),
    requires: RoleKeys.unwrap().optional(),
    clientId: z.string().max(200).nullable().optional(),
    revokeOnRemove: z.boolean().optional(),
  }),
  example: { name: 'Beta programme' },
  result: RoleView,
  refusals: ['role_not_found', 'client_not_found', 'role_in_use'],

  handle(work, { params, body }) {
    return changeRole(work, params['roleKey']!, body);
  },
});
