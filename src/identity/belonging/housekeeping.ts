import { unitOfWork, type Foundation } from '../work.ts';
import { expireApprovals } from './approvals.ts';
import { close, read } from './invite.ts';
import { purgeRegistrations } from './register.ts';
import { remindAll } from './remind.ts';

const batch = 200;

/** Ends invitations that ran out. Returns how many. They were of no use before: this tidies up. */
export async function expireInvitations(foundation: Foundation): Promise<number> {
  const system = { actor: { type: 'system', id: 'housekeeping' } } as const;
  let ended = 0;
  for (;;) {
    const count = await unitOfWork(foundation, system, async (work) => {
      const due = await read(
        work,
        `i.state = 'pending' and i.expires_at <= $1`,
        [work.now],
        `order by i.email limit ${batch} for update of i skip locked`,
      );
      for (const invitation of due) {
        await close(work, invitation, 'expired');
        work.record(
          'invitation.expired',
          { type: 'invitation', id: invitation.id },
          {},
          invitation.accountId,
        );
      }
      return due.length;
    });
    ended += count;
    if (count < batch) return ended;
  }
}

/**
 * What is due now and then. Each may run as often as it likes, and on several processes at once:
 * what was done is not done again.
 */
export async function tendBelonging(foundation: Foundation): Promise<void> {
  await expireInvitations(foundation);
  await unitOfWork(foundation, { actor: { type: 'system', id: 'housekeeping' } }, expireApprovals);
  await purgeRegistrations(foundation.database, foundation.clock());
  await remindAll(foundation);
}
