import { clientById, listSecrets } from '#identity/applications/manage-clients.ts';
import { operation } from '../operation.ts';
import { SecretList } from '../views.ts';

export default operation({
  id: 'listSecrets',
  tag: 'Clients',
  method: 'get',
  path: '/clients/:clientId/secrets',
  summary: 'Lists the secrets of an application that are alive, without the secrets themselves.',
  right: 'clients:manage',
  result: SecretList,
  refusals: ['client_not_found'],

  async handle(work, { params }) {
    const { id } = await clientById(work, params['clientId']!);
    return { items: await listSecrets(work, id, work.now), nextCursor: null };
  },
});
