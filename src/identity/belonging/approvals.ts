import type { Sql } from '#platform/database/sql.ts';
import { newId } from '#platform/ids.ts';
import { administratorNames } from '../accounts/administrators.ts';
import type { Asking, PermittedAccount } from '../access/rights.ts';
import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import { Refusal, refusals, type RefusalCode } from '../refusal.ts';
import { affiliate } from '../users/affiliate.ts';
import { unlockUser } from '../users/lock.ts';
import { findPerson } from '../users/person.ts';
import { readFacts } from '../verdict/facts.ts';
import { verdict } from '../verdict/verdict.ts';
import type { Work } from '../work.ts';
import { enterDoor } from './door.ts';
import { entitledHere, give, requireGiveable, type Given } from './given.ts';
import { settleElsewhere, supersede, type ApprovalSource } from './open-approval.ts';

/** How long a request waits at most (behaviour.md section 2.4). */
export const approvalLife = 90 * 24 * 3600_000;

export interface ApprovalRequest {
  id: string;
  userId: string;
  email: string;
  givenName: string;
  familyName: string;
  country: string | null;
  domain: string;
  source: ApprovalSource;
  /** The application they registered from. */
  client: { id: string; name: string } | null;
  state: 'open' | 'approved' | 'rejected' | 'superseded' | 'expired';
  requestedAt: Date;
}

/** The queue of an account, the longest wait first. */
export function listApprovals(
  sql: Sql,
  accountId: string,
  {
    after,
    limit,
    state = 'open',
    ids,
  }: { after: string | null; limit: number; state?: string; ids?: readonly string[] },
): Promise<ApprovalRequest[]> {
  return sql.query<ApprovalRequest>(
    `select q.id, q.user_id as "userId", u.email_display as email, u.given_name as "givenName",
       u.family_name as "familyName", u.country, split_part(u.email, '@', 2) as domain, q.source,
       case when q.client_id is not null then jsonb_build_object(
         'id', q.client_id, 'name', coalesce(c.name, q.client_id)) end as client,
       q.state, q.requested_at as "requestedAt"
     from approval_requests q
     join users u on u.id = q.user_id
     left join clients c on c.id = q.client_id
     where q.account_id = $1 and q.state = $2 and ($3::uuid is null or q.id > $3::uuid)
       and ($5::uuid[] is null or q.id = any ($5))
     order by q.id limit $4`,
    [accountId, state, after, limit, ids ? [...ids] : null],
  );
}

export interface Decision extends Given {
  ids: readonly string[];
  decision: 'approve' | 'reject';
  /** For administrators. */
  note?: string | undefined;
  /** For the person, in the mail. */
  message?: string | undefined;
}

export interface Decided {
  id: string;
  userId: string | null;
  email: string | null;
  result: 'approved' | 'rejected' | 'refused';
  code: RefusalCode | null;
  message: string | null;
  /** Who decided first, where that was somebody else. */
  decidedBy: string | null;
  decidedAt: Date | null;
}

/**
 * Decides about several who wait; each is looked at again and answered for itself. All of them carry
 * one batch id in the audit log.
 *
 * @throws {Refusal} for what is wrong with the decision itself, such as a role that cannot be given.
 */
export async function decideApprovals(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  decision: Decision,
): Promise<{ batchId: string; items: Decided[] }> {
  const batchId = (work.origin.batchId ??= newId(work.now.getTime()));
  const given = await requireGiveable(work, asking, account, decision);
  const ids = [...new Set(decision.ids)];
  const wanted = await work.query<{ id: string; user_id: string; email: string | null }>(
    `select q.id, q.user_id, u.email from approval_requests q join users u on u.id = q.user_id
     where q.account_id = $1 and q.id = any ($2::uuid[])`,
    [account.id, ids],
  );
  await enterDoor(
    work,
    account.id,
    wanted.map(({ email }) => email),
  );
  const items: Decided[] = [];
  for (const id of ids) {
    const request = wanted.find((one) => one.id === id);
    items.push(
      request
        ? await decide(work, asking, account, request, decision, given)
        : { ...nothing, id, code: 'not_found', message: refusals.not_found },
    );
  }
  return { batchId, items };
}

const nothing = {
  userId: null,
  email: null,
  result: 'refused',
  code: null,
  message: null,
  decidedBy: null,
  decidedAt: null,
} as const;

