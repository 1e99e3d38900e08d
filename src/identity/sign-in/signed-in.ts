import { newId } from '#platform/ids.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import type { Place } from '#platform/database/sql.ts';
import type { LockReason } from '../users/locks.ts';
import { personJson, type Person } from '../users/person.ts';
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
 * known from here on, and it is written down. One statement, hence one transaction, and it may be that
 * of the session: see `SignInEntry`.
 */
export function signedIn(
  { clock }: Pick<Foundation, 'clock'>,
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
): SignInEntry {
  const now = clock();
  const secret = deviceId === null ? newSecret(24) : null;
  return {
    secret,
    parts(place, given) {
      const at = `${place(now)}::timestamptz`;
      const user = place(userId);
      const agent = `${place(origin.userAgent ?? null)}::text`;
      const remembered = `${place(rememberFactor)}::boolean`;
      return [
        // Two parameters, not an array: PostgreSQL plans a statement with `any` anew each time.
        `forgiven as (
          delete from attempt_counters
          where bucket in (${place(buckets[0] ?? '')}::text, ${place(buckets[1] ?? '')}::text)
            and ${given})`,
        deviceId !== null
          ? `known as (
          update trusted_devices set last_used_at = ${at},
            second_factor_at = case when ${remembered} then ${at} else second_factor_at end
          where id = ${place(deviceId)}::uuid and ${given})`
          : `trusted as (
          insert into trusted_devices
            (id, user_id, secret_hash, user_agent, created_at, last_used_at, expires_at,
             second_factor_at)
          select ${place(newId(now.getTime()))}::uuid, ${user}::text::uuid, ${place(secretHash(secret!))}, ${agent},
            ${at}, ${at}, ${place(new Date(now.getTime() + deviceLifetime))}::timestamptz,
            case when ${remembered} then ${at} end
          where ${given})`,
        `written as (
          insert into audit_events
            (at, account_id, actor, action, target_type, target_id, details, ip, user_agent,
             reference)
          select ${at}, ${place(accountId)}::uuid,
            ${place(JSON.stringify({ type: 'user', id: userId }))}::jsonb, 'sign_in.succeeded',
            'user', ${user}::text,
            ${place(
              JSON.stringify({
                method: connection === null ? methods[0] : 'federated',
                methods,
                client: clientId,
                newDevice: deviceId === null,
                ...(connection !== null && { connection }),
              }),
            )}::jsonb,
            ${place(origin.ip ?? null)}::text, ${agent}, ${place(origin.reference ?? null)}::text
          where ${given})`,
      ];
    },
  };
}

/** What a sign-in writes down, as parts of a statement. */
export interface SignInEntry {
  /** The secret of the device cookie, where the device is new. */
  secret: string | null;
  /**
   * @param place gives a value its place among the parameters
   * @param given the condition under which it happens
   */
  parts(place: Place, given: string): string[];
}

/**
 * The person was not put out since they were read. Their row is taken until the end of the transaction,
 * as `revokeAccess` takes it: whichever is second finds what the first did.
 *
 * A statement that gives a row where it is so; `seen` writes the sign-in down as their last one.
 *
 * @param also what else has to be so of the row `p`, where it is given
 */
export function notPutOut(
  place: Place,
  now: Date,
  { id, putOut }: Pick<Person, 'id' | 'putOut'>,
  seen: boolean,
  also = 'true',
): string {
  // The row that was waited for is looked at anew; what else is read is as old as the statement.
  const so = `p.id = ${place(id)}::uuid and p.put_out = ${place(putOut)}::int and ${also}`;
  return seen
    ? `update users p set last_login_at = ${place(now)}::timestamptz where ${so} returning 1`
    : `select 1 from users p where ${so} for share`;
}

/**
 * As `notPutOut`, and they are still in everything as they were read: what follows may be decided by
 * that, as if it had been read just now.
 */
export function stillAsRead(place: Place, now: Date, person: Person, seen: boolean): string {
  const so = `${personJson('p.id', `${place(now)}::timestamptz`)}::jsonb
    = ${place(JSON.stringify(person))}::jsonb`;
  return notPutOut(place, now, person, seen, so);
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
