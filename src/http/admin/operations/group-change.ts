import { z } from 'zod';
import { changeGroup } from '#identity/groups/groups.ts';
import { operation } from '../operation.ts';
import { GroupView } from '../belonging-views.ts';
import { Country, name, text } from '../schemas.ts';

export default operation({
  id: 'changeGroup',
  tag: 'Groups',
  method: 'patch',
  path: '/accounts/:accountId/groups/:groupId',
  summary: 'Changes a group. What a directory named keeps its name.',
  right: 'groups:manage',
  body: z.strictObject({
    name: name.optional(),
    description: text(500).optional(),
    entitlementCountry: Country.optional(),
    version: z.int().optional().describe('The version that was read: then nothing is overwritten.'),
  }),
  example: { name: 'Bridge and tunnel designers' },
  result: GroupView,
  refusals: ['not_found', 'name_taken', 'invalid_country', 'managed_by_directory'],

  handle(work, { account, params, body }) {
    return changeGroup(work, account, params['groupId']!, body);
  },
});
