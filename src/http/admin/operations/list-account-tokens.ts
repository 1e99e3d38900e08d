import { listApiTokens } from '#identity/access/api-token.ts';
import { operation } from '../operation.ts';
import { ApiTokenList } from '../views.ts';

export default operation({
  id: 'listAccountTokens',
  tag: 'API tokens',
  method: 'get',
  path: '/accounts/:accountId/api-tokens',
  summary: 'Lists the API tokens of an account that are alive.',
  right: 'api_tokens:read',
  result: ApiTokenList,

  async handle(work, { account }) {
    return { items: await listApiTokens(work, account.id, work.now), nextCursor: null };
  },
});
