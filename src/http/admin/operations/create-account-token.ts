import { z } from 'zod';
import { createApiToken, requireNoMore, requireRoom } from '#identity/access/api-token.ts';
import { operation } from '../operation.ts';
import { Moment, name, TokenScopes } from '../schemas.ts';
import { NewApiTokenView } from '../views.ts';

export default operation({
  id: 'createAccountToken',
  tag: 'API tokens',
  method: 'post',
  path: '/accounts/:accountId/api-tokens',
  summary: 'Makes an API token for an account, with the rights of a role in it. Told once.',
  right: 'api_tokens:manage',
  body: z.strictObject({
    name,
    role: z.enum(['account_administrator', 'co_administrator']).default('account_administrator'),
    scopes: TokenScopes,
    expiresAt: Moment.optional(),
  }),
  example: { name: 'Nightly import', role: 'co_administrator' },
  result: NewApiTokenView,
  status: 201,
  refusals: ['limit_reached'],

  async handle(work, { token: maker, account, body }) {
    requireNoMore(maker, body.scopes);
    await requireRoom(work, account.id, body.expiresAt);
    const { token, secret } = await createApiToken(work, { ...body, accountId: account.id });
    return { ...token, secret };
  },
});
