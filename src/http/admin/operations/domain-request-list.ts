import { listRequests } from '#identity/domains/requests.ts';
import { RequestList, requestView } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'listDomainRequests',
  tag: 'Domains',
  method: 'get',
  path: '/accounts/:accountId/domain-requests',
  summary: 'Lists what others ask about domains of this account, and what it asks of others.',
  right: 'domains:read',
  result: RequestList,

  async handle(work, { account }) {
    const requests = await listRequests(work, account.id, work.now);
    return { items: requests.map((one) => requestView(account.id, one)), nextCursor: null };
  },
});
