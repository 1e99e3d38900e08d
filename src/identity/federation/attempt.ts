import { isId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { newSecret, secretHash, type Vault } from '#platform/secrets.ts';
import type { UpstreamAssertion } from './assertion.ts';
import { realmColumns, realmOf, type Realm, type RealmRow } from './home-realm.ts';
import { savedTrace, traceParams } from './kept-traces.ts';
import { FederationTrace, type TraceStep } from './trace.ts';

/** How long a person may be away at their company's provider. */
export const attemptLife = 15 * 60_000;

/** Somebody is on their way through a connection: from here to there, and back. */
export interface Attempt {
  /** Also the id of its trace. */
  id: string;
  purpose: 'sign_in' | 'test';
  /** The engine's sign-in that waits for it; null for a test. */
  interaction: string | null;
  /** The address that was typed. */
  identifier: string | null;
  /** What the protocol wanted back. */
  remembered: Record<string, string>;
  realm: Realm;
  trace: FederationTrace;
}

/**
 * The secret that comes back as `state` or RelayState. Kept as its hash. 192 bits: with the id of a
 * sign-in before it, it fits in the 80 bytes of a RelayState (SAML bindings 3.4.3).
 */
export function newState(): string {
  return newSecret(24);
}

/**
 * Keeps what the way back needs, and the trace so far, bound to this browser: whoever brings the answer of this attempt from
 * another one is nobody here (security.md D-09).
 */
export async function beginAttempt(
  sql: Sql,
  vault: Vault,
  {
    state,
    browser,
    interaction,
    identifier,
    remembered,
    trace,
  }: {
    state: string;
    browser: string;
    interaction: string | null;
    identifier: string | null;
    remembered: Record<string, string>;
    trace: FederationTrace;
  },
): Promise<void> {
  const sealed = vault.seal(
    JSON.stringify({ remembered, steps: trace.steps } satisfies Kept),
    context(trace.id),
  );
  await sql.query(
    `with begun as (
       insert into federated_attempts (id, connection_id, purpose, state_hash, browser_hash,
         interaction, identifier, sealed, created_at, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ) ${savedTrace(11)}`,
    [
      trace.id,
      trace.connectionId,
      trace.purpose,
      secretHash(state),
      secretHash(browser),
      interaction,
      identifier,
      sealed,
      trace.beganAt,
      new Date(trace.beganAt.getTime() + attemptLife),
      ...traceParams(trace),
    ],
    { fleeting: true },
  );
}

interface Kept {
  remembered: Record<string, string>;
  steps: TraceStep[];
}

/**
 * The attempt that an answer belongs to, once: who brings the same answer again, or from another
 * browser, or to another connection's address, finds none (security.md D-07 to D-09). The connection
 * comes along as it is now. What an address names as ids may be anything: what is none finds none.
 */
export async function takeAttempt(
  sql: Sql,
  vault: Vault,
  {
    state,
    browser,
    connectionId,
    now,
  }: { state: string; browser: string; connectionId: string; now: Date },
): Promise<Attempt | null> {
  if (!isId(connectionId)) return null;
  const [row] = await sql.query<TakenRow>(take, [
    secretHash(state),
    secretHash(browser),
    connectionId,
    now,
  ]);
  return row ? attemptOf(row, vault) : null;
}

/**
 * Takes an attempt without knowing the browser: SAML posts its answer from another site, which brings
 * no cookies. Verified and stored with `keepAssertion`, it is taken up by the browser it belongs to.
 */
export async function takeAttemptAnywhere(
  sql: Sql,
  vault: Vault,
  { state, connectionId, now }: { state: string; connectionId: string; now: Date },
): Promise<Attempt | null> {
  if (!isId(connectionId)) return null;
  const [row] = await sql.query<TakenRow>(takeAnywhere, [secretHash(state), connectionId, now]);
  return row ? attemptOf(row, vault) : null;
}

/**
 * Keeps what was verified until the person has done what is asked of them: filled in what was not
 * sent, shown their old password, or (`return`) come back with the cookies of their browser.
 *
 * What is good once is spent with it, on whichever server it arrives: false where it was spent before,
 * or the attempt is over (security.md 5.3, rule 9).
 */
export async function keepAssertion(
  sql: Sql,
  vault: Vault,
  attempt: Pick<Attempt, 'id' | 'trace'>,
  assertion: UpstreamAssertion,
  need: 'attributes' | 'step_up' | 'return',
  once: GoodOnce | null = null,
): Promise<boolean> {
  const rows = await sql.query(
    `with spent as (
       insert into saml_assertions (connection_id, assertion_id, until)
       select connection_id, $4::text, $5::timestamptz from federated_attempts
       where id = $1 and $4::text is not null
       on conflict do nothing returning 1
     )
     update federated_attempts set received = $2, need = $3
     where id = $1 and finished_at is null and ($4::text is null or exists (select from spent))
     returning 1`,
    [
      attempt.id,
      vault.seal(
        JSON.stringify({ assertion, steps: attempt.trace.steps } satisfies KeptAssertion),
        context(attempt.id),
      ),
      need,
      once?.id ?? null,
      once?.until ?? null,
    ],
  );
  return rows.length > 0;
}

/** What a provider signed for one use: its name, and until when it could be sent again. */
export interface GoodOnce {
  id: string;
  until: Date;
}

interface KeptAssertion {
  assertion: UpstreamAssertion;
  steps: TraceStep[];
}

export interface WaitingAttempt extends Attempt {
  assertion: UpstreamAssertion;
  need: 'attributes' | 'step_up' | 'return';
}

/** An attempt that waits for its person, in the browser it began in. Looking uses nothing up. */
export async function waitingAttempt(
  sql: Sql,
  vault: Vault,
  {
    id,
    browser,
    connectionId,
    now,
  }: { id: string; browser: string; connectionId: string; now: Date },
): Promise<WaitingAttempt | null> {
  if (!isId(id) || !isId(connectionId)) return null;
  const [row] = await sql.query<TakenRow & { received: string; need: WaitingAttempt['need'] }>(
    waiting,
    [id, secretHash(browser), connectionId, now],
  );
  if (!row) return null;
  const attempt = attemptOf(row, vault);
  const { assertion, steps } = JSON.parse(vault.open(row.received, context(id))) as KeptAssertion;
  attempt.trace.steps.splice(0, Infinity, ...steps);
  return { ...attempt, assertion, need: row.need };
}

/** Uses an attempt up. False where somebody did so a moment earlier. */
export async function finishAttempt(sql: Sql, id: string, now: Date): Promise<boolean> {
  const rows = await sql.query(
    `update federated_attempts set finished_at = $2, received = null
     where id = $1 and finished_at is null returning 1`,
    [id, now],
  );
  return rows.length > 0;
}

/** Removes what is over. Returns how many. */
export async function sweepAttempts(sql: Sql, now: Date): Promise<number> {
  const rows = await sql.query(
    `delete from federated_attempts where id in (
       select id from federated_attempts where expires_at < $1 limit 1000) returning 1`,
    [now],
  );
  return rows.length;
}

type TakenRow = RealmRow & {
  attempt_id: string;
  purpose: Attempt['purpose'];
  interaction: string | null;
  identifier: string | null;
  kept: string;
  began_at: Date;
};

function attemptOf(row: TakenRow, vault: Vault): Attempt {
  const {
    attempt_id: id,
    purpose,
    interaction,
    identifier,
    kept,
    began_at: beganAt,
    ...rest
  } = row;
  const realm = realmOf(rest);
  const { remembered, steps } = JSON.parse(vault.open(kept, context(id))) as Kept;
  const trace = new FederationTrace({
    id,
    connectionId: realm.connection.id,
    accountId: realm.account.id,
    purpose,
    beganAt,
  });
  trace.steps.push(...steps);
  return { id, purpose, interaction, identifier, remembered, realm, trace };
}

function context(id: string): string {
  return `federated_attempt:${id}`;
}

const taken = `
  select t.id as attempt_id, t.purpose, t.interaction, t.identifier, t.sealed as kept,
         t.created_at as began_at, ${realmColumns}
  from taken t
  join connections c on c.id = t.connection_id and c.deleted_at is null
  join accounts a on a.id = c.account_id`;

const take = `
  with taken as (
    update federated_attempts set received_at = $4
    where state_hash = $1 and browser_hash = $2 and connection_id = $3 and received_at is null
      and expires_at > $4
    returning *
  ) ${taken}`;

const takeAnywhere = `
  with taken as (
    update federated_attempts set received_at = $3
    where state_hash = $1 and connection_id = $2 and received_at is null and expires_at > $3
    returning *
  ) ${taken}`;

const waiting = `
  with taken as (
    select * from federated_attempts
    where id = $1 and browser_hash = $2 and connection_id = $3 and received is not null
      and finished_at is null and expires_at > $4
  ) select t.received, t.need, w.* from taken t, lateral (${taken}) w`;
