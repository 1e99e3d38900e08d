import type { Sql } from '#platform/database/sql.ts';
import { breakGlassOf } from '../credentials/break-glass.ts';
import type { Connection } from './connection.ts';
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
  'step_up',
  'locked_members',
  'missing_country',
  'missing_name',
  'other_addresses',
  'elsewhere',
  'unaffiliated',
  'waiting',
  'former',
  'unverified',
  'guests',
] as const;
export type ReadinessCheck = (typeof readinessChecks)[number];

export interface ReadinessItem {
  check: ReadinessCheck;
  level: ReadinessLevel;
  /** How many it is about, where it is about people or things. */
  count: number | null;
  detail: string;
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
 * What there is to know before a connection is activated (behaviour.md F29): whether it can work, and
 * what it will mean for whom. Reads alone, in six statements; nothing is changed by it.
 */
export async function readinessReport(
  sql: Sql,
  connection: Connection,
  now: Date,
): Promise<ReadinessReport> {
  const { domains, accountId } = connection;
  const [owned, usable, secrets, people, members] = [
    await ownedDomains(sql, accountId, domains),
    await breakGlassOf(sql, accountId),
    await liveSecrets(sql, connection.id),
    await peopleOf(sql, accountId, domains),
    await membersOf(sql, connection, now),
  ];
  const count = (standing: Standing): number =>
    people.find((one) => one.standing === standing)?.count ?? 0;
  const items = [
    provider(connection, secrets),
    domainItem(domains, owned),
    tested(connection),
    item(
      'break_glass',
      usable.length > 0 ? 'ok' : connection.mode === 'enforced' ? 'error' : 'warning',
      usable.length > 0
        ? 'They can come in without the provider.'
        : 'Nobody could come in if the provider did not answer. Mark an Account Administrator who has a password and a second factor.',
      usable.map(({ email }) => email),
      usable.length,
    ),
    expiry(connection, secrets, now),
    item(
      'health',
      connection.health.failingSince ? 'warning' : 'ok',
      connection.health.failingSince
        ? `It fails again and again: ${connection.health.lastFailure ?? ''}`
        : 'It does not fail.',
    ),
    about('members', 'info', members.total, 'Members whose address is of its domains.'),
    about(
      'step_up',
      'info',
      members.stepUp.length,
      'Administrators with a password show it once more when they come through the provider first.',
      members.stepUp,
    ),
    about(
      'locked_members',
      'info',
      members.locked.length,
      'They are locked here, and stay so whatever the provider says.',
      members.locked,
    ),
    ...missing(connection, members),
    about(
      'other_addresses',
      'info',
      members.otherAddresses,
      'Members whose address is of another domain go on with their password.',
    ),
    about(
      'elsewhere',
      'warning',
      count('elsewhere'),
      'People with addresses of its domains belong to other accounts. They are refused until they leave there.',
    ),
    about(
      'unaffiliated',
      'info',
      count('unaffiliated'),
      'People of no account join yours with their first sign-in.',
    ),
    about(
      'waiting',
      'info',
      count('waiting'),
      'They wait for approval; their first sign-in through the provider settles it.',
    ),
    about(
      'former',
      connection.provisioning.removalSticks ? 'warning' : 'info',
      count('former'),
      connection.provisioning.removalSticks
        ? 'They were removed here. They are refused, and you are told that they asked to return.'
        : 'They were removed here, and come back with their next sign-in.',
    ),
    about(
      'unverified',
      'info',
      count('unverified'),
      'They registered and never proved the address. What they set is discarded.',
    ),
    ...(connection.provisioning.guests
      ? [item('guests', 'info', 'Guests of the directory come in too.')]
      : []),
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
      breakGlass: members.breakGlass,
      locked: members.locked.length,
    },
    items,
  };
}

function item(
  check: ReadinessCheck,
  level: ReadinessLevel,
  detail: string,
  people: readonly string[] = [],
  count: number | null = null,
): ReadinessItem {
  return { check, level, count, detail, people: people.slice(0, few) };
}

/** What is said only where there is somebody it is about. */
function about(
  check: ReadinessCheck,
  level: ReadinessLevel,
  count: number,
  detail: string,
  people: readonly string[] = [],
): ReadinessItem | null {
  return count === 0 ? null : item(check, level, detail, people, count);
}

interface LiveSecret {
  kind: string;
  expiresAt: Date | null;
}

function provider(connection: Connection, secrets: readonly LiveSecret[]): ReadinessItem {
  const problem =
    connection.kind === 'saml'
      ? (samlProblem(connection) ??
        (secrets.some(({ kind }) => kind === 'saml_key') ? null : 'There is no key of ours.'))
      : connection.issuer === null
        ? 'The issuer is missing.'
        : secrets.length === 0
          ? 'There is no client secret and no key.'
          : null;
  return problem === null
    ? item('provider', 'ok', `It trusts ${connection.issuer}.`)
    : item('provider', 'error', problem);
}

