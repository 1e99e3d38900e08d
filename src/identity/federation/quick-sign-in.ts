import { domainOf } from '../users/email.ts';
import { personJson, type Person } from '../users/person.ts';
import {
  refusedWith,
  signedIn,
  type Arrival,
  type FederatedDependencies,
  type FederatedResult,
} from './arrival.ts';
import type { FederatedOutcome } from './decide.ts';
import type { SignInFacts } from './facts.ts';
import { grantsToChange, type GrantChanges } from './grants.ts';
import { savedTrace, traceParams } from './kept-traces.ts';
import { emailOf, profileChanges } from './profile.ts';

/** Somebody known, of whom nothing changed: one statement. */
export async function signInQuickly(
  dependencies: FederatedDependencies,
  arrival: Arrival,
  facts: SignInFacts,
  userId: string,
  now: Date,
): Promise<FederatedResult> {
  const { foundation } = dependencies;
  const { attempt, assertion, origin, clientId } = arrival;
  const { connection } = attempt.realm;
  attempt.trace.append(now, 'decided', { outcome: 'sign_in', userId });
  attempt.trace.outcome = 'sign_in';
  attempt.trace.userId = userId;
  const result = signedIn(dependencies, arrival, userId, now);
  const [row] = await foundation.database.query<{ done: boolean; person: Person | null }>(quick, [
    connection.id,
    userId,
    assertion.issuer,
    assertion.subject,
    facts.bound ? domainOf(facts.mapped.identifier!) : null,
    now,
    attempt.id,
    connection.accountId,
    JSON.stringify({ type: 'user', id: userId }),
    JSON.stringify({ method: 'federated', connection: connection.id, client: clientId }),
    origin.ip ?? null,
    origin.userAgent ?? null,
    origin.reference ?? null,
    result.lacksFactor,
    ...traceParams(attempt.trace),
  ]);
  if (!row!.done) return refusedWith('link_withdrawn', null);
  return { ...result, person: row!.person };
}

/** As `succeeded` of sign-in.ts, with what uses the attempt up, the audit row and the trace; nothing where it was used up. */
const quick = `
  with attempt as (
    update federated_attempts set finished_at = $6, received = null
    where id = $7 and finished_at is null returning 1
  ), link as (
    update federated_links set last_used_at = $6, domain = coalesce($5, domain)
    where connection_id = $1 and issuer = $3 and subject = $4 and unlinked_at is null
      and exists (select from attempt)
    returning 1
  ), healthy as (
    update connections set failures = 0, failing_since = null, last_success_at = $6
    where id = $1 and exists (select from attempt) and (failures > 0 or last_success_at is null
      or last_success_at < $6::timestamptz - interval '1 minute')
  ), seen as (
    update users set last_login_at = $6
    where id = $2::uuid and exists (select from link) and not $14::boolean
  ), written as (
    insert into audit_events
      (at, account_id, actor, action, target_type, target_id, details, ip, user_agent, reference)
    select $6, $8::uuid, $9::jsonb, 'sign_in.succeeded', 'user', $2::text, $10::jsonb, $11::text,
           $12::text, $13::text
    from link where not $14
  ), traced as (
    ${savedTrace(15, 'exists (select from link)')}
  )
  select exists (select from link) as done, ${personJson('$2::uuid', '$6::timestamptz')} as person`;

/** Whether the sign-in of somebody known would write more about them than that it was. */
export function hasChanges(
  said: Extract<FederatedOutcome, { outcome: 'sign_in' }>,
  facts: SignInFacts,
): boolean {
  const { linked, connection, mapped } = facts;
  return (
    emailOf(said, linked!) === 'update' ||
    said.email === 'conflict' ||
    profileChanges(facts, linked!).length > 0 ||
    !isEmpty(grantsToChange(connection.mapping, mapped, linked)) ||
    (linked!.entitlementCountry === null && mapped.country !== null)
  );
}

function isEmpty({ groups, roles }: GrantChanges): boolean {
  return [groups.add, groups.remove, roles.add, roles.remove].every((list) => list.length === 0);
}
