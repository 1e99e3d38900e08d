import { z } from 'zod';
import { createRole } from '#identity/access/service-roles.ts';
import { operation } from '../operation.ts';
import { RoleView } from '../belonging-views.ts';
import { name, RoleKeys, text } from '../schemas.ts';

export default operation({
  id: 'createRole',
  tag: 'Roles',
  method: 'post',
  path: '/roles',
  summary: 'Makes a service role, to which applications give a meaning.',
  description:
    'Who is given a role gets those it requires along with it, and cannot lose one of them while they have it.',
  right: 'roles:define',
  body: z.strictObject({
    key: z.string().regex(/^[a-z][a-z0-9_.-]{0,62}$/, 'Must be such as beta_software.'),
    name,
    description: text(500).default(''),
    requires: RoleKeys.describe('Who has it has these too.'),
    clientId: z.string().max(200).nullable().default(null),
    revokeOnRemove: z
      .boolean()
      .default(false)
      .describe('Who loses it is put out everywhere at once.'),
  }),
  example: { key: 'beta_software', name: 'Beta software', requires: ['download'] },
  result: RoleView,
  status: 201,
  refusals: ['name_taken', 'role_not_found', 'client_not_found'],

  handle(work, { body }) {
    return createRole(work, body);
  },
});
