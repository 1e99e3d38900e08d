import { isId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { namesAbove, owningDomain } from '../domains/owning-domain.ts';
import { domainOf } from '../users/email.ts';
import {
  connectionColumns,
  connectionOf,
  type AccountOfConnection,
  type ConnectionRow,
  type ConnectionSecret,
} from './connection.ts';
import type { LiveConnection } from './upstream.ts';

/** A connection with all that is needed to go there, and back. */
export interface Realm extends LiveConnection {
  account: AccountOfConnection;
}

/** What is read of a connection that is about to be used. `c` is its row, `a` the account's. */
export const realmColumns = `
  ${connectionColumns},
  jsonb_build_object('id', a.id, 'name', a.name, 'status', a.status) as account,
  coalesce((select jsonb_agg(jsonb_build_object(
      'id', s.id, 'kind', s.kind, 'sealed', s.sealed, 'publicPart', s.public_part,
      'createdAt', s.created_at, 'expiresAt', s.expires_at, 'revokedAt', s.revoked_at)
      order by s.created_at desc, s.id desc)
    from connection_secrets s where s.connection_id = c.id and s.revoked_at is null), '[]')
    as secrets`;

export type RealmRow = ConnectionRow & {
  account: AccountOfConnection;
  secrets: (Omit<ConnectionSecret, 'createdAt' | 'expiresAt' | 'revokedAt'> & {
    createdAt: string;
    expiresAt: string | null;
    revokedAt: string | null;
  })[];
};

export function realmOf({ account, secrets, ...row }: RealmRow): Realm {
  return {
    connection: connectionOf(row),
    account,
    secrets: secrets.map((secret) => ({
      ...secret,
      createdAt: new Date(secret.createdAt),
      expiresAt: secret.expiresAt === null ? null : new Date(secret.expiresAt),
      revokedAt: null,
    })),
  };
}

/**
 * Where somebody with this address proves who they are; null where that is here. It depends on the
 * domain alone, and on the list of testers: whether anybody has the address changes nothing, so
 * nothing is told by it.
 */
export async function homeRealm(sql: Sql, email: string): Promise<Realm | null> {
  const { names } = soughtFor(email);
  const [row] = await sql.query<RealmRow>(byDomain, [names, email]);
  return row ? realmOf(row) : null;
}

/** What `homeRealm` looks for: an address in canonical form, and its domain with those above it. */
export interface Sought {
  email: string;
  names: string[];
}

export function soughtFor(email: string): Sought {
  return { email, names: namesAbove(domainOf(email)) };
}

/** The connection with this id, whatever its state, with what is needed to use it. */
export async function findRealm(sql: Sql, id: string): Promise<Realm | null> {
  if (!isId(id)) return null;
  const [row] = await sql.query<RealmRow>(
    `select ${realmColumns} from connections c join accounts a on a.id = c.account_id
     where c.id = $1 and c.deleted_at is null`,
    [id],
  );
  return row ? realmOf(row) : null;
}

/** As `homeRealm`, within another statement. @param names, @param email the places of what is sought */
export function realmSought(names: string, email: string): string {
  return `
  select ${realmColumns}
  from (${owningDomain(names)}) d
  join connection_domains b on b.domain = d.name
  join connections c on c.id = b.connection_id and c.deleted_at is null
    and c.account_id = d.account_id
  join accounts a on a.id = c.account_id and a.status in ('active', 'on_hold')
  where d.state in ('owned', 'at_risk')
    and (c.state = 'active' or (c.state = 'testing' and ${email} = any (c.testers)))`;
}

const byDomain = realmSought('$1', '$2');
