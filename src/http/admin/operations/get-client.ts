import { clientById } from '#identity/applications/manage-clients.ts';
import { operation } from '../operation.ts';
import { clientView, ClientView } from '../views.ts';

export default operation({
  id: 'getClient',
  tag: 'Clients',
  method: 'get',
  path: '/clients/:clientId',
  summary: 'Shows an application.',
  right: 'clients:manage',
  result: ClientView,
  refusals: ['client_not_found'],

  async handle(work, { params }) {
    return clientView(await clientById(work, params['clientId']!));
  },
});
