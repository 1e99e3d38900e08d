import { Refusal } from '../refusal.ts';
import type { Person } from '../users/person.ts';
import type { Work } from '../work.ts';
import { isReachedByMail, sendReset } from './password.ts';

const perHour = 5;

/**
 * An administrator has a person choose a new password. Five an hour: more would be a way to fill
 * somebody's mailbox (behaviour.md F21).
 *
 * @throws {Refusal} `user_not_found` for who has no address, `domain_not_owned` for whose mail goes to
 *   somebody else by now, `rate_limited`
 */
export async function sendResetByAdministrator(work: Work, person: Person): Promise<void> {
  if (person.email === null) throw new Refusal('user_not_found');
  if (!(await isReachedByMail(work, person))) throw new Refusal('domain_not_owned');
  const sent = await work.query(
    // What the person asked for themselves has a subject: the address they typed.
    `select 1 from one_time_tokens
     where user_id = $1 and purpose in ('password_reset', 'activation') and subject is null
       and created_at > $2`,
    [person.id, new Date(work.now.getTime() - 3600_000)],
  );
  if (sent.length >= perHour) throw new Refusal('rate_limited');
  await sendReset(work, person);
}
