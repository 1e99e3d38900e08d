/**
 * What a session or a token stands on where a company's provider vouched for the person: kept beside
 * it, and handed on from the session to the code and from the code to the tokens.
 */
export interface Federation {
  /** The id of the connection. */
  connection: string;
  /** When the provider vouched for them, and until when that is enough (behaviour.md F31). */
  at: string;
  until: string;
  /** What the provider calls its session; null where it does not say. */
  sid: string | null;
  /** Of a session alone: see `forSignOut`. A mark of the name by which the provider may end it. */
  name?: string;
  /** And what the provider is told when it ends here, sealed. */
  hint?: string;
}

/** What is handed on: what a session keeps for its own end is not. */
export function handedOn({ connection, at, until, sid }: Federation): Federation {
  return { connection, at, until, sid };
}

/**
 * Whether what stands on a connection still stands, as an SQL condition: it is asked at each use, so
 * that a connection that is disabled, a domain that is lost or a link that is taken away puts people
 * out at their very next step. Where nothing is written, nothing has to stand.
 *
 * @param federation the column, @param user the id of the person, @param now the moment
 */
export function federationStands(federation: string, user: string, now: string): string {
  return `(${federation} is null or ((${federation} ->> 'until')::timestamptz > ${now} and exists (
    select from federated_links l
    join connections c on c.id = l.connection_id
    join connection_domains b on b.connection_id = c.id and b.domain = l.domain
    join domains d on d.name = b.domain and d.account_id = c.account_id
      and d.state in ('owned', 'at_risk')
    where l.user_id = ${user} and l.connection_id = (${federation} ->> 'connection')::uuid
      and l.unlinked_at is null and c.deleted_at is null and c.state in ('testing', 'active'))))`;
}

/**
 * Whether a person's company lets nobody in by password any more, as an SQL condition. Break-glass
 * administrators are for the caller to let through.
 *
 * @param domain the domain of their address, @param now the moment
 */
export function passwordsRefused(domain: string, now: string): string {
  return `exists (
    select from connection_domains b
    join connections c on c.id = b.connection_id
    join domains d on d.name = b.domain and d.account_id = c.account_id
      and d.state in ('owned', 'at_risk')
    where b.domain = ${domain} and c.deleted_at is null and c.state = 'active'
      and c.mode = 'enforced' and c.enforced_at <= ${now})`;
}
