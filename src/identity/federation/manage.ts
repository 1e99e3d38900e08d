import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { takeOwnedDomain } from '../domains/domain.ts';
import { Refusal } from '../refusal.ts';
import { canonicalEmail } from '../users/email.ts';
import type { Work } from '../work.ts';
import {
  connectionColumns,
  connectionOf,
  defaultProvisioning,
  type Connection,
  type ConnectionKind,
  type ConnectionRow,
  type PresetName,
  type Provisioning,
} from './connection.ts';
import type { Mapping } from './mapping.ts';
import { defaultOidcSettings, presets, type OidcSettings } from './oidc-settings.ts';

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
  /** Whether signing out here signs out there too. */
  signOutUpstream?: boolean | undefined;
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
       tested_at = case when $10 then null else tested_at end, sign_out_upstream = $11
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
      input.signOutUpstream ?? before.signOutUpstream,
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
  const along = await work.query<{ name: string }>(
    `select c.name from domains c join domains p on p.id = c.parent_id
     where p.account_id = $1 and p.name = any ($2::text[])`,
    [accountId, [...wanted]],
  );
  for (const { name } of along) wanted.add(name);
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
