import { isIPv6 } from 'node:net';
import type { PasswordHasher } from '#platform/password-hash.ts';
import { keyedHash, secretHash } from '#platform/secrets.ts';
import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import { administratorNames } from '../accounts/administrators.ts';
import { findPersonByEmail, personJson, type Person } from '../users/person.ts';
import { passwordsRefused } from '../federation/standing.ts';
import { lockUser } from '../users/lock.ts';
import {
  insertOutbox,
  outboxParams,
  unitOfWork,
  type Foundation,
  type Origin,
  type Outgoing,
} from '../work.ts';
import { bypassesSso } from './break-glass.ts';
import { delayAfter, type LockoutPolicy } from './lockout.ts';

export interface PasswordCheck {
  /** In canonical form. */
  email: string;
  password: string;
  /** The secret of the device cookie, when the browser sent one. */
  device: string | null;
  origin: Origin;
  /**
   * Somebody whom their company's provider has proved shows once that the password of before was
   * theirs: then it counts although it lets nobody in any more.
   */
  linking?: boolean;
}

/**
 * A wrong password is an outcome, not a refusal: it must be saved.
 *
 * `throttled` and `locked` mean that the password was not even looked at. They are told in the same
 * words, for names we know and names we don't.
 */
export type PasswordOutcome =
  | {
      outcome: 'right';
      person: Person;
      buckets: string[];
      device: string | null;
      /** Past the provider of their company: see `breakGlassUsed`. */
      bypass: boolean;
    }
  | { outcome: 'wrong' }
  | { outcome: 'locked' }
  | { outcome: 'throttled'; minutes: number };

export interface PasswordDependencies extends Foundation {
  hasher: PasswordHasher;
  policy: LockoutPolicy;
  /** Key of the counters: see `AppSecrets`. */
  key: Buffer;
}

/** Different people who failed from one address within ten minutes, beyond which it is spraying. */
const sprayLimit = 20;
const sprayWindow = 10 * 60_000;

/**
 * A guess counts for everybody from the moment it is counted; that it also outlives a crash of the
 * database's machine is not waited for. Nobody who guesses can cause one, and while it lasts nobody
 * guesses.
 */
const countedAtOnce = { fleeting: true };

/**
 * Counts the attempt and reads what it is to be compared with, in one statement; only then is the
 * hash computed, outside any transaction. So what a guess costs is paid before it is worth anything,
 * and 200 guesses at once are no more than the budget allows.
 *
 * - An attempt from a trusted device counts against that device, and without delay against the
 *   person; any other against the person; a name nobody has, against the name.
 * - One of the last three wrong passwords again is no new guess.
 * - While the person waits, nothing is evaluated: a right password and a wrong one get the same
 *   answer.
 *
 * @throws {Overloaded} before anything is counted.
 */
export async function checkPassword(
  dependencies: PasswordDependencies,
  { email, password, device, origin, linking = false }: PasswordCheck,
): Promise<PasswordOutcome> {
  const { database, clock, hasher, policy, key } = dependencies;
  const done = await hasher.reserve();
  try {
    const now = clock();
    const [attempt] = await database.query<Attempt>(
      reserve,
      [
        email,
        `name:${keyedHash(key, email)}`,
        device === null ? '' : secretHash(device),
        keyedHash(key, `password:${email}:${password}`),
        now,
        policy.free,
        [...policy.delays],
        policy.dailyLimit,
        policy.dailyDelay,
        sourceBucket(origin.ip),
        new Date(now.getTime() - sprayWindow),
        sprayLimit,
        policy.hardLimit,
        linking,
      ],
      countedAtOnce,
    );
    const { person, hash, open, next_at, spraying, locked } = attempt!;
    if (spraying) return { outcome: 'throttled', minutes: Math.ceil(sprayWindow / 60_000) };
    if (locked || !open) return { outcome: 'locked' };

    const right = await hasher.verify(password, hash);
    if (right && person) {
      if (hasher.isOutdated(hash!)) await renewHash(dependencies, person.id, password, hash!);
      return {
        outcome: 'right',
        person,
        buckets: attempt!.buckets,
        device: attempt!.device_id,
        bypass: attempt!.bypass,
      };
    }

    await afterWrong(dependencies, attempt!, email, origin);
    // On a device of theirs people do not wait for what strangers did.
    const waits = attempt!.device_id === null && next_at !== null && next_at > now;
    return { outcome: waits ? 'locked' : 'wrong' };
  } finally {
    done();
  }
}

