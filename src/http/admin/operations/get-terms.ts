import { Refusal } from '#identity/refusal.ts';
import { termsByIds } from '#identity/terms/terms.ts';
import { operation } from '../operation.ts';
import { TermsView } from '../views.ts';

export default operation({
  id: 'getTerms',
  tag: 'Terms',
  method: 'get',
  path: '/terms/:termsId',
  summary: 'Shows a published version.',
  right: 'terms:read',
  result: TermsView,
  refusals: ['terms_not_found'],

  async handle(work, { params }) {
    const [terms] = await termsByIds(work, [params['termsId']!]);
    if (!terms) throw new Refusal('terms_not_found');
    return terms;
  },
});
