import { z } from 'zod';
import { listRequests } from '#identity/domains/requests.ts';
import { announceTransfer } from '#identity/domains/transfer-domain.ts';
import { RequestView, requestView } from '../domain-views.ts';
import { bothProofs } from '../domain-transfer.ts';
import { operation } from '../operation.ts';
import { note } from '../schemas.ts';

export default operation({
  id: 'announceDomainTransfer',
  tag: 'Domains',
  method: 'post',
  path: '/accounts/:accountId/domains/:domain/transfer',
  summary: 'Announces that a domain will go to this account, which has proved it.',
  description:
    "Only while this account's proof is there and the owner's is not. The owner has 14 days to put it back. Nothing happens by itself: another operator carries it out.",
  right: 'domains:transfer',
  body: z.strictObject({ reason: note.describe('Goes into both audit logs.') }),
  example: { reason: 'Ticket 812: the company was sold, the old account does not answer.' },
  result: RequestView,
  status: 201,
  refusals: ['domain_not_found', 'transfer_refused'],

  prepare: bothProofs,

  async handle(work, { account, prepared, body }) {
    const { id } = await announceTransfer(work, prepared, body.reason);
    const requests = await listRequests(work, account.id, work.now);
    return requestView(
      account.id,
      requests.find((one) => one.id === id)!,
    );
  },
});
