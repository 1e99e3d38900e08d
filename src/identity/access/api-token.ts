import { newId } from '#platform/ids.ts';
import { Refusal } from '../refusal.ts';
import type { Sql } from '#platform/database/sql.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import type { Work } from '../work.ts';
import { rights, type Capability } from './rights.ts';

/** A token for the administration API: an operator's, or one account's with the rights of a role. */
export interface ApiToken {
  id: string;
  name: string;
  accountId: string | null;
  role: 'operator' | 'account_administrator' | 'co_administrator';
  /** What it may do of all that its role may, such as `users:read` or `users:*`; empty: everything. */
  scopes: string[];
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
  lastUsedIp: string | null;
}

export interface NewApiToken {
  name: string;
  accountId: string | null;
  role: ApiToken['role'];
  scopes?: readonly string[];
  expiresAt?: Date | null;
}

/** Tokens begin with this, so that one that got out is recognised by whoever scans for secrets. */
const prefix = 'ost_';

const columns = `id, name, account_id as "accountId", role, scopes, created_at as "createdAt",
  expires_at as "expiresAt", last_used_at as "lastUsedAt", last_used_ip as "lastUsedIp"`;

/**
 * Whether a token `t` is good, as an SQL condition: it was not revoked, is not over, and whoever made it
 * may still do so. A right is gone at once with the role or the lock (behaviour.md section 7): an
 * administrator who was dismissed keeps none of it in a file. Who made a token that made it, answers
 * for both; what was made at the server itself stands for itself.
 *
 * @param now the placeholder of the moment
 */
export function tokenStands(now: string): string {
  return `t.revoked_at is null and (t.expires_at is null or t.expires_at > ${now})
    and not exists (
      with recursive maker (type, id) as (
        select t.created_by ->> 'type', t.created_by ->> 'id'
        union
        select p.created_by ->> 'type', p.created_by ->> 'id' from maker m
        join api_tokens p on p.id = case when m.type = 'api_token' then m.id::uuid end
      )
      select from maker m where m.type = 'user' and not exists (
        select from users u join role_assignments r on r.user_id = u.id
        where u.id = case when m.type = 'user' then m.id::uuid end and u.identity = 'ready'
          and (r.role = 'operator' or (r.role = 'account_administrator'
            and r.account_id = t.account_id and u.account_id = t.account_id))
          and not exists (select from user_locks l where l.user_id = u.id
            and l.released_at is null and l.reason <> 'too_many_attempts'
            and (l.until is null or l.until > ${now}))))`;
}

/** Every scope there is: each capability, and `area:*` for all of an area. */
export const tokenScopes: readonly string[] = [
  ...new Set(Object.keys(rights).map((capability) => `${capability.split(':')[0]!}:*`)),
  ...Object.keys(rights),
];

/** Whether a token was made for this, beside what its role may. */
export function isWithinScopes(
  { scopes }: Pick<ApiToken, 'scopes'>,
  capability: Capability,
): boolean {
  return (
    scopes.length === 0 ||
    scopes.some(
      (scope) =>
        scope === capability || (scope.endsWith(':*') && capability.startsWith(scope.slice(0, -1))),
    )
  );
}

/**
 * A token that may do some things makes none that may do more.
 *
 * @throws {Refusal} `permission_denied`
 */
export function requireNoMore(maker: Pick<ApiToken, 'scopes'>, scopes: readonly string[]): void {
  if (maker.scopes.length === 0) return;
  const within = (scope: string): boolean =>
    maker.scopes.includes(scope) || maker.scopes.includes(`${scope.split(':')[0]!}:*`);
  if (scopes.length === 0 || !scopes.every(within))
    throw new Refusal('permission_denied', { scopes: maker.scopes });
}

/** Makes a token. The secret is in the answer, once; only its hash is kept. */
export async function createApiToken(
  work: Work,
  { name, accountId, role, scopes = [], expiresAt = null }: NewApiToken,
): Promise<{ token: ApiToken; secret: string }> {
  const id = newId(work.now.getTime());
  const secret = `${prefix}${newSecret()}`;
  await work.query(
    `insert into api_tokens (id, account_id, name, role, secret_hash, created_by, created_at,
       expires_at, scopes)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      id,
      accountId,
      name,
      role,
      secretHash(secret),
      JSON.stringify(work.actor),
      work.now,
      expiresAt,
      [...scopes],
    ],
  );
  work.record(
    'api_token.created',
    { type: 'api_token', id },
    { name, role, scopes, expiresAt },
    accountId,
  );
  return {
    secret,
    token: {
      id,
      name,
      accountId,
      role,
      scopes: [...scopes],
      createdAt: work.now,
      expiresAt,
      lastUsedAt: null,
      lastUsedIp: null,
    },
  };
}

/** The token with this secret while it is alive, and a note that it was used. */
export async function findApiToken(
  sql: Sql,
  secret: string,
  now: Date,
  ip: string | null,
): Promise<ApiToken | null> {
  if (!secret.startsWith(prefix)) return null;
  const [token] = await sql.query<ApiToken>(
    `select ${columns}
     from api_tokens t
     where t.secret_hash = $1 and ${tokenStands('$2')}`,
    [secretHash(secret), now],
  );
  if (!token) return null;
  // To the minute is enough, and spares a write per request.
  if (token.lastUsedAt === null || now.getTime() - token.lastUsedAt.getTime() > 60_000)
    await sql.query('update api_tokens set last_used_at = $2, last_used_ip = $3 where id = $1', [
      token.id,
      now,
      ip,
    ]);
  return token;
}

/** The tokens that are alive, of an account or (null) of the operators; the newest first. */
export function listApiTokens(sql: Sql, accountId: string | null, now: Date): Promise<ApiToken[]> {
  return sql.query<ApiToken>(
    `select ${columns}
     from api_tokens
     where account_id is not distinct from $1::uuid and revoked_at is null
       and (expires_at is null or expires_at > $2)
     order by id desc`,
    [accountId, now],
  );
}

/** @throws {Refusal} `not_found` */
export async function revokeApiToken(
  work: Work,
  id: string,
  accountId: string | null,
): Promise<void> {
  const rows = await work.query<{ name: string }>(
    `update api_tokens set revoked_at = $3
     where id = $1 and account_id is not distinct from $2::uuid and revoked_at is null
     returning name`,
    [id, accountId, work.now],
  );
  if (rows.length === 0) throw new Refusal('not_found');
  work.record('api_token.revoked', { type: 'api_token', id }, { name: rows[0]!.name }, accountId);
}

/** Live tokens of one account, or of the operators. More are forgotten ones. */
const limit = 100;

/** @throws {Refusal} `limit_reached`, and `invalid_value` for an end that is past */
export async function requireRoom(
  work: Work,
  accountId: string | null,
  expiresAt: Date | undefined,
): Promise<void> {
  if (expiresAt && expiresAt <= work.now)
    throw new Refusal('invalid_value', { field: 'expiresAt', why: 'It is over already.' });
  if ((await listApiTokens(work, accountId, work.now)).length >= limit)
    throw new Refusal('limit_reached', { limit });
}
