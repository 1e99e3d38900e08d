import type { Sql } from '#platform/database/sql.ts';
import { newId } from '#platform/ids.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import { Refusal } from '../refusal.ts';
import { withAhead, type Ahead } from './ahead.ts';
import { changeLimits, type BrakeLimits } from './brake.ts';
import type { DeparturePolicy, DomainPolicy, ScimCaller, ScimScopes } from './caller.ts';
import type { Work } from '../work.ts';

/** A token of an account, or the client that stands in for one, as its administrators see it. */
export interface ScimToken extends Omit<ScimCaller, 'accountStatus' | 'held'> {
  clientId: string | null;
  createdAt: Date;
  /** Null for a client: its secrets have an end of their own. */
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  lastUsedIp: string | null;
  limits: BrakeLimits;
  held: Held | null;
}

/** Since when a connection is held and by how much it went too far. */
export interface Held extends BrakeLimits {
  since: Date;
  departures: number;
  /** When an administrator decided that it stays held. */
  keptAt: Date | null;
}

export interface NewScimToken {
  name: string;
  scopes?: Partial<ScimScopes>;
  dryRun?: boolean;
  domainPolicy?: DomainPolicy;
  departurePolicy?: DeparturePolicy;
  classicConfig?: boolean;
  /** At most a year from now, which it is where nothing is said. */
  expiresAt?: Date | undefined;
  /** A client of ours in place of a secret: it brings access tokens with scope `scim`. */
  clientId?: string | undefined;
}

/** The longest life of a secret (behaviour.md section 11). */
export const longestLife = 365 * 24 * 3600_000;

/**
 * Live tokens of one account. behaviour.md F32 has two, for the one connection it gives an account; here
 * a token is a connection, with scopes, limits and a recorder of its own, and an account has several: a
 * directory, a second one while people move, a system of the personnel department, one to try things
 * out. Each needs a second token while it is replaced. So many are still looked through at a glance,
 * and none of them reaches another account or outlives a year.
 */
const limit = 20;

/** `scim_<connection>_<43 characters>`: who finds one knows what it is, and we whose. */
const form = /^scim_([0-9a-f]{32})_([\w-]{43})$/;

/** An opaque access token, as the engine makes them for clients (`opaqueLengths`). */
const accessToken = /^[\w-]{45}$/;

const columns = `t.id, t.account_id as "accountId", t.name,
  jsonb_build_object('users', t.users, 'groups', t.groups, 'readOnly', t.read_only) as scopes,
  t.dry_run as "dryRun", t.domain_policy as "domainPolicy",
  t.departure_policy as "departurePolicy", t.classic_config as "classicConfig"`;

const administered = `${columns}, t.client_id as "clientId", t.created_at as "createdAt",
  t.expires_at as "expiresAt", t.last_used_at as "lastUsedAt", t.last_used_ip as "lastUsedIp",
  jsonb_build_object('number', t.brake_number, 'share', t.brake_share, 'minutes', t.brake_minutes)
    as limits, t.held, t.held_at as "heldAt", t.kept_at as "keptAt"`;

type TokenRow = Omit<ScimToken, 'held'> & {
  held: (BrakeLimits & { departures: number }) | null;
  heldAt: Date | null;
  keptAt: Date | null;
};

function tokenOf({ held, heldAt, keptAt, ...token }: TokenRow): ScimToken {
  return { ...token, held: held && heldAt && { ...held, since: heldAt, keptAt } };
}

/** Names that no resource has a column of: what is read ahead stands in the same row. */
const foundColumns = `t.id as "tokenId", t.account_id as "accountId", t.name as "tokenName",
  t.users as "reachesUsers", t.groups as "reachesGroups", t.read_only as "readOnly",
  t.dry_run as "dryRun", t.domain_policy as "domainPolicy",
  t.departure_policy as "departurePolicy", t.classic_config as "classicConfig",
  t.last_used_at as "lastUsedAt", a.status as "accountStatus", t.held_at is not null as held`;

