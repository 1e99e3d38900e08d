import type { Sql } from '#platform/database/sql.ts';
import { isOwned, isStrong, type Domain } from './domain.ts';

/** Whose addresses are in a domain, counted as one account sees it (behaviour.md 3.4). */
export interface DomainImpact {
  /** Members of this account already. */
  members: number;
  /** Of no account, and nothing stands in their way. */
  unaffiliated: number;
  /** Wait at this account for somebody to approve. */
  waiting: number;
  /** Were removed from an account, and are locked for it. */
  former: number;
  /** Members of other accounts. Nobody is moved from there. */
  elsewhere: number;
  /** Registered and never proved the address. */
  unverified: number;
  /** Open invitations of other accounts: they cannot be accepted once the domain is owned. */
  invitedElsewhere: number;
}

/** The standing of a person of the domain, seen from the account. No other account is ever named. */
export type Standing =
  | 'member'
  | 'unaffiliated'
  | 'waiting'
  | 'former'
  | 'elsewhere'
  | 'unverified';

/** `$1` the account, `u` a row of users. */
const standing = `
  case
    when u.identity = 'unverified' then 'unverified'
    when u.affiliation = 'member' and u.account_id = $1 then 'member'
    when u.affiliation = 'member' then 'elsewhere'
    when exists (select from approval_requests q where q.user_id = u.id and q.state = 'open'
      and q.account_id = $1) then 'waiting'
    when exists (select from user_locks l where l.user_id = u.id and l.released_at is null
      and l.reason = 'unaffiliated') then 'former'
    else 'unaffiliated'
  end`;

/** Counts, before anything moves. */
export async function countConflicts(
  sql: Sql,
  accountId: string,
  name: string,
): Promise<DomainImpact> {
  const rows = await sql.query<{ standing: Standing; count: number }>(
    `select ${standing} as standing, count(*)::int as count from users u
     where split_part(u.email, '@', 2) = $2 and u.email is not null
       and u.identity <> 'erased' group by 1`,
    [accountId, name],
  );
  const [invited] = await sql.query<{ count: number }>(
    `select count(*)::int as count from invitations i
     where i.state = 'pending' and split_part(i.email, '@', 2) = $2 and i.account_id <> $1`,
    [accountId, name],
  );
  const counted = (wanted: Standing): number =>
    rows.find((row) => row.standing === wanted)?.count ?? 0;
  return {
    members: counted('member'),
    unaffiliated: counted('unaffiliated'),
    waiting: counted('waiting'),
    former: counted('former'),
    elsewhere: counted('elsewhere'),
    unverified: counted('unverified'),
    invitedElsewhere: invited!.count,
  };
}

export interface DomainPerson {
  /** Only where the person belongs to nobody else: what is another's is not ours to act on. */
  id: string | null;
  email: string;
  standing: Standing;
}

/**
 * The addresses themselves: they are of the domain, so its owner may read them. Before the proof
 * there are counts alone, and this is empty (security.md 3.5).
 */
export async function listConflicts(
  sql: Sql,
  domain: Pick<Domain, 'accountId' | 'name' | 'state' | 'proof'>,
  limit = 200,
): Promise<DomainPerson[]> {
  if (!isOwned(domain) || domain.state === 'lapsed') return [];
  const rows = await sql.query<{ id: string; email: string; standing: Standing }>(
    `select u.id, u.email_display as email, ${standing} as standing from users u
     where split_part(u.email, '@', 2) = $2 and u.email is not null and u.identity <> 'erased'
       and u.identity <> 'unverified' and not (u.affiliation = 'member' and u.account_id = $1)
     order by 3, u.email limit $3`,
    [domain.accountId, domain.name, limit],
  );
  // A mail shows one mailbox: who that is gets no list of everybody's addresses elsewhere.
  const shown = isStrong(domain.proof) ? rows : rows.filter((row) => row.standing !== 'elsewhere');
  return shown.map(({ id, email, standing: where }) => ({
    id: where === 'elsewhere' ? null : id,
    email,
    standing: where,
  }));
}
