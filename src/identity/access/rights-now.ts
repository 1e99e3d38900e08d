import type { Sql } from '#platform/database/sql.ts';
import { findPerson } from '../users/person.ts';
import { tokenStands } from './api-token.ts';
import type { AdministeringRole } from './rights.ts';

/**
 * The rights in an account that whoever made something has now, where what was made lives on: a person
 * who is still an administrator of the account and may sign in, or a token that is still good. Null
 * when they have none any more.
 *
 * @param maker an actor, as it was written down
 */
export async function rightsNow(
  sql: Sql,
  maker: { type: string; id?: string },
  accountId: string,
  now: Date,
): Promise<AdministeringRole | null> {
  switch (maker.type) {
    case 'system':
    case 'command_line':
      return 'operator';
    case 'api_token': {
      const [token] = await sql.query<{ role: AdministeringRole; account_id: string | null }>(
        `select t.role, t.account_id from api_tokens t where t.id = $1 and ${tokenStands('$2')}`,
        [maker.id ?? '', now],
      );
      return token && (token.account_id ?? accountId) === accountId ? token.role : null;
    }
    case 'scim_token': {
      // A token is replaced once a year; the directory it stood for is still the account's.
      const [directory] = await sql.query(
        `select 1 from scim_tokens where account_id = $1 and revoked_at is null
           and (expires_at is null or expires_at > $2) limit 1`,
        [accountId, now],
      );
      return directory ? 'co_administrator' : null;
    }
    case 'user': {
      const person = await findPerson(sql, maker.id ?? '', now);
      const locked = person?.locks.some(({ reason }) => reason !== 'too_many_attempts');
      if (person?.identity !== 'ready' || locked) return null;
      if (person.roles.includes('operator')) return 'operator';
      if (person.affiliation !== 'member' || person.account?.id !== accountId) return null;
      if (person.roles.includes('account_administrator')) return 'account_administrator';
      return person.roles.includes('co_administrator') ? 'co_administrator' : null;
    }
    default:
      return null;
  }
}
