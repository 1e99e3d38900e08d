import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import type { Vault } from '#platform/secrets.ts';
import { breakGlassOf } from '../credentials/break-glass.ts';
import { takeOwnedDomain } from '../domains/domain.ts';
import { Refusal } from '../refusal.ts';
import { canonicalEmail } from '../users/email.ts';
import type { Work } from '../work.ts';
import {
  connectionColumns,
  connectionOf,
  defaultProvisioning,
  secretContext,
  type Connection,
  type ConnectionKind,
  type ConnectionRow,
  type ConnectionSecret,
  type PresetName,
  type Provisioning,
} from './connection.ts';
import type { Mapping } from './mapping.ts';
import { defaultOidcSettings, oidcSettings, presets, type OidcSettings } from './oidc-settings.ts';

/** What an administrator says about a connection; what is left out stays as it is. */
export interface ConnectionInput {
  name?: string | undefined;
  preset?: PresetName | undefined;
  /** Of an OpenID Connect provider; SAML names its own in its metadata. */
  issuer?: string | undefined;
  oidc?: Partial<OidcSettings> | undefined;
  domains?: string[] | undefined;
  testers?: string[] | undefined;
  provisioning?: Partial<Provisioning> | undefined;
  mapping?: Partial<Mapping> | undefined;
}

/** So many of an account: each is somebody's to look after. */
const mostConnections = 20;

/** The connections of an account, the oldest first. */
export async function listConnections(sql: Sql, accountId: string): Promise<Connection[]> {
  const rows = await sql.query<ConnectionRow>(
    `select ${connectionColumns} from connections c
     where c.account_id = $1 and c.deleted_at is null order by c.created_at, c.id`,
    [accountId],
  );
  return rows.map(connectionOf);
}

/**
 * The connection of this account, and no other's. `taken`: it is to be changed, and two who do so at
 * once wait for each other.
 *
 * @throws {Refusal} `not_found`
 */
export async function requireConnection(
  work: Sql,
  accountId: string,
  connectionId: string,
  { taken = false }: { taken?: boolean } = {},
): Promise<Connection> {
  const [row] = await work.query<ConnectionRow>(
    `select ${connectionColumns} from connections c
     where c.id = $1 and c.account_id = $2 and c.deleted_at is null ${taken ? 'for update of c' : ''}`,
    [connectionId, accountId],
  );
  if (!row) throw new Refusal('not_found');
  return connectionOf(row);
}

/**
 * A new connection, in draft: nobody is sent there.
 *
 * @throws {Refusal} `limit_reached`, `invalid_value`, `domain_not_found`, `domain_not_owned`,
 *   `domain_not_proved`, `domain_in_use`, `invalid_email`, `role_not_found`, `not_found`
 */
export async function createConnection(
  work: Work,
  accountId: string,
  { kind, ...input }: ConnectionInput & { kind: ConnectionKind; name: string },
): Promise<Connection> {
  // Two at once are counted one after the other.
  await work.query('select 1 from accounts where id = $1 for no key update', [accountId]);
  const [count] = await work.query<{ count: number }>(
    'select count(*)::int as count from connections where account_id = $1 and deleted_at is null',
    [accountId],
  );
  if (count!.count >= mostConnections) throw new Refusal('limit_reached', { mostConnections });
  const id = newId(work.now.getTime());
  const preset = input.preset ?? 'generic';
  await work.query(
    `insert into connections (id, account_id, kind, preset, name, settings, provisioning, mapping,
       created_by, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)`,
    [
      id,
      accountId,
      kind,
      preset,
      input.name,
      JSON.stringify(
        kind === 'oidc' ? { ...defaultOidcSettings, ...presets[preset].settings } : {},
      ),
      JSON.stringify(defaultProvisioning),
      JSON.stringify({
        attributes: kind === 'oidc' ? presets[preset].attributes : {},
        groups: null,
        roles: null,
      } satisfies Mapping),
      JSON.stringify(work.actor),
      work.now,
    ],
  );
  work.record(
    'connection.created',
    { type: 'connection', id },
    { kind, preset, name: input.name },
    accountId,
  );
  const made = await requireConnection(work, accountId, id, { taken: true });
  const { name: _name, preset: _preset, ...rest } = input;
  return change(work, made, rest, { quietly: true });
}

/**
 * Changes a connection. What the provider is asked or believed by counts as tested no longer.
 *
 * @throws {Refusal} as `createConnection`
 */
