import { domainsOf } from '#identity/accounts/find-accounts.ts';
import { operation } from '../operation.ts';
import { DomainList } from '../views.ts';

export default operation({
  id: 'listDomains',
  tag: 'Domains',
  method: 'get',
  path: '/accounts/:accountId/domains',
  summary: 'Lists the email domains that an account owns or has claimed.',
  right: 'domains:read',
  result: DomainList,

  async handle(work, { account }) {
    return { items: await domainsOf(work, account.id), nextCursor: null };
  },
});
