import { z } from 'zod';
import { takeInExisting } from '#identity/domains/existing-people.ts';
import { domainIn } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'takeInExistingPeople',
  tag: 'Domains',
  method: 'post',
  path: '/accounts/:accountId/domains/:domain/existing-people',
  summary: 'Takes in people of a domain who registered before it was owned and belong to nobody.',
  description:
    'As requests, or, with auto-approval on, as members; 200 at once. Who was removed from an account, is locked or belongs to another is not touched.',
  right: 'domains:manage',
  body: z.strictObject({ as: z.enum(['requests', 'members']) }),
  example: { as: 'requests' },
  result: z
    .object({ taken: z.number().int(), left: z.number().int() })
    .meta({ id: 'ExistingPeopleTaken' }),
  refusals: ['domain_not_found', 'domain_not_owned'],

  handle: (work, { asking, account, params, body }) =>
    takeInExisting(work, asking, account, domainIn(params), body.as),
});
