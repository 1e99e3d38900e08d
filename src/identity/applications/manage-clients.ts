import { newId } from '#platform/ids.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { ClientRecord } from './client-record.ts';

export interface NewClient {
  id?: string;
  name: string;
  /** In the names of OpenID Connect Dynamic Client Registration 1.0, without secrets. */
  metadata: Record<string, unknown>;
  firstParty?: boolean;
  requiresAccount?: boolean;
  requiresActiveAccount?: boolean;
  allowedAccounts?: readonly string[];
  requiredRoles?: readonly string[];
  resources?: readonly string[];
  mayIntrospect?: boolean;
}

/**
 * Registers an application. A confidential one gets its first secret, which is in the answer once.
 *
 * Whether the metadata is good is for the engine to say, before this is called.
 *
 * @throws {Refusal} `client_exists`
 */
export async function createClient(
  work: Work,
  input: NewClient,
): Promise<{ client: ClientRecord; secret: string | null }> {
  const id = input.id ?? newSecret(12);
  if (await work.em.findOne(ClientRecord, { id })) throw new Refusal('client_exists', { id });
  const client = work.em.create(ClientRecord, {
    id,
    name: input.name,
    metadata: input.metadata,
    firstParty: input.firstParty ?? false,
    requiresAccount: input.requiresAccount ?? true,
    requiresActiveAccount: input.requiresActiveAccount ?? true,
    allowedAccounts: [...(input.allowedAccounts ?? [])],
    requiredRoles: [...(input.requiredRoles ?? [])],
    resources: [...(input.resources ?? [])],
    mayIntrospect: input.mayIntrospect ?? false,
    createdAt: work.now,
    updatedAt: work.now,
  });
  await work.em.flush();
  work.record('client.created', { type: 'client', id }, { name: input.name });
  return {
    client,
    secret: isConfidential(input.metadata) ? (await addSecret(work, id)).secret : null,
  };
}

/** Whether the client authenticates itself with a secret. */
export function isConfidential(metadata: Record<string, unknown>): boolean {
  const method = metadata['token_endpoint_auth_method'] ?? 'client_secret_basic';
  return method === 'client_secret_basic' || method === 'client_secret_post';
}

export interface ClientSecret {
  id: string;
  secret: string;
  /** The last characters, by which people tell secrets apart. */
  hint: string;
  expiresAt: Date | null;
}

/** Another secret beside those there are, so that an application changes over without a gap. */
export async function addSecret(
  work: Work,
  clientId: string,
  expiresAt: Date | null = null,
): Promise<ClientSecret> {
  const id = newId(work.now.getTime());
  const secret = newSecret();
  const hint = secret.slice(-4);
  await work.query(
    `insert into client_secrets (id, client_id, secret_hash, hint, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6)`,
    [id, clientId, secretHash(secret), hint, work.now, expiresAt],
  );
  work.record('client.secret_added', { type: 'client', id: clientId }, { secret: id, expiresAt });
  return { id, secret, hint, expiresAt };
}

/** @throws {Refusal} `not_found` */
export async function revokeSecret(work: Work, clientId: string, secretId: string): Promise<void> {
  const rows = await work.query(
    `update client_secrets set revoked_at = $3
     where client_id = $1 and id = $2 and revoked_at is null returning 1`,
    [clientId, secretId, work.now],
  );
  if (rows.length === 0) throw new Refusal('not_found');
  work.record('client.secret_revoked', { type: 'client', id: clientId }, { secret: secretId });
}
