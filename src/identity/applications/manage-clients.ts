import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { likeText } from '../users/find-users.ts';
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
  const id = input.id ?? newClientId();
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

/** An id that no command line takes for an option: it begins with a letter or a digit. */
export function newClientId(): string {
  return newSecret(12).replace(/^[-_]/, 'c');
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

/** A secret as it is listed: enough to tell it from another, and no more. */
export interface ListedSecret {
  id: string;
  hint: string;
  createdAt: Date;
  expiresAt: Date | null;
}

/** The secrets that are alive, the newest first. */
export function listSecrets(sql: Sql, clientId: string, now: Date): Promise<ListedSecret[]> {
  return sql.query<ListedSecret>(
    `select id, hint, created_at as "createdAt", expires_at as "expiresAt" from client_secrets
     where client_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)
     order by id desc`,
    [clientId, now],
  );
}

/** Applications by their ids. */
export function findClients(
  work: Work,
  { q, after, limit }: { q?: string | undefined; after?: string | undefined; limit: number },
): Promise<ClientRecord[]> {
  const like = q && `%${likeText(q)}%`;
  return work.em.find(
    ClientRecord,
    {
      ...(after !== undefined && { id: { $gt: after } }),
      ...(like && { $or: [{ id: { $ilike: like } }, { name: { $ilike: like } }] }),
    },
    { orderBy: { id: 'asc' }, limit },
  );
}

/** @throws {Refusal} `client_not_found` */
export async function clientById(work: Work, id: string): Promise<ClientRecord> {
  const client = await work.em.findOne(ClientRecord, { id });
  if (!client) throw new Refusal('client_not_found');
  return client;
}

export type ClientChange = Partial<Omit<NewClient, 'id'>> & {
  /** A disabled client is one that there is not; its registration stays. */
  disabled?: boolean | undefined;
  /** The version it was read in: then a change made meanwhile is not overwritten. */
  version?: number | undefined;
};

/**
 * Changes a registration. Metadata takes the place of what it was, as a whole.
 *
 * @throws {Refusal} `client_not_found`, `version_conflict`
 */
export async function changeClient(
  work: Work,
  id: string,
  { version, disabled, ...change }: ClientChange,
): Promise<ClientRecord> {
  await work.query('select 1 from clients where id = $1 for update', [id]);
  const client = await clientById(work, id);
  if (version !== undefined && client.version !== version) throw new Refusal('version_conflict');
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  const before = Object.fromEntries(given.map(([name]) => [name, Reflect.get(client, name)]));
  Object.assign(client, Object.fromEntries(given));
  if (disabled !== undefined) client.disabledAt = disabled ? (client.disabledAt ?? work.now) : null;
  client.updatedAt = work.now;
  await work.em.flush();
  work.record(
    'client.changed',
    { type: 'client', id },
    {
      before,
      after: { ...Object.fromEntries(given), ...(disabled !== undefined && { disabled }) },
    },
  );
  return client;
}

/**
 * Removes an application, and all that was given to it: it can redeem nothing from here on.
 *
 * @throws {Refusal} `client_not_found`
 */
export async function removeClient(work: Work, id: string): Promise<void> {
  const [gone] = await work.query<{ name: string }>(
    'delete from clients where id = $1 returning name',
    [id],
  );
  if (!gone) throw new Refusal('client_not_found');
  await work.query('delete from oidc_artifacts where client_id = $1', [id]);
  await work.query('delete from oidc_grants where client_id = $1', [id]);
  work.record('client.removed', { type: 'client', id }, { name: gone.name });
}
