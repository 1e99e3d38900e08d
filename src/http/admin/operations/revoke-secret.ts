import { clientById, revokeSecret } from '#identity/applications/manage-clients.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'revokeSecret',
  tag: 'Clients',
  method: 'delete',
  path: '/clients/:clientId/secrets/:secretId',
  summary: 'Revokes a secret: it authenticates nobody from now on.',
  right: 'clients:manage',
  result: null,
  afterwards: 'clients_changed',
  refusals: ['client_not_found', 'not_found'],

  async handle(work, { params }) {
    const { id } = await clientById(work, params['clientId']!);
    await revokeSecret(work, id, params['secretId']!);
  },
});
