import { revokeApiToken } from '#identity/access/api-token.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'revokeAccountToken',
  tag: 'API tokens',
  method: 'delete',
  path: '/accounts/:accountId/api-tokens/:tokenId',
  summary: 'Revokes an API token of an account: it opens nothing from now on.',
  right: 'api_tokens:revoke',
  result: null,
  refusals: ['not_found'],

  handle: (work, { account, params }) => revokeApiToken(work, params['tokenId']!, account.id),
});