/** The only moment at which a password can be hashed as it is done today is when it is typed. */
async function renewHash(
  { database, hasher }: PasswordDependencies,
  userId: string,
  password: string,
  before: string,
): Promise<void> {
  await database.query('update passwords set hash = $2 where user_id = $1 and hash = $3', [
    userId,
    await hasher.hashReserved(password),
    before,
  ]);
}

interface Attempt {
  person: Person | null;
  hash: string | null;
  /** Whether this attempt may be evaluated. */
  open: boolean;
  /** Whether the password is locked until somebody unlocks or resets it. */
  locked: boolean;
  spraying: boolean;
  failures: number;
  device_failures: number;
  day_count: number;
  next_at: Date | null;
  /** Wrong passwords in a row after which it is locked, and for how many minutes (null: for good). */
  hard_limit: number;
  lock_minutes: number | null;
  bucket: string;
  buckets: string[];
  device_id: string | null;
  bypass: boolean;
}

/**
 * $1 address, $2 bucket of the name, $3 hash of the device secret, $4 fingerprint of the password,
 * $5 now, $6 free, $7 delays, $8 and $9 the daily limit and its delay, $10 bucket of the source,
 * $11 since when spraying counts, $12 how many are spraying, $13 the hard limit, $14 whether somebody
 * is being linked.
 *
 * Where a company lets nobody in by password any more there is no hash to compare with, as for a name
 * that nobody has; break-glass administrators excepted (security.md 3.4).
 *
 * An account sets limits of its own for all addresses of its domains (`LockoutPolicySchema`). A lock
 * that ended by itself leaves nothing behind: counting begins anew.
 */
