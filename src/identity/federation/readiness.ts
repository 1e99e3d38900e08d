import type { Sql } from '#platform/database/sql.ts';
import { breakGlassOf } from '../credentials/break-glass.ts';
import type { Connection } from './connection.ts';
import { membersOf, peopleOf, type Members, type Standing } from './readiness-people.ts';
import { samlProblem, samlSettings } from './saml/settings.ts';

/** `error` keeps a connection from being ready; `warning` is to be read; `info` is good to know. */
export type ReadinessLevel = 'ok' | 'info' | 'warning' | 'error';

export const readinessChecks = [
  'provider',
  'domains',
  'tested',
  'break_glass',
  'expiry',
  'health',
  'members',
  'linked_by_domain',
  'step_up',
  'break_glass_members',
  'locked_members',
  'missing_country',
  'missing_name',
  'unknown_to_directory',
  'other_in_directory',
  'other_ids',
  'other_addresses',
  'elsewhere',
  'unaffiliated',
  'waiting',
  'former',
  'unverified',
  'guests',
] as const;
export type ReadinessCheck = (typeof readinessChecks)[number];

/** What exactly was found. Each door says it in the reader's language. */
export const readinessFindings = [
  'provider_trusted',
  'metadata_missing',
  'no_address',
  'no_certificate',
  'no_own_key',
  'issuer_missing',
  'no_secret',
  'no_domain',
  'domain_lost',
  'domain_at_risk',
  'domains_owned',
  'never_tested',
  'changed_since',
  'tested_at',
  'break_glass_there',
  'break_glass_missing',
  'nothing_ends',
  'ended',
  'ends_soon',
  'ends_later',
  'failing',
  'healthy',
  'members',
  'linked_by_domain',
  'step_up',
  'break_glass_members',
  'locked_members',
  'country_asked',
  'country_refused',
  'name_asked',
  'name_refused',
  'unknown_to_directory',
  'unknown_refused',
  'other_in_directory',
  'other_ids_refused',
  'other_ids',
  'other_addresses',
  'elsewhere',
  'unaffiliated',
  'waiting',
  'former_refused',
  'former_return',
  'unverified',
  'guests',
] as const;
export type ReadinessFinding = (typeof readinessFindings)[number];

export interface ReadinessItem {
  check: ReadinessCheck;
  level: ReadinessLevel;
  finding: ReadinessFinding;
  /** What the sentence names: a moment, domains, an issuer, the provider's own words. */
  values: { at?: Date; names?: string[]; detail?: string };
  /** How many it is about, where it is about people or things. */
  count: number | null;
  /** Addresses of the account's own people, a few. Those of others are never named. */
  people: string[];
}

export interface ReadinessReport {
  connectionId: string;
  ready: boolean;
  /** What happens to the members with an address of its domains when they come through it first. */
  members: {
    total: number;
    linked: number;
    /** Have nothing to sign in with here: they are recognized. */
    firstBind: number;
    /** Have a password, which ends with their first sign-in through the provider. */
    passwordEnds: number;
    /** Administrators with a password: they show it once more. */
    stepUp: number;
    /** Never come in through it. */
    breakGlass: number;
    locked: number;
  };
  items: ReadinessItem[];
}

const soon = 30 * 24 * 3600_000;
const few = 20;

/**
 * What there is to know before a connection is activated (behaviour.md F29): whether it can work, what
 * it will mean for whom, and where the people here are not those of the company's directory. Reads
 * alone, in five statements; nothing is changed by it.
 */
export async function readinessReport(
  sql: Sql,
  connection: Connection,
  now: Date,
): Promise<ReadinessReport> {
  const { domains, accountId, provisioning, mapping } = connection;
  const [owned, usable, secrets, people, members] = [
    await ownedDomains(sql, accountId, domains),
    await breakGlassOf(sql, accountId),
    await liveSecrets(sql, connection.id),
    await peopleOf(sql, accountId, domains),
    await membersOf(sql, connection, now),
  ];
  const count = (standing: Standing): number =>
    people.find((one) => one.standing === standing)?.count ?? 0;
  const refuses = provisioning.mode === 'scim_only';
  const items = [
    provider(connection, secrets),
    domainItem(domains, owned),
    tested(connection),
    item(
      'break_glass',
      usable.length > 0 ? 'ok' : connection.mode === 'enforced' ? 'error' : 'warning',
      usable.length > 0 ? 'break_glass_there' : 'break_glass_missing',
      { people: usable.map(({ email }) => email), count: usable.length },
    ),
    expiry(connection, secrets, now),
    connection.health.failingSince
      ? item('health', 'warning', 'failing', {
          values: { detail: connection.health.lastFailure ?? '' },
        })
      : item('health', 'ok', 'healthy'),
    about('members', 'info', 'members', members.total),
    about('linked_by_domain', 'info', 'linked_by_domain', members.linkedByDomain),
    about('step_up', 'info', 'step_up', members.stepUp),
    about('break_glass_members', 'info', 'break_glass_members', members.breakGlass),
    about('locked_members', 'info', 'locked_members', members.locked),
    ...missing(connection, members),
    about(
      'unknown_to_directory',
      refuses ? 'warning' : 'info',
      refuses ? 'unknown_refused' : 'unknown_to_directory',
      members.unknownToDirectory,
    ),
    about('other_in_directory', 'warning', 'other_in_directory', members.otherInDirectory),
    about(
      'other_ids',
      mapping.attributes.externalId ? 'warning' : 'info',
      mapping.attributes.externalId ? 'other_ids_refused' : 'other_ids',
      members.otherIds,
    ),
    about('other_addresses', 'info', 'other_addresses', members.otherAddresses),
    about('elsewhere', 'warning', 'elsewhere', count('elsewhere')),
    about('unaffiliated', 'info', 'unaffiliated', count('unaffiliated')),
    about('waiting', 'info', 'waiting', count('waiting')),
    about(
      'former',
      provisioning.removalSticks ? 'warning' : 'info',
      provisioning.removalSticks ? 'former_refused' : 'former_return',
      count('former'),
    ),
    about('unverified', 'info', 'unverified', count('unverified')),
    provisioning.guests ? item('guests', 'info', 'guests') : null,
  ].filter((one) => one !== null);
  return {
    connectionId: connection.id,
    ready: items.every(({ level }) => level !== 'error'),
    members: {
      total: members.total,
      linked: members.linked,
      firstBind: members.firstBind,
      passwordEnds: members.passwordEnds,
      stepUp: members.stepUp.length,
      breakGlass: members.breakGlass.length,
      locked: members.locked.length,
    },
    items,
  };
}

