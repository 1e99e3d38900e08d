import { z } from 'zod';
import { approveWaiting } from '#identity/domains/existing-people.ts';
import { domainIn } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'approveWaiting',
  tag: 'Domains',
  method: 'post',
  path: '/accounts/:accountId/domains/:domain/approve-waiting',
  summary: 'Approves those of a domain who wait, 200 at once.',
  description: 'Switching auto-approval on approves nobody who waits already. This does.',
  right: 'domains:manage',
  result: z
    .object({
      items: z.array(
        z.object({
          id: z.string(),
          userId: z.string().nullable(),
          email: z.string().nullable(),
          result: z.enum(['approved', 'rejected', 'refused']),
          code: z.string().nullable(),
        }),
      ),
      left: z.number().int().describe('How many wait still.'),
    })
    .meta({ id: 'WaitingApproved' }),
  refusals: ['domain_not_found', 'domain_not_owned'],

  handle: (work, { asking, account, params }) =>
    approveWaiting(work, asking, account, domainIn(params)),
});
