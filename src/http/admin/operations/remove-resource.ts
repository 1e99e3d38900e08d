import { removeResourceServer } from '#identity/applications/resource-servers.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'removeResourceServer',
  tag: 'Resource servers',
  method: 'delete',
  path: '/resource-servers/:identifier',
  summary: 'Removes an API: no tokens are made for it any more. The identifier is percent-encoded.',
  right: 'resources:manage',
  result: null,
  afterwards: 'clients_changed',
  refusals: ['not_found'],

  handle: (work, { params }) => removeResourceServer(work, params['identifier']!),
});
