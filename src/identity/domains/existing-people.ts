import type { Sql } from '#platform/database/sql.ts';
import type { Asking, PermittedAccount } from '../access/rights.ts';
import { addToAccount, requestTransfer } from '../belonging/add.ts';
import { decideApprovals, type Decided } from '../belonging/approvals.ts';
import { openApproval } from '../belonging/open-approval.ts';
import { enterDoor } from '../belonging/door.ts';
import { defaultsOf } from '../belonging/given.ts';
import { Refusal } from '../refusal.ts';
import { tentatively, type Work } from '../work.ts';
import { automationIsOff, isStrong, takeOwnedDomain } from './domain.ts';

/** How many are decided about at once (behaviour.md F04). */
const atOnce = 200;

/** How many wait at an account for somebody to approve them, of one domain. */
export async function countWaiting(sql: Sql, accountId: string, name: string): Promise<number> {
  return (await countWaitingByDomain(sql, accountId)).get(name) ?? 0;
}

export async function countWaitingByDomain(
  sql: Sql,
  accountId: string,
): Promise<Map<string, number>> {
  const rows = await sql.query<{ name: string; count: number }>(
    `select split_part(u.email, '@', 2) as name, count(*)::int as count
     from approval_requests q join users u on u.id = q.user_id
     where q.account_id = $1 and q.state = 'open' and u.email is not null group by 1`,
    [accountId],
  );
  return new Map(rows.map(({ name, count }) => [name, count]));
}

/**
 * Lets in those of a domain who wait: what is offered when auto-approval is switched on, and is never
 * done by it (behaviour.md F03). Each is judged for itself. The longest wait first, 200 at once.
 */
export async function approveWaiting(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  name: string,
): Promise<{ items: Decided[]; left: number }> {
  await takeOwnedDomain(work, account.id, name);
  const { roles, groups } = await defaultsOf(work, `@${name}`, account.id);
  const waiting = await work.query<{ id: string }>(
    `select q.id from approval_requests q join users u on u.id = q.user_id
     where q.account_id = $1 and q.state = 'open' and split_part(u.email, '@', 2) = $2
     order by q.requested_at, q.id limit $3`,
    [account.id, name, atOnce],
  );
  const { items } = await decideApprovals(work, asking, account, {
    ids: waiting.map(({ id }) => id),
    decision: 'approve',
    roles,
    groups,
  });
  return { items, left: await countWaiting(work, account.id, name) };
}

/**
 * Takes in people of a domain who registered before it was owned and belong to nobody: they wait for
 * approval like everybody else, or, where auto-approval is on, are members. Nobody who was removed
 * from an account, is locked, or belongs to another is touched (behaviour.md 3.4).
 *
 * @throws {Refusal} `domain_not_found`, `domain_not_owned`, `invalid_value` for members without
 *   auto-approval
 */
export async function takeInExisting(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  name: string,
  as: 'requests' | 'members',
): Promise<{ taken: number; left: number }> {
  const domain = await takeOwnedDomain(work, account.id, name);
  if (domain.state === 'lapsed') throw new Refusal('domain_not_owned', { domain: name });
  if (as === 'members' && (domain.signup !== 'auto' || automationIsOff(domain, work.now)))
    throw new Refusal('invalid_value', { domain: name, why: 'auto_approval_is_off' });
  const before = await unaffiliated(work, name, atOnce);
  await enterDoor(
    work,
    account.id,
    before.map(({ email }) => email),
  );
  // Looked at again, now that nobody else moves them.
  const known = new Set(before.map(({ id }) => id));
  const people = (await unaffiliated(work, name, atOnce)).filter(({ id }) => known.has(id));
  // Their own country comes before the domain's, which is looked up for who has none of the account's.
  const { roles, groups } = await defaultsOf(work, `@${name}`, account.id);
  for (const { id } of people)
    if (as === 'members') await addToAccount(work, asking, account, id, { roles, groups });
    else await openApproval(work, { userId: id, accountId: account.id, source: 'registration' });
  return { taken: people.length, left: (await unaffiliated(work, name, 10_000)).length };
}

/**
 * Asks people of a domain who belong to other accounts to come over, or to take another address
 * (behaviour.md 3.4, M25). Nothing moves but by their own act. Who was asked already is not asked
 * again, nor anybody whom the verdict lets nobody ask. Some at once: `left` says how many remain.
 *
 * @throws {Refusal} `domain_not_found`, `domain_not_owned`, `domain_not_proved` by a mail alone
 */
export async function askElsewhere(
  work: Work,
  account: PermittedAccount,
  name: string,
): Promise<{ taken: number; left: number }> {
  const domain = await takeOwnedDomain(work, account.id, name);
  if (domain.state !== 'owned') throw new Refusal('domain_not_owned', { domain: name });
  if (!isStrong(domain.proof)) throw new Refusal('domain_not_proved', { domain: name });
  const people = await elsewhere(work, account.id, name, atOnce);
  let taken = 0;
  for (const { id } of people)
    try {
      await tentatively(work, (part) => requestTransfer(part, account, id));
      taken += 1;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  return { taken, left: (await elsewhere(work, account.id, name, 10_000)).length };
}

function elsewhere(
  work: Work,
  accountId: string,
  name: string,
  limit: number,
): Promise<{ id: string }[]> {
  return work.query(
    `select u.id from users u
     where split_part(u.email, '@', 2) = $2 and u.email is not null and u.identity <> 'erased'
       and u.affiliation = 'member' and u.account_id <> $1
       and not exists (select from invitations i
         where i.email = u.email and i.account_id = $1 and i.state = 'pending')
     order by u.email limit $3`,
    [accountId, name, limit],
  );
}

function unaffiliated(
  work: Work,
  name: string,
  limit: number,
): Promise<{ id: string; email: string }[]> {
  return work.query(
    `select u.id, u.email from users u
     where split_part(u.email, '@', 2) = $1 and u.email is not null and u.identity = 'ready'
       and u.affiliation = 'none'
       and not exists (select from user_locks l where l.user_id = u.id and l.released_at is null)
       -- An operator is taken into no account: see the verdict.
       and not exists (select from role_assignments r where r.user_id = u.id and r.role = 'operator')
     order by u.email limit $2`,
    [name, limit],
  );
}
