import { listApiTokens } from '#identity/access/api-token.ts';
import { operation } from '../operation.ts';
import { ApiTokenList } from '../views.ts';

export default operation({
  id: 'listOperatorTokens',
  tag: 'API tokens',
  method: 'get',
  path: '/api-tokens',
  summary: 'Lists the API tokens of the operators that are alive.',
  right: 'operator_tokens:manage',
  result: ApiTokenList,

  async handle(work) {
    return { items: await listApiTokens(work, null, work.now), nextCursor: null };
  },
});