export async function changeConnection(
  work: Work,
  accountId: string,
  connectionId: string,
  input: ConnectionInput,
): Promise<Connection> {
  const before = await requireConnection(work, accountId, connectionId, { taken: true });
  return change(work, before, input);
}

async function change(
  work: Work,
  before: Connection,
  input: ConnectionInput,
  { quietly = false }: { quietly?: boolean } = {},
): Promise<Connection> {
  const { id, accountId, kind } = before;
  const preset = input.preset ?? before.preset;
  if (kind === 'saml' && (input.issuer !== undefined || input.oidc !== undefined))
    throw new Refusal('invalid_value', { why: 'SAML connections are set up by their metadata.' });
  const issuer = input.issuer ?? before.issuer;
  if (kind === 'oidc' && issuer !== null) checkIssuer(preset, issuer);
  if (before.state === 'active' && input.issuer !== undefined && input.issuer !== before.issuer)
    // Every link is to the issuer of before: somebody else could be behind the new one.
    throw new Refusal('invalid_value', {
      issuer: 'Disable the connection before its issuer is changed.',
    });
  const provisioning = { ...before.provisioning, ...input.provisioning };
  const mapping: Mapping = { ...before.mapping, ...input.mapping };
  if (input.provisioning || input.mapping)
    await checkTargets(work, accountId, provisioning, mapping);
  const settings = kind === 'oidc' ? { ...before.settings, ...input.oidc } : before.settings;
  const testers = input.testers ? canonicalTesters(input.testers) : before.testers;
  const asked =
    issuer !== before.issuer || JSON.stringify(settings) !== JSON.stringify(before.settings);

  await work.query(
    `update connections set name = $2, preset = $3, issuer = $4, settings = $5, provisioning = $6,
       mapping = $7, testers = $8, updated_at = $9, version = version + 1,
       tested_at = case when $10 then null else tested_at end
     where id = $1`,
    [
      id,
      input.name ?? before.name,
      preset,
      issuer,
      JSON.stringify(settings),
      JSON.stringify(provisioning),
      JSON.stringify(mapping),
      testers,
      work.now,
      asked,
    ],
  );
  if (input.domains) await bind(work, before, input.domains);
  if (!quietly)
    work.record(
      'connection.changed',
      { type: 'connection', id },
      {
        fields: Object.entries(input)
          .filter(([, value]) => value !== undefined)
          .map(([field]) => field),
        ...(input.domains && { domains: input.domains }),
      },
      accountId,
    );
  return requireConnection(work, accountId, id);
}

