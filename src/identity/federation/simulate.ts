import type { Sql } from '#platform/database/sql.ts';
import type { UpstreamAssertion } from './assertion.ts';
import type { Connection, Provisioning } from './connection.ts';
import { decideFederatedSignIn, type FederatedOutcome } from './decide.ts';
import { readFederatedFacts, type SignInFacts } from './facts.ts';
import { grantsToChange, type GrantChanges } from './grants.ts';
import type { Realm } from './home-realm.ts';
import { mapAssertion, type MappedPerson, type Mapping } from './mapping.ts';
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
  const saved = await once(sql, realm, realm.connection, assertion, now);
  const differs = trial.mapping !== undefined || trial.provisioning !== undefined;
  const changed: Connection = {
    ...realm.connection,
    mapping: { ...realm.connection.mapping, ...withoutUndefined(trial.mapping ?? {}) },
    provisioning: {
      ...realm.connection.provisioning,
      ...withoutUndefined(trial.provisioning ?? {}),
    },
  };
  const tried = differs ? await once(sql, realm, changed, assertion, now) : saved;
  return { saved, tried, differences: differences(saved, tried) };
}

async function once(
  sql: Sql,
  realm: Realm,
  saved: Connection,
  assertion: UpstreamAssertion,
  now: Date,
): Promise<Simulated> {
  const connection: Connection = { ...saved, state: 'active' };
  const mapped = mapAssertion(connection.kind, connection.mapping, assertion);
  const facts = await readFederatedFacts(sql, {
    realm: { ...realm, connection },
    assertion,
    mapped,
    now,
  });
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

function comesIn({ outcome }: FederatedOutcome): boolean {
  return outcome === 'sign_in' || outcome === 'create' || outcome === 'link' || outcome === 'join';
}

function personOf(
  { mapped, linked, holder }: SignInFacts,
  outcome: FederatedOutcome,
  { provisioning }: Connection,
): SimulatedPerson {
  const known = linked ?? holder;
  const follows = known === null || provisioning.syncProfile;
  const said = <T>(theirs: T | null, ours: T): T => (follows && theirs !== null ? theirs : ours);
  const newAddress = outcome.outcome !== 'sign_in' || outcome.email === 'update';
  return {
    id: known?.id ?? null,
    email: newAddress ? mapped.identifier : null,
    givenName: said(mapped.givenName, known?.givenName ?? ''),
    familyName: said(mapped.familyName, known?.familyName ?? ''),
    country: said(mapped.country, known?.country ?? null) ?? provisioning.defaultCountry,
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
