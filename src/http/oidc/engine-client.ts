import { errors, type AdapterPayload, type Client as EngineClient } from 'oidc-provider';
import type { Client, Registry } from '#identity/applications/client.ts';
import { isConfidential } from '#identity/applications/manage-clients.ts';

const payloads = new WeakMap<Client, AdapterPayload>();

/** The metadata of each client as the engine wants it, made once for as long as it stays what it is. */
export function engineClients(
  registry: Registry,
): (id: string) => Promise<AdapterPayload | undefined> {
  return async (id) => {
    const client = await registry.client(id);
    if (!client) return undefined;
    let payload = payloads.get(client);
    if (!payload) {
      payload = engineMetadata(client);
      payloads.set(client, payload);
    }
    return payload;
  };
}

/** A client as the engine wants it. The secret is a placeholder: `compareClientSecret` is ours. */
export function engineMetadata({
  id,
  name,
  metadata,
}: Pick<Client, 'id' | 'name' | 'metadata'>): AdapterPayload {
  return {
    client_name: name,
    ...metadata,
    client_id: id,
    ...(isConfidential(metadata) && { client_secret: 'kept as hashes elsewhere' }),
  };
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * What the engine lets pass and we do not.
 *
 * A code or a person that is sent over plain http is anybody's, unless it does not leave the machine
 * (RFC 8252, section 7.3). A client without credentials has none to be given tokens for (RFC 6749,
 * section 4.4).
 */
export function refuseUnsafe(metadata: object): void {
  const {
    redirect_uris = [],
    post_logout_redirect_uris = [],
    grant_types = [],
    token_endpoint_auth_method: method,
  } = metadata as Registered;
  if (method === 'none' && grant_types.includes('client_credentials'))
    throw new errors.InvalidClientMetadata('client_credentials is for confidential clients');
  for (const uri of [...redirect_uris, ...post_logout_redirect_uris]) {
    const { protocol, hostname } = new URL(uri);
    if (protocol === 'http:' && !loopback.has(hostname))
      throw new errors.InvalidClientMetadata(
        'http is for loopback addresses; a redirect URI elsewhere has to be https',
      );
  }
}

interface Registered {
  redirect_uris?: string[];
  post_logout_redirect_uris?: string[];
  grant_types?: string[];
  token_endpoint_auth_method?: string;
}

/** The origins from which a browser may call for this client. */
export function corsOrigins(client: EngineClient): string[] {
  const registered = client['cors_origins'];
  if (Array.isArray(registered)) return registered as string[];
  // A single-page application calls from where it is redirected to.
  if (client.clientAuthMethod !== 'none' || client.applicationType === 'native') return [];
  return (client.redirectUris ?? []).map((uri) => new URL(uri).origin);
}
