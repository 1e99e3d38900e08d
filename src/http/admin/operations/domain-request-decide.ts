import { z } from 'zod';
import { decideRequest, listRequests } from '#identity/domains/requests.ts';
import { RequestView, requestView } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'decideDomainRequest',
  tag: 'Domains',
  method: 'post',
  path: '/accounts/:accountId/domain-requests/:requestId/decide',
  summary: 'Grants or refuses what another account asks about a domain.',
  description:
    'Access: it may add people of this one domain. Release: the domain is let go, and whoever proves it may own it.',
  right: 'domains:requests',
  body: z.strictObject({ decision: z.enum(['grant', 'refuse']) }),
  example: { decision: 'grant' },
  result: RequestView,
  refusals: ['not_found', 'already_decided', 'domain_in_use'],

  async handle(work, { account, params, body }) {
    const { id } = await decideRequest(work, account.id, params['requestId']!, body.decision);
    const requests = await listRequests(work, account.id, work.now);
    return requestView(
      account.id,
      requests.find((one) => one.id === id)!,
    );
  },
});
