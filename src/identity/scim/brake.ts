import { administratorsOf } from '../accounts/administrators.ts';
import { mail } from '../mail/mail.ts';
import { toReader } from '../mail/recipient.ts';
import { Refusal } from '../refusal.ts';
import { unitOfWork, type Foundation, type Work } from '../work.ts';
import { currentExchange, type Excess } from './exchange.ts';
import type { ScimCaller } from './caller.ts';

/**
 * THE BRAKE. A directory whose rule somebody broke puts out everybody within minutes. So each
 * connection may put out so many people within a while, and not more:
 *
 *     open --one too many--> held --release--> open, for one window or so many people without limits
 *                              | --keep-----> held, and nobody is reminded
 *                              \--limits raised far enough--> open
 *
 * While it is held its changes are answered 429 with Retry-After, and directories wait. What it did
 * before stays: those were within the limits.
 */
export interface BrakeLimits {
  /** So many people within the window. */
  number: number;
  /** Or so many in a hundred of the account's, once it is more than a handful. */
  share: number;
  /** How long the window is. */
  minutes: number;
}

/** Fewer than this never are a share: in an account of six, two people are a third. */
const handful = 20;

/** When a directory may ask again. It does so by itself, for hours or days. */
const retrySeconds = 900;

/** Whoever was created by a directory so lately and never came is no loss: it tries itself out. */
const freshHours = 24;

interface BrakeRow {
  number: number;
  share: number;
  minutes: number;
  held_at: Date | null;
  counted_from: Date | null;
  free_until: Date | null;
  free_left: number | null;
}

/**
 * A directory is about to put a person out: to lock or to remove them. To be called in the same
 * transaction, before. The token's row is taken, so that all who do the same count one another.
 *
 * @throws {Refusal} `directory_held`, with the seconds to wait
 */
export async function countDeparture(
  work: Work,
  { id: tokenId, accountId }: Pick<ScimCaller, 'id' | 'accountId'>,
  userId: string,
): Promise<void> {
  const [brake] = await work.query<BrakeRow>(
    `select brake_number as number, brake_share as share, brake_minutes as minutes, held_at,
            counted_from, free_until, free_left
     from scim_tokens where id = $1 for no key update`,
    [tokenId],
  );
  if (!brake) throw new Refusal('not_found');
  // A rehearsal asks what it would come to, whoever decides about it.
  if (brake.held_at && !currentExchange()?.rehearsal) throw heldRefusal();
  const counted = await work.query(
    `insert into scim_departures (token_id, user_id, at)
     select $1, u.id, $3 from users u
     where u.id = $2 and not (u.source = 'scim' and u.last_login_at is null and u.created_at > $4)
     on conflict (token_id, user_id) do update set at = excluded.at
     returning 1`,
    [tokenId, userId, work.now, new Date(work.now.getTime() - freshHours * 3600_000)],
  );
  if (counted.length === 0) return;
  if ((brake.free_left ?? 0) > 0 && brake.free_until! > work.now) {
    await work.query(
      'update scim_tokens set free_left = free_left - 1, counted_from = $2 where id = $1',
      [tokenId, work.now],
    );
    return;
  }
  const window = new Date(work.now.getTime() - brake.minutes * 60_000);
  const { counted_from: from } = brake;
  const [{ departures } = { departures: 0 }] = await work.query<{ departures: number }>(
    'select count(*)::int as departures from scim_departures where token_id = $1 and at > $2',
    [tokenId, from && from > window ? from : window],
  );
  if (!(await tooMany(work, accountId, departures, brake))) return;
  const exchange = currentExchange();
  const { number, share, minutes } = brake;
  if (exchange) exchange.excess = { departures, number, share, minutes };
  throw heldRefusal();
}

/** A directory lets a person in again: as if it had not put them out. */
export async function countReturn(
  work: Work,
  { id }: Pick<ScimCaller, 'id'>,
  userId: string,
): Promise<void> {
  await work.query('delete from scim_departures where token_id = $1 and user_id = $2', [
    id,
    userId,
  ]);
}

/** What a connection that is held is told. */
export function heldRefusal(): Refusal {
  return new Refusal('directory_held', { retryAfter: retrySeconds });
}

