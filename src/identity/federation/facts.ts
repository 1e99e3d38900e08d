import type { Sql } from '#platform/database/sql.ts';
import { ofDirectorySql } from '../scim/authority.ts';
import { namesAbove, owningDomain } from '../domains/owning-domain.ts';
import { domainOf } from '../users/email.ts';
import { readFacts } from '../verdict/facts.ts';
import type { UpstreamAssertion } from './assertion.ts';
import type { FederatedFacts, FederatedPerson } from './decide.ts';
import type { Realm } from './home-realm.ts';
import type { MappedPerson } from './mapping.ts';

/** A person as they stand here, with what a sign-in may change about them. */
export interface KnownPerson extends FederatedPerson {
  language: string | null;
  phone: string | null;
  jobTitle: string | null;
  entitlementCountry: string | null;
  /** What a directory that speaks SCIM decides about them: its word holds. */
  ofDirectory: string[];
  /** Groups and roles they have, and whether this connection gave them. */
  groups: { id: string; ours: boolean }[];
  roles: { key: string; ours: boolean }[];
}

export interface SignInFacts extends FederatedFacts {
  linked: KnownPerson | null;
  holder: KnownPerson | null;
  linkId: string | null;
}

/**
 * All there is to know about somebody who comes back, in two statements. In a transaction, take the
 * address's lock first (`enterDoor`).
 */
export async function readFederatedFacts(
  sql: Sql,
  {
    realm: { connection, account },
    assertion,
    mapped,
    filledIn = {},
    steppedUp = false,
    now,
  }: {
    realm: Pick<Realm, 'connection' | 'account'>;
    assertion: Pick<UpstreamAssertion, 'issuer' | 'subject'>;
    mapped: MappedPerson;
    filledIn?: FederatedFacts['filledIn'];
    steppedUp?: boolean;
    now: Date;
  },
): Promise<SignInFacts> {
  const { identifier } = mapped;
  const [row] = await sql.query<Row>(statement, [
    connection.id,
    assertion.issuer,
    assertion.subject,
    identifier ?? '',
    identifier === null ? [] : namesAbove(domainOf(identifier)),
    now,
    provenanceOf(connection.id),
  ]);
  const address =
    identifier === null ? null : await readFacts(sql, identifier, connection.accountId, now);
  return {
    connection,
    accountStatus: account.status,
    mapped,
    address,
    filledIn,
    steppedUp,
    bound: row!.bound,
    linked: row!.linked,
    linkId: row!.link_id,
    formerUserId: row!.former,
    linkDomainHolds: row!.link_domain_holds,
    holder: row!.holder,
  };
}

/** What a connection's mapping writes beside what it gives: it takes back that, and nothing else. */
export function provenanceOf(connectionId: string): string {
  return `connection:${connectionId}`;
}

interface Row {
  bound: boolean;
  link_id: string | null;
  link_domain_holds: boolean;
  linked: KnownPerson | null;
  former: string | null;
  holder: KnownPerson | null;
}

/** Whether a domain leads to connection $1 and is its account's. */
const leadsHere = (names: string): string => `exists (
  select from (${owningDomain(names)}) d
  join connection_domains b on b.domain = d.name
  join connections c on c.id = b.connection_id and c.account_id = d.account_id
  where b.connection_id = $1::uuid and d.state in ('owned', 'at_risk'))`;

const person = (id: string): string => `(
  select jsonb_build_object(
    'id', u.id, 'accountId', u.account_id, 'affiliation', u.affiliation, 'identity', u.identity,
    'givenName', u.given_name, 'familyName', u.family_name, 'country', u.country,
    'language', u.language, 'phone', u.phone, 'jobTitle', u.job_title,
    'entitlementCountry', u.entitlement_country, 'breakGlass', u.break_glass,
    'locks', coalesce((select jsonb_agg(l.reason) from user_locks l
       where l.user_id = u.id and l.released_at is null and (l.until is null or l.until > $6)), '[]'),
    'hasPassword', exists (select from passwords w
       where w.user_id = u.id and w.disabled_at is null),
    'administrator', exists (select from role_assignments r where r.user_id = u.id
       and r.role in ('operator', 'account_administrator', 'co_administrator')),
    'linkedSubject', (select k.subject from federated_links k
       where k.user_id = u.id and k.connection_id = $1::uuid and k.unlinked_at is null),
    'directoryId', (select a.external_id from affiliations a where a.user_id = u.id
       and a.account_id = u.account_id and a.ended_at is null and a.provisioned_by is not null),
    'ofDirectory', ${ofDirectorySql},
    'groups', coalesce((select jsonb_agg(jsonb_build_object(
         'id', m.group_id, 'ours', m.provenance is not distinct from $7))
       from group_members m where m.user_id = u.id), '[]'),
    'roles', coalesce((select jsonb_agg(jsonb_build_object(
         'key', r.role, 'ours', r.provenance is not distinct from $7))
       from role_assignments r where r.user_id = u.id), '[]'))
  from users u where u.id = ${id} and u.identity <> 'erased')`;

/**
 * $1 connection, $2 issuer, $3 subject, $4 address, $5 its domain and those above it, $6 now, $7 the connection's
 * provenance.
 */
const statement = `
  with link as materialized (
    select l.id, l.user_id, l.domain from federated_links l
    where l.connection_id = $1::uuid and l.issuer = $2 and l.subject = $3 and l.unlinked_at is null
  )
  select ${leadsHere('$5')} as bound,
    (select id from link) as link_id,
    ${leadsHere('array[(select domain from link)]')} as link_domain_holds,
    ${person('(select user_id from link)')} as linked,
    (select f.user_id from federated_links f
     where f.connection_id = $1::uuid and f.issuer = $2 and f.subject = $3
       and f.unlinked_at is not null
     order by f.unlinked_at desc limit 1) as former,
    ${person("(select h.id from users h where h.email = $4 and h.identity <> 'erased')")} as holder`;
