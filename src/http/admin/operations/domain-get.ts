import { domainIn, DomainView, showDomain } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'getDomain',
  tag: 'Domains',
  method: 'get',
  path: '/accounts/:accountId/domains/:domain',
  summary: 'Shows one domain, what is to be published to prove it, and what can be done next.',
  right: 'domains:read',
  result: DomainView,
  refusals: ['domain_not_found'],

  handle: (work, { account, params }) => showDomain(work, account.id, domainIn(params), work.now),
});
