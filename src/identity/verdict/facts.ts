import type { Sql } from '#platform/database/sql.ts';
import type { AccountStatus } from '../accounts/account.ts';
import { namesAbove, owningDomain } from '../domains/owning-domain.ts';
import { graceBeforeAutomationStops, type Proof } from '../domains/domain.ts';
import { isPublicMailDomain } from '../domains/public-mail-domains.ts';
import { canonicalEmail, domainOf } from '../users/email.ts';
import type { DomainStanding, Facts } from './verdict.ts';

/**
 * What is known about an address, as seen from the account that acts (null where none does), read in
 * one statement. In a transaction, lock what you will change first: see `affiliate`.
 *
 * @param typed the address as it came in; what is no address gives facts with no email.
 * @param from the address it takes the place of, where one is changed.
 */
export async function readFacts(
  sql: Sql,
  typed: unknown,
  accountId: string | null,
  now: Date,
  { from }: { from?: string | undefined } = {},
): Promise<Facts> {
  const email = canonicalEmail(typed);
  const domain = email === null ? '' : domainOf(email);
  const [row] = await sql.query<Row>(statement, [
    email ?? '',
    domain,
    accountId,
    new Date(now.getTime() - rejectionMemory),
    now,
    new Date(now.getTime() - graceBeforeAutomationStops),
    namesAbove(domain),
  ]);
  const { account, owner, claimed, trusted, person } = row!;
  return {
    email,
    account: account && {
      id: account.id,
      status: account.status,
      name: account.name,
      countries: account.countries,
      countryOfDomain: account.country,
      allowsForeignDomains: account.foreign !== 'off',
    },
    domain: standing({ domain, accountId, owner, claimed, trusted }),
    owner: owner && {
      id: owner.id,
      status: owner.status,
      // Nobody is let in unseen by a domain whose proof is gone (security.md 3.6).
      signup: owner.failing && owner.signup === 'auto' ? 'approve' : owner.signup,
      federated: owner.federated,
      lapsed: owner.state === 'lapsed',
    },
    weaklyProved: owner !== null && (owner.failing || owner.proof === 'email'),
    person,
    from: from === undefined ? null : await standingOf(sql, from, accountId, now),
  };
}

/** What the domain of an address is to an account. */
async function standingOf(
  sql: Sql,
  email: string,
  accountId: string | null,
  now: Date,
): Promise<DomainStanding> {
  return (await readFacts(sql, email, accountId, now)).domain;
}

/** Who was rejected may ask the same account again after 30 days (behaviour.md U12). */
const rejectionMemory = 30 * 24 * 3600_000;

interface Row {
  account: {
    id: string;
    status: AccountStatus;
    name: string;
    countries: string[];
    country: string | null;
    foreign: string | null;
  } | null;
  owner: {
    id: string;
    status: AccountStatus;
    signup: 'approve' | 'auto' | 'closed';
    state: 'owned' | 'at_risk' | 'lapsed';
    proof: Proof;
    /** The proof has been missing for a week. */
    failing: boolean;
    federated: boolean;
  } | null;
  claimed: boolean;
  trusted: boolean;
  person: Facts['person'];
}

function standing({
  domain,
  accountId,
  owner,
  claimed,
  trusted,
}: Pick<Row, 'owner' | 'claimed' | 'trusted'> & {
  domain: string;
  accountId: string | null;
}): DomainStanding {
  if (owner) {
    if (owner.id !== accountId && !trusted) return 'other';
    if (owner.state === 'lapsed') return 'mine_lapsed';
    return owner.federated ? 'mine_federated' : 'mine';
  }
  if (isPublicMailDomain(domain)) return 'public';
  return claimed ? 'mine_pending' : 'free';
}

/**
 * $1 address, $2 its domain, $3 the acting account, $4 since when a rejection is remembered, $5 now,
 * $6 since when a proof must be missing for machines to stop, $7 the domain and those above it.
 */
const statement = `
  with person as materialized (
    select * from users where email = $1 and identity <> 'erased'
  ), owner as materialized (
    ${owningDomain('$7')}
  )
  select
    (select jsonb_build_object('id', a.id, 'status', a.status, 'name', a.name,
       'countries', to_jsonb(a.countries),
       'country', (select d.defaults ->> 'entitlementCountry' from domains d
          where d.name = $2 and d.account_id = a.id and d.state in ('owned', 'at_risk', 'lapsed')),
       'foreign', a.settings ->> 'foreignDomains')
     from accounts a where a.id = $3::uuid) as account,
    (select jsonb_build_object('id', o.account_id, 'status', a.status, 'signup', o.signup,
       'state', o.state, 'proof', o.proof,
       'federated', exists (select from connection_domains b
         join connections c on c.id = b.connection_id and c.account_id = o.account_id
         where b.domain = o.name and c.state = 'active' and c.deleted_at is null),
       'failing', o.state = 'lapsed' or (o.state = 'at_risk' and o.at_risk_at <= $6))
     from owner o join accounts a on a.id = o.account_id) as owner,
    exists (select from domains d where d.name = $2 and d.account_id = $3::uuid
      and d.state = 'pending' and (d.expires_at is null or d.expires_at > $5)) as claimed,
    exists (select from domain_requests r join owner o on o.account_id = r.owner_id
      where r.kind = 'access' and r.state = 'granted' and r.domain = $2
        and r.claimant_id = $3::uuid) as trusted,
    (select jsonb_build_object(
       'id', p.id, 'identity', p.identity, 'affiliation', p.affiliation, 'accountId', p.account_id,
       'locks', coalesce((select jsonb_agg(l.reason) from user_locks l
          where l.user_id = p.id and l.released_at is null
            and (l.until is null or l.until > $5)), '[]'),
       'approvalAt', (select q.account_id from approval_requests q
          where q.user_id = p.id and q.state = 'open'),
       'invitedBy', coalesce((select jsonb_agg(i.account_id) from invitations i
          where i.email = p.email and i.state = 'pending' and i.expires_at > $5), '[]'),
       'removedBy', (select l.account_id from user_locks l
          where l.user_id = p.id and l.reason = 'unaffiliated' and l.released_at is null),
       'rejectedBy', coalesce((select jsonb_agg(distinct q.account_id) from approval_requests q
          where q.user_id = p.id and q.state = 'rejected' and q.decided_at > $4), '[]'),
       'breakGlass', p.break_glass,
       'administrator', exists (select from role_assignments r where r.user_id = p.id
          and r.role in ('operator', 'account_administrator', 'co_administrator')))
     from person p) as person`;
