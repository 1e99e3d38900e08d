import { newId } from '#platform/ids.ts';
import { Refusal } from '../refusal.ts';
import type { Sql } from '#platform/database/sql.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import type { Work } from '../work.ts';

/** A token for the administration API: an operator's, or one account's with the rights of a role. */
export interface ApiToken {
  id: string;
  name: string;
  accountId: string | null;
  role: 'operator' | 'account_administrator' | 'co_administrator';
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
}

export interface NewApiToken {
  name: string;
  accountId: string | null;
  role: ApiToken['role'];
  expiresAt?: Date | null;
}

/** Tokens begin with this, so that one that got out is recognised by whoever scans for secrets. */
const prefix = 'ost_';

/** Makes a token. The secret is in the answer, once; only its hash is kept. */
export async function createApiToken(
  work: Work,
  { name, accountId, role, expiresAt = null }: NewApiToken,
): Promise<{ token: ApiToken; secret: string }> {
  const id = newId(work.now.getTime());
  const secret = `${prefix}${newSecret()}`;
  await work.query(
    `insert into api_tokens (id, account_id, name, role, secret_hash, created_by, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      id,
      accountId,
      name,
      role,
      secretHash(secret),
      JSON.stringify(work.actor),
      work.now,
      expiresAt,
    ],
  );
  work.record('api_token.created', { type: 'api_token', id }, { name, role }, accountId);
  return {
    secret,
    token: { id, name, accountId, role, createdAt: work.now, expiresAt, lastUsedAt: null },
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
    `select id, name, account_id as "accountId", role, created_at as "createdAt",
            expires_at as "expiresAt", last_used_at as "lastUsedAt"
     from api_tokens
     where secret_hash = $1 and revoked_at is null and (expires_at is null or expires_at > $2)`,
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
    `select id, name, account_id as "accountId", role, created_at as "createdAt",
            expires_at as "expiresAt", last_used_at as "lastUsedAt"
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
