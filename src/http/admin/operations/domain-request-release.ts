import { z } from 'zod';
import { listRequests, requestDomain } from '#identity/domains/requests.ts';
import { domainIn, requestMessage, requestView, RequestView } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'requestDomainRelease',
  tag: 'Domains',
  method: 'post',
  path: '/accounts/:accountId/domains/:domain/request-release',
  summary: 'Asks the owner of a domain to let it go. For who has proved it too.',
  description: 'The owner is told who asks. Who the owner is, is told to nobody.',
  right: 'domains:requests',
  body: z.strictObject({ message: requestMessage }),
  example: { message: 'We bought this company in May.' },
  result: RequestView,
  status: 201,
  refusals: ['domain_not_found', 'domain_not_proved'],

  async handle(work, { account, params, body }) {
    const { id } = await requestDomain(
      work,
      account.id,
      domainIn(params),
      'release',
      body.message ?? null,
    );
    const requests = await listRequests(work, account.id, work.now);
    return requestView(
      account.id,
      requests.find((one) => one.id === id)!,
    );
  },
});
