import { z } from 'zod';
import { mergeAccounts, reportMerge } from '#identity/accounts/merge.ts';
import { Refusal } from '#identity/refusal.ts';
import { operation } from '../operation.ts';
import { MovedView } from '../belonging-views.ts';
import { Ids, note } from '../schemas.ts';

export default operation({
  id: 'mergeAccount',
  tag: 'Accounts',
  method: 'post',
  path: '/accounts/:accountId/merge',
  summary: 'Merges an account into another. First it is shown what that would do.',
  description:
    'A dry run changes nothing, and gives the digest that `apply` takes: where anything changed since, it is refused with the report as it is now. Account Administrators become Co-Administrators, unless they are named. The people follow in batches: see getAccountMove.',
  right: 'accounts:move',
  body: z.strictObject({
    into: z.uuid(),
    mode: z.enum(['dry-run', 'apply']).default('dry-run'),
    confirm: z.string().max(100).optional().describe('The `digest` of the report that was read.'),
    reason: note.optional().describe('Required to apply.'),
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

  async handle(work, { account, body: { into, mode, confirm, reason, ...rest } }) {
    const merge = { sourceId: account.id, targetId: into, ...rest };
    if (mode === 'dry-run')
      return { dryRun: true, ...(await reportMerge(work, merge)), move: null };
    if (!confirm || !reason)
      throw new Refusal('invalid_value', { required: ['confirm', 'reason'] });
    const move = await mergeAccounts(work, { ...merge, confirm, reason });
    return { dryRun: false, report: move.report, digest: confirm, move };
  },
});
