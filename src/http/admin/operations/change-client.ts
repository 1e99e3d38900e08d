import { z } from 'zod';
import { changeClient, clientById } from '#identity/applications/manage-clients.ts';
import { filledIn, requireGoodMetadata } from '../../client-metadata.ts';
import { Metadata, policy } from '../client-schema.ts';
import { operation } from '../operation.ts';
import { clientView, ClientView } from '../views.ts';

export default operation({
  id: 'changeClient',
  tag: 'Clients',
  method: 'patch',
  path: '/clients/:clientId',
  summary: 'Changes an application. `metadata` takes the place of what it was, as a whole.',
  right: 'clients:manage',
  body: z.strictObject({
    ...policy,
    name: policy.name.optional(),
    metadata: Metadata.optional(),
    disabled: z.boolean().optional().describe('A disabled client is one that there is not.'),
    version: z.int().optional().describe('Refuses when it was changed since this version.'),
  }),
  example: { requiredRoles: ['planner'], disabled: false },
  result: ClientView,
  afterwards: 'clients_changed',
  refusals: ['client_not_found', 'invalid_client'],

  async handle(work, { params, body: { metadata: given, ...body }, tools }) {
    const before = await clientById(work, params['clientId']!);
    const metadata = given && filledIn(given);
    if (metadata) requireGoodMetadata(tools, before.id, body.name ?? before.name, metadata);
    return clientView(
      await changeClient(work, before.id, { ...body, ...(metadata && { metadata }) }),
    );
  },
});