interface Found extends Pick<
  ScimCaller,
  | 'accountId'
  | 'accountStatus'
  | 'dryRun'
  | 'domainPolicy'
  | 'departurePolicy'
  | 'classicConfig'
  | 'held'
> {
  tokenId: string;
  tokenName: string;
  reachesUsers: boolean;
  reachesGroups: boolean;
  readOnly: boolean;
  lastUsedAt: Date | null;
}

function callerOf(found: Found): ScimCaller {
  const { accountId, accountStatus, dryRun, domainPolicy, departurePolicy, classicConfig, held } =
    found;
  return {
    id: found.tokenId,
    accountId,
    accountStatus,
    name: found.tokenName,
    scopes: { users: found.reachesUsers, groups: found.reachesGroups, readOnly: found.readOnly },
    dryRun,
    domainPolicy,
    departurePolicy,
    classicConfig,
    held,
  };
}

const alive = `t.revoked_at is null and (t.expires_at is null or t.expires_at > $2)`;

/**
 * Makes a token. The secret is in the answer, once; only its hash is kept. For a client there is none:
 * it has its own.
 *
 * @throws {Refusal} `limit_reached`, `invalid_value` for an end, a scope or a client that cannot be
 */
export async function createScimToken(
  work: Work,
  accountId: string,
  { name, scopes, expiresAt, clientId, ...settings }: NewScimToken,
): Promise<{ token: ScimToken; secret: string | null }> {
  const { users, groups, readOnly } = { users: true, groups: true, readOnly: false, ...scopes };
  if (!users && !groups)
    throw new Refusal('invalid_value', { field: 'scopes', why: 'It could reach nothing.' });
  const ends = clientId === undefined ? endOf(work.now, expiresAt) : null;
  if (clientId !== undefined) await requireClient(work, clientId, expiresAt);
  // The account's row, so that two at once are counted one after the other.
  await work.query('select 1 from accounts where id = $1 for no key update', [accountId]);
  if ((await listScimTokens(work, accountId, work.now)).length >= limit)
    throw new Refusal('limit_reached', { limit });
  const id = newId(work.now.getTime());
  const secret = clientId === undefined ? `scim_${id.replaceAll('-', '')}_${newSecret()}` : null;
  const {
    dryRun = false,
    domainPolicy = 'owned',
    departurePolicy = 'everybody',
    classicConfig = false,
  } = settings;
  const [token] = await work.query<TokenRow>(
    `insert into scim_tokens as t (id, account_id, name, secret_hash, client_id, users, groups,
       read_only, dry_run, domain_policy, departure_policy, classic_config, created_by, created_at,
       expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     returning ${administered}`,
    [
      id,
      accountId,
      name,
      secret && secretHash(secret),
      clientId ?? null,
      users,
      groups,
      readOnly,
      dryRun,
      domainPolicy,
      departurePolicy,
      classicConfig,
      JSON.stringify(work.actor),
      work.now,
      ends,
    ],
  );
  work.record(
    'scim_token.created',
    { type: 'scim_token', id },
    {
      name,
      scopes: { users, groups, readOnly },
      dryRun,
      domainPolicy,
      departurePolicy,
      expiresAt: ends?.toISOString() ?? null,
      ...(clientId !== undefined && { clientId }),
    },
    accountId,
  );
  return { token: tokenOf(token!), secret };
}

function endOf(now: Date, asked: Date | undefined): Date {
  const latest = new Date(now.getTime() + longestLife);
  if (asked && asked <= now)
    throw new Refusal('invalid_value', { field: 'expiresAt', why: 'It is over already.' });
  if (asked && asked > latest)
    throw new Refusal('invalid_value', {
      field: 'expiresAt',
      why: `It may be valid until ${latest.toISOString()} at most.`,
    });
  return asked ?? latest;
}

