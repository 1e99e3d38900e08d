import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import { sameSecret, secretHash } from '#platform/secrets.ts';
import type { ClientPolicy } from '../access/access-decision.ts';

/** An OAuth client: an application that signs people in, or a service of its own. */
export interface Client {
  id: string;
  name: string;
  /** As registered, in the names of OpenID Connect Dynamic Client Registration 1.0, section 2. */
  metadata: Readonly<Record<string, unknown>>;
  /** Ours or our customer's own: it is not asked whether it may have what it may have. */
  firstParty: boolean;
  policy: ClientPolicy;
  /** Resource servers (RFC 8707) it may ask tokens for. */
  resources: readonly string[];
  /** Whether it may introspect the tokens of others. */
  mayIntrospect: boolean;
  secrets: readonly { hash: string; expiresAt: Date | null }[];
  version: number;
}

/** A protected API that takes JWT access tokens (RFC 9068). */
export interface ResourceServer {
  identifier: string;
  name: string;
  scopes: readonly string[];
  /** Seconds; 300 at most, because a JWT cannot be called back. */
  ttl: number;
  alg: 'RS256' | 'ES256';
}

/** Clients and resource servers by id, kept in memory for as long as nobody changed them. */
export interface Registry {
  /** The client, or undefined when there is none or it is disabled. */
  client(id: string): Promise<Client | undefined>;
  resourceServer(identifier: string): Promise<ResourceServer | undefined>;
  /** Forgets; heard on every process. */
  changed(): Promise<void>;
  close(): void;
}

const channel = 'ostiary_clients';

/**
 * Every request of the engine begins with its client, which changes a few times a year. So it is
 * kept; a change is told to every process by PostgreSQL's NOTIFY, and in case that goes unheard,
 * nothing is kept longer than `maxAge` milliseconds. What decides about a *person* is never kept.
 */
export async function clientRegistry(
  database: Database,
  clock: Clock,
  { builtIn = [], maxAge = 3000 }: { builtIn?: readonly Client[]; maxAge?: number } = {},
): Promise<Registry> {
  const ours = new Map(builtIn.map((one) => [one.id, one]));
  const clients = new Map<string, { client: Client | undefined; until: number }>();
  const resources = new Map<string, { server: ResourceServer | undefined; until: number }>();
  const forget = (): void => {
    clients.clear();
    resources.clear();
  };
  const unlisten = await database.listen(channel, forget);

  return {
    async client(id) {
      const own = ours.get(id);
      if (own) return own;
      const now = clock().getTime();
      const kept = clients.get(id);
      if (kept && kept.until > now) return kept.client;
      const client = await readClient(database, id);
      if (clients.size > 10_000) clients.clear();
      clients.set(id, { client, until: now + maxAge });
      return client;
    },

    async resourceServer(identifier) {
      const now = clock().getTime();
      const kept = resources.get(identifier);
      if (kept && kept.until > now) return kept.server;
      const [server] = await database.query<ResourceServer>(
        'select identifier, name, scopes, ttl, alg from resource_servers where identifier = $1',
        [identifier],
      );
      if (resources.size > 10_000) resources.clear();
      resources.set(identifier, { server, until: now + maxAge });
      return server;
    },

    async changed() {
      forget();
      await database.notify(channel, '');
    },

    close: unlisten,
  };
}

async function readClient(database: Database, id: string): Promise<Client | undefined> {
  if (id.includes('\0')) return undefined;
  const [row] = await database.query<ClientRow>(
    `select c.id, c.name, c.metadata, c.first_party, c.requires_account, c.requires_active_account,
            c.allowed_accounts, c.required_roles, c.resources, c.may_introspect, c.version,
            coalesce((
              select jsonb_agg(jsonb_build_object('hash', s.secret_hash, 'expiresAt', s.expires_at))
              from client_secrets s where s.client_id = c.id and s.revoked_at is null
            ), '[]') as secrets
     from clients c where c.id = $1 and c.disabled_at is null`,
    [id],
  );
  return (
    row && {
      id: row.id,
      name: row.name,
      metadata: row.metadata,
      firstParty: row.first_party,
      policy: {
        requiresAccount: row.requires_account,
        requiresActiveAccount: row.requires_active_account,
        allowedAccounts: row.allowed_accounts,
        requiredRoles: row.required_roles,
      },
      resources: row.resources,
      mayIntrospect: row.may_introspect,
      secrets: row.secrets.map(({ hash, expiresAt }) => ({
        hash,
        expiresAt: expiresAt === null ? null : new Date(expiresAt),
      })),
      version: row.version,
    }
  );
}

interface ClientRow {
  id: string;
  name: string;
  metadata: Record<string, unknown>;
  first_party: boolean;
  requires_account: boolean;
  requires_active_account: boolean;
  allowed_accounts: string[];
  required_roles: string[];
  resources: string[];
  may_introspect: boolean;
  version: number;
  secrets: { hash: string; expiresAt: string | null }[];
}

/** Whether the secret is one of the client's that are alive now. */
export function secretMatches({ secrets }: Client, secret: string, now: Date): boolean {
  const hash = secretHash(secret);
  return secrets.some(
    (one) => sameSecret(one.hash, hash) && (one.expiresAt === null || one.expiresAt > now),
  );
}

/** Who may ask about a token: the application it was given to, and those trusted to ask about any. */
export function mayAskAbout(asker: Client | undefined, owner: Client): boolean {
  return asker !== undefined && (asker.id === owner.id || asker.mayIntrospect);
}
