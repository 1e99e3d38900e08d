import type { Sql } from '#platform/database/sql.ts';
import { administratorsOf } from '../accounts/administrators.ts';
import { mail } from '../mail/mail.ts';
import { toReader } from '../mail/recipient.ts';
import { createScimToken, revokeScimToken } from '../scim/token.ts';
import { unitOfWork, type Foundation, type Work } from '../work.ts';
import { findConnection, type Connection } from './connection.ts';
import { oidcSettings } from './oidc-settings.ts';
import { samlProblem } from './saml/settings.ts';
import type { OpenSetupLink } from './setup-link.ts';

/** What of the steps is done. `directory` is null where the link may connect none. */
export interface SetupProgress {
  domain: boolean;
  provider: boolean;
  mapping: boolean;
  test: boolean;
  directory: boolean | null;
}

/** What the directory of a link has done with its token so far. */
export interface SetupDirectory {
  tokenId: string;
  name: string;
  /** It only tries until an administrator lets it change people. */
  dryRun: boolean;
  firstRequestAt: Date | null;
}

/** The directory that a link connected; null where it did not, or the token is gone. */
export async function setupDirectory(
  sql: Sql,
  { scimTokenId }: Pick<OpenSetupLink, 'scimTokenId'>,
): Promise<SetupDirectory | null> {
  if (scimTokenId === null) return null;
  const [row] = await sql.query<SetupDirectory>(
    `select t.id as "tokenId", t.name, t.dry_run as "dryRun",
       (select min(e.at) from scim_exchanges e where e.token_id = t.id and e.status < 400)
         as "firstRequestAt"
     from scim_tokens t where t.id = $1 and t.revoked_at is null`,
    [scimTokenId],
  );
  return row ?? null;
}

/**
 * A token for the company's directory, in the place of the one this link made before. It only tries:
 * whoever has the link changes nobody, and an administrator looks first at what it would do.
 *
 * @throws {Refusal} `limit_reached`
 */
export async function connectDirectory(
  work: Work,
  link: OpenSetupLink,
  { name }: Pick<Connection, 'name'>,
): Promise<string> {
  const before = await setupDirectory(work, link);
  if (before) await revokeScimToken(work, link.accountId, before.tokenId);
  const { token, secret } = await createScimToken(work, link.accountId, { name, dryRun: true });
  await work.query('update connection_setup_links set scim_token_id = $2 where id = $1', [
    link.id,
    token.id,
  ]);
  return secret!;
}

/** What is done already, of a connection and by a link. */
export async function setupProgress(
  sql: Sql,
  connection: Connection,
  link: Pick<OpenSetupLink, 'directory' | 'scimTokenId'>,
): Promise<SetupProgress> {
  const [keys] = await sql.query<{ secret: boolean; saml: boolean }>(
    `select coalesce(bool_or(kind in ('client_secret', 'private_key')), false) as secret,
       coalesce(bool_or(kind = 'saml_key'), false) as saml
     from connection_secrets where connection_id = $1 and revoked_at is null`,
    [connection.id],
  );
  const { kind, issuer, settings, mapping, testedAt, domains } = connection;
  const directory = link.directory ? await setupDirectory(sql, link) : null;
  return {
    domain: domains.length > 0,
    provider:
      kind === 'saml'
        ? samlProblem(connection) === null && keys!.saml
        : issuer !== null && oidcSettings(settings).clientId !== '' && keys!.secret,
    mapping: testedAt !== null || Object.keys(mapping.attributes).length > 0,
    test: testedAt !== null,
    directory: link.directory ? directory !== null && directory.firstRequestAt !== null : null,
  };
}

/**
 * Tells who sent a link that all of it is done, once: the administrator who made it, or all of them
 * where that was a program, or somebody who is none any more.
 */
export async function finishSetup(
  foundation: Foundation,
  link: Pick<OpenSetupLink, 'id' | 'connectionId' | 'directory' | 'scimTokenId' | 'finishedAt'>,
): Promise<void> {
  if (link.finishedAt !== null) return;
  const connection = await findConnection(foundation.database, link.connectionId);
  if (!connection) return;
  const progress = await setupProgress(foundation.database, connection, link);
  if (Object.values(progress).includes(false)) return;
  await unitOfWork(foundation, { actor: { type: 'system', id: 'setup' } }, async (work) => {
    const [done] = await work.query<{ by: { type: string; id: string }; contact: string }>(
      `update connection_setup_links set finished_at = $2
       where id = $1 and finished_at is null and revoked_at is null
       returning created_by as by, contact`,
      [link.id, work.now],
    );
    if (!done) return;
    const { accountId, name: label } = connection;
    work.record(
      'connection.setup_finished',
      { type: 'connection', id: connection.id },
      { link: link.id, contact: done.contact },
      accountId,
    );
    const administrators = await administratorsOf(work, accountId);
    const sender = administrators.filter(({ id }) => done.by.type === 'user' && done.by.id === id);
    const [account] = await work.query<{ name: string }>(
      'select name from accounts where id = $1',
      [accountId],
    );
    for (const reader of sender.length > 0 ? sender : administrators)
      mail(work, toReader(reader), {
        kind: 'setup_finished',
        account: account!.name,
        label,
        contact: done.contact,
        directory: link.directory,
        settingsLink: work.link(`/console/connections/${connection.id}`),
      });
  });
}

/** Looks after links whose last step was not done on their own page. */
export async function finishSetups(foundation: Foundation): Promise<void> {
  const open = await foundation.database.query<
    Pick<OpenSetupLink, 'id' | 'connectionId' | 'directory' | 'scimTokenId' | 'finishedAt'>
  >(
    `select l.id, l.connection_id as "connectionId", l.directory, l.scim_token_id as "scimTokenId",
       l.finished_at as "finishedAt"
     from connection_setup_links l join connections c on c.id = l.connection_id
     where l.finished_at is null and l.revoked_at is null and l.expires_at > $1
       and l.last_used_at is not null and c.tested_at is not null and c.deleted_at is null
     order by l.id limit 500`,
    [foundation.clock()],
  );
  for (const link of open) await finishSetup(foundation, link);
}
