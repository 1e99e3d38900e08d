import { newId } from '#platform/ids.ts';
import { defaultsOf, entitledIn, give } from '../belonging/given.ts';
import { enterDoor } from '../belonging/door.ts';
import { openApproval } from '../belonging/open-approval.ts';
import { mail } from '../mail/letter.ts';
import { affiliate } from '../users/affiliate.ts';
import { claims } from '../scim/authority.ts';
import { createUser } from '../users/create-user.ts';
import { domainOf } from '../users/email.ts';
import { adoptUpstreamCountry } from '../users/entitlement.ts';
import { unlockUser } from '../users/lock.ts';
import { findPerson, type Person } from '../users/person.ts';
import { revokeAccess } from '../users/revoke.ts';
import { unitOfWork, type Foundation, type Origin, type Work } from '../work.ts';
import { lacksFactorBeside } from '../sign-in/assurance.ts';
import type { UpstreamAssertion } from './assertion.ts';
import { finishAttempt, type Attempt } from './attempt.ts';
import {
  decideFederatedSignIn,
  type FederatedFacts,
  type FederatedOutcome,
  type FederatedRefusal,
} from './decide.ts';
import { readFederatedFacts, type KnownPerson, type SignInFacts } from './facts.ts';
import { grantsToChange, giveAndTake, type GrantChanges } from './grants.ts';
import { savedTrace, saveTrace, traceParams } from './kept-traces.ts';
import { forSignOut } from './logout.ts';
import { mapAssertion } from './mapping.ts';
import { attributeIn, emailOf, languageOf, profileChanges } from './profile.ts';
import type { Federation } from './standing.ts';

export interface FederatedDependencies {
  foundation: Foundation;
  /** Seconds for which a provider's word is good: behaviour.md F31. */
  ceiling: number;
}

export interface Arrival {
  attempt: Attempt;
  assertion: UpstreamAssertion;
  clientId: string | null;
  origin: Origin;
  filledIn?: FederatedFacts['filledIn'];
  steppedUp?: boolean;
}

/** What came of it, for whoever shows it. */
export type FederatedResult =
  | {
      outcome: 'signed_in';
      userId: string;
      federation: Federation;
      /** A second factor is to be shown here beside: only then the sign-in is done, and written down. */
      lacksFactor: boolean;
    }
  | Extract<FederatedOutcome, { outcome: 'ask' | 'step_up' }>
  | {
      outcome: 'refused';
      reason: FederatedRefusal;
      person: Person | null;
      lock: Extract<FederatedOutcome, { outcome: 'refuse' }>['lock'] | null;
      missing: readonly string[];
    };

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
  trace.append(work.now, 'decided', { ...said });
  trace.outcome = said.outcome === 'refuse' ? said.reason : said.outcome;
  trace.userId = 'userId' in said ? said.userId : null;

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

