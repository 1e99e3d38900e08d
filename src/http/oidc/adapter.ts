import type { Adapter, AdapterPayload } from 'oidc-provider';
import { Base, scoped, storable, type AdapterDependencies } from './adapter-base.ts';
import { ArtifactAdapter, DeviceCodeAdapter, ReplayAdapter } from './artifact-adapter.ts';
import { SessionAdapter } from './session-adapter.ts';

/**
 * Where oidc-provider keeps its sessions, grants, codes and tokens.
 *
 * What a naive adapter lacks, and this one has (oidc.md section 3):
 * - a code or refresh token is consumed once, however many requests try at the same time;
 * - two tabs that sign in to two applications at once both end up in the session;
 * - ids that are bearer secrets are kept as SHA-256 only;
 * - revoking is one statement, and so is everything that one request writes.
 */
export function adapterFactory(dependencies: AdapterDependencies): (model: string) => Adapter {
  return (model) => {
    switch (model) {
      case 'Client':
        return new ClientAdapter(dependencies);
      case 'Session':
        return new SessionAdapter(dependencies);
      case 'Grant':
        return new GrantAdapter(dependencies);
      case 'ReplayDetection':
        return new ReplayAdapter(dependencies, model);
      case 'DeviceCode':
        return new DeviceCodeAdapter(dependencies, model);
      default:
        return new ArtifactAdapter(dependencies, model);
    }
  };
}

/** Clients are managed by our own API; the engine only reads them. */
class ClientAdapter extends Base {
  find(id: string): Promise<AdapterPayload | undefined> {
    return this.dependencies.clientMetadata(id);
  }
  upsert(): Promise<void> {
    return Promise.reject(new Error('Clients are managed by the administration API.'));
  }
  destroy(): Promise<void> {
    return Promise.reject(new Error('Clients are managed by the administration API.'));
  }
}

class GrantAdapter extends Base {
  async find(id: string): Promise<AdapterPayload | undefined> {
    return scoped(this.dependencies, async (scope) => {
      let payload = scope.grants.get(id);
      if (payload === undefined) {
        const [row] = await this.dependencies.database.query<{ payload: object }>(
          'select payload from oidc_grants where id = $1',
          [id],
        );
        payload = row?.payload ?? null;
        scope.grants.set(id, payload);
      }
      return payload ? { ...payload, jti: id } : undefined;
    });
  }

  async upsert(
    id: string,
    { jti: _jti, ...payload }: AdapterPayload,
    expiresIn: number,
  ): Promise<void> {
    await scoped(this.dependencies, (scope) =>
      scope.saveGrant({
        id,
        user_id: payload.accountId ?? null,
        client_id: payload.clientId ?? null,
        payload,
        json: storable(payload),
        expires_at: this.expiry(expiresIn),
      }),
    );
  }

  async destroy(id: string): Promise<void> {
    await scoped(this.dependencies, (scope) => scope.destroyGrant(id));
  }
}