const reserve = `
  with person as materialized (
    select u.id from users u where u.email = $1 and u.identity <> 'erased'
  ), policy as materialized (
    select coalesce((a.settings #>> '{lockout,attempts}')::int, $13::int) as attempts,
      (a.settings #>> '{lockout,minutes}')::int as minutes
    from (select $1::text as email) e
    left join domains d on d.name = split_part(e.email, '@', 2)
      and d.state in ('owned', 'at_risk', 'lapsed')
    left join accounts a on a.id = d.account_id
  ), device as materialized (
    select d.id from trusted_devices d, person p
    where d.user_id = p.id and d.secret_hash = $3 and d.expires_at > $5
  ), facts as materialized (
    select coalesce('user:' || (select id from person), $2) as bucket,
      exists (select from device) as trusted,
      exists (select from user_locks l, person p where l.user_id = p.id
        and l.reason = 'too_many_attempts' and l.released_at is null
        and (l.until is null or l.until > $5)) as locked,
      coalesce((select cardinality(c.recent) > $12::int and c.day_start > $11
        from attempt_counters c where c.bucket = $10), false) as spraying,
      ${passwordsRefused("split_part($1, '@', 2)", '$5')} as upstream_only,
      exists (select from users u, person p where u.id = p.id and ${bypassesSso}) as break_glass
  ), counted as (
    insert into attempt_counters as c
      (bucket, failures, day_start, day_count, recent, updated_at)
    select f.bucket, 1, $5, 1, array[$4], $5 from facts f where not f.locked and not f.spraying
    on conflict (bucket) do update set
      failures = case when c.locked_at is not null then 1
                      else c.failures + (not $4 = any (c.recent))::int end,
      day_start = case when c.day_start < $5 - interval '1 day' then $5 else c.day_start end,
      day_count = case when c.day_start < $5 - interval '1 day' then 1
                       else c.day_count + (not $4 = any (c.recent))::int end,
      recent = case when c.locked_at is not null then array[$4]
                    when $4 = any (c.recent) then c.recent
                    else (array_append(c.recent, $4))[greatest(1, cardinality(c.recent) - 1):] end,
      next_at = case
        when c.locked_at is not null then null
        when $4 = any (c.recent) or c.failures + 1 <= $6::int then c.next_at
        when (select trusted from facts) then c.next_at
        else $5 + make_interval(secs => greatest(
          ($7::int[])[least(c.failures + 1 - $6::int, cardinality($7::int[]))],
          case when c.day_count + 1 >= $8::int and c.day_start >= $5 - interval '1 day'
               then $9::int else 0 end)) end,
      locked_at = case when c.locked_at is null and not $4 = any (c.recent)
        and c.failures + 1 >= (select attempts from policy) then $5 end,
      updated_at = $5
    where (c.locked_at is null
        or c.locked_at <= $5 - make_interval(mins => (select minutes from policy)))
      and ((select trusted from facts) or c.next_at is null or c.next_at <= $5)
    returning c.failures, c.day_count, c.next_at
  ), on_device as (
    insert into attempt_counters as c
      (bucket, failures, day_start, day_count, recent, updated_at)
    select 'device:' || d.id, 1, $5, 1, array[$4], $5 from device d, facts f
    where not f.locked and not f.spraying
    on conflict (bucket) do update set
      failures = c.failures + (not $4 = any (c.recent))::int,
      recent = case when $4 = any (c.recent) then c.recent
                    else (array_append(c.recent, $4))[greatest(1, cardinality(c.recent) - 1):] end,
      updated_at = $5
    returning c.failures
  )
  select f.bucket, f.locked, f.spraying,
    array[f.bucket] || array(select 'device:' || id from device) as buckets,
    exists (select from counted) as open,
    coalesce((select failures from counted), 0) as failures,
    coalesce((select day_count from counted), 0) as day_count,
    (select next_at from counted) as next_at,
    coalesce((select failures from on_device), 0) as device_failures,
    (select attempts from policy) as hard_limit,
    (select minutes from policy) as lock_minutes,
    (select id from device) as device_id,
    (select w.hash from passwords w, person p
     where w.user_id = p.id and w.disabled_at is null
       and ($14::boolean or not f.upstream_only or f.break_glass)) as hash,
    f.upstream_only and f.break_glass as bypass,
    -- Whoever has to wait is not read: it would take longer than that nobody is there.
    case when exists (select from counted)
      then ${personJson('(select id from person)', '$5')} end as person
  from facts f`;

/** $1 bucket of the source, $2 whose password was wrong, $3 now, $4 since when it counts. */
const countSpray = `
  insert into attempt_counters as c (bucket, failures, day_start, day_count, recent, updated_at)
  values ($1, 1, $3, 1, array[$2], $3)
  on conflict (bucket) do update set
    failures = c.failures + 1,
    day_start = case when c.day_start < $4 then $3 else c.day_start end,
    recent = case when c.day_start < $4 then array[$2]
                  when $2 = any (c.recent) or cardinality(c.recent) > 100 then c.recent
                  else array_append(c.recent, $2) end,
    updated_at = $3`;

/**
 * Under which key a source is counted; empty where it is not.
 *
 * An address is limited, but never a loopback one: that is a proxy in front of us that nobody named
 * in TRUSTED_PROXIES, and limiting it would stop everybody.
 */
export function sourceBucket(ip: string | null | undefined): string {
  if (!ip || ip === '::1' || ip.startsWith('127.') || ip.startsWith('::ffff:127.')) return '';
  return `source:${isIPv6(ip) ? networkOf(ip) : ip}`;
}

