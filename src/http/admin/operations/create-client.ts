import { z } from 'zod';
import { createClient, newClientId } from '#identity/applications/manage-clients.ts';
import { filledIn, requireGoodMetadata } from '../../client-metadata.ts';
import { Metadata, policy } from '../client-schema.ts';
import { operation } from '../operation.ts';
import { clientView, NewClientView } from '../views.ts';

export default operation({
  id: 'createClient',
  tag: 'Clients',
  method: 'post',
  path: '/clients',
  summary: 'Registers an application. Its secret is in the answer, once.',
  right: 'clients:manage',
  body: z.strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._~-]{2,99}$/, 'Letters, digits and . _ ~ - only.')
      .optional()
      .describe('The `client_id`; made up when it is left out.'),
    ...policy,
    metadata: Metadata,
  }),
  example: {
    name: 'Planner',
    firstParty: true,
    metadata: {
      redirect_uris: ['https://planner.example/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
    },
  },
  result: NewClientView,
  status: 201,
  afterwards: 'clients_changed',
  refusals: ['client_exists', 'invalid_client'],

  async handle(work, { body, tools }) {
    const metadata = filledIn(body.metadata);
    const id = body.id ?? newClientId();
    requireGoodMetadata(tools, id, body.name, metadata);
    const { client, secret } = await createClient(work, { ...body, id, metadata });
    return { ...clientView(client), secret };
  },
});