async function tooMany(
  work: Work,
  accountId: string,
  departures: number,
  { number, share }: Pick<BrakeLimits, 'number' | 'share'>,
): Promise<boolean> {
  if (departures > number) return true;
  if (departures <= handful) return false;
  // Of how many it is more than that share: no more of them are counted than it takes to know.
  const enough = Math.ceil((departures * 100) / share);
  const [{ people } = { people: 0 }] = await work.query<{ people: number }>(
    `select count(*)::int as people from (
       select 1 from users where account_id = $1 and affiliation = 'member' limit $2) m`,
    [accountId, enough],
  );
  return people < enough;
}

/**
 * Holds a connection that touched the brake: what it asked for was taken back, and this is kept.
 * The first to do so writes it down and tells the administrators.
 */
export async function hold(
  foundation: Foundation,
  { id, name, accountId }: ScimCaller,
  excess: Excess,
): Promise<void> {
  const actor = { type: 'scim_token', id, name } as const;
  await unitOfWork(foundation, { actor }, async (work) => {
    const [held] = await work.query(
      `update scim_tokens set held_at = $2, held = $3, kept_at = null
       where id = $1 and held_at is null and revoked_at is null returning 1`,
      [id, work.now, JSON.stringify(excess)],
    );
    if (!held) return;
    work.record('scim_token.held', { type: 'scim_token', id }, { name, ...excess }, accountId);
    const [account] = await work.query<{ name: string }>(
      'select name from accounts where id = $1',
      [accountId],
    );
    for (const reader of await administratorsOf(work, accountId))
      mail(work, toReader(reader), {
        kind: 'directory_held',
        account: account!.name,
        label: name,
        departures: excess.departures,
        minutes: excess.minutes,
        settingsLink: work.link(`/console/scim/${id}`),
      });
  });
}

export type HoldDecision = 'release' | 'keep';

/**
 * An administrator decides about a connection that is held.
 *
 * `release`: it goes on, for one window without limits, or until it has put out `allow` people.
 *
 * @throws {Refusal} `not_found`, `already_decided` when it is not held
 */
export async function decideHold(
  work: Work,
  accountId: string,
  tokenId: string,
  decision: HoldDecision,
  allow: number | null = null,
): Promise<void> {
  const [token] = await work.query<{ name: string; held_at: Date | null; minutes: number }>(
    `select name, held_at, brake_minutes as minutes from scim_tokens
     where id = $1 and account_id = $2 and revoked_at is null for no key update`,
    [tokenId, accountId],
  );
  if (!token) throw new Refusal('not_found');
  if (!token.held_at) throw new Refusal('already_decided');
  const until = new Date(work.now.getTime() + token.minutes * 60_000);
  if (decision === 'keep')
    await work.query('update scim_tokens set kept_at = $2 where id = $1', [tokenId, work.now]);
  else
    await work.query(
      `update scim_tokens set held_at = null, held = null, kept_at = null, counted_from = $2,
         free_until = $3, free_left = $4
       where id = $1`,
      // Without a number, nobody is counted until the window is over.
      [tokenId, allow === null ? until : work.now, until, allow],
    );
  work.record(
    decision === 'keep' ? 'scim_token.kept_held' : 'scim_token.released',
    { type: 'scim_token', id: tokenId },
    { name: token.name, ...(decision === 'release' && { allow }) },
    accountId,
  );
}

/**
 * Sets how many people a connection may put out. One that is held goes on where it was held for less
 * than it now may.
 *
 * @throws {Refusal} `not_found`
 */
export async function changeLimits(
  work: Work,
  accountId: string,
  tokenId: string,
  change: Partial<BrakeLimits>,
): Promise<void> {
  const [before] = await work.query<BrakeLimits & { name: string; held: Excess | null }>(
    `select name, brake_number as number, brake_share as share, brake_minutes as minutes, held
     from scim_tokens where id = $1 and account_id = $2 and revoked_at is null for no key update`,
    [tokenId, accountId],
  );
  if (!before) throw new Refusal('not_found');
  const { name, held, ...limits } = before;
  const after = { ...limits, ...change };
  await work.query(
    `update scim_tokens set brake_number = $2, brake_share = $3, brake_minutes = $4
     where id = $1`,
    [tokenId, after.number, after.share, after.minutes],
  );
  work.record(
    'scim_token.limits_changed',
    { type: 'scim_token', id: tokenId },
    { name, before: limits, after },
    accountId,
  );
  if (!held || (await tooMany(work, accountId, held.departures, after))) return;
  await work.query(
    'update scim_tokens set held_at = null, held = null, kept_at = null where id = $1',
    [tokenId],
  );
  work.record(
    'scim_token.released',
    { type: 'scim_token', id: tokenId },
    { name, by: 'limits' },
    accountId,
  );
}