/** The first four groups of an IPv6 address: a customer has a /64 to choose addresses from. */
function networkOf(ip: string): string {
  const [head, tail] = ip.split('::').map((half) => half.split(':').filter(Boolean));
  const left = 8 - head!.length - (tail?.length ?? 0);
  return [...head!, ...Array<string>(Math.max(0, left)).fill('0'), ...(tail ?? [])]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}

async function afterWrong(
  dependencies: PasswordDependencies,
  attempt: Attempt,
  email: string,
  origin: Origin,
): Promise<void> {
  const { database, clock, policy } = dependencies;
  const now = clock();
  const source = sourceBucket(origin.ip);
  await database.query('insert into wrong_passwords (account_id, at) values ($1, $2)', [
    attempt.person?.account?.id ?? null,
    now,
  ]);
  if (source)
    await database.query(countSpray, [
      source,
      attempt.bucket,
      now,
      new Date(now.getTime() - sprayWindow),
    ]);
  if (attempt.device_id && attempt.device_failures >= policy.deviceLimit)
    await database.query('delete from trusted_devices where id = $1', [attempt.device_id]);

  const hard = attempt.failures >= attempt.hard_limit;
  if (!hard && delayAfter(attempt.failures, attempt.day_count, policy) === 0) return;
  const task: ThrottledSignIn = {
    task: 'sign_in_throttled',
    email,
    bucket: attempt.bucket,
    failures: attempt.failures,
    today: attempt.day_count,
    first: attempt.failures === policy.free + 1,
    hard,
    minutes: attempt.lock_minutes,
    at: now.toISOString(),
    origin,
  };
  const outgoing: Outgoing = { kind: 'task', subject: email, payload: { ...task } };
  await database.query(insertOutbox, outboxParams(dependencies.vault, now, [outgoing]));
  dependencies.sent?.();
}

/** A guess after which somebody has to wait, to be told to whom it concerns: `carryOutThrottled`. */
export interface ThrottledSignIn {
  task: 'sign_in_throttled';
  email: string;
  bucket: string;
  failures: number;
  today: number;
  /** Whether nobody had to wait before. */
  first: boolean;
  /** Whether the password is locked now until somebody opens it. */
  hard: boolean;
  /** After how many minutes it opens by itself, where it does. */
  minutes?: number | null;
  at: string;
  origin: Origin;
}

/**
 * Writes down that somebody has to wait, shows administrators the lock, and tells the person. Done
 * by the worker, later: within the answer it would take longer for a name somebody has (D-54).
 */
export async function carryOutThrottled(
  foundation: Foundation,
  { email, bucket, failures, today, first, hard, minutes = null, at, origin }: ThrottledSignIn,
): Promise<void> {
  await unitOfWork(foundation, { actor: { type: 'anonymous' }, origin }, async (work) => {
    const person = await findPersonByEmail(work, email, work.now);
    if (!person) return;
    const accountId = person.account?.id ?? null;
    const stillLocked = await work.query(
      'select 1 from attempt_counters where bucket = $1 and locked_at is not null',
      [bucket],
    );
    if (hard && stillLocked.length > 0)
      await lockUser(work, person.id, 'too_many_attempts', {
        accountId,
        until: minutes === null ? null : new Date(Date.parse(at) + minutes * 60_000),
      });
    work.record(
      'sign_in.throttled',
      { type: 'user', id: person.id },
      { failures, today, hard },
      accountId,
    );
    if (!first && !hard) return;
    mail(
      work,
      toPerson(person, { email: person.email ?? email }),
      {
        kind: 'locked_out',
        at: new Date(at),
        origin: origin.ip ?? null,
        paused: !hard,
        resetLink: work.link('/forgot-password'),
        administrators: await administratorNames(work, accountId),
      },
      { dedupKey: `locked_out:${person.id}:${at.slice(0, 10)}:${hard}` },
    );
  });
}
