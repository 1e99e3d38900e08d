import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import type { ResourceServer } from './client.ts';

export type ResourceRecord = ResourceServer & { createdAt: Date };

const columns = 'identifier, name, scopes, ttl, alg, created_at as "createdAt"';

/** @throws {Refusal} `resource_exists` */
export async function createResourceServer(
  work: Work,
  { identifier, name, scopes, ttl, alg }: ResourceServer,
): Promise<ResourceRecord> {
  const [made] = await work.query<ResourceRecord>(
    `insert into resource_servers (identifier, name, scopes, ttl, alg, created_at)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning ${columns}`,
    [identifier, name, [...scopes], ttl, alg, work.now],
  );
  if (!made) throw new Refusal('resource_exists', { identifier });
  work.record('resource.created', { type: 'resource', id: identifier }, { name, scopes });
  return made;
}

export function listResourceServers(
  sql: Sql,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<ResourceRecord[]> {
  return sql.query<ResourceRecord>(
    `select ${columns} from resource_servers where identifier > $1 order by identifier limit $2`,
    [after ?? '', limit],
  );
}

/**
 * No tokens are made for it from here on. Those that were are dead within their five minutes.
 *
 * @throws {Refusal} `not_found`
 */
export async function removeResourceServer(work: Work, identifier: string): Promise<void> {
  const rows = await work.query('delete from resource_servers where identifier = $1 returning 1', [
    identifier,
  ]);
  if (rows.length === 0) throw new Refusal('not_found');
  work.record('resource.removed', { type: 'resource', id: identifier });
}
