import { openApproval } from '../belonging/open-approval.ts';
import { domainOf } from '../users/email.ts';
import { findPerson } from '../users/person.ts';
import type { Work } from '../work.ts';
import { refusedWith, type Arrival, type FederatedResult } from './arrival.ts';
import { conflictReasons, openConflict } from './conflicts.ts';
import type { FederatedOutcome } from './decide.ts';
import type { SignInFacts } from './facts.ts';
import { saveTrace } from './kept-traces.ts';

/** Nobody comes in: no person, no link, no session; one row that says why (security.md section 6). */
export async function turnAway(
  work: Work,
  { attempt, assertion }: Arrival,
  facts: SignInFacts,
  said: Extract<FederatedOutcome, { outcome: 'refuse' | 'rejoin' }>,
): Promise<FederatedResult> {
  const { connection } = attempt.realm;
  const reason = said.outcome === 'rejoin' ? 'removed' : said.reason;
  await saveTrace(work, attempt.trace);
  work.record(
    'federation.refused',
    { type: 'connection', id: connection.id },
    {
      reason,
      attempt: attempt.id,
      // Who they are in another account is that account's business.
      user: reason === 'user_in_other_account' ? null : said.userId,
      subject: assertion.subject.slice(0, 255),
      ...(said.outcome === 'refuse' && said.lock && { lock: said.lock }),
      ...(said.outcome === 'refuse' && said.missing && { missing: said.missing }),
    },
    connection.accountId,
  );
  // Another company's provider speaks about people of this domain: its owner is to know, and not who.
  const owner = facts.address?.owner;
  if (reason === 'domain_owned_by_other' && owner)
    work.record(
      'security.foreign_assertion',
      { type: 'domain', id: domainOf(facts.mapped.identifier!) },
      {},
      owner.id,
    );
  await putBeforeAdministrators(work, attempt, facts, said);
  if (said.outcome === 'rejoin')
    await openApproval(work, {
      userId: said.userId,
      accountId: connection.accountId,
      source: 'rejoin',
    });
  const person = said.userId === null ? null : await findPerson(work, said.userId, work.now);
  return {
    ...refusedWith(reason, person),
    lock: (said.outcome === 'refuse' && said.lock) || null,
    missing: (said.outcome === 'refuse' && said.missing) || [],
  };
}

/** Where an administrator has to decide: the connection's, and whose person it is (security.md 3.3). */
async function putBeforeAdministrators(
  work: Work,
  { id: traceId, realm: { connection } }: Arrival['attempt'],
  { linked, holder, formerUserId, mapped }: SignInFacts,
  said: Extract<FederatedOutcome, { outcome: 'refuse' | 'rejoin' }>,
): Promise<void> {
  const reason = conflictReasons.find((one) => said.outcome === 'refuse' && one === said.reason);
  const person = linked ?? holder;
  const userId = said.userId ?? formerUserId;
  if (!reason || userId === null) return;
  const email = mapped.identifier ?? '';
  const { accountId, id: connectionId } = connection;
  await openConflict(work, { accountId, connectionId, reason, userId, email, traceId });
  if (reason !== 'user_in_other_account' || !person?.accountId) return;
  work.record(
    'federation.member_elsewhere',
    { type: 'user', id: person.id },
    { domain: domainOf(email) },
    person.accountId,
  );
  await openConflict(work, {
    accountId: person.accountId,
    connectionId: null,
    reason: 'member_elsewhere',
    userId: person.id,
    email,
    traceId: null,
  });
}
