import { countWaitingByDomain } from '#identity/domains/existing-people.ts';
import { listDomains } from '#identity/domains/list-domains.ts';
import { DomainList, domainView } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'listDomains',
  tag: 'Domains',
  method: 'get',
  path: '/accounts/:accountId/domains',
  summary: 'Lists the email domains that an account owns, has claimed, or could claim.',
  description:
    'Those seen among its people and not claimed are `listed`. What it let go stays in the list for 30 days.',
  right: 'domains:read',
  result: DomainList,

  async handle(work, { account }) {
    const waiting = await countWaitingByDomain(work, account.id);
    const entries = await listDomains(work, account.id, work.now);
    return {
      items: entries.map((entry) =>
        domainView(entry, waiting.get(entry.domain.name) ?? 0, work.now),
      ),
      nextCursor: null,
    };
  },
});
