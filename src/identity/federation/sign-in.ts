import { enterDoor } from '../belonging/door.ts';
import { domainOf } from '../users/email.ts';
import { unitOfWork, type Work } from '../work.ts';
import {
  refusedWith,
  signedIn,
  type Arrival,
  type FederatedDependencies,
  type FederatedResult,
} from './arrival.ts';
import { finishAttempt } from './attempt.ts';
import { decideFederatedSignIn, type FederatedOutcome } from './decide.ts';
import { readFederatedFacts, type SignInFacts } from './facts.ts';
import { saveTrace } from './kept-traces.ts';
import { mapAssertion } from './mapping.ts';
import { hasChanges, signInQuickly } from './quick-sign-in.ts';
import { settle } from './settle.ts';
import { turnAway } from './turn-away.ts';

/**
 * Somebody comes back, and the protocol has verified what their company's provider says. Decides, does
 * what was decided, writes it down; all of it or nothing.
 *
 * Who is known and unchanged costs two reads and one write. Everybody else goes through a transaction
 * that takes the address's lock, reads again and decides again: of two first sign-ins at the same
 * moment one makes the person, and the other finds them.
 */
export async function signInFederated(
  dependencies: FederatedDependencies,
  arrival: Arrival,
): Promise<FederatedResult> {
  const { foundation } = dependencies;
  const { database, clock } = foundation;
  const { attempt, assertion } = arrival;
  const { connection } = attempt.realm;
  const mapped = mapAssertion(connection.kind, connection.mapping, assertion);
  const now = clock();
  attempt.trace.append(now, 'mapped', { ...mapped });

  const facts = await readFederatedFacts(database, { ...arrival, ...attempt, mapped, now });
  const said = decideFederatedSignIn(facts);
  if (said.outcome === 'sign_in' && !hasChanges(said, facts))
    return signInQuickly(dependencies, arrival, facts, said.userId, now);

  const result = await once(async () =>
    unitOfWork(
      foundation,
      {
        actor: facts.linked ? { type: 'user', id: facts.linked.id } : { type: 'anonymous' },
        origin: { ...arrival.origin, reference: arrival.origin.reference ?? attempt.id },
      },
      async (work) => {
        await enterDoor(work, connection.accountId, [mapped.identifier]);
        // The connection too: it may have been disabled while the person was away.
        await work.query('select 1 from connections where id = $1 for share', [connection.id]);
        const again = await readFederatedFacts(work, {
          ...arrival,
          ...attempt,
          mapped,
          now: work.now,
        });
        return carryOut(work, dependencies, arrival, again, decideFederatedSignIn(again));
      },
    ),
  );
  if (result.outcome === 'signed_in') await database.query(healthy, [connection.id, now]);
  return result;
}

/** Two at the same moment: who comes second finds what the first made. Once more is enough. */
async function once<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if ((error as { code?: string }).code !== '23505') throw error;
    return act();
  }
}

async function carryOut(
  work: Work,
  dependencies: FederatedDependencies,
  arrival: Arrival,
  facts: SignInFacts,
  said: FederatedOutcome,
): Promise<FederatedResult> {
  const { attempt } = arrival;
  const { connection } = attempt.realm;
  const { trace } = attempt;
  // Who they are in another account is that account's business.
  const elsewhere = said.outcome === 'refuse' && said.reason === 'user_in_other_account';
  trace.append(work.now, 'decided', elsewhere ? { ...said, userId: null } : { ...said });
  trace.outcome = said.outcome === 'refuse' ? said.reason : said.outcome;
  trace.userId = 'userId' in said && !elsewhere ? said.userId : null;

  if (said.outcome === 'ask' || said.outcome === 'step_up') {
    await saveTrace(work, trace);
    if (said.outcome === 'step_up')
      work.record(
        'identity.link_challenged',
        { type: 'user', id: said.userId },
        { connection: connection.id, attempt: attempt.id },
        connection.accountId,
      );
    return said;
  }
  if (!(await finishAttempt(work, attempt.id, work.now)))
    return refusedWith('link_withdrawn', null);
  if (said.outcome === 'refuse' || said.outcome === 'rejoin')
    return turnAway(work, arrival, facts, said);

  const userId = await settle(work, arrival, facts, said);
  trace.userId = userId;
  await saveTrace(work, trace);
  const result = signedIn(dependencies, arrival, userId, work.now);
  await work.query(succeeded, [
    connection.id,
    userId,
    arrival.assertion.issuer,
    arrival.assertion.subject,
    facts.bound ? domainOf(facts.mapped.identifier!) : null,
    work.now,
    result.lacksFactor,
  ]);
  if (!result.lacksFactor)
    work.record(
      'sign_in.succeeded',
      { type: 'user', id: userId },
      { method: 'federated', connection: connection.id, client: arrival.clientId },
      connection.accountId,
    );
  return result;
}

/**
 * $1 connection, $2 person, $3 issuer, $4 subject, $5 the domain it stands on now, $6 now, $7 whether a
 * second factor is still to be shown.
 */
const succeeded = `
  with link as (
    update federated_links set last_used_at = $6, domain = coalesce($5, domain)
    where connection_id = $1 and issuer = $3 and subject = $4 and unlinked_at is null
  )
  update users set last_login_at = $6 where id = $2 and not $7::boolean`;

/**
 * That the provider works, noted once a minute at most. Not in the transaction of a first sign-in, which
 * keeps the connection's row as it is: of two at once, each would wait for the other.
 */
const healthy = `
  update connections set failures = 0, failing_since = null, last_success_at = $2
  where id = $1 and (failures > 0 or last_success_at is null
    or last_success_at < $2::timestamptz - interval '1 minute')`;
