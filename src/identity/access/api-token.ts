import { newId } from '#platform/ids.ts';
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
