import type { Param, Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import { likeText } from '../users/find-users.ts';
import type { AccountStatus } from './account.ts';

/** An account as administrators see it. */
export interface AccountRecord {
  id: string;
  number: string | null;
  name: string;
  countries: string[];
  status: AccountStatus;
  holdReason: string | null;
  heldAt: Date | null;
  closesAt: Date | null;
  /** The account it went into, in the end. */
  mergedInto: string | null;
  domains: string[];
  administrators: { id: string; email: string; name: string; role: string }[];
  fulfillmentContacts: { id: string; email: string; name: string; country: string | null }[];
  users: number;
  createdAt: Date;
  updatedAt: Date;
  version: number;
}

export interface AccountFilter {
  /** Part of the name, or the number, or a domain it owns. */
  q?: string | undefined;
  status?: AccountStatus | undefined;
  id?: string | undefined;
  after?: string | undefined;
  limit: number;
}

/** Accounts in the order in which they were made. */
export function findAccounts(
  sql: Sql,
  { q, status, id, after, limit }: AccountFilter,
): Promise<AccountRecord[]> {
  const params: Param[] = [limit];
  const conditions = ['true'];
  const add = (condition: (place: string) => string, value: Param): void => {
    params.push(value);
    conditions.push(condition(`$${params.length}`));
  };
  if (id !== undefined) add((place) => `a.id = ${place}::uuid`, id);
  if (after !== undefined) add((place) => `a.id > ${place}::uuid`, after);
  if (status !== undefined) add((place) => `a.status = ${place}`, status);
  if (q) {
    add(
      (place) => `(a.name ilike ${place} or a.number ilike ${place} or exists (
      select from domains d where d.account_id = a.id and d.name ilike ${place}
        and d.state in ('owned', 'at_risk', 'lapsed')))`,
      `%${likeText(q)}%`,
    );
  }
  return sql.query<AccountRecord>(
    `select a.id, a.number, a.name, a.countries, a.status, a.hold_reason as "holdReason",
       a.held_at as "heldAt",
       a.closes_at as "closesAt", a.merged_into as "mergedInto", a.created_at as "createdAt", a.updated_at as "updatedAt", a.version,
       array(select d.name from domains d where d.account_id = a.id
         and d.state in ('owned', 'at_risk', 'lapsed') order by d.name) as domains,
       coalesce((select jsonb_agg(jsonb_build_object('id', u.id, 'email', u.email_display,
           'name', trim(u.given_name || ' ' || u.family_name), 'role', r.role) order by r.role, u.id)
         from role_assignments r join users u on u.id = r.user_id
         where r.account_id = a.id and r.role in ('account_administrator', 'co_administrator')),
         '[]') as administrators,
       coalesce((select jsonb_agg(jsonb_build_object('id', u.id, 'email', u.email_display,
           'name', trim(u.given_name || ' ' || u.family_name), 'country', f.country) order by f.id)
         from fulfillment_contacts f join users u on u.id = f.user_id where f.account_id = a.id),
         '[]') as "fulfillmentContacts",
       (select count(*)::int from users u where u.account_id = a.id) as users
     from accounts a where ${conditions.join(' and ')}
     order by a.id limit $1`,
    params,
  );
}

/** @throws {Refusal} `account_not_found` */
export async function accountById(sql: Sql, id: string): Promise<AccountRecord> {
  const [account] = await findAccounts(sql, { id, limit: 1 });
  if (!account) throw new Refusal('account_not_found');
  return account;
}
