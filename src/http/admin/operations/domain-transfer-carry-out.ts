import { z } from 'zod';
import { carryOutTransfer } from '#identity/domains/transfer-domain.ts';
import { DomainView, showDomain } from '../domain-views.ts';
import { bothProofs } from '../domain-transfer.ts';
import { operation } from '../operation.ts';
import { note } from '../schemas.ts';

export default operation({
  id: 'carryOutDomainTransfer',
  tag: 'Domains',
  method: 'post',
  path: '/accounts/:accountId/domains/:domain/transfer/carry-out',
  summary: 'Carries a transfer out whose notice is over: this account owns the domain.',
  description:
    "Both proofs are looked at again. By another operator than announced it. Open invitations, approvals, links and codes of the domain end. Nobody is moved, and the owner's people keep their account.",
  right: 'domains:transfer',
  body: z.strictObject({ reason: note.describe('Goes into both audit logs.') }),
  example: { reason: 'Ticket 812: nobody objected.' },
  result: DomainView,
  refusals: ['domain_not_found', 'not_found', 'transfer_refused', 'domain_in_use'],

  prepare: bothProofs,

  async handle(work, { account, prepared, body }) {
    const { name } = await carryOutTransfer(work, prepared, body.reason);
    return showDomain(work, account.id, name, work.now);
  },
});
