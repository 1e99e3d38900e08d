import { newId } from '#platform/ids.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import type { LockReason } from '../users/locks.ts';
import { unitOfWork, type Foundation, type Origin } from '../work.ts';

/** How long a device is remembered as the person's own, in milliseconds. */
export const deviceLifetime = 180 * 24 * 3600_000;

export interface SignedIn {
  userId: string;
  accountId: string | null;
  /** The counters that the right password clears: the person's, and the device's where there is one. */
  buckets: readonly string[];
  /** The trusted device it came from, or null: then this browser becomes one. */
  deviceId: string | null;
  clientId: string | null;
  method: 'password';
  origin: Origin;
}

/**
 * A person proved who they are: wrong guesses are forgotten, the last sign-in is now, the browser is
 * known from here on, and it is written down. One statement, hence one transaction: a sign-in costs
 * one write beside its hash.
 *
 * Returns the secret of the device cookie when the device is new.
 */
export async function signedIn(
  { database, clock }: Foundation,
  { userId, accountId, buckets, deviceId, clientId, method, origin }: SignedIn,
): Promise<string | null> {
  const now = clock();
  const secret = deviceId === null ? newSecret(24) : null;
  await database.query(statement, [
    userId,
    now,
    buckets[0] ?? '',
    deviceId ?? newId(now.getTime()),
    secret === null ? '' : secretHash(secret),
    new Date(now.getTime() + deviceLifetime),
    accountId,
    JSON.stringify({ type: 'user', id: userId }),
    JSON.stringify({ method, client: clientId, newDevice: deviceId === null }),
    origin.ip ?? null,
    origin.userAgent ?? null,
    origin.reference ?? null,
    buckets[1] ?? '',
  ]);
  return secret;
}

/**
 * A person proved who they are and may not come in all the same: their right password is no wrong
 * guess, but it is no sign-in either, and the browser is trusted with nothing.
 */
export async function refused(
  foundation: Foundation,
  {
    userId,
    accountId,
    buckets,
    clientId,
    lock,
    origin,
  }: Pick<SignedIn, 'userId' | 'accountId' | 'buckets' | 'clientId' | 'origin'> & {
    lock: LockReason;
  },
): Promise<void> {
  await unitOfWork(foundation, { actor: { type: 'user', id: userId }, origin }, async (work) => {
    await work.query('delete from attempt_counters where bucket = any ($1::text[])', [
      [...buckets],
    ]);
    work.record(
      'sign_in.refused',
      { type: 'user', id: userId },
      { reason: 'locked', lock, client: clientId },
      accountId,
    );
  });
}

/** Two parameters, not an array: PostgreSQL plans a statement with `any` anew at each execution. */
const statement = `
  with forgiven as (
    delete from attempt_counters where bucket in ($3::text, $13::text)
  ), seen as (
    update users set last_login_at = $2::timestamptz where id = $1::uuid
  ), known as (
    update trusted_devices set last_used_at = $2 where id = $4::uuid and $5::text = ''
  ), trusted as (
    insert into trusted_devices (id, user_id, secret_hash, user_agent, created_at, last_used_at, expires_at)
    select $4, $1, $5, $11, $2, $2, $6::timestamptz where $5 <> ''
  )
  insert into audit_events
    (at, account_id, actor, action, target_type, target_id, details, ip, user_agent, reference)
  values ($2, $7::uuid, $8::jsonb, 'sign_in.succeeded', 'user', $1::text, $9::jsonb, $10::text, $11::text, $12::text)`;
