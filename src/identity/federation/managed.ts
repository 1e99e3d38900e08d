import type { Sql } from '#platform/database/sql.ts';
import { bypassesSso } from '../credentials/break-glass.ts';
import { federationStands, passwordsRefused } from './standing.ts';

/**
 * The account whose provider signs a person in, who hence gets no password here (M9f): it lets nobody
 * in by password any more, or they are linked to its provider, or they have nothing yet and it would
 * let them in. Null for everybody else, and for break-glass administrators, who keep theirs.
 */
export async function signsInUpstream(
  sql: Sql,
  userId: string,
  now: Date,
): Promise<{ account: string } | null> {
  const [row] = await sql.query<{ managed: boolean; account: string | null }>(statement, [
    userId,
    now,
  ]);
  return row?.managed ? { account: row.account ?? '' } : null;
}

const domain = `split_part(u.email, '@', 2)`;

const statement = `
  select not (${bypassesSso}) and (
    ${passwordsRefused(domain, '$2')}
    or exists (select from federated_links k join connections c on c.id = k.connection_id
      where k.user_id = u.id and k.unlinked_at is null and c.state = 'active'
        and ${federationStands(
          `jsonb_build_object('connection', c.id, 'until', 'infinity')`,
          'u.id',
          '$2',
        )})
    or (not exists (select from passwords w where w.user_id = u.id and w.disabled_at is null)
      and exists (select from connection_domains b
        join connections c on c.id = b.connection_id
        join domains d on d.name = b.domain and d.account_id = c.account_id
          and d.state in ('owned', 'at_risk')
        where b.domain = ${domain} and c.deleted_at is null and c.state = 'active'))
  ) as managed,
    coalesce(
      (select a.name from connection_domains b join connections c on c.id = b.connection_id
       join accounts a on a.id = c.account_id
       where b.domain = ${domain} and c.deleted_at is null),
      (select a.name from accounts a where a.id = u.account_id)) as account
  from users u where u.id = $1`;