/** Somebody known, of whom nothing changed: one statement. */
async function signInQuickly(
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
  const [row] = await foundation.database.query<{ done: boolean }>(quick, [
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
  return result;
}

/**
 * That the provider works, noted once a minute at most. Not in the transaction of a first sign-in, which
 * keeps the connection's row as it is: of two at once, each would wait for the other.
 */
const healthy = `
  update connections set failures = 0, failing_since = null, last_success_at = $2
  where id = $1 and (failures > 0 or last_success_at is null
    or last_success_at < $2::timestamptz - interval '1 minute')`;

/** As `succeeded`, with what uses the attempt up, the audit row and the trace; nothing where it was used up. */
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
  select exists (select from link) as done`;

function signedIn(
  { foundation, ceiling }: FederatedDependencies,
  { attempt, assertion }: Arrival,
  userId: string,
  now: Date,
): Extract<FederatedResult, { outcome: 'signed_in' }> {
  const { connection } = attempt.realm;
  return {
    outcome: 'signed_in',
    userId,
    lacksFactor: lacksFactorBeside(connection.provisioning.secondFactor, assertion),
    federation: {
      connection: connection.id,
      at: now.toISOString(),
      until: new Date(now.getTime() + ceiling * 1000).toISOString(),
      sid: assertion.sessionIndex,
      ...forSignOut(foundation.vault, connection, assertion),
    },
  };
}

/** Nobody comes in: no person, no link, no session; one row that says why (security.md section 6). */
async function turnAway(
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
  // Somebody of another account: its administrators are to know, too (security.md 3.3).
  const elsewhere = facts.linked ?? facts.holder;
  if (reason === 'user_in_other_account' && elsewhere?.accountId)
    work.record(
      'federation.member_elsewhere',
      { type: 'user', id: elsewhere.id },
      { domain: domainOf(facts.mapped.identifier ?? '') },
      elsewhere.accountId,
    );
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

function refusedWith(
  reason: FederatedRefusal,
  person: Person | null,
): Extract<FederatedResult, { outcome: 'refused' }> {
  return { outcome: 'refused', reason, person, lock: null, missing: [] };
}

type Admitted = Extract<FederatedOutcome, { outcome: 'sign_in' | 'create' | 'link' | 'join' }>;

/** Makes, links, takes in or updates the person. Returns who it is. */
async function settle(
  work: Work,
  arrival: Arrival,
  facts: SignInFacts,
  said: Admitted,
): Promise<string> {
  const { connection } = arrival.attempt.realm;
  const { mapped } = facts;
  const before = said.outcome === 'create' ? null : (facts.linked ?? facts.holder);
  const userId = said.outcome === 'create' ? await make(work, arrival, facts) : said.userId;

  if (said.outcome === 'link') await adopt(work, userId, { discard: false });
  if (said.outcome === 'join') {
    await adopt(work, userId, { discard: said.discard });
    await unlockUser(work, userId, ['unaffiliated'], connection.accountId);
  }
  if (said.outcome === 'create' || said.outcome === 'join')
    await takeIn(work, arrival, facts, userId);
  if (facts.linked === null) await link(work, arrival, facts, userId, said);

  if (before) await update(work, arrival, facts, before, said);
  const changes = grantsToChange(connection.mapping, mapped, before);
  await giveAndTake(work, connection, userId, changes);
  return userId;
}

/** A new person, as their company's provider describes them. */
async function make(
  work: Work,
  arrival: Arrival,
  { mapped, filledIn }: SignInFacts,
): Promise<string> {
  const { connection } = arrival.attempt.realm;
  const userId = await createUser(work, {
    email: mapped.identifier!,
    emailDisplay: mapped.identifierDisplay,
    givenName: mapped.givenName ?? filledIn.givenName ?? '',
    familyName: mapped.familyName ?? filledIn.familyName ?? '',
    country: mapped.country ?? filledIn.country ?? connection.provisioning.defaultCountry,
    language: languageOf(mapped.language),
    identity: 'ready',
    source: 'jit',
  });
  await work.query(
    `update users set phone = $2, job_title = $3, communication_email = $4 where id = $1`,
    // Where mails to a guest go, the directory's own name for them is no mailbox.
    [userId, mapped.phone, mapped.jobTitle, mapped.guest ? mapped.mail : null],
  );
  work.record(
    'user.jit_created',
    { type: 'user', id: userId },
    { connection: connection.id, attempt: arrival.attempt.id },
    connection.accountId,
  );
  return userId;
}

/** Somebody becomes a member, and is given what the domain and the connection give new people. */
async function takeIn(
  work: Work,
  arrival: Arrival,
  { mapped, filledIn, holder }: SignInFacts,
  userId: string,
): Promise<void> {
  const { connection } = arrival.attempt.realm;
  const { accountId, provisioning } = connection;
  const [account] = await work.query<{ id: string; countries: string[] }>(
    'select id, countries from accounts where id = $1',
    [accountId],
  );
  const defaults = await defaultsOf(work, mapped.identifier!, accountId);
  const country =
    mapped.country ?? filledIn.country ?? holder?.country ?? provisioning.defaultCountry;
  await affiliate(work, userId, accountId, 'just_in_time', {
    entitlementCountry: entitledIn(
      account!,
      null,
      country,
      provisioning.entitlementCountry ?? defaults.entitlementCountry,
    ),
  });
  const roles = await serviceRoles(work, [...defaults.roles, ...provisioning.roles]);
  await give(work, { role: 'co_administrator', accountId, userId: null }, userId, accountId, {
    roles,
    groups: [...new Set([...defaults.groups, ...provisioning.groups])],
  });
}

/** Those that carry no rights over others: no provider and no rule makes administrators. */
async function serviceRoles(work: Work, keys: readonly string[]): Promise<string[]> {
  if (keys.length === 0) return [];
  const known = await work.query<{ key: string }>(
    `select key from roles where key = any ($1::text[]) and scope = 'account' and not built_in`,
    [[...new Set(keys)]],
  );
  return known.map(({ key }) => key);
}

/**
 * A person who was here before signs in through their company from now on. Whatever opened a door for
 * them until now is closed: a password, sessions, tokens, links; also those of somebody who
 * registered the address before its owner did (security.md 3.3, D-03, D-04).
 */
async function adopt(work: Work, userId: string, { discard }: { discard: boolean }): Promise<void> {
  await work.query(
    discard
      ? 'delete from passwords where user_id = $1 and $2::timestamptz is not null'
      : 'update passwords set disabled_at = $2 where user_id = $1 and disabled_at is null',
    [userId, work.now],
  );
  await revokeAccess(work, userId, { undoable: false });
  await work.query(
    `update users set identity = 'ready', email_verified_at = $2, updated_at = $2,
       version = version + 1
     where id = $1`,
    [userId, work.now],
  );
}

async function link(
  work: Work,
  { attempt, assertion }: Arrival,
  { mapped, holder }: SignInFacts,
  userId: string,
  said: Admitted,
): Promise<void> {
  const { connection, account } = attempt.realm;
  const how = said.outcome === 'link' ? said.how : said.outcome;
  await work.query(
    `insert into federated_links (id, user_id, connection_id, issuer, subject, domain, external_id,
       how, linked_at, last_used_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
    [
      newId(work.now.getTime()),
      userId,
      connection.id,
      assertion.issuer,
      assertion.subject,
      domainOf(mapped.identifier!),
      mapped.externalId,
      how,
      work.now,
    ],
  );
  work.record(
    'identity.linked',
    { type: 'user', id: userId },
    { how, connection: connection.id, attempt: attempt.id },
    connection.accountId,
  );
  // Who had another way in is told that it is over.
  const person = holder?.hasPassword ? await findPerson(work, userId, work.now) : null;
  if (person?.email)
    mail(
      work,
      { userId, email: person.email, name: person.givenName, locale: person.language },
      {
        kind: 'credential_changed',
        what: 'upstream_linked',
        at: work.now,
        origin: work.origin.ip ?? null,
        link: work.link('/profile'),
        revertsUntil: null,
      },
    );
  void account;
}

/** Names, country and address follow the provider, where the connection says so. */
async function update(
  work: Work,
  arrival: Arrival,
  facts: SignInFacts,
  before: KnownPerson,
  said: Admitted,
): Promise<void> {
  const { connection } = arrival.attempt.realm;
  const changes = profileChanges(facts, before);
  const email = said.outcome === 'sign_in' ? emailOf(said, before) : 'keep';
  if (email === 'conflict')
    work.record(
      'federation.email_conflict',
      { type: 'user', id: before.id },
      { connection: connection.id },
      connection.accountId,
    );
  if (changes.length > 0) {
    const columns = changes.map(([column], index) => `${column} = $${index + 4}`).join(', ');
    const names = changes.map(([column]) => attributeIn[column]);
    await work.query(
      `update users set ${columns}, attribute_sources = attribute_sources || $3::jsonb,
         updated_at = $2, version = version + 1
       where id = $1`,
      [
        before.id,
        work.now,
        claims(names, 'identity_provider', connection.id, work.now),
        ...changes.map(([, value]) => value),
      ],
    );
  }
  if (email === 'update') {
    await work.query(
      `update users set email = $2, email_display = $3, email_verified_at = $4, updated_at = $4,
         attribute_sources = attribute_sources || $5::jsonb, version = version + 1
       where id = $1`,
      [
        before.id,
        facts.mapped.identifier,
        facts.mapped.identifierDisplay,
        work.now,
        claims(['email'], 'identity_provider', connection.id, work.now),
      ],
    );
  }
  if (changes.length > 0 || email === 'update')
    work.record(
      'user.changed',
      { type: 'user', id: before.id },
      {
        by: 'connection',
        connection: connection.id,
        fields: [...changes.map(([column]) => column), ...(email === 'update' ? ['email'] : [])],
      },
      connection.accountId,
    );
  if (said.outcome === 'sign_in' && facts.mapped.country && connection.provisioning.syncProfile) {
    const [account] = await work.query<{ id: string; countries: string[] }>(
      'select id, countries from accounts where id = $1',
      [connection.accountId],
    );
    await adoptUpstreamCountry(work, account!, before.id, facts.mapped.country, { wins: false });
  }
}

function hasChanges(
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
