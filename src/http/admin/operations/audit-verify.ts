import { verifyChain } from '#identity/audit/chain.ts';
import { operation } from '../operation.ts';
import { ChainView } from '../belonging-views.ts';

export default operation({
  id: 'verifyAudit',
  tag: 'Audit',
  method: 'get',
  path: '/accounts/:accountId/audit/verification',
  summary: 'Checks the chain of the audit rows of an account, from its beginning.',
  description:
    'Finds the first row that was altered, taken out or moved. Keep `end` somewhere else: a later answer has to contain it.',
  right: 'audit:verify',
  result: ChainView,

  handle(work, { account, tools }) {
    return verifyChain(work, tools.vault, account.id);
  },
});
