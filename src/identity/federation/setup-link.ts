import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import { mayEver } from '../access/rights.ts';
import { rightsNow } from '../access/rights-now.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import type { Connection } from './connection.ts';

const day = 24 * 3600_000;
/** Such links open at the same time, for one connection. */
const most = 5;

/**
 * A link by which the IT of a company sets its connection up without an account here (peers.md F1):
 * domain, provider, mapping, a test; and a directory, where who made it says so. It reaches this one
 * connection, while nobody is sent there yet; it neither activates it nor sees who is in the account.
 */
export interface SetupLink {
  id: string;
  connectionId: string;
  /** Whom it was made for, in the words of who made it. */
  contact: string;
  /** Whether it may connect a directory (SCIM), too. */
  directory: boolean;
  createdAt: Date;
  expiresAt: Date;
  lastUsedAt: Date | null;
  /** When all was done, and who sent it was told. */
  finishedAt: Date | null;
}

const columns = `l.id, l.connection_id as "connectionId", l.contact, l.directory,
  l.created_at as "createdAt", l.expires_at as "expiresAt", l.last_used_at as "lastUsedAt",
  l.finished_at as "finishedAt"`;

/**
 * The secret is told once.
 *
 * @throws {Refusal} `limit_reached`; `connection_in_use` once people are sent there
 */
export async function makeSetupLink(
  work: Work,
  connection: Connection,
  {
    contact,
    days,
    directory = false,
  }: { contact: string; days: number; directory?: boolean | undefined },
): Promise<SetupLink & { url: string }> {
  if (connection.state === 'active') throw new Refusal('connection_in_use');
  const open = await listSetupLinks(work, connection.id, work.now);
  if (open.length >= most) throw new Refusal('limit_reached', { links: most });
  const id = newId(work.now.getTime());
  const secret = newSecret();
  const expiresAt = new Date(work.now.getTime() + days * day);
  await work.query(
    `insert into connection_setup_links (id, connection_id, account_id, secret_hash, contact,
       created_by, created_at, expires_at, directory)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      id,
      connection.id,
      connection.accountId,
      secretHash(secret),
      contact,
      JSON.stringify(work.actor),
      work.now,
      expiresAt,
      directory,
    ],
  );
  work.record(
    'connection.setup_link_made',
    { type: 'connection', id: connection.id },
    { link: id, contact, until: expiresAt.toISOString(), directory },
    connection.accountId,
  );
  return {
    id,
    connectionId: connection.id,
    contact,
    directory,
    createdAt: work.now,
    expiresAt,
    lastUsedAt: null,
    finishedAt: null,
    url: work.link(`/setup/${secret}`),
  };
}

/** Those that work, the latest first. */
export function listSetupLinks(sql: Sql, connectionId: string, now: Date): Promise<SetupLink[]> {
  return sql.query(
    `select ${columns} from connection_setup_links l
     where l.connection_id = $1 and l.revoked_at is null and l.expires_at > $2 order by l.id desc`,
    [connectionId, now],
  );
}

/** @throws {Refusal} `not_found` */
export async function revokeSetupLink(
  work: Work,
  connection: Pick<Connection, 'id' | 'accountId'>,
  linkId: string,
): Promise<void> {
  const rows = await work.query(
    `update connection_setup_links set revoked_at = $3
     where id::text = $1 and connection_id = $2 and revoked_at is null returning 1`,
    [linkId, connection.id, work.now],
  );
  if (rows.length === 0) throw new Refusal('not_found');
  work.record(
    'connection.setup_link_revoked',
    { type: 'connection', id: connection.id },
    { link: linkId },
    connection.accountId,
  );
}

export interface OpenSetupLink extends SetupLink {
  accountId: string;
  account: string;
  /** The token that it made for the company's directory. */
  scimTokenId: string | null;
}

/**
 * What a link opens, while it is good: until it is revoked or over, the connection is active or gone,
 * the account is not one that anybody may set up, or whoever made it might not do so any more: an
 * administrator who was dismissed must not lead the company to a provider of theirs.
 */
export async function openSetupLink(
  sql: Sql,
  secret: string,
  now: Date,
): Promise<OpenSetupLink | null> {
  const [row] = await sql.query<OpenSetupLink & { maker: { type: string; id?: string } }>(
    `select ${columns}, l.account_id as "accountId", a.name as account,
       l.scim_token_id as "scimTokenId", l.created_by as maker
     from connection_setup_links l
     join connections c on c.id = l.connection_id
     join accounts a on a.id = l.account_id
     where l.secret_hash = $1 and l.revoked_at is null and l.expires_at > $2
       and c.deleted_at is null and c.state <> 'active' and a.status = 'active'`,
    [secretHash(secret), now],
  );
  if (!row) return null;
  const { maker, ...link } = row;
  const role = await rightsNow(sql, maker, link.accountId, now);
  return role !== null && mayEver(role, 'connections:manage') ? link : null;
}

/** Notes that it was opened; the first time is written down, as who holds the link is not known. */
export async function noteSetupLinkUsed(work: Work, link: OpenSetupLink): Promise<void> {
  const rows = await work.query<{ first: boolean }>(
    `update connection_setup_links l set last_used_at = $2 from
       (select id, last_used_at is null as first from connection_setup_links where id = $1) before
     where l.id = before.id and (before.first or l.last_used_at < $3)
     returning before.first`,
    [link.id, work.now, new Date(work.now.getTime() - 60_000)],
  );
  if (rows[0]?.first)
    work.record(
      'connection.setup_link_used',
      { type: 'connection', id: link.connectionId },
      { link: link.id },
      link.accountId,
    );
}