async function decide(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  request: { id: string; user_id: string; email: string | null },
  { decision, note, message }: Decision,
  given: Awaited<ReturnType<typeof requireGiveable>>,
): Promise<Decided> {
  const { id, user_id: userId, email } = request;
  const refused = (code: RefusalCode, more: Partial<Decided> = {}): Decided => ({
    ...nothing,
    id,
    userId,
    email,
    code,
    message: refusals[code],
    ...more,
  });
  const [row] = await work.query<{
    state: ApprovalRequest['state'];
    source: ApprovalSource;
    decided_at: Date | null;
    decided_by: Decider | null;
  }>(
    'select state, source, decided_at, decided_by from approval_requests where id = $1 for update',
    [id],
  );
  if (row!.state === 'superseded' || row!.state === 'expired') return refused('request_superseded');
  if (row!.state !== 'open') {
    const by = await nameOfDecider(work, row!.decided_by);
    return refused('already_decided', {
      message: `${by ?? 'Somebody'} ${row!.state} this on ${atTime(row!.decided_at!)}.`,
      decidedBy: by,
      decidedAt: row!.decided_at,
    });
  }

  const facts = await readFacts(work, email, account.id, work.now);
  const said = verdict('approval', facts);
  if (said.code === 'domain_not_owned') {
    await supersede(work, { id, userId, accountId: account.id });
    await settleElsewhere(work, { userId, email: email!, source: row!.source });
    return refused('request_superseded');
  }
  if (said.outcome === 'refuse' && (decision === 'approve' || said.code === 'account_on_hold'))
    return refused(said.code!);

  await work.query(
    `update approval_requests set state = $2, decided_at = $3, decided_by = $4, note = $5, message = $6
     where id = $1`,
    [
      id,
      decision === 'approve' ? 'approved' : 'rejected',
      work.now,
      JSON.stringify(work.actor),
      note ?? null,
      message ?? null,
    ],
  );
  const person = (await findPerson(work, userId, work.now))!;
  const to = toPerson(person, { email: email! });
  const administrators = await administratorNames(work, account.id);
  if (decision === 'reject') {
    await work.query(
      `update users set affiliation = 'none', updated_at = $2
       where id = $1 and affiliation = 'pending'`,
      [userId, work.now],
    );
    work.record(
      'approval.rejected',
      { type: 'user', id: userId },
      { request: id, note },
      account.id,
    );
    mail(work, to, {
      kind: 'rejected',
      account: account.name,
      message: message ?? null,
      administrators,
    });
    return { ...nothing, id, userId, email, result: 'rejected' };
  }
  await affiliate(work, userId, account.id, 'approval', {
    entitlementCountry: entitledHere(facts, given.entitlementCountry, person.country),
    by: id,
  });
  await give(work, asking, userId, account.id, given);
  // Who was removed and asked to return is let in with all that belongs to it.
  if (row!.source === 'rejoin') await unlockUser(work, userId, ['unaffiliated'], account.id);
  work.record('approval.approved', { type: 'user', id: userId }, { request: id, note }, account.id);
  mail(work, to, {
    kind: 'approved',
    account: account.name,
    administrators,
    signInLink: work.link('/'),
  });
  return { ...nothing, id, userId, email, result: 'approved' };
}

/** Requests that waited too long. Returns how many. */
export async function expireApprovals(work: Work): Promise<number> {
  const before = new Date(work.now.getTime() - approvalLife);
  // People before requests, the order in which every door takes them.
  await work.query(
    `select 1 from users where id in (
       select user_id from approval_requests where state = 'open' and requested_at < $1)
     order by id for update`,
    [before],
  );
  const rows = await work.query<{ id: string; user_id: string; account_id: string }>(
    `update approval_requests set state = 'expired', decided_at = $1, decided_by = $3
     where state = 'open' and requested_at < $2
     returning id, user_id, account_id`,
    [work.now, before, JSON.stringify(work.actor)],
  );
  for (const { id, user_id: userId, account_id: accountId } of rows) {
    await work.query(
      `update users set affiliation = 'none', updated_at = $2
       where id = $1 and affiliation = 'pending'`,
      [userId, work.now],
    );
    work.record('approval.expired', { type: 'approval', id }, { user: userId }, accountId);
  }
  return rows.length;
}

interface Decider {
  type: string;
  id?: string;
  name?: string;
}

async function nameOfDecider(work: Work, decider: Decider | null): Promise<string | null> {
  if (decider?.type !== 'user') return decider?.name ?? null;
  const person = decider.id && (await findPerson(work, decider.id, work.now));
  return person ? `${person.givenName} ${person.familyName}`.trim() || person.email : null;
}

function atTime(date: Date): string {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** The one refusal of a decision about one request alone. */
export function refusalOfOne({ items }: { items: readonly Decided[] }): Refusal | null {
  const [item] = items;
  if (items.length !== 1 || item?.code === null || item === undefined) return null;
  const { code, message, decidedBy, decidedAt } = item;
  return new Refusal(code, { decidedBy, decidedAt }, [], message);
}
