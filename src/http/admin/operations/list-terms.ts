import { listTerms } from '#identity/terms/terms.ts';
import { operation } from '../operation.ts';
import { TermsList } from '../views.ts';

export default operation({
  id: 'listTerms',
  tag: 'Terms',
  method: 'get',
  path: '/terms',
  summary: 'Lists every published version, the latest first.',
  right: 'terms:read',
  result: TermsList,

  async handle(work) {
    return { items: await listTerms(work), nextCursor: null };
  },
});