/** @throws {Refusal} `invalid_value` */
function checkIssuer(preset: PresetName, issuer: string): void {
  const { issuer: form, title, example } = presets[preset];
  if (form && !form.test(issuer))
    throw new Refusal('invalid_value', {
      issuer: `An issuer of ${title} looks like ${example}. It names one tenant.`,
    });
  if (/\/(common|organizations|consumers)(\/|$)|\{/.test(issuer))
    throw new Refusal('invalid_value', {
      issuer: 'The issuer has to name one tenant: behind this one stand many.',
    });
}

function canonicalTesters(testers: readonly string[]): string[] {
  return [
    ...new Set(
      testers.map((tester) => {
        const email = canonicalEmail(tester);
        if (email === null) throw new Refusal('invalid_email', { email: tester });
        return email;
      }),
    ),
  ];
}

/**
 * Groups of this account and service roles alone: no provider makes administrators.
 *
 * @throws {Refusal} `not_found`, `role_not_found`, `cannot_grant_higher_role`
 */
async function checkTargets(
  work: Work,
  accountId: string,
  provisioning: Provisioning,
  mapping: Mapping,
): Promise<void> {
  const groups = [
    ...provisioning.groups,
    ...(mapping.groups?.rules ?? []).map(({ group }) => group),
  ];
  const roles = [...provisioning.roles, ...(mapping.roles?.rules ?? []).map(({ role }) => role)];
  const known = await work.query<{ id: string }>(
    'select id from groups where account_id = $1 and id::text = any ($2::text[])',
    [accountId, groups],
  );
  for (const group of groups)
    if (!known.some(({ id }) => id === group)) throw new Refusal('not_found', { group });
  const knownRoles = await work.query<{ key: string; service: boolean }>(
    `select key, scope = 'account' and not built_in as service from roles where key = any ($1::text[])`,
    [roles],
  );
  for (const role of roles) {
    const found = knownRoles.find(({ key }) => key === role);
    if (!found) throw new Refusal('role_not_found', { role });
    if (!found.service) throw new Refusal('cannot_grant_higher_role', { role });
  }
}

/**
 * The domains that lead to a connection: each owned by its account, by a strong proof, and led to no
 * other (behaviour.md 3.3, F29).
 */
async function bind(
  work: Work,
  { id, accountId }: Connection,
  names: readonly string[],
): Promise<void> {
  const wanted = new Set<string>();
  for (const name of names) {
    const domain = await takeOwnedDomain(work, accountId, name);
    if (domain.state !== 'owned' && domain.state !== 'at_risk')
      throw new Refusal('domain_not_owned', { domain: domain.name });
    if (domain.proof === 'email')
      throw new Refusal('domain_not_proved', {
        domain: domain.name,
        why: 'A mail proves one mailbox. Prove the domain by DNS or over https first.',
      });
    wanted.add(domain.name);
  }
  await work.query(
    'delete from connection_domains where connection_id = $1 and domain <> all ($2::text[])',
    [id, [...wanted]],
  );
  for (const name of [...wanted].sort()) {
    // What another account left behind when it lost the domain leads nowhere, and makes room.
    const [bound] = await work.query<{ connection_id: string }>(
      `insert into connection_domains as b (domain, connection_id, bound_at) values ($1, $2, $3)
       on conflict (domain) do update set connection_id = $2, bound_at = $3
       where b.connection_id = $2 or not exists (
         select from connections c
         where c.id = b.connection_id and c.account_id = $4 and c.deleted_at is null)
       returning connection_id`,
      [name, id, work.now, accountId],
    );
    if (!bound) throw new Refusal('domain_in_use', { domain: name, by: 'another connection' });
  }
}

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

// --- Secrets

/** Those that are alive, the newest first. The secret itself is never shown again. */
export function listSecrets(sql: Sql, connectionId: string): Promise<ConnectionSecret[]> {
  return sql.query<ConnectionSecret>(
    `select id, kind, sealed, public_part as "publicPart", created_at as "createdAt",
       expires_at as "expiresAt", revoked_at as "revokedAt"
     from connection_secrets
     where connection_id = $1 and revoked_at is null and kind in ('client_secret', 'private_key')
     order by created_at desc, id desc`,
    [connectionId],
  );
}

/** As many of a kind are alive at once: the one of before goes on until it is taken away. */
const mostSecrets = 2;

/**
 * A further secret. The newest is tried first, the one before it after that: so nobody is kept out
 * while the provider and we are changed one after the other.
 *
 * @throws {Refusal} `limit_reached`
 */
export async function addSecret(
  work: Work,
  vault: Vault,
  { id: connectionId, accountId }: Pick<Connection, 'id' | 'accountId'>,
  secret:
    | { kind: 'client_secret'; value: string; expiresAt: Date | null }
    | { kind: 'private_key'; value: string; publicJwk: Record<string, unknown>; keyId: string },
): Promise<ConnectionSecret> {
  const alive = await listSecrets(work, connectionId);
  if (alive.filter(({ kind }) => kind === secret.kind).length >= mostSecrets)
    throw new Refusal('limit_reached', { why: 'Two are alive. Take the older one away first.' });
  const id = secret.kind === 'private_key' ? secret.keyId : newId(work.now.getTime());
  await work.query(
    `insert into connection_secrets (id, connection_id, kind, sealed, public_part, created_by,
       created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      id,
      connectionId,
      secret.kind,
      vault.seal(secret.value, secretContext(connectionId)),
      JSON.stringify(
        secret.kind === 'private_key' ? secret.publicJwk : { hint: secret.value.slice(-4) },
      ),
      JSON.stringify(work.actor),
      work.now,
      secret.kind === 'client_secret' ? secret.expiresAt : null,
    ],
  );
  await touch(work, connectionId);
  work.record(
    'connection.secret_added',
    { type: 'connection', id: connectionId },
    { kind: secret.kind, id },
    accountId,
  );
  return (await listSecrets(work, connectionId)).find((one) => one.id === id)!;
}

/** @throws {Refusal} `not_found`, `connection_in_use` for the last one of an active connection */
export async function revokeSecret(
  work: Work,
  { id: connectionId, accountId, state }: Connection,
  secretId: string,
): Promise<void> {
  const alive = await listSecrets(work, connectionId);
  if (!alive.some(({ id }) => id === secretId)) throw new Refusal('not_found');
  if (alive.length === 1 && state === 'active') throw new Refusal('connection_in_use');
  await work.query(`update connection_secrets set revoked_at = $2, sealed = '' where id = $1`, [
    secretId,
    work.now,
  ]);
  await touch(work, connectionId);
  work.record(
    'connection.secret_revoked',
    { type: 'connection', id: connectionId },
    { id: secretId },
    accountId,
  );
}

/** Another version: what is kept of the connection in memory is of before. */
async function touch(work: Work, connectionId: string): Promise<void> {
  await work.query('update connections set updated_at = $2, version = version + 1 where id = $1', [
    connectionId,
    work.now,
  ]);
}

// --- Links

export interface LinkView {
  id: string;
  userId: string;
  email: string | null;
  subject: string;
  how: string;
  linkedAt: Date;
  lastUsedAt: Date;
}

/** Who is linked to whom there, the last used first. */
export function listLinks(
  sql: Sql,
  connectionId: string,
  { userId = null, after, limit }: { userId?: string | null; after: string | null; limit: number },
): Promise<LinkView[]> {
  return sql.query<LinkView>(
    `select l.id, l.user_id as "userId", u.email_display as email, l.subject, l.how,
       l.linked_at as "linkedAt", l.last_used_at as "lastUsedAt"
     from federated_links l join users u on u.id = l.user_id
     where l.connection_id = $1 and l.unlinked_at is null and ($2::uuid is null or l.user_id = $2)
       and ($3::uuid is null or l.id > $3)
     order by l.id limit $4`,
    [connectionId, userId, after, limit],
  );
}

/**
 * Takes a link away, after a re-hire or a rebuilt directory: the next sign-in of the person links them
 * anew. The subject of before is nobody else's from then on.
 *
 * @throws {Refusal} `not_found`
 */
export async function unlink(
  work: Work,
  { id: connectionId, accountId }: Pick<Connection, 'id' | 'accountId'>,
  linkId: string,
): Promise<void> {
  const [link] = await work.query<{ user_id: string }>(
    `update federated_links set unlinked_at = $3, unlinked_by = $4
     where id = $1 and connection_id = $2 and unlinked_at is null returning user_id`,
    [linkId, connectionId, work.now, JSON.stringify(work.actor)],
  );
  if (!link) throw new Refusal('not_found');
  work.record(
    'identity.unlinked',
    { type: 'user', id: link.user_id },
    { connection: connectionId, link: linkId },
    accountId,
  );
}

/** An account no longer owns a domain: nothing leads to its connection from there. */
export async function unbindDomain(work: Work, accountId: string, domain: string): Promise<void> {
  const unbound = await work.query<{ connection_id: string }>(
    `delete from connection_domains b using connections c
     where b.domain = $1 and c.id = b.connection_id and c.account_id = $2
     returning b.connection_id`,
    [domain, accountId],
  );
  for (const { connection_id: id } of unbound)
    work.record('connection.changed', { type: 'connection', id }, { unbound: domain }, accountId);
}

/** What an account uses a domain for, so that it is not let go under its people. */
export async function connectionUse(
  work: Work,
  accountId: string,
  domain: string,
): Promise<string | null> {
  const [used] = await work.query<{ name: string }>(
    `select c.name from connection_domains b join connections c on c.id = b.connection_id
     where b.domain = $1 and c.account_id = $2 and c.state = 'active' and c.deleted_at is null`,
    [domain, accountId],
  );
  return used ? `the connection ${used.name}` : null;
}

/** Two accounts become one: its connections, and who is linked by them, go along with its domains. */
export async function moveConnections(work: Work, fromId: string, toId: string): Promise<void> {
  await work.query(
    `update connections set account_id = $2, updated_at = $3, version = version + 1
     where account_id = $1 and deleted_at is null`,
    [fromId, toId, work.now],
  );
  await work.query('update federated_traces set account_id = $2 where account_id = $1', [
    fromId,
    toId,
  ]);
}

/** An account ends: nobody is sent to its providers any more. */
export async function disableConnections(
  work: Work,
  accountId: string,
  reason: string,
): Promise<void> {
  const alive = await work.query<{ id: string }>(
    `select id from connections
     where account_id = $1 and state <> 'disabled' and deleted_at is null order by id`,
    [accountId],
  );
  for (const { id } of alive) await disableConnection(work, accountId, id, reason);
}
