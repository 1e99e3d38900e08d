import type { Sql } from '#platform/database/sql.ts';
import { breakGlassOf } from '../credentials/break-glass.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import type { Connection } from './connection.ts';
import { requireConnection } from './manage.ts';
import { oidcSettings } from './oidc-settings.ts';
import { listSecrets } from './secrets.ts';

/** What is between a connection and its use. */
export type ActivationProblem =
  | 'issuer_missing'
  | 'client_missing'
  | 'secret_missing'
  | 'metadata_missing'
  | 'domain_missing'
  | 'not_tested'
  | 'no_break_glass';

/** What is missing before anybody can be sent there at all. */
export async function setupProblems(
  sql: Sql,
  connection: Connection,
): Promise<ActivationProblem[]> {
  const problems: ActivationProblem[] = [];
  if (connection.issuer === null)
    problems.push(connection.kind === 'saml' ? 'metadata_missing' : 'issuer_missing');
  if (connection.kind === 'oidc') {
    if (oidcSettings(connection.settings).clientId === '') problems.push('client_missing');
    if ((await listSecrets(sql, connection.id)).length === 0) problems.push('secret_missing');
  }
  if (connection.domains.length === 0) problems.push('domain_missing');
  return problems;
}

/** What is between a connection and everybody's sign-in: security.md 3.4. */
export async function activationProblems(
  sql: Sql,
  connection: Connection,
): Promise<ActivationProblem[]> {
  const problems = await setupProblems(sql, connection);
  if (connection.testedAt === null) problems.push('not_tested');
  if ((await breakGlassOf(sql, connection.accountId)).length === 0) problems.push('no_break_glass');
  return problems;
}

/**
 * Opens a connection to its testers, and to test sign-ins.
 *
 * @throws {Refusal} `not_found`, `connection_not_ready`
 */
export async function testConnection(
  work: Work,
  accountId: string,
  connectionId: string,
): Promise<Connection> {
  const connection = await requireConnection(work, accountId, connectionId, { taken: true });
  refuseFor(await setupProblems(work, connection));
  if (connection.state === 'active' || connection.state === 'testing') return connection;
  await work.query(
    `update connections set state = 'testing', updated_at = $2, swept_at = null, version = version + 1
     where id = $1`,
    [connectionId, work.now],
  );
  work.record('connection.testing', { type: 'connection', id: connectionId }, {}, accountId);
  return requireConnection(work, accountId, connectionId);
}

/**
 * From now on everybody of its domains is sent there. While passwords go on working (`optional`), an
 * account may do without a break-glass administrator, if it says so.
 *
 * @throws {Refusal} `not_found`, `connection_not_ready`
 */
export async function activateConnection(
  work: Work,
  accountId: string,
  connectionId: string,
  { withoutBreakGlass = false }: { withoutBreakGlass?: boolean } = {},
): Promise<Connection> {
  const connection = await requireConnection(work, accountId, connectionId, { taken: true });
  if (connection.state === 'active') return connection;
  const problems = await activationProblems(work, connection);
  const accepted = withoutBreakGlass && connection.mode === 'optional';
  refuseFor(problems.filter((problem) => !(accepted && problem === 'no_break_glass')));
  await work.query(
    `update connections set state = 'active', activated_at = $2, disabled_at = null, failures = 0,
       failing_since = null, updated_at = $2, swept_at = null, version = version + 1
     where id = $1`,
    [connectionId, work.now],
  );
  work.record(
    'connection.activated',
    { type: 'connection', id: connectionId },
    { domains: connection.domains, mode: connection.mode, withoutBreakGlass: accepted },
    accountId,
  );
  return requireConnection(work, accountId, connectionId);
}

/**
 * Nobody is sent there any more, and nothing stands on it any more: who came in by it is out at their
 * very next step. Passwords that ended come back by a reset.
 *
 * @throws {Refusal} `not_found`
 */
