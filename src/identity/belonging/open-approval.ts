import { newId } from '#platform/ids.ts';
import { readFacts } from '../verdict/facts.ts';
import { verdict } from '../verdict/verdict.ts';
import type { Work } from '../work.ts';
import { remind } from './remind.ts';

export const approvalSources = ['registration', 'rejoin', 'federated'] as const;
export type ApprovalSource = (typeof approvalSources)[number];

/**
 * A person waits for an account to let them in. One request at a time; the administrators are told
 * of the first in the queue (behaviour.md U9).
 */
export async function openApproval(
  work: Work,
  request: { userId: string; accountId: string; source: ApprovalSource; clientId?: string | null },
): Promise<void> {
  const { userId, accountId, source, clientId = null } = request;
  const id = newId(work.now.getTime());
  const opened = await work.query(
    `insert into approval_requests (id, user_id, account_id, source, client_id, requested_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (user_id) where state = 'open' do nothing returning 1`,
    [id, userId, accountId, source, clientId, work.now],
  );
  if (opened.length === 0) return;
  await work.query(
    `update users set affiliation = 'pending', updated_at = $2
     where id = $1 and affiliation = 'none'`,
    [userId, work.now],
  );
  work.record('approval.requested', { type: 'approval', id }, { user: userId, source }, accountId);
  await remind(work, accountId);
}

/**
 * The owner of a domain is another now, or there is none: requests of its people at other accounts
 * are closed, and begin anew at the new owner (behaviour.md U13). For whoever changes an owner.
 */
export async function moveApprovals(work: Work, domain: string): Promise<void> {
  const open = await work.query<{
    id: string;
    user_id: string;
    account_id: string;
    email: string;
    source: ApprovalSource;
  }>(
    `select q.id, q.user_id, q.account_id, u.email, q.source
     from approval_requests q join users u on u.id = q.user_id
     where q.state = 'open' and split_part(u.email, '@', 2) = $1
       and not exists (select from domains d where d.name = $1 and d.account_id = q.account_id
         and d.state in ('owned', 'at_risk', 'lapsed'))
     order by u.email for update of u`,
    [domain],
  );
  for (const { id, user_id: userId, account_id: accountId, email, source } of open) {
    await supersede(work, { id, userId, accountId });
    await settleElsewhere(work, { userId, email, source });
  }
}

/** Decided by nobody: it went elsewhere. */
export async function supersede(
  work: Work,
  { id, userId, accountId }: { id: string; userId: string; accountId: string },
): Promise<void> {
  await work.query(
    `update approval_requests set state = 'superseded', decided_at = $2, decided_by = $3 where id = $1`,
    [id, work.now, JSON.stringify(work.actor)],
  );
  await work.query(
    `update users set affiliation = 'none', updated_at = $2
     where id = $1 and affiliation = 'pending'`,
    [userId, work.now],
  );
  work.record('approval.superseded', { type: 'approval', id }, { user: userId }, accountId);
}

/** A request never moves into membership by itself, not even where the new owner approves by rule. */
export async function settleElsewhere(
  work: Work,
  { userId, email, source }: { userId: string; email: string; source: ApprovalSource },
): Promise<void> {
  const said = verdict('settling', await readFacts(work, email, null, work.now));
  if (said.joins !== null) await openApproval(work, { userId, accountId: said.joins, source });
}