function domainItem(domains: readonly string[], owned: ReadonlyMap<string, string>): ReadinessItem {
  if (domains.length === 0)
    return item('domains', 'error', 'No domain leads to it: nobody would be sent there.', [], 0);
  const lost = domains.filter((domain) => !owned.has(domain));
  if (lost.length > 0)
    return item(
      'domains',
      'error',
      `The account does not own ${lost.join(', ')}.`,
      [],
      lost.length,
    );
  const atRisk = domains.filter((domain) => owned.get(domain) === 'at_risk');
  if (atRisk.length > 0)
    return item('domains', 'warning', `The proof of ${atRisk.join(', ')} is not found any more.`);
  return item('domains', 'ok', domains.join(', '), [], domains.length);
}

function tested({ testedAt, testedVersion, version }: Connection): ReadinessItem {
  if (testedAt === null)
    return item('tested', 'error', 'No test sign-in went through to its end yet.');
  return testedVersion === version
    ? item('tested', 'ok', `The last test was at ${testedAt.toISOString()}.`)
    : item('tested', 'warning', 'It was changed after the last test. Test it once more.');
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
  if (!Number.isFinite(first)) return item('expiry', 'ok', 'Nothing of it ends.');
  const when = new Date(first).toISOString();
  if (first <= now.getTime()) return item('expiry', 'warning', `Something of it ended at ${when}.`);
  return first - now.getTime() < soon
    ? item('expiry', 'warning', `Something of it ends at ${when}.`)
    : item('expiry', 'ok', `Nothing of it ends before ${when}.`);
}

function missing(
  { provisioning: { missing, requireCountry, defaultCountry } }: Connection,
  { withoutCountry, withoutName }: Members,
): (ReadinessItem | null)[] {
  const level = missing === 'reject' ? 'warning' : 'info';
  const then =
    missing === 'reject'
      ? 'They are refused where the provider does not send it.'
      : 'They are asked for it where the provider does not send it.';
  return [
    requireCountry && defaultCountry === null
      ? about(
          'missing_country',
          level,
          withoutCountry.length,
          `No country is known of them. ${then}`,
          withoutCountry,
        )
      : null,
    about(
      'missing_name',
      level,
      withoutName.length,
      `Their first or last name is missing. ${then}`,
      withoutName,
    ),
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

type Standing = 'member' | 'elsewhere' | 'unaffiliated' | 'waiting' | 'former' | 'unverified';

/** Everybody with an address of these domains, as the account may know of them. */
function peopleOf(
  sql: Sql,
  accountId: string,
  domains: readonly string[],
): Promise<{ standing: Standing; count: number }[]> {
  return sql.query(
    `select case
         when u.affiliation = 'member' and u.account_id = $1 then 'member'
         when u.affiliation = 'member' then 'elsewhere'
         when u.identity = 'unverified' then 'unverified'
         when exists (select from approval_requests q where q.user_id = u.id
           and q.state = 'open' and q.account_id = $1) then 'waiting'
         when exists (select from user_locks l where l.user_id = u.id and l.released_at is null
           and l.reason = 'unaffiliated' and l.account_id = $1) then 'former'
         else 'unaffiliated' end as standing, count(*)::int as count
     from users u
     where u.email is not null and split_part(u.email, '@', 2) = any ($2)
     group by 1`,
    [accountId, domains],
  );
}

interface Members {
  total: number;
  linked: number;
  firstBind: number;
  passwordEnds: number;
  breakGlass: number;
  otherAddresses: number;
  stepUp: string[];
  locked: string[];
  withoutCountry: string[];
  withoutName: string[];
}

/** The account's own members, sorted by what their first sign-in through the provider means. */
async function membersOf(sql: Sql, connection: Connection, now: Date): Promise<Members> {
  const [row] = await sql.query<Record<string, number> & Record<string, string[]>>(
    `with m as (
       select u.email_display as email, u.country, u.given_name, u.family_name, u.break_glass,
         split_part(u.email, '@', 2) = any ($2) as covered,
         exists (select from federated_links k where k.user_id = u.id and k.connection_id = $3
           and k.unlinked_at is null) as linked,
         exists (select from passwords p where p.user_id = u.id and p.disabled_at is null)
           as password,
         exists (select from role_assignments r where r.user_id = u.id and r.role in
           ('operator', 'account_administrator', 'co_administrator')) as administrator,
         exists (select from user_locks l where l.user_id = u.id and l.released_at is null
           and (l.until is null or l.until > $4) and l.reason <> 'too_many_attempts') as locked
       from users u
       where u.account_id = $1 and u.affiliation = 'member' and u.email is not null
     ), c as (select * from m where covered)
     select
       (select count(*)::int from c) as "total",
       (select count(*)::int from c where linked) as "linked",
       (select count(*)::int from c where not linked and not break_glass and not password)
         as "firstBind",
       (select count(*)::int from c where not linked and not break_glass and password
          and not administrator) as "passwordEnds",
       (select count(*)::int from c where break_glass) as "breakGlass",
       (select count(*)::int from m where not covered) as "otherAddresses",
       ${list('not linked and not break_glass and password and administrator')} as "stepUp",
       ${list('locked')} as "locked",
       ${list('country is null')} as "withoutCountry",
       ${list("given_name = '' or family_name = ''")} as "withoutName"`,
    [connection.accountId, connection.domains, connection.id, now],
  );
  return row as unknown as Members;
}

/** Whom it is about, by address; enough to count them in what is shown. */
function list(condition: string): string {
  return `array(select email from c where ${condition} order by email limit 1000)`;
}
