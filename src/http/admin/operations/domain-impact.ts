import { countConflicts, listConflicts } from '#identity/domains/conflicts.ts';
import { findDomain } from '#identity/domains/domain.ts';
import { domainIn, ImpactView } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'domainImpact',
  tag: 'Domains',
  method: 'get',
  path: '/accounts/:accountId/domains/:domain/impact',
  summary: 'Counts the people with an address of a domain, before anything is done about them.',
  description:
    'Before the domain is proved there are counts alone. Owning it moves nobody; see `existing-people`.',
  right: 'domains:read',
  result: ImpactView,
  refusals: ['domain_not_found'],

  async handle(work, { account, params }) {
    const name = domainIn(params);
    const domain = await findDomain(work, account.id, name);
    return {
      domain: name,
      counts: await countConflicts(work, account.id, name),
      people: domain ? await listConflicts(work, domain) : [],
    };
  },
});