async function requireClient(work: Work, clientId: string, expiresAt?: Date): Promise<void> {
  const wrong = (field: string, why: string) => new Refusal('invalid_value', { field, why });
  if (expiresAt) throw wrong('expiresAt', 'A client has no end here: its secrets have theirs.');
  const [client] = await work.query<{ grants: string[]; scope: string; taken: boolean }>(
    `select coalesce(c.metadata -> 'grant_types', '[]') as grants,
            coalesce(c.metadata ->> 'scope', '') as scope,
            exists (select from scim_tokens t
                    where t.client_id = c.id and t.revoked_at is null) as taken
     from clients c where c.id = $1 and c.disabled_at is null for update`,
    [clientId],
  );
  if (!client) throw wrong('clientId', 'There is no such client.');
  if (client.taken) throw wrong('clientId', 'This client speaks for a directory already.');
  if (!client.grants.includes('client_credentials') || !client.scope.split(' ').includes('scim'))
    throw wrong('clientId', 'It needs the grant client_credentials and the scope scim.');
}

const foundFrom = `scim_tokens t join accounts a on a.id = t.account_id
  where t.id = $3 and t.secret_hash = $1 and ${alive} and a.status not in ('closed', 'merged')`;

/** Who comes in, and what was read ahead for them: null where it was not. */
export interface Admitted {
  caller: ScimCaller;
  rows: unknown[] | null;
}

/**
 * The directory that has this secret while the token is alive, and a note that it was used. The secret
 * may be an access token with scope `scim` of a client that speaks for one.
 *
 * @param ahead is read in the same statement, in their account, where that is possible
 */
export async function findScimToken(
  sql: Sql,
  secret: string,
  now: Date,
  ip: string | null,
  ahead: Ahead | null = null,
): Promise<Admitted | null> {
  const named = form.exec(secret);
  if (!named) return findByAccessToken(sql, secret, now, ip);
  const token = [secretHash(secret), now, named[1]!];
  const rows = ahead
    ? await sql.query<Found & { id: unknown }>(withAhead(foundColumns, foundFrom, ahead), [
        ...token,
        ...ahead.params.slice(1),
      ])
    : await sql.query<Found>(`select ${foundColumns} from ${foundFrom}`, token);
  const [found] = rows;
  if (found) {
    const read = ahead && rows.filter((row) => (row as { id?: unknown }).id !== null);
    return { caller: await used(sql, found, now, ip), rows: read };
  }
  await refused(sql, named[1]!, now);
  return null;
}

/** Somebody came with a token that is over, revoked or wrong: its administrators see that it is used. */
async function refused(sql: Sql, id: string, now: Date): Promise<void> {
  await sql.query(
    `update scim_tokens set refused_at = $2
     where id = (${unlessTaken}) and (refused_at is null or refused_at < $3)`,
    [id, now, new Date(now.getTime() - 60_000)],
  );
}

/**
 * Only what the client got in its own name, and not bound to a key that nobody here asks for
 * (`cnf` of RFC 7800): a person's access token opens nothing, whatever its scope.
 */
async function findByAccessToken(
  sql: Sql,
  secret: string,
  now: Date,
  ip: string | null,
): Promise<Admitted | null> {
  if (!accessToken.test(secret)) return null;
  const [found] = await sql.query<Found>(
    `select ${foundColumns}
     from oidc_artifacts o
     join clients c on c.id = o.client_id and c.disabled_at is null
     join scim_tokens t on t.client_id = c.id
     join accounts a on a.id = t.account_id
     where o.id = $1 and o.model = 'ClientCredentials' and o.expires_at > $2
       and o.consumed_at is null and 'scim' = any (string_to_array(o.payload ->> 'scope', ' '))
       and not o.payload ?| array['jkt', 'x5t#S256']
       and ${alive} and a.status not in ('closed', 'merged')`,
    [secretHash(`ClientCredentials:${secret}`), now],
  );
  return found ? { caller: await used(sql, found, now, ip), rows: null } : null;
}

/** Nobody waits for a note: a request of many removals holds the row for seconds (`countDeparture`). */
const unlessTaken = 'select t.id from scim_tokens t where t.id = $1 for no key update skip locked';

