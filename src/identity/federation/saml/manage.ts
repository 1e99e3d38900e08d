import type { IdpMetadata } from '#platform/saml/metadata.ts';
import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../../refusal.ts';
import type { Work } from '../../work.ts';
import {
  connectionColumns,
  connectionOf,
  type Connection,
  type ConnectionRow,
} from '../connection.ts';
import { tellAdministrators } from '../health.ts';
import {
  applyMetadata,
  certificateFrom,
  samlSettings,
  withCertificate,
  withoutCertificate,
  type SamlSettings,
} from './settings.ts';

const day = 24 * 3600_000;

/**
 * The SAML connection of this account, taken where it is to be changed.
 *
 * @throws {Refusal} `not_found`
 */
export async function samlConnection(
  sql: Sql,
  accountId: string,
  id: string,
  { taken = false }: { taken?: boolean } = {},
): Promise<Connection> {
  const [row] = await sql.query<ConnectionRow>(
    `select ${connectionColumns} from connections c
     where c.id::text = $1 and c.account_id = $2 and c.kind = 'saml' and c.deleted_at is null
     ${taken ? 'for update of c' : ''}`,
    [id, accountId],
  );
  if (!row) throw new Refusal('not_found');
  return connectionOf(row);
}

/**
 * Takes over what metadata says (see `applyMetadata`). `byHand`: a person said so; otherwise it was
 * read again by itself, and a new certificate is told to the administrators.
 *
 * @throws {Refusal} `invalid_value`
 */
export async function importMetadata(
  work: Work,
  connection: Connection,
  metadata: IdpMetadata,
  { url, byHand }: { url: string | null; byHand: boolean },
): Promise<Connection> {
  const { settings, issuer, found } = applyMetadata(connection, metadata, {
    url,
    now: work.now,
    byHand,
  });
  await store(work, connection, settings, { issuer, byHand });
  if (byHand)
    work.record(
      'connection.metadata_read',
      target(connection),
      { issuer, url, certificates: settings.certificates.map(({ fingerprint }) => fingerprint) },
      connection.accountId,
    );
  for (const fingerprint of found)
    work.record(
      'connection.certificate_found',
      target(connection),
      { fingerprint },
      connection.accountId,
    );
  if (found.length > 0 && !byHand)
    await tellAdministrators(work, connection.accountId, {
      what: 'certificate_found',
      label: connection.name,
      days: 0,
      endsAt: null,
    });
  return samlConnection(work, connection.accountId, connection.id);
}

/** The metadata could not be read again: what was read before stays good. */
export async function noteMetadataProblem(
  work: Work,
  connection: Connection,
  problem: string,
): Promise<void> {
  const settings = { ...samlSettings(connection), metadataProblem: problem.slice(0, 300) };
  await store(work, connection, settings, { issuer: connection.issuer, byHand: false });
}

/**
 * Believes a certificate from now on: one that was found in metadata, by its fingerprint, or one that
 * an administrator has.
 *
 * @throws {Refusal} `not_found`, `invalid_value`, `limit_reached`
 */
export async function acceptCertificate(
  work: Work,
  connection: Connection,
  given: { fingerprint: string } | { certificate: string },
): Promise<Connection> {
  const before = samlSettings(connection);
  const pem =
    'certificate' in given
      ? given.certificate
      : before.staged.find(({ fingerprint }) => fingerprint === given.fingerprint)?.pem;
  if (pem === undefined) throw new Refusal('not_found');
  const certificate = certificateFrom(pem);
  await store(work, connection, withCertificate(before, certificate, work.now));
  work.record(
    'connection.certificate_accepted',
    target(connection),
    { fingerprint: certificate.fingerprint },
    connection.accountId,
  );
  return samlConnection(work, connection.accountId, connection.id);
}

/**
 * Believes a certificate no more, at once.
 *
 * @throws {Refusal} `not_found`; `limit_reached` for the last one of a connection that people use
 */
export async function removeCertificate(
  work: Work,
  connection: Connection,
  fingerprint: string,
): Promise<Connection> {
  const settings = withoutCertificate(samlSettings(connection), fingerprint);
  if (settings.certificates.length === 0 && connection.state === 'active')
    throw new Refusal('limit_reached', {
      certificates: 'Accept another certificate before the last one is removed.',
    });
  await store(work, connection, settings);
  work.record(
    'connection.certificate_removed',
    target(connection),
    { fingerprint },
    connection.accountId,
  );
  return samlConnection(work, connection.accountId, connection.id);
}

export type SamlChange = Partial<
  Pick<
    SamlSettings,
    'binding' | 'subjectAttribute' | 'mutableSubject' | 'nameIdFormat' | 'encryption'
  >
> & { metadataUrl?: null };

/**
 * @throws {Refusal} `invalid_value` for a binding that the provider does not offer; `domain_in_use`
 */
export async function changeSaml(
  work: Work,
  connection: Connection,
  change: SamlChange,
): Promise<Connection> {
  const before = samlSettings(connection);
  const given = Object.fromEntries(
    Object.entries(change).filter(([, value]) => value !== undefined),
  ) as Partial<SamlSettings>;
  const settings = { ...before, ...given };
  if (settings.binding !== null && settings.signOn[settings.binding] === null)
    throw new Refusal('invalid_value', { binding: 'The provider does not offer this binding.' });
  await store(work, connection, settings);
  work.record('connection.saml_changed', target(connection), { ...given }, connection.accountId);
  return samlConnection(work, connection.accountId, connection.id);
}

/** Writes that the administrators were told that a certificate ends. */
export async function noteTold(
  work: Work,
  connection: Connection,
  fingerprint: string,
): Promise<void> {
  const before = samlSettings(connection);
  const settings: SamlSettings = {
    ...before,
    certificates: before.certificates.map((one) =>
      one.fingerprint === fingerprint ? { ...one, toldAt: work.now.toISOString() } : one,
    ),
  };
  await store(work, connection, settings, { issuer: connection.issuer, byHand: false });
}

function target({ id }: Connection): { type: 'connection'; id: string } {
  return { type: 'connection', id };
}

/** What nobody did by hand changes no version: whoever is editing is not in its way. */
async function store(
  work: Work,
  connection: Connection,
  settings: SamlSettings,
  { issuer, byHand }: { issuer: string | null; byHand: boolean } = {
    issuer: connection.issuer,
    byHand: true,
  },
): Promise<void> {
  await work.query(
    `update connections set settings = $2, issuer = $3, metadata_due_at = $4,
       updated_at = case when $5 then $6 else updated_at end,
       version = version + case when $5 then 1 else 0 end,
       tested_at = case when $7 then null else tested_at end
     where id = $1`,
    [
      connection.id,
      JSON.stringify(settings),
      issuer,
      settings.metadataUrl === null ? null : new Date(work.now.getTime() + day),
      byHand,
      work.now,
      byHand && (issuer !== connection.issuer || asksOtherwise(samlSettings(connection), settings)),
    ],
  );
}

/** Whether the provider is asked, or believed, in another way: then what was tested was not this. */
function asksOtherwise(before: SamlSettings, after: SamlSettings): boolean {
  const told = ({
    signOn,
    binding,
    subjectAttribute,
    mutableSubject,
    nameIdFormat,
  }: SamlSettings) =>
    JSON.stringify([signOn, binding, subjectAttribute, mutableSubject, nameIdFormat]);
  return told(before) !== told(after);
}
