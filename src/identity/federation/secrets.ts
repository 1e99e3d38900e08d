import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import type { Vault } from '#platform/secrets.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { secretContext, type Connection, type ConnectionSecret } from './connection.ts';

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
