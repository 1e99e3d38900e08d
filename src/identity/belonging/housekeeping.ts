import { unitOfWork, type Foundation } from '../work.ts';
import { expireApprovals } from './approvals.ts';
import { enterDoor } from './door.ts';
import { close, read, remindCaptured } from './invite.ts';
import { purgeRegistrations } from './register.ts';
import { remindAll } from './remind.ts';

/** Ends invitations that ran out. Returns how many. They were of no use before: this tidies up. */
export async function expireInvitations(foundation: Foundation): Promise<number> {
  const system = { actor: { type: 'system', id: 'housekeeping' } } as const;
  const due = await read(
    foundation.database,
    `i.state = 'pending' and i.expires_at <= $1`,
    [foundation.clock()],
    'order by i.id limit 1000',
  );
  let ended = 0;
  for (const { id, accountId, email } of due)
    await unitOfWork(foundation, system, async (work) => {
      await enterDoor(work, accountId, [email]);
      const [still] = await read(
        work,
        `i.id = $1 and i.state = 'pending' and i.expires_at <= $2`,
        [id, work.now],
        'for update of i',
      );
      if (!still) return;
      await close(work, still, 'expired');
      work.record('invitation.expired', { type: 'invitation', id }, {}, accountId);
      ended += 1;
    });
  return ended;
}

/**
 * What is due now and then. Each may run as often as it likes, and on several processes at once:
 * what was done is not done again.
 */
export async function tendBelonging(foundation: Foundation): Promise<void> {
  await expireInvitations(foundation);
  const actor = { type: 'system', id: 'housekeeping' } as const;
  await unitOfWork(foundation, { actor }, expireApprovals);
  await unitOfWork(foundation, { actor }, remindCaptured);
  await purgeRegistrations(foundation.database, foundation.clock());
  await remindAll(foundation);
}