function item(
  check: ReadinessCheck,
  level: ReadinessLevel,
  finding: ReadinessFinding,
  {
    values = {},
    people = [],
    count = null,
  }: { values?: ReadinessItem['values']; people?: readonly string[]; count?: number | null } = {},
): ReadinessItem {
  return { check, level, finding, values, count, people: people.slice(0, few) };
}

/** What is said only where there is somebody it is about: how many, or who. */
function about(
  check: ReadinessCheck,
  level: ReadinessLevel,
  finding: ReadinessFinding,
  whom: number | readonly string[],
): ReadinessItem | null {
  const [count, people] = typeof whom === 'number' ? [whom, []] : [whom.length, whom];
  return count === 0 ? null : item(check, level, finding, { count, people });
}

interface LiveSecret {
  kind: string;
  expiresAt: Date | null;
}

function provider(connection: Connection, secrets: readonly LiveSecret[]): ReadinessItem {
  const problem: ReadinessFinding | null =
    connection.kind === 'saml'
      ? (samlProblem(connection) ??
        (secrets.some(({ kind }) => kind === 'saml_key') ? null : 'no_own_key'))
      : connection.issuer === null
        ? 'issuer_missing'
        : secrets.length === 0
          ? 'no_secret'
          : null;
  return problem === null
    ? item('provider', 'ok', 'provider_trusted', { values: { names: [connection.issuer!] } })
    : item('provider', 'error', problem);
}

function domainItem(domains: readonly string[], owned: ReadonlyMap<string, string>): ReadinessItem {
  if (domains.length === 0) return item('domains', 'error', 'no_domain', { count: 0 });
  const said = (names: string[]) => ({ values: { names }, count: names.length });
  const lost = domains.filter((domain) => !owned.has(domain));
  if (lost.length > 0) return item('domains', 'error', 'domain_lost', said(lost));
  const atRisk = domains.filter((domain) => owned.get(domain) === 'at_risk');
  if (atRisk.length > 0) return item('domains', 'warning', 'domain_at_risk', said(atRisk));
  return item('domains', 'ok', 'domains_owned', said([...domains]));
}

function tested({ testedAt, testedVersion, version }: Connection): ReadinessItem {
  if (testedAt === null) return item('tested', 'error', 'never_tested');
  return testedVersion === version
    ? item('tested', 'ok', 'tested_at', { values: { at: testedAt } })
    : item('tested', 'warning', 'changed_since');
}

function expiry(connection: Connection, secrets: readonly LiveSecret[], now: Date): ReadinessItem {
  // Of several the one that lasts longest counts: the others are being replaced.
  const kinds = new Map<string, number>();
  const note = (kind: string, endsAt: Date | null): void => {
    const end = endsAt?.getTime() ?? Infinity;
    kinds.set(kind, Math.max(kinds.get(kind) ?? 0, end));
  };
  for (const { kind, expiresAt } of secrets) note(kind, expiresAt);
  for (const { notAfter } of samlSettings(connection).certificates)
    note('certificate', new Date(notAfter));
  const first = Math.min(...kinds.values());
  if (!Number.isFinite(first)) return item('expiry', 'ok', 'nothing_ends');
  const values = { at: new Date(first) };
  if (first <= now.getTime()) return item('expiry', 'warning', 'ended', { values });
  return first - now.getTime() < soon
    ? item('expiry', 'warning', 'ends_soon', { values })
    : item('expiry', 'ok', 'ends_later', { values });
}

function missing(
  { provisioning: { missing: choice, requireCountry, defaultCountry } }: Connection,
  { withoutCountry, withoutName }: Members,
): (ReadinessItem | null)[] {
  const refused = choice === 'reject';
  const level = refused ? 'warning' : 'info';
  return [
    requireCountry && defaultCountry === null
      ? about(
          'missing_country',
          level,
          refused ? 'country_refused' : 'country_asked',
          withoutCountry,
        )
      : null,
    about('missing_name', level, refused ? 'name_refused' : 'name_asked', withoutName),
  ];
}

/** The domains that the account may speak for, with their state. */
async function ownedDomains(
  sql: Sql,
  accountId: string,
  domains: readonly string[],
): Promise<Map<string, string>> {
  const rows = await sql.query<{ name: string; state: string }>(
    `select name, state from domains
     where account_id = $1 and name = any ($2) and state in ('owned', 'at_risk')`,
    [accountId, domains],
  );
  return new Map(rows.map(({ name, state }) => [name, state]));
}

function liveSecrets(sql: Sql, connectionId: string): Promise<LiveSecret[]> {
  return sql.query(
    `select kind, expires_at as "expiresAt" from connection_secrets
     where connection_id = $1 and revoked_at is null`,
    [connectionId],
  );
}
