import type { Origin, Work } from '../work.ts';

const hour = 3600_000;
export const registrationCodeLife = 10 * 60_000;

/** What a queued registration needs to be worked on: `carryOutRegistration`. */
export interface RegistrationTask {
  task: 'registration';
  registration: string;
  origin: Origin;
}

/** Has the mail of a registration written, later, by who looks up what the address is. */
export function queueRegistration(work: Work, registration: string, email: string): void {
  work.send({
    kind: 'task',
    subject: email,
    payload: {
      task: 'registration',
      registration,
      origin: work.origin,
    } satisfies RegistrationTask,
    expiresAt: new Date(work.now.getTime() + hour),
  });
}

/**
 * Who never finished registering and asks for a password gets the mail of their registration once
 * more (behaviour.md F21). Whoever asks: it goes to the mailbox, and its code works where the
 * registration began alone.
 */
export async function resendRegistration(work: Work, email: string): Promise<boolean> {
  const [row] = await work.query<{ id: string }>(
    `update registrations set code_hash = null, code_expires_at = $3
     where email = $1 and state in ('asked', 'open') and expires_at > $2 returning id`,
    [email, work.now, new Date(work.now.getTime() + registrationCodeLife)],
  );
  if (row) queueRegistration(work, row.id, email);
  return row !== undefined;
}