/** To the minute is enough, and spares a write per request. */
async function used(sql: Sql, found: Found, now: Date, ip: string | null): Promise<ScimCaller> {
  const { tokenId, lastUsedAt } = found;
  if (lastUsedAt === null || now.getTime() - lastUsedAt.getTime() > 60_000)
    await sql.query(
      `update scim_tokens set last_used_at = $2, last_used_ip = $3 where id = (${unlessTaken})`,
      [tokenId, now, ip],
    );
  return callerOf(found);
}

/** The directory behind a token whether it is alive or not, to ask again what it asked. */
export async function directoryBehind(sql: Sql, tokenId: string): Promise<ScimCaller | null> {
  const [found] = await sql.query<Found>(
    `select ${foundColumns} from scim_tokens t join accounts a on a.id = t.account_id
     where t.id = $1`,
    [tokenId],
  );
  return found ? callerOf(found) : null;
}

/** The tokens of an account that are alive, the newest first. */
export async function listScimTokens(sql: Sql, accountId: string, now: Date): Promise<ScimToken[]> {
  const rows = await sql.query<TokenRow>(
    `select ${administered} from scim_tokens t where t.account_id = $1 and ${alive}
     order by t.id desc`,
    [accountId, now],
  );
  return rows.map(tokenOf);
}

/** One that is alive. @throws {Refusal} `not_found` */
export async function requireScimToken(
  sql: Sql,
  accountId: string,
  id: string,
  now: Date,
): Promise<ScimToken> {
  const [token] = await sql.query<TokenRow>(
    `select ${administered} from scim_tokens t where t.account_id = $1 and t.id = $3 and ${alive}`,
    [accountId, now, id],
  );
  if (!token) throw new Refusal('not_found');
  return tokenOf(token);
}

export interface ScimTokenChange {
  name?: string | undefined;
  dryRun?: boolean | undefined;
  domainPolicy?: DomainPolicy | undefined;
  departurePolicy?: DeparturePolicy | undefined;
  classicConfig?: boolean | undefined;
  limits?: { [Key in keyof BrakeLimits]?: number | undefined } | undefined;
}

/** Changes how a directory is treated. What it may reach stays: that is another token. */
export async function changeScimToken(
  work: Work,
  accountId: string,
  id: string,
  { limits, ...change }: ScimTokenChange,
): Promise<ScimToken> {
  await work.query('select 1 from scim_tokens where id = $1 for no key update', [id]);
  const before = await requireScimToken(work, accountId, id, work.now);
  const { name, dryRun, domainPolicy, departurePolicy, classicConfig } = {
    ...before,
    ...said(change),
  };
  const settings = { name, dryRun, domainPolicy, departurePolicy, classicConfig };
  const changed = (Object.keys(settings) as (keyof typeof settings)[]).filter(
    (key) => settings[key] !== before[key],
  );
  if (changed.length > 0) {
    await work.query(
      `update scim_tokens set name = $2, dry_run = $3, domain_policy = $4, departure_policy = $5,
         classic_config = $6
       where id = $1`,
      [id, name, dryRun, domainPolicy, departurePolicy, classicConfig],
    );
    work.record(
      'scim_token.changed',
      { type: 'scim_token', id },
      {
        before: Object.fromEntries(changed.map((key) => [key, before[key]])),
        after: Object.fromEntries(changed.map((key) => [key, settings[key]])),
      },
      accountId,
    );
  }
  if (limits) await changeLimits(work, accountId, id, said(limits));
  return requireScimToken(work, accountId, id, work.now);
}

/** What was said, without what was not. */
function said<Values extends object>(
  values: Values,
): { [Key in keyof Values]: NonNullable<Values[Key]> } {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as never;
}

/** It opens nothing from now on, anywhere: it is read at each request. @throws {Refusal} `not_found` */
export async function revokeScimToken(work: Work, accountId: string, id: string): Promise<void> {
  const [token] = await work.query<{ name: string }>(
    `update scim_tokens set revoked_at = $3
     where id = $1 and account_id = $2 and revoked_at is null returning name`,
    [id, accountId, work.now],
  );
  if (!token) throw new Refusal('not_found');
  work.record('scim_token.revoked', { type: 'scim_token', id }, { name: token.name }, accountId);
}
