import { z } from 'zod';
import { operation } from '../operation.ts';
import { Ids } from '../schemas.ts';
import { MovedView } from '../belonging-views.ts';
import { dryRunOrProposal, showOrPropose } from '../move-request.ts';

export default operation({
  id: 'mergeAccount',
  tag: 'Accounts',
  method: 'post',
  path: '/accounts/:accountId/merge',
  summary: 'Proposes to merge an account into another. First it is shown what that would do.',
  description:
    'A dry run changes nothing, and gives the digest that `propose` takes: where anything changed since, it is refused with the report as it is now. A proposal waits a day for another operator: see confirmAccountMove. Account Administrators become Co-Administrators, unless they are named. The people follow in batches: see getAccountMove.',
  right: 'accounts:move',
  body: z.strictObject({
    into: z.uuid(),
    ...dryRunOrProposal,
    administrators: z
      .enum(['co_administrator', 'account_administrator', 'none'])
      .default('co_administrator')
      .describe('What the Account Administrators are afterwards.'),
    keepAdministrators: Ids.describe('Those of them who stay what they are.'),
  }),
  example: { into: '01a201aa-a637-7dcc-b569-3b562a947439', mode: 'dry-run' },
  result: MovedView,
  status: 201,
  refusals: ['move_refused', 'version_conflict'],

  handle(work, { account, body: { into, mode, confirm, reason, ...rest } }) {
    const merge = { kind: 'merge', sourceId: account.id, targetId: into, ...rest } as const;
    return showOrPropose(work, merge, { mode, confirm, reason });
  },
});
