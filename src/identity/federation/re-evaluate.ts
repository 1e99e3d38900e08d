import type { Sql } from '#platform/database/sql.ts';
import type { Connection } from './connection.ts';
import type { FederatedOutcome } from './decide.ts';
import type { GrantChanges } from './grants.ts';
import type { Realm } from './home-realm.ts';
import { traceLife } from './kept-traces.ts';
import { mapAssertion, type MappedPerson } from './mapping.ts';
import {
  assertionOf,
  comesIn,
  isEmptyTrial,
  simulate,
  withTrial,
  type Simulated,
  type SimulatedPerson,
  type Trial,
} from './simulate.ts';
import type { TraceStep } from './trace.ts';

/** How far back is looked, and for how many people: enough to see what a change means. */
const mostTraces = 5000;
const mostPeople = 1000;
/** So many are told one by one. */
const mostShown = 200;

/** What becomes of somebody, in one word; `same` is told in numbers alone. */
export const effects = ['enters', 'refused', 'asked', 'changes', 'same'] as const;
export type Effect = (typeof effects)[number];

export interface Affected {
  effect: Exclude<Effect, 'same'>;
  /** The latest sign-in that is known of them. */
  traceId: string;
  at: Date;
  userId: string | null;
  /** The address by which they are known here, or that the provider named. */
  email: string | null;
  before: FederatedOutcome;
  after: FederatedOutcome;
  /** What of the person would be written otherwise. */
  fields: { name: keyof SimulatedPerson; before: string | null; after: string | null }[];
  /** What would be given or taken back otherwise than now. */
  groups: GrantChanges['groups'];
  roles: GrantChanges['roles'];
}

export interface ReEvaluation {
  /** How many people it was asked for, by what would become of them. */
  counts: Record<Effect, number>;
  considered: number;
  /** Linked people of whom no sign-in of the last 30 days is known: what they send is not, either. */
  unknown: number;
  /** Whether there are more people than were looked at. */
  more: boolean;
  affected: Affected[];
}

interface Latest {
  id: string;
  subject: string | null;
  at: Date;
  user_id: string | null;
  email: string | null;
  steps: TraceStep[];
}

/**
 * Shows who would come in, be refused, be asked, or be written otherwise with another mapping: decides
 * anew about the latest sign-in of each person, as it is saved and as it is tried (peers.md F2). By
 * the same functions as the sign-in itself; reads alone. Who is mapped alike is not looked up at all.
 */
export async function reEvaluate(
  sql: Sql,
  realm: Realm,
  trial: Trial,
  now: Date,
): Promise<ReEvaluation> {
  const { connection } = realm;
  const changed = withTrial(connection, trial);
  const since = new Date(now.getTime() - traceLife);
  const people = await sql.query<Latest>(latest, [
    connection.id,
    since,
    mostTraces,
    mostPeople + 1,
  ]);
  const looked = people.slice(0, mostPeople);
  const counts: ReEvaluation['counts'] = { enters: 0, refused: 0, asked: 0, changes: 0, same: 0 };
  const affected: Affected[] = [];
  let considered = 0;
  for (const { id, at, user_id: userId, email, steps } of looked) {
    const assertion = assertionOf(connection, steps);
    if (!assertion) continue;
    considered += 1;
    const mapped = mapAssertion(connection.kind, changed.mapping, assertion);
    const before = mapAssertion(connection.kind, connection.mapping, assertion);
    if (isEmptyTrial(trial) || sameForAll(connection, changed, before, mapped)) {
      counts.same += 1;
      continue;
    }
    const { saved, tried } = await simulate(sql, realm, assertion, trial, now);
    const effect = effectOf(saved, tried);
    counts[effect] += 1;
    if (effect === 'same' || affected.length >= mostShown) continue;
    affected.push({
      effect,
      traceId: id,
      at,
      userId: userId ?? tried.person?.id ?? saved.person?.id ?? null,
      email: email ?? tried.mapped.identifier ?? saved.mapped.identifier,
      before: saved.outcome,
      after: tried.outcome,
      fields: fieldsOf(saved.person, tried.person),
      groups: grantDifference(saved.grants.groups, tried.grants.groups),
      roles: grantDifference(saved.grants.roles, tried.grants.roles),
    });
  }
  const [{ unknown } = { unknown: 0 }] = await sql.query<{ unknown: number }>(
    `select count(*)::int as unknown from federated_links
     where connection_id = $1 and unlinked_at is null and subject <> all ($2::text[])`,
    [connection.id, people.flatMap(({ subject }) => subject ?? [])],
  );
  return { counts, considered, unknown, more: people.length > mostPeople, affected };
}

