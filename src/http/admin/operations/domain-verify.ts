import { requireAccount } from '#identity/access/rights.ts';
import { concludeLook, lookAtDomain } from '#identity/domains/verify-domain.ts';
import { domainIn, DomainView, showDomain } from '../domain-views.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'verifyDomain',
  tag: 'Domains',
  method: 'post',
  path: '/accounts/:accountId/domains/:domain/verify',
  summary: 'Looks for the proof of a domain now.',
  description:
    'Every resolver is asked. The domain is `owned` if the proof is there and nobody else owns it, `contested` if somebody does, and stays as it is otherwise; `check` says what was found. Once in ten seconds.',
  right: 'domains:manage',
  result: DomainView,
  refusals: ['domain_not_found', 'claim_closed'],

  prepare: ({ asking, context, params, tools }) =>
    lookAtDomain(
      tools.foundation,
      tools.proofs,
      context,
      { accountId: params['accountId']!, name: domainIn(params) },
      (work) => requireAccount(work, asking, 'domains:manage', params['accountId']!),
    ),

  async handle(work, { account, prepared }) {
    const { name } = await concludeLook(work, prepared);
    return showDomain(work, account.id, name, work.now, prepared.findings);
  },
});
