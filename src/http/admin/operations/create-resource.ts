import { z } from 'zod';
import { createResourceServer } from '#identity/applications/resource-servers.ts';
import { operation } from '../operation.ts';
import { name } from '../schemas.ts';
import { ResourceView } from '../views.ts';

export default operation({
  id: 'createResourceServer',
  tag: 'Resource servers',
  method: 'post',
  path: '/resource-servers',
  summary: 'Registers an API that takes JWT access tokens (RFC 8707, RFC 9068).',
  right: 'resources:manage',
  body: z.strictObject({
    identifier: z
      .string()
      .max(500)
      .refine((text) => {
        const url = URL.parse(text);
        return url !== null && /^https?:$/.test(url.protocol) && !text.includes('#');
      }, 'Must be an absolute https address without a fragment.')
      .describe('The `aud` of its tokens.'),
    name,
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/, 'This is no scope.'))
      .max(200)
      .default([]),
    ttl: z.int().min(30).max(300).default(300),
    alg: z.enum(['RS256', 'ES256']).default('ES256'),
  }),
  example: { identifier: 'https://api.example/', name: 'Orders', scopes: ['orders:read'] },
  result: ResourceView,
  status: 201,
  afterwards: 'clients_changed',
  refusals: ['resource_exists'],

  async handle(work, { body }) {
    const made = await createResourceServer(work, body);
    return { ...made, scopes: [...made.scopes] };
  },
});
