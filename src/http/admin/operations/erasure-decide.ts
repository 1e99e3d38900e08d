import { z } from 'zod';
import { decideErasure } from '#identity/users/erase.ts';
import { operation } from '../operation.ts';
import { note } from '../schemas.ts';

export default operation({
  id: 'decideErasure',
  tag: 'Erasure',
  method: 'post',
  path: '/accounts/:accountId/erasures/:requestId/decide',
  summary: 'Decides whether a person whose domain the account owns is deleted, in thirty days.',
  right: 'erasures:decide',
  body: z.strictObject({ decision: z.enum(['approve', 'refuse']), note: note.optional() }),
  example: { decision: 'approve' },
  result: null,
  refusals: ['not_found', 'last_administrator', 'user_is_fulfillment_contact'],

  handle(work, { account, params, body: { decision, note: why } }) {
    return decideErasure(work, account.id, params['requestId']!, decision, why ?? null);
  },
});
