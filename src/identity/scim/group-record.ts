import { accountGroupSchema, groups } from './schema.ts';
import type { Complex, Resource } from './value.ts';

/** A group as the database has it. */
export interface GroupRow {
  id: string;
  displayName: string;
  externalId: string | null;
  description: string;
  type: 'standard' | 'entitlement';
  source: 'local' | 'scim' | 'idp';
  version: number;
  created: Date;
  modified: Date;
  /** Null where they were not asked for, or there are none. */
  members?: { value: string; display: string }[] | null;
}

const columns = `g.id, g.name as "displayName", g.external_id as "externalId", g.description,
  g.type, g.source, g.version, g.created_at as created, g.updated_at as modified`;

const membersColumn = `(select jsonb_agg(jsonb_build_object('value', e.id, 'display',
     coalesce(e.display_name, nullif(trim(e.given_name || ' ' || e.family_name), ''), e.user_name))
     order by e.id)
   from group_members m join affiliations e on e.user_id = m.user_id
     and e.ended_at is null and e.account_id = g.account_id
   where m.group_id = g.id) as members`;

/** The columns of a `GroupRow`, of `g`. */
export function groupColumns({ members }: { members: boolean }): string {
  return members ? `${columns}, ${membersColumn}` : columns;
}

export function groupResource(row: GroupRow): Resource {
  const part: Complex = {
    ...(row.description !== '' && { description: row.description }),
    type: row.type,
    managedBy:
      row.source === 'scim'
        ? 'directory'
        : row.source === 'idp'
          ? 'identity_provider'
          : 'administrator',
  };
  return {
    id: row.id,
    ...(row.externalId !== null && { externalId: row.externalId }),
    displayName: row.displayName,
    ...(row.members && { members: row.members.map((one) => ({ ...one, type: 'User' })) }),
    [accountGroupSchema]: part,
    meta: {
      resourceType: groups.name,
      created: row.created.toISOString(),
      lastModified: row.modified.toISOString(),
      version: `W/"${row.version}"`,
    },
  };
}
