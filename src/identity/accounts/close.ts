import { closeOwnership } from '../domains/close-ownership.ts';
import { disableConnections } from '../federation/account-changes.ts';
import { domainById } from '../domains/domain.ts';
import { Refusal } from '../refusal.ts';
import { takeOut } from '../users/affiliate.ts';
import { unitOfWork, type Foundation, type Work } from '../work.ts';
import type { AccountStatus } from './account.ts';
import { lookingAfter, notice } from './notice.ts';

const day = 24 * 3600_000;

/** How long an account is `closing`: so long it can be kept. */
export const closingTime = 30 * day;

/** How many people leave in one transaction. */
const batch = 50;

interface Closing {
  id: string;
  name: string;
  status: AccountStatus;
}

/**
 * Begins to close an account (behaviour.md A5). Nobody joins it from now on, and applications that
 * need an active account refuse its people; in thirty days they leave it, unless it is kept.
 *
 * @throws {Refusal} `account_not_found`, `account_closed`
 */
export async function closeAccount(
  work: Work,
  accountId: string,
  reason: string,
  after = closingTime,
): Promise<Date> {
  const account = await lockAccount(work, accountId);
  if (account.status !== 'active' && account.status !== 'on_hold')
    throw new Refusal('account_closed', { status: account.status });
  const closesAt = new Date(work.now.getTime() + after);
  await work.query(
    `update accounts set status = 'closing', closes_at = $2, closing_reason = $3, updated_at = $4,
       version = version + 1
     where id = $1`,
    [accountId, closesAt, reason, work.now],
  );
  work.record(
    'account.closing',
    { type: 'account', id: accountId },
    { before: account.status, reason, closesAt: closesAt.toISOString() },
    accountId,
  );
  await notice(work, await lookingAfter(work, accountId), account.name, 'closing', {
    message: reason,
    closesAt,
  });
  return closesAt;
}

/**
 * Keeps an account that is closing. One that was on hold is so again.
 *
 * @throws {Refusal} `account_not_found`, `account_closed` when it is too late
 */
export async function keepAccount(work: Work, accountId: string): Promise<void> {
  const account = await lockAccount(work, accountId);
  if (account.status !== 'closing') throw new Refusal('account_closed', { status: account.status });
  const [kept] = await work.query<{ status: AccountStatus; reason: string | null }>(
    `update accounts set status = case when held_at is null then 'active' else 'on_hold' end,
       closes_at = null, closing_reason = null, updated_at = $2, version = version + 1
     where id = $1 and closes_at > $2 returning status, hold_reason as reason`,
    [accountId, work.now],
  );
  if (!kept) throw new Refusal('account_closed', { status: account.status });
  work.record(
    'account.closing_cancelled',
    { type: 'account', id: accountId },
    { status: kept.status },
    accountId,
  );
  // They were told that it closes: one that was on hold before is so again, and goes on.
  const people = await lookingAfter(work, accountId);
  if (kept.status === 'active') await notice(work, people, account.name, 'resumed');
  else await notice(work, people, account.name, 'on_hold', { message: kept.reason });
}

/**
 * Goes on with the accounts whose time is over: people leave, some in each transaction, so that a
 * crash loses nothing; when nobody is left, what the account had is given up and it is closed.
 *
 * Returns whether there is more to do.
 */
export async function closeDueAccounts(foundation: Foundation): Promise<boolean> {
  const actor = { type: 'system', id: 'closing' } as const;
  return unitOfWork(foundation, { actor }, async (work) => {
    const [account] = await work.query<Closing>(
      `select id, name, status from accounts where status = 'closing' and closes_at <= $1
       order by closes_at limit 1 for no key update skip locked`,
      [work.now],
    );
    if (!account) return false;
    const people = await work.query<{ id: string; affiliation: string }>(
      'select id, affiliation from users where account_id = $1 order by id limit $2',
      [account.id, batch],
    );
    if (people.length === 0) await giveUp(work, account);
    else await tellLast(work, account);
    for (const { id, affiliation } of people)
      if (affiliation === 'member') await takeOut(work, id, account.id, 'account_closed');
      else await leaveUnjoined(work, id, account.id);
    return true;
  });
}

