import { removeClient } from '#identity/applications/manage-clients.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'removeClient',
  tag: 'Clients',
  method: 'delete',
  path: '/clients/:clientId',
  summary: 'Removes an application, with every grant and token that it has.',
  right: 'clients:manage',
  result: null,
  afterwards: 'clients_changed',
  refusals: ['client_not_found'],

  handle: (work, { params }) => removeClient(work, params['clientId']!),
});
