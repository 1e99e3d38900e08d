import { revokeApiToken } from '#identity/access/api-token.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'revokeOperatorToken',
  tag: 'API tokens',
  method: 'delete',
  path: '/api-tokens/:tokenId',
  summary: 'Revokes an API token of the operators: it opens nothing from now on.',
  right: 'operator_tokens:manage',
  result: null,
  refusals: ['not_found'],

  handle: (work, { params }) => revokeApiToken(work, params['tokenId']!, null),
});
