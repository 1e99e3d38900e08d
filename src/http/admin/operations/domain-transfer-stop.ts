import { z } from 'zod';
import { stopTransfer } from '#identity/domains/transfer-domain.ts';
import { domainIn, DomainView, showDomain } from '../domain-views.ts';
import { operation } from '../operation.ts';
import { note } from '../schemas.ts';

export default operation({
  id: 'stopDomainTransfer',
  tag: 'Domains',
  method: 'post',
  path: '/accounts/:accountId/domains/:domain/transfer/stop',
  summary: 'Stops a transfer that was announced.',
  right: 'domains:transfer',
  body: z.strictObject({ reason: note.describe('Goes into both audit logs.') }),
  example: { reason: 'The owner put the record back.' },
  result: DomainView,
  refusals: ['not_found', 'domain_not_found'],

  async handle(work, { account, params, body }) {
    const name = domainIn(params);
    await stopTransfer(work, account.id, name, body.reason);
    return showDomain(work, account.id, name, work.now);
  },
});
