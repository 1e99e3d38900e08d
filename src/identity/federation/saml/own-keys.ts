import type { OwnKey } from '#platform/saml/own-key.ts';
import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import type { Vault } from '#platform/secrets.ts';
import { Refusal } from '../../refusal.ts';
import type { Work } from '../../work.ts';
import { secretContext, type Connection, type ConnectionSecret } from '../connection.ts';
import type { LiveConnection } from '../upstream.ts';

/** The kind of a secret that is a SAML key of ours; its certificate is the public part. */
export const samlKeyKind = 'saml_key';

export interface OpenSamlKey {
  id: string;
  privateKey: string;
  certificate: string;
}

/**
 * Our keys for a connection, the one that signs first: the oldest that is alive. A new one is
 * published beside it, and signs once the old one is revoked: until then the provider may not know it.
 */
export function openSamlKeys({ connection, secrets }: LiveConnection, vault: Vault): OpenSamlKey[] {
  return samlKeys(secrets).map(({ id, sealed, publicPart }) => ({
    id,
    privateKey: vault.open(sealed, secretContext(connection.id)),
    certificate: String(publicPart['certificate']),
  }));
}

/** Those that are alive, the oldest first. */
export function samlKeys(secrets: readonly ConnectionSecret[]): ConnectionSecret[] {
  return secrets
    .filter(({ kind, revokedAt }) => kind === samlKeyKind && revokedAt === null)
    .toSorted((one, other) => one.createdAt.getTime() - other.createdAt.getTime());
}

/** Whether a connection has a key already. */
export async function hasSamlKey(sql: Sql, connectionId: string): Promise<boolean> {
  const rows = await sql.query(
    `select 1 from connection_secrets
     where connection_id = $1 and kind = $2 and revoked_at is null limit 1`,
    [connectionId, samlKeyKind],
  );
  return rows.length > 0;
}

/** @throws {Refusal} `limit_reached`: two are enough to change from one to the other */
export async function addSamlKey(
  work: Work,
  vault: Vault,
  connection: Pick<Connection, 'id' | 'accountId'>,
  key: OwnKey,
): Promise<string> {
  const [{ alive } = { alive: 0 }] = await work.query<{ alive: number }>(
    `select count(*)::int as alive from connection_secrets
     where connection_id = $1 and kind = $2 and revoked_at is null`,
    [connection.id, samlKeyKind],
  );
  if (alive >= 2) throw new Refusal('limit_reached', { keys: 2 });
  const id = newId(work.now.getTime());
  await work.query(
    `insert into connection_secrets (id, connection_id, kind, sealed, public_part, created_by,
       created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      id,
      connection.id,
      samlKeyKind,
      vault.seal(key.privateKey, secretContext(connection.id)),
      JSON.stringify({ certificate: key.certificate }),
      JSON.stringify(work.actor),
      work.now,
      key.notAfter,
    ],
  );
  work.record(
    'connection.saml_changed',
    { type: 'connection', id: connection.id },
    { key: id, made: true },
    connection.accountId,
  );
  return id;
}

/** @throws {Refusal} `not_found`, `limit_reached` for the last one */
export async function revokeSamlKey(
  work: Work,
  connection: Pick<Connection, 'id' | 'accountId'>,
  keyId: string,
): Promise<void> {
  const alive = await work.query<{ id: string }>(
    `select id from connection_secrets
     where connection_id = $1 and kind = $2 and revoked_at is null for update`,
    [connection.id, samlKeyKind],
  );
  if (!alive.some(({ id }) => id === keyId)) throw new Refusal('not_found');
  if (alive.length === 1)
    throw new Refusal('limit_reached', {
      keys: 'Make another key before the last one is revoked.',
    });
  await work.query('update connection_secrets set revoked_at = $2 where id = $1', [
    keyId,
    work.now,
  ]);
  work.record(
    'connection.saml_changed',
    { type: 'connection', id: connection.id },
    { key: keyId, made: false },
    connection.accountId,
  );
}
