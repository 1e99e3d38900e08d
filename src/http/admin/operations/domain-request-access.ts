import { z } from 'zod';
import { listRequests, requestDomain } from '#identity/domains/requests.ts';
import { domainIn, requestMessage, requestView, RequestView } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'requestDomainAccess',
  tag: 'Domains',
  method: 'post',
  path: '/accounts/:accountId/domains/:domain/request-access',
  summary: 'Asks the owner of a domain to let this account add people of it.',
  description: 'The owner is told who asks. Who the owner is, is told to nobody.',
  right: 'domains:requests',
  body: z.strictObject({ message: requestMessage }),
  example: { message: 'Ann and Ben of your Berlin office work on our project.' },
  result: RequestView,
  status: 201,
  refusals: ['domain_not_found'],

  async handle(work, { account, params, body }) {
    const { id } = await requestDomain(
      work,
      account.id,
      domainIn(params),
      'access',
      body.message ?? null,
    );
    const requests = await listRequests(work, account.id, work.now);
    return requestView(
      account.id,
      requests.find((one) => one.id === id)!,
    );
  },
});
