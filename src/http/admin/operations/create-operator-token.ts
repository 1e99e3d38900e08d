import { z } from 'zod';
import { createApiToken, requireNoMore, requireRoom } from '#identity/access/api-token.ts';
import { operation } from '../operation.ts';
import { Moment, name, TokenScopes } from '../schemas.ts';
import { NewApiTokenView } from '../views.ts';

export default operation({
  id: 'createOperatorToken',
  tag: 'API tokens',
  method: 'post',
  path: '/api-tokens',
  summary: 'Makes an API token that may do everything. Told once.',
  right: 'operator_tokens:manage',
  body: z.strictObject({ name, scopes: TokenScopes, expiresAt: Moment.optional() }),
  example: { name: 'Deployment' },
  result: NewApiTokenView,
  status: 201,
  refusals: ['limit_reached'],

  async handle(work, { token: maker, body }) {
    requireNoMore(maker, body.scopes);
    await requireRoom(work, null, body.expiresAt);
    const { token, secret } = await createApiToken(work, {
      ...body,
      accountId: null,
      role: 'operator',
    });
    return { ...token, secret };
  },
});
