import { z } from 'zod';
import { attestDomain } from '#identity/domains/attest-domain.ts';
import { DomainView, showDomain } from '../domain-views.ts';
import { operation } from '../operation.ts';
import { note } from '../schemas.ts';

export default operation({
  id: 'attestDomain',
  tag: 'Domains',
  method: 'post',
  path: '/accounts/:accountId/domains/:domain/attest',
  summary: "Vouches that a domain is this account's: it is owned from now on.",
  right: 'domains:attest',
  body: z.strictObject({ reason: note.describe('Goes into the audit log.') }),
  example: { reason: 'Contract 4711, signed by the owner of the domain.' },
  result: DomainView,
  refusals: ['invalid_domain', 'public_mail_domain', 'public_suffix', 'domain_owned_by_other'],

  async handle(work, { account, params, body }) {
    const { name } = await attestDomain(work, account.id, params['domain']!, body.reason);
    return showDomain(work, account.id, name, work.now);
  },
});
