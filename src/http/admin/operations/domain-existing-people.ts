import { z } from 'zod';
import { askElsewhere, takeInExisting } from '#identity/domains/existing-people.ts';
import { domainIn } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'takeInExistingPeople',
  tag: 'Domains',
  method: 'post',
  path: '/accounts/:accountId/domains/:domain/existing-people',
  summary: 'Takes in people of a domain who registered before it was owned and belong to nobody.',
  description:
    'As requests, or, with auto-approval on, as members; 200 at once. Who was removed from an account, is locked or belongs to another is not touched. `asked`: those of other accounts are asked by mail to come over or to change their address within thirty days, and are reminded; nothing moves but by their own act.',
  right: 'domains:manage',
  body: z.strictObject({ as: z.enum(['requests', 'members', 'asked']) }),
  example: { as: 'requests' },
  result: z
    .object({ taken: z.number().int(), left: z.number().int() })
    .meta({ id: 'ExistingPeopleTaken' }),
  refusals: ['domain_not_found', 'domain_not_owned', 'domain_not_proved'],

  handle: (work, { asking, account, params, body }) =>
    body.as === 'asked'
      ? askElsewhere(work, account, domainIn(params))
      : takeInExisting(work, asking, account, domainIn(params), body.as),
});
