import { operation } from '../operation.ts';
import { ApiTokenView } from '../views.ts';

export default operation({
  id: 'getToken',
  tag: 'API tokens',
  method: 'get',
  path: '/token',
  summary: 'Shows the token that this request is made with.',
  right: 'token:read',
  result: ApiTokenView,

  handle: (_work, { token }) => Promise.resolve(token),
});
