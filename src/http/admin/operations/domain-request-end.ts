import { endRequest } from '#identity/domains/requests.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'endDomainRequest',
  tag: 'Domains',
  method: 'delete',
  path: '/accounts/:accountId/domain-requests/:requestId',
  summary: 'Takes access back, gives it back, or withdraws a request.',
  description: 'Who was added meanwhile stays. Nobody more is added.',
  right: 'domains:requests',
  result: null,
  refusals: ['not_found', 'already_decided'],

  async handle(work, { account, params }) {
    await endRequest(work, account.id, params['requestId']!);
  },
});
