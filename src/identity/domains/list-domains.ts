import type { Sql } from '#platform/database/sql.ts';
import { domainColumns, findDomain, isOpen, type Domain } from './domain.ts';
import { isPublicMailDomain } from './public-mail-domains.ts';

/** A domain as its account sees it. */
export interface DomainEntry {
  domain: Domain;
  /** Members of the account with an address there. */
  users: number;
  /** How many of its claims and transfers wait for an answer, on either side. */
  openRequests: number;
}

/**
 * The domains of an account: those it has or wants, those that it had or wanted lately, and those
 * that are only seen among its people and could be claimed (`listed`; behaviour.md 3.1).
 */
export async function listDomains(sql: Sql, accountId: string, now: Date): Promise<DomainEntry[]> {
  const domains = await sql.query<Domain>(
    `select * from (
       select distinct on (name) ${domainColumns} from domains where account_id = $1
       order by name, state in ('pending', 'owned', 'contested', 'at_risk', 'lapsed') desc,
         created_at desc, id desc) d
     where d.state in ('pending', 'owned', 'contested', 'at_risk', 'lapsed')
        or d."createdAt" > $2 or d."releasedAt" > $2
     order by name limit 1000`,
    [accountId, new Date(now.getTime() - 30 * 24 * 3600_000)],
  );
  const seen = await sql.query<{ name: string; users: number }>(
    `select split_part(email, '@', 2) as name, count(*)::int as users from users
     where account_id = $1 and affiliation = 'member' and email is not null group by 1 limit 5000`,
    [accountId],
  );
  const requests = await sql.query<{ domain: string; count: number }>(
    `select domain, count(*)::int as count from domain_requests
     where (owner_id = $1 or claimant_id = $1) and state = 'open'
       and (expires_at is null or expires_at > $2) group by 1`,
    [accountId, now],
  );
  const known = new Set(domains.map(({ name }) => name));
  const listed = seen
    .filter(({ name }) => !known.has(name) && !isPublicMailDomain(name))
    .map(({ name }) => listedDomain(accountId, name, now));
  return [...domains, ...listed]
    .map((domain) => ({
      domain,
      users: seen.find(({ name }) => name === domain.name)?.users ?? 0,
      openRequests: requests.find((one) => one.domain === domain.name)?.count ?? 0,
    }))
    .sort((one, other) => (one.domain.name < other.domain.name ? -1 : 1));
}

/** One of them, or null. */
export async function domainEntry(
  sql: Sql,
  accountId: string,
  name: string,
  now: Date,
): Promise<DomainEntry | null> {
  const domain = await findDomain(sql, accountId, name);
  const [seen] = await sql.query<{ users: number; requests: number }>(
    `select (select count(*)::int from users where account_id = $1 and affiliation = 'member'
               and email is not null and split_part(email, '@', 2) = $2) as users,
            (select count(*)::int from domain_requests
             where (owner_id = $1 or claimant_id = $1) and domain = $2 and state = 'open'
               and (expires_at is null or expires_at > $3)) as requests`,
    [accountId, name, now],
  );
  const { users, requests: openRequests } = seen!;
  if (domain) return { domain, users, openRequests };
  return users > 0 ? { domain: listedDomain(accountId, name, now), users, openRequests } : null;
}

/** What an administrator may do with it next, as names that the doors give an address to. */
export type DomainAction =
  | 'claim'
  | 'verify'
  | 'cancel_claim'
  | 'release'
  | 'request_access'
  | 'request_release'
  | 'approve_waiting';

export function nextActions(domain: Domain, waiting: number): DomainAction[] {
  switch (domain.state) {
    case 'pending':
      return ['verify', 'cancel_claim'];
    case 'contested':
      return ['verify', 'request_access', 'request_release', 'cancel_claim'];
    case 'owned':
      return [...(waiting > 0 ? (['approve_waiting'] as const) : []), 'release'];
    case 'at_risk':
    case 'lapsed':
      return ['verify', 'release'];
    default:
      return isOpen(domain) ? [] : ['claim'];
  }
}

/** A domain that is seen and nothing more. */
function listedDomain(accountId: string, name: string, now: Date): Domain {
  return {
    id: '',
    accountId,
    name,
    state: 'listed',
    proof: null,
    method: null,
    challenge: null,
    signup: 'approve',
    defaults: {},
    proofMailbox: null,
    mailedAt: null,
    claimedAt: null,
    ownedAt: null,
    checkedAt: null,
    nextCheckAt: null,
    expiresAt: null,
    failingSince: null,
    failedChecks: 0,
    atRiskAt: null,
    lapsedAt: null,
    releasedAt: null,
    closedReason: null,
    includeSubdomains: false,
    parentId: null,
    createdAt: now,
  };
}
