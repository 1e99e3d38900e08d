import { errors, type Provider } from 'oidc-provider';
import { engineMetadata } from './engine-client.ts';

/** What the engine says about a registration, or null when it would take it. Asks nobody else. */
export function clientProblem(
  provider: Provider,
  id: string,
  name: string,
  metadata: Record<string, unknown>,
): string | null {
  const EngineClient = provider.Client as unknown as new (metadata: object) => object;
  try {
    void new EngineClient(engineMetadata({ id, name, metadata }));
    return null;
  } catch (error) {
    if (error instanceof errors.InvalidClientMetadata)
      return error.error_description ?? error.message;
    throw error;
  }
}
