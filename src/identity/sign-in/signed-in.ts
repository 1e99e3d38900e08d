import { newId } from '#platform/ids.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import type { LockReason } from '../users/locks.ts';
import type { Method } from './assurance.ts';
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
  /** What they showed. */
  methods: readonly Method[];
  /** Their company's connection, where its provider proved them before. */
  connection?: string | null;
  /** A second factor was shown here and need not be shown again for a while. */
  rememberFactor?: boolean;
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
  {
    userId,
    accountId,
    buckets,
    deviceId,
    clientId,
    methods,
    connection = null,
    rememberFactor = false,
    origin,
  }: SignedIn,
): Promise<string | null> {
  const now = clock();
  const secret = deviceId === null ? newSecret(24) : null;
  await database.query(
    statement,
    [
      userId,
      now,
      buckets[0] ?? '',
      deviceId ?? newId(now.getTime()),
      secret === null ? '' : secretHash(secret),
      new Date(now.getTime() + deviceLifetime),
      accountId,
      JSON.stringify({ type: 'user', id: userId }),
      JSON.stringify({
        method: connection === null ? methods[0] : 'federated',
        methods,
        client: clientId,
        newDevice: deviceId === null,
        ...(connection !== null && { connection }),
      }),
      origin.ip ?? null,
      origin.userAgent ?? null,
      origin.reference ?? null,
      buckets[1] ?? '',
      rememberFactor,
    ],
    // The session that follows is waited for, and with it all that was written before.
    { fleeting: true },
  );
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

/**
 * The password was right and more is asked: it was no wrong guess. Nothing else is known yet, and the
 * browser is trusted with nothing.
 */
export async function forgiveGuesses(
  { database }: Foundation,
  buckets: readonly string[],
): Promise<void> {
  if (buckets.length > 0)
    await database.query('delete from attempt_counters where bucket = any ($1::text[])', [
      [...buckets],
    ]);
}

/** Whether a second factor was shown on this device within so many days, and is to be remembered. */
export async function isFactorRemembered(
  { database, clock }: Foundation,
  userId: string,
  deviceId: string,
  days: number,
): Promise<boolean> {
  const rows = await database.query(
    `select 1 from trusted_devices d join users u on u.id = d.user_id
     where d.id = $1 and d.user_id = $2 and d.second_factor_at > $3
       and d.second_factor_at >= u.second_factor_at`,
    [deviceId, userId, new Date(clock().getTime() - days * 24 * 3600_000)],
  );
  return rows.length > 0;
}

/** Two parameters, not an array: PostgreSQL plans a statement with `any` anew at each execution. */
const statement = `
  with forgiven as (
    delete from attempt_counters where bucket in ($3::text, $13::text)
  ), seen as (
    update users set last_login_at = $2::timestamptz where id = $1::uuid
  ), known as (
    update trusted_devices set last_used_at = $2,
      second_factor_at = case when $14::boolean then $2 else second_factor_at end
    where id = $4::uuid and $5::text = ''
  ), trusted as (
    insert into trusted_devices
      (id, user_id, secret_hash, user_agent, created_at, last_used_at, expires_at, second_factor_at)
    select $4, $1, $5, $11, $2, $2, $6::timestamptz, case when $14 then $2 end where $5 <> ''
  )
  insert into audit_events
    (at, account_id, actor, action, target_type, target_id, details, ip, user_agent, reference)
  values ($2, $7::uuid, $8::jsonb, 'sign_in.succeeded', 'user', $1::text, $9::jsonb, $10::text, $11::text, $12::text)`;
