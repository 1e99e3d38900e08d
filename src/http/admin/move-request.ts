import { z } from 'zod';
import { proposeMove, reportMove, type MoveRequest } from '#identity/accounts/propose-move.ts';
import { Refusal } from '#identity/refusal.ts';
import type { Work } from '#identity/work.ts';
import type { MovedView } from './belonging-views.ts';
import { note } from './schemas.ts';

/** What merging and splitting have in common: it is looked at, or proposed to another operator. */
export const dryRunOrProposal = {
  mode: z.enum(['dry-run', 'propose']).default('dry-run'),
  confirm: z.string().max(100).optional().describe('The `digest` of the report that was read.'),
  reason: note.optional().describe('Required to propose it.'),
};

/** @throws {Refusal} `invalid_value`, `account_not_found`, `move_refused`, `version_conflict` */
export async function showOrPropose(
  work: Work,
  request: MoveRequest,
  {
    mode,
    confirm,
    reason,
  }: { mode: 'dry-run' | 'propose'; confirm?: string | undefined; reason?: string | undefined },
): Promise<z.output<typeof MovedView>> {
  if (mode === 'dry-run')
    return { dryRun: true, ...(await reportMove(work, request)), proposal: null };
  if (!confirm || !reason) throw new Refusal('invalid_value', { required: ['confirm', 'reason'] });
  const proposal = await proposeMove(work, request, { confirm, reason });
  return { dryRun: false, report: proposal.report, digest: proposal.digest, proposal };
}
