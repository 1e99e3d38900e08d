import { cancelClaim } from '#identity/domains/claim-domain.ts';
import { isOwned, takeDomain } from '#identity/domains/domain.ts';
import { releaseDomain } from '#identity/domains/release-domain.ts';
import { domainIn } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'releaseDomain',
  tag: 'Domains',
  method: 'delete',
  path: '/accounts/:accountId/domains/:domain',
  summary: 'Lets an owned domain go, or cancels a claim.',
  description:
    'Members stay members. Whoever waits for approval because of the domain waits no longer, and accounts that were let use it are not any more.',
  right: 'domains:manage',
  result: null,
  refusals: ['domain_not_found', 'domain_in_use'],

  async handle(work, { account, params }) {
    const name = domainIn(params);
    if (isOwned(await takeDomain(work, account.id, name)))
      await releaseDomain(work, account.id, name);
    else await cancelClaim(work, account.id, name);
  },
});
