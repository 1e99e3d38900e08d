import { z } from 'zod';
import { createGroup } from '#identity/groups/groups.ts';
import { operation } from '../operation.ts';
import { groupTypes, GroupView } from '../belonging-views.ts';
import { Country, name, text } from '../schemas.ts';

export default operation({
  id: 'createGroup',
  tag: 'Groups',
  method: 'post',
  path: '/accounts/:accountId/groups',
  summary:
    'Makes a group. An entitlement group has a country of the account; groups hold no groups.',
  right: 'groups:manage',
  body: z.strictObject({
    name,
    description: text(500).default(''),
    type: z.enum(groupTypes).default('standard'),
    entitlementCountry: Country.optional().describe('For entitlement groups, and only for them.'),
  }),
  example: { name: 'Bridge designers', type: 'entitlement', entitlementCountry: 'DE' },
  result: GroupView,
  status: 201,
  refusals: ['name_taken', 'invalid_country'],

  handle(work, { account, body }) {
    return createGroup(work, account, body);
  },
});
