import { z } from 'zod';
import { addSecret, clientById, isConfidential } from '#identity/applications/manage-clients.ts';
import { Refusal } from '#identity/refusal.ts';
import { operation } from '../operation.ts';
import { Moment } from '../schemas.ts';
import { NewSecretView } from '../views.ts';

export default operation({
  id: 'addSecret',
  tag: 'Clients',
  method: 'post',
  path: '/clients/:clientId/secrets',
  summary: 'Gives an application another secret beside those it has. Told once.',
  description: 'To change over without a gap: add one, give it to the application, revoke the old.',
  right: 'clients:manage',
  body: z.strictObject({ expiresAt: Moment.optional() }),
  example: {},
  result: NewSecretView,
  status: 201,
  afterwards: 'clients_changed',
  refusals: ['client_not_found', 'invalid_client'],

  async handle(work, { params, body: { expiresAt = null } }) {
    const client = await clientById(work, params['clientId']!);
    if (!isConfidential(client.metadata))
      throw new Refusal('invalid_client', {
        problems: [{ field: 'token_endpoint_auth_method', problem: 'It has no use for a secret.' }],
      });
    if (expiresAt !== null && expiresAt <= work.now)
      throw new Refusal('invalid_value', { field: 'expiresAt', why: 'It is over already.' });
    return addSecret(work, client.id, expiresAt);
  },
});