/** Whether nothing that anybody decides by differs: then neither does the decision. */
function sameForAll(
  { mapping, provisioning }: Connection,
  changed: Connection,
  before: MappedPerson,
  after: MappedPerson,
): boolean {
  const rules = ({ groups, roles, attributes }: Connection['mapping']): string =>
    JSON.stringify([groups?.absent, roles?.absent, Boolean(attributes.externalId)]);
  return (
    JSON.stringify(provisioning) === JSON.stringify(changed.provisioning) &&
    rules(mapping) === rules(changed.mapping) &&
    JSON.stringify(before) === JSON.stringify(after)
  );
}

function effectOf(saved: Simulated, tried: Simulated): Effect {
  const [before, after] = [comesIn(saved.outcome), comesIn(tried.outcome)];
  const same = (one: unknown, other: unknown): boolean =>
    JSON.stringify(one) === JSON.stringify(other);
  if (!before && !after && same(saved.outcome, tried.outcome)) return 'same';
  if (!after) {
    const asked = tried.outcome.outcome === 'ask' || tried.outcome.outcome === 'step_up';
    return asked ? 'asked' : 'refused';
  }
  if (!before) return 'enters';
  return same(saved.outcome, tried.outcome) &&
    same(saved.person, tried.person) &&
    same(saved.grants, tried.grants)
    ? 'same'
    : 'changes';
}

function fieldsOf(
  before: SimulatedPerson | null,
  after: SimulatedPerson | null,
): Affected['fields'] {
  if (!before || !after) return [];
  return (Object.keys(after) as (keyof SimulatedPerson)[])
    .filter((name) => name !== 'id' && before[name] !== after[name])
    .map((name) => ({ name, before: before[name], after: after[name] }));
}

/** What the tried one gives that the saved one does not, and the other way round. */
function grantDifference(
  saved: GrantChanges['groups'],
  tried: GrantChanges['groups'],
): GrantChanges['groups'] {
  const without = (list: readonly string[], other: readonly string[]): string[] =>
    list.filter((one) => !other.includes(one));
  return {
    add: [...without(tried.add, saved.add), ...without(saved.remove, tried.remove)],
    remove: [...without(tried.remove, saved.remove), ...without(saved.add, tried.add)],
  };
}

/** The latest sign-in of each person, the newest first: $1 connection, $2 since, $3 and $4 how many. */
const latest = `
  select l.id, l.subject, l.began_at as at, l.user_id, u.email_display as email, l.steps from (
    select distinct on (t.subject) t.* from (
      select t.id, t.began_at, t.user_id, t.steps, coalesce(r.data ->> 'subject',
        r.data -> 'claims' ->> 'sub', r.data -> 'nameId' ->> 'value') as subject
      from (select id, began_at, user_id, steps from federated_traces
            where connection_id = $1 and began_at > $2 order by id desc limit $3) t
      cross join lateral (
        select s -> 'data' as data from jsonb_array_elements(t.steps) s
        where s ->> 'kind' = 'received' and s -> 'data' -> 'claims' is not null limit 1) r
    ) t
    order by t.subject, t.id desc
  ) l
  left join users u on u.id = l.user_id and u.account_id =
    (select account_id from connections where id = $1)
  order by l.id desc limit $4`;
