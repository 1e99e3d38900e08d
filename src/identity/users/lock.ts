import { newId } from '#platform/ids.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import type { LockReason } from './locks.ts';
import { revokeAccess } from './revoke.ts';

export interface LockDetails {
  accountId?: string | null | undefined;
  /** Why, for administrators to read. The person is not told. */
  note?: string | null | undefined;
  until?: Date | null | undefined;
}

/**
 * Adds a reason to those for which a person is locked, and puts them out. Too many wrong passwords
 * lock the password alone: nobody is put out by that.
 *
 * Returns whether the reason was new.
 */
export async function lockUser(
  work: Work,
  userId: string,
  reason: LockReason,
  { accountId = null, note = null, until = null }: LockDetails = {},
): Promise<boolean> {
  const added = await work.query(
    `insert into user_locks (id, user_id, reason, account_id, set_by, set_at, until, note)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (user_id, reason) where released_at is null do update
       set account_id = excluded.account_id, set_by = excluded.set_by, set_at = excluded.set_at,
         until = excluded.until, note = excluded.note
       where user_locks.until <= excluded.set_at
     returning 1`,
    [newId(), userId, reason, accountId, JSON.stringify(work.actor), work.now, until, note],
  );
  if (reason !== 'too_many_attempts') await revokeAccess(work, userId);
  if (added.length > 0)
    work.record('user.locked', { type: 'user', id: userId }, { reason, note }, accountId);
  return added.length > 0;
}

/**
 * Takes reasons away; each alone, never another with it. What a request begun before the lock may
 * have left behind is swept out once more, so that unlocking revives nothing.
 *
 * Returns the reasons that were lifted.
 */
export async function unlockUser(
  work: Work,
  userId: string,
  reasons: readonly LockReason[],
  accountId: string | null = null,
): Promise<LockReason[]> {
  const lifted = await work.query<{ reason: LockReason }>(
    `update user_locks set released_at = $3, released_by = $4
     where user_id = $1 and reason = any ($2::text[]) and released_at is null
     returning reason`,
    [userId, [...reasons], work.now, JSON.stringify(work.actor)],
  );
  const names = lifted.map(({ reason }) => reason);
  // The person before the guesses at their password: a sign-in takes both in this order.
  if (names.some((reason) => reason !== 'too_many_attempts')) await revokeAccess(work, userId);
  if (reasons.includes('too_many_attempts') && (await forgetAttempts(work, userId)))
    if (!names.includes('too_many_attempts')) names.push('too_many_attempts');
  if (names.length > 0)
    work.record('user.unlocked', { type: 'user', id: userId }, { reasons: names }, accountId);
  return names;
}

/** Forgets the wrong guesses at a person's password. Returns whether they made anybody wait. */
export async function forgetAttempts(work: Work, userId: string): Promise<boolean> {
  const rows = await work.query<{ waited: boolean }>(
    `delete from attempt_counters
     where bucket = 'user:' || $1 or bucket in (
       select 'device:' || d.id from trusted_devices d where d.user_id = $1::uuid)
     returning next_at > $2 or locked_at is not null as waited`,
    [userId, work.now],
  );
  return rows.some(({ waited }) => waited);
}

/** @throws {Refusal} `not_locked` when nothing was there to lift. */
export function requireLifted(lifted: readonly LockReason[]): void {
  if (lifted.length === 0) throw new Refusal('not_locked');
}
