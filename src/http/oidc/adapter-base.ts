import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#platform/database/database.ts';
import { RequestScope, requestScopes } from './request-scope.ts';

export interface AdapterDependencies {
  database: Database;
  clock: Clock;
  /** The metadata of a client as the engine wants it, or undefined. */
  clientMetadata(id: string): Promise<AdapterPayload | undefined>;
}

/** Does `act` within the request's scope, or, outside a request, in one of its own that it flushes. */
export function scoped<T>(
  dependencies: AdapterDependencies,
  act: (scope: RequestScope) => T | Promise<T>,
): T | Promise<T> {
  const scope = requestScopes.getStore();
  return scope ? act(scope) : alone(dependencies, act);
}

async function alone<T>(
  { database, clock }: AdapterDependencies,
  act: (scope: RequestScope) => T | Promise<T>,
): Promise<T> {
  const own = new RequestScope({ ip: null, userAgent: null, clientId: null });
  const result = await act(own);
  await own.flush(database, clock());
  return result;
}

/** The payload as JSON. @throws an OAuth error where it holds what PostgreSQL's jsonb cannot. */
export function storable(payload: object): string {
  const json = JSON.stringify(payload);
  if (/\\u0000|\\ud[89a-f]/.test(json))
    throw new errors.InvalidRequest('a parameter contains characters that are not allowed');
  return json;
}

export abstract class Base implements Adapter {
  protected readonly dependencies: AdapterDependencies;

  constructor(dependencies: AdapterDependencies) {
    this.dependencies = dependencies;
  }

  protected expiry(expiresIn: number): Date {
    return new Date(this.dependencies.clock().getTime() + expiresIn * 1000);
  }

  abstract find(id: string): Promise<AdapterPayload | undefined>;
  abstract upsert(id: string, payload: AdapterPayload, expiresIn: number): Promise<void>;
  abstract destroy(id: string): Promise<void>;

  findByUid(): Promise<AdapterPayload | undefined> {
    return Promise.resolve(undefined);
  }
  findByUserCode(_userCode: string): Promise<AdapterPayload | undefined> {
    return Promise.resolve(undefined);
  }
  consume(_id: string): Promise<void> {
    return Promise.resolve();
  }
  revokeByGrantId(_grantId: string): Promise<void> {
    return Promise.resolve();
  }
}