/** Who was invited and never came belongs to nobody. */
async function leaveUnjoined(work: Work, userId: string, accountId: string): Promise<void> {
  await work.query(
    `delete from group_members m using groups g
     where g.id = m.group_id and g.account_id = $2 and m.user_id = $1`,
    [userId, accountId],
  );
  await work.query('delete from role_assignments where user_id = $1 and account_id = $2', [
    userId,
    accountId,
  ]);
  await work.query(
    `update users set affiliation = 'none', account_id = null, entitlement_country = null,
       entitlement_pinned = false, updated_at = $2, version = version + 1
     where id = $1`,
    [userId, work.now],
  );
}

/** While there still is somebody who looks after it. The same letter is sent once. */
async function tellLast(work: Work, account: Closing): Promise<void> {
  const people = await lookingAfter(work, account.id);
  await notice(work, people, account.name, 'closed', { once: `account_closed:${account.id}` });
}

async function giveUp(work: Work, { id, name }: Closing): Promise<void> {
  const counted = async (text: string): Promise<number> =>
    (await work.query(text, [id, work.now])).length;
  const given = {
    domains: await giveUpDomains(work, id),
    tokens: await counted(
      `update api_tokens set revoked_at = $2 where account_id = $1 and revoked_at is null
       returning 1`,
    ),
    directories: await counted(
      `update scim_tokens set revoked_at = $2 where account_id = $1 and revoked_at is null
       returning 1`,
    ),
    webhooks: await counted(
      `update webhooks set state = 'paused', updated_at = $2
       where account_id = $1 and state <> 'paused' returning 1`,
    ),
    invitations: await counted(
      `update invitations set state = 'revoked', decided_at = $2, secret_hash = null
       where account_id = $1 and state = 'pending' returning 1`,
    ),
    approvals: await supersedeApprovals(work, id),
  };
  await work.query(
    `update domain_requests set state = 'withdrawn', decided_at = $2
     where (owner_id = $1 or claimant_id = $1) and state in ('open', 'granted')`,
    [id, work.now],
  );
  await work.query('delete from fulfillment_contacts where account_id = $1', [id]);
  await work.query(
    `update accounts set status = 'closed', hold_reason = null, held_at = null, updated_at = $2,
       version = version + 1
     where id = $1`,
    [id, work.now],
  );
  work.record('account.closed', { type: 'account', id }, { name, ...given }, id);
}

async function giveUpDomains(work: Work, accountId: string): Promise<number> {
  const owned = await work.query<{ id: string }>(
    `select id from domains where account_id = $1 and state in ('owned', 'at_risk', 'lapsed')
     order by name`,
    [accountId],
  );
  await disableConnections(work, accountId, 'account closed');
  for (const { id } of owned) await closeOwnership(work, await domainById(work, id), null);
  await work.query(
    `update domains set state = 'cancelled', next_check_at = null, version = version + 1
     where account_id = $1 and state in ('listed', 'pending', 'contested')`,
    [accountId],
  );
  return owned.length;
}

/** Who waits for an account that ends waits no more. */
async function supersedeApprovals(work: Work, accountId: string): Promise<number> {
  const rows = await work.query<{ user_id: string }>(
    `update approval_requests set state = 'superseded', decided_at = $2, decided_by = $3
     where account_id = $1 and state = 'open' returning user_id`,
    [accountId, work.now, JSON.stringify(work.actor)],
  );
  await work.query(
    `update users set affiliation = 'none', updated_at = $2, version = version + 1
     where id = any ($1::uuid[]) and affiliation = 'pending'`,
    [rows.map(({ user_id }) => user_id), work.now],
  );
  return rows.length;
}

async function lockAccount(work: Work, accountId: string): Promise<Closing> {
  const [account] = await work.query<Closing>(
    'select id, name, status from accounts where id = $1 for no key update',
    [accountId],
  );
  if (!account) throw new Refusal('account_not_found');
  return account;
}
