import type { Sql } from '#platform/database/sql.ts';
import type { UpstreamAssertion } from './assertion.ts';
import type { Connection, Provisioning } from './connection.ts';
import { decideFederatedSignIn, type FederatedOutcome } from './decide.ts';
import { readFederatedFacts, type SignInFacts } from './facts.ts';
import { grantsToChange, type GrantChanges } from './grants.ts';
import type { Realm } from './home-realm.ts';
import { mapAssertion, type MappedPerson, type Mapping } from './mapping.ts';
import { emailOf, languageOf, profileChanges } from './profile.ts';
import type { TraceStep } from './trace.ts';

/** What may be tried out before it is saved. */
export interface Trial {
  mapping?: Partial<Mapping> | undefined;
  provisioning?: Partial<Provisioning> | undefined;
}

/** What a sign-in would come to. Nothing of it happens. */
export interface Simulated {
  mapped: MappedPerson;
  outcome: FederatedOutcome;
  /** The person as they would stand afterwards; null where nobody comes in. */
  person: SimulatedPerson | null;
  grants: GrantChanges;
  /** Whether the domain of the address leads to this connection. */
  bound: boolean;
}

export interface SimulatedPerson {
  /** Null for somebody who is not here yet. */
  id: string | null;
  email: string | null;
  givenName: string;
  familyName: string;
  country: string | null;
  language: string | null;
  phone: string | null;
  jobTitle: string | null;
}

export interface Simulation {
  /** As the connection is saved. */
  saved: Simulated;
  /** With what is tried out; the same where nothing is. */
  tried: Simulated;
  /** What differs, by name. */
  differences: string[];
}

/**
 * Shows what a sign-in with this assertion would come to, as the connection is and as it would be
 * (peers.md F2). By the same functions as the sign-in itself, as if the connection were active; reads
 * alone.
 */
export async function simulate(
  sql: Sql,
  realm: Realm,
  assertion: UpstreamAssertion,
  trial: Trial,
  now: Date,
): Promise<Simulation> {
  const facts = await readMapped(sql, realm, realm.connection, assertion, now);
  const saved = simulated(realm.connection, facts);
  if (isEmptyTrial(trial)) return { saved, tried: saved, differences: [] };
  const changed = withTrial(realm.connection, trial);
  const mapped = mapAssertion(changed.kind, changed.mapping, assertion);
  // Only another address finds anybody else.
  const others =
    mapped.identifier === facts.mapped.identifier
      ? { ...facts, mapped }
      : await readMapped(sql, realm, changed, assertion, now);
  const tried = simulated(changed, others);
  return { saved, tried, differences: differences(saved, tried) };
}

export function isEmptyTrial({ mapping, provisioning }: Trial): boolean {
  return mapping === undefined && provisioning === undefined;
}

/** A connection as it would be. */
export function withTrial(connection: Connection, trial: Trial): Connection {
  return {
    ...connection,
    mapping: { ...connection.mapping, ...withoutUndefined(trial.mapping ?? {}) },
    provisioning: { ...connection.provisioning, ...withoutUndefined(trial.provisioning ?? {}) },
  };
}

function readMapped(
  sql: Sql,
  realm: Realm,
  connection: Connection,
  assertion: UpstreamAssertion,
  now: Date,
): Promise<SignInFacts> {
  const mapped = mapAssertion(connection.kind, connection.mapping, assertion);
  return readFederatedFacts(sql, { realm: { ...realm, connection }, assertion, mapped, now });
}

function simulated(saved: Connection, read: SignInFacts): Simulated {
  const connection: Connection = { ...saved, state: 'active' };
  const facts = { ...read, connection };
  const { mapped } = facts;
  const outcome = decideFederatedSignIn(facts);
  const known = facts.linked ?? facts.holder;
  return {
    mapped,
    outcome,
    person: comesIn(outcome) ? personOf(facts, outcome, connection) : null,
    grants: grantsToChange(connection.mapping, mapped, comesIn(outcome) ? known : null),
    bound: facts.bound,
  };
}

export function comesIn({ outcome }: FederatedOutcome): boolean {
  return outcome === 'sign_in' || outcome === 'create' || outcome === 'link' || outcome === 'join';
}

/** As the sign-in itself would write them: by the same rule. */
function personOf(
  facts: SignInFacts,
  outcome: FederatedOutcome,
  connection: Connection,
): SimulatedPerson {
  const { mapped } = facts;
  const known = facts.linked ?? facts.holder;
  if (!known)
    return {
      id: null,
      email: mapped.identifier,
      givenName: mapped.givenName ?? '',
      familyName: mapped.familyName ?? '',
      country: mapped.country ?? connection.provisioning.defaultCountry,
      language: languageOf(mapped.language),
      phone: mapped.phone,
      jobTitle: mapped.jobTitle,
    };
  const changes = Object.fromEntries(profileChanges({ ...facts, connection }, known));
  const newAddress = outcome.outcome === 'sign_in' && emailOf(outcome, known) === 'update';
  return {
    id: known.id,
    email: newAddress ? mapped.identifier : null,
    givenName: changes['given_name'] ?? known.givenName,
    familyName: changes['family_name'] ?? known.familyName,
    country: changes['country'] ?? known.country,
    language: changes['language'] ?? known.language,
    phone: changes['phone'] ?? known.phone,
    jobTitle: changes['job_title'] ?? known.jobTitle,
  };
}

/** The names of what is not the same, one level into the parts. */
function differences(one: Simulated, other: Simulated): string[] {
  const found: string[] = [];
  for (const part of ['mapped', 'outcome', 'person', 'grants'] as const) {
    const before = { ...one[part] } as Record<string, unknown>;
    const after = { ...other[part] } as Record<string, unknown>;
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
      if (JSON.stringify(before[name]) !== JSON.stringify(after[name]))
        found.push(`${part}.${name}`);
  }
  return found;
}

function withoutUndefined<T extends object>(given: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== undefined),
  ) as Partial<T>;
}

/** What somebody pasted as their provider sent it: a response in Base64, or a token. */
export type PastedText = { samlResponse: string } | { idToken: string };

/** What that says, and when it was said. */
export interface Pasted {
  assertion: UpstreamAssertion;
  issuedAt: Date | null;
  /** Why an ID token would not be believed; null where it would. What SAML says is signed, or not read. */
  unverified: string | null;
}

/** Claims that somebody pasted, as if a provider had sent them. */
export function pastedAssertion(
  { issuer }: Pick<Connection, 'issuer'>,
  given: { issuer?: string | undefined; subject: string; claims: Record<string, unknown> },
): UpstreamAssertion {
  return {
    issuer: given.issuer ?? issuer ?? '',
    subject: given.subject,
    claims: given.claims,
    acr: null,
    amr: [],
    authTime: null,
    sessionIndex: null,
  };
}

/** What a trace says was received, to be decided about once more; null where nothing was verified. */
export function assertionOf(
  connection: Pick<Connection, 'issuer'>,
  steps: readonly TraceStep[],
): UpstreamAssertion | null {
  const received = steps.findLast(
    ({ kind, data }) => kind === 'received' && data['claims'] !== undefined,
  );
  if (!received) return null;
  const { data } = received;
  const claims = data['claims'] as Record<string, unknown>;
  const text = (...values: unknown[]): string =>
    values.find((value): value is string => typeof value === 'string' && value !== '') ?? '';
  return {
    issuer: text(data['issuer'], claims['iss'], connection.issuer),
    subject: text(data['subject'], claims['sub'], (data['nameId'] as { value?: string })?.value),
    claims,
    acr: null,
    amr: [],
    authTime: null,
    sessionIndex: null,
  };
}
