import { z } from 'zod';
import { isId } from '#platform/ids.ts';
import { decideApprovals, refusalOfOne } from '#identity/belonging/approvals.ts';
import { given, ofWhatIsGiven } from '../adding.ts';
import { operation } from '../operation.ts';
import { note } from '../schemas.ts';
import { DecisionView } from '../views-belonging.ts';

export default operation({
  id: 'decideApprovals',
  tag: 'Approvals',
  method: 'post',
  path: '/accounts/:accountId/approvals/decide',
  summary: 'Approves or rejects up to 200 who wait, each answered for itself.',
  description:
    'Of several, each has its own result. A decision about one alone that cannot be made is a problem.',
  right: 'approvals:decide',
  body: z.strictObject({
    ids: z.array(z.string().refine(isId, 'Must be the id of a request.')).min(1).max(200),
    decision: z.enum(['approve', 'reject']),
    ...given,
    note: note.optional().describe('For administrators.'),
    message: note.optional().describe('For the person, in the mail.'),
  }),
  example: { ids: ['01890a5d-ac96-774b-bcce-b302099a8057'], decision: 'approve' },
  result: DecisionView,
  refusals: [...ofWhatIsGiven, 'account_on_hold', 'already_decided', 'user_not_addable'],

  async handle(work, { account, asking, body }) {
    const decided = await decideApprovals(work, asking, account, body);
    const refusal = refusalOfOne(decided);
    // What was superseded just now has to be saved, so it is no problem but a result.
    if (refusal && refusal.code !== 'request_superseded') throw refusal;
    return decided;
  },
});