export async function disableConnection(
  work: Work,
  accountId: string,
  connectionId: string,
  reason: string | null = null,
): Promise<Connection> {
  const connection = await requireConnection(work, accountId, connectionId, { taken: true });
  if (connection.state === 'disabled') return connection;
  await work.query(
    `update connections set state = 'disabled', disabled_at = $2, mode = 'optional',
       enforced_at = null, noticed_at = null, swept_at = null, updated_at = $2,
       version = version + 1
     where id = $1`,
    [connectionId, work.now],
  );
  work.record(
    'connection.disabled',
    { type: 'connection', id: connectionId },
    { reason },
    accountId,
  );
  return requireConnection(work, accountId, connectionId);
}

/** How long people are told before passwords end, at least. */
const noticeMs = 24 * 3600_000;

/**
 * From a moment on, nobody of the domains signs in by password: break-glass administrators excepted.
 * Or both ways are open again; who lost a password gets a new one by a reset (security.md 3.4).
 *
 * @param immediately somebody confirmed that nobody is told before.
 * @throws {Refusal} `not_found`, `connection_not_ready`, `invalid_value`
 */
export async function setMode(
  work: Work,
  accountId: string,
  connectionId: string,
  {
    mode,
    at = null,
    immediately = false,
  }: { mode: Connection['mode']; at?: Date | null; immediately?: boolean },
): Promise<Connection> {
  const connection = await requireConnection(work, accountId, connectionId, { taken: true });
  if (mode === 'optional') {
    if (connection.mode === 'optional') return connection;
    await work.query(
      `update connections set mode = 'optional', enforced_at = null, noticed_at = null,
         swept_at = null, updated_at = $2, version = version + 1
       where id = $1`,
      [connectionId, work.now],
    );
  } else {
    if (connection.state !== 'active')
      throw new Refusal('connection_not_ready', { problems: ['not_active'] });
    const problems = await activationProblems(work, connection);
    refuseFor(problems.filter((problem) => problem !== 'not_tested'));
    const earliest = new Date(work.now.getTime() + noticeMs);
    const from = immediately ? work.now : (at ?? earliest);
    if (!immediately && from < earliest)
      throw new Refusal('invalid_value', {
        enforcedAt: 'People are told 24 hours before. Confirm `immediately` to do without.',
      });
    await work.query(
      `update connections set mode = 'enforced', enforced_at = $2, noticed_at = $3, swept_at = null,
         updated_at = $4, version = version + 1
       where id = $1`,
      [connectionId, from, immediately ? work.now : null, work.now],
    );
  }
  const changed = await requireConnection(work, accountId, connectionId);
  work.record(
    'connection.changed',
    { type: 'connection', id: connectionId },
    { fields: ['mode'], mode, enforcedAt: changed.enforcedAt?.toISOString() ?? null },
    accountId,
  );
  return changed;
}

/**
 * Removes a connection that nobody is sent to any more. Its traces and what was written down stay; its
 * links end with it.
 *
 * @throws {Refusal} `not_found`, `connection_in_use`
 */
export async function removeConnection(
  work: Work,
  accountId: string,
  connectionId: string,
): Promise<void> {
  const connection = await requireConnection(work, accountId, connectionId, { taken: true });
  if (connection.state === 'active') throw new Refusal('connection_in_use');
  await work.query(
    `update connections set state = 'disabled', deleted_at = $2, disabled_at = coalesce(disabled_at, $2),
       swept_at = null, updated_at = $2, version = version + 1
     where id = $1`,
    [connectionId, work.now],
  );
  await work.query('delete from connection_domains where connection_id = $1', [connectionId]);
  await work.query('delete from connection_secrets where connection_id = $1', [connectionId]);
  work.record('connection.removed', { type: 'connection', id: connectionId }, {}, accountId);
}

/** @throws {Refusal} `connection_not_ready` with each reason */
function refuseFor(problems: readonly ActivationProblem[]): void {
  if (problems.length > 0) throw new Refusal('connection_not_ready', { problems });
}
