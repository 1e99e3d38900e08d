import { z } from 'zod';
import type { Sql } from '#platform/database/sql.ts';
import { readCertificate } from '#platform/saml/certificate.ts';
import type { Connection } from '#identity/federation/connection.ts';
import { samlKeyKind } from '#identity/federation/saml/own-keys.ts';
import {
  destinationOf,
  ourAddresses,
  samlProblem,
  samlProblems,
  samlSettings,
  type KeptCertificate,
} from '#identity/federation/saml/settings.ts';
import { Moment } from './schemas.ts';

const Certificate = z.object({
  fingerprint: z.string().describe('SHA-256, in hexadecimal. Compare it with the provider.'),
  subject: z.string(),
  notBefore: Moment,
  notAfter: Moment,
  since: Moment.describe('When it was accepted, or first seen.'),
  pem: z.string(),
});

const Addresses = z.object({ redirect: z.string().nullable(), post: z.string().nullable() });

export const SamlView = z
  .object({
    connectionId: z.string(),
    ours: z
      .object({
        entityId: z.string(),
        acsUrl: z.string(),
        sloUrl: z.string().describe('Single logout, by redirect or POST: requests and answers.'),
        metadataUrl: z.string(),
        keys: z.array(
          z.object({
            id: z.string(),
            fingerprint: z.string(),
            certificate: z.string(),
            createdAt: Moment,
            expiresAt: Moment.nullable(),
          }),
        ),
      })
      .describe('What the provider has to know of us.'),
    entityId: z.string().nullable(),
    signOn: Addresses,
    signOut: Addresses,
    binding: z.enum(['redirect', 'post']).nullable(),
    certificates: z.array(Certificate).describe('The keys that are believed.'),
    staged: z
      .array(Certificate)
      .describe('Found in metadata, and believed by nobody until they are accepted.'),
    metadataUrl: z.string().nullable(),
    metadataReadAt: Moment.nullable(),
    metadataProblem: z.string().nullable(),
    subjectAttribute: z.string().nullable(),
    mutableSubject: z.boolean(),
    nameIdFormat: z.string().nullable(),
    encryption: z.boolean(),
    problem: z.string().nullable().describe('Why nobody can sign in through it yet.'),
    version: z.number().int(),
  })
  .meta({ id: 'SamlSettings' });

/** What there is to see of a SAML connection. Keys of ours are shown by their certificates. */
export async function showSaml(
  sql: Sql,
  issuer: string,
  connection: Connection,
): Promise<z.output<typeof SamlView>> {
  const settings = samlSettings(connection);
  const { entityId, acsUrl, sloUrl } = ourAddresses(issuer, connection.id);
  const keys = await sql.query<{
    id: string;
    certificate: string;
    created_at: Date;
    expires_at: Date | null;
  }>(
    `select id, public_part ->> 'certificate' as certificate, created_at, expires_at
     from connection_secrets
     where connection_id = $1 and kind = $2 and revoked_at is null order by created_at`,
    [connection.id, samlKeyKind],
  );
  const problem = samlProblem(connection);
  const { signOn, signOut, metadataUrl, metadataProblem, subjectAttribute } = settings;
  return {
    connectionId: connection.id,
    ours: {
      entityId,
      acsUrl,
      sloUrl,
      metadataUrl: entityId,
      keys: keys.map(({ id, certificate, created_at: createdAt, expires_at: expiresAt }) => ({
        id,
        certificate,
        fingerprint: readCertificate(certificate).fingerprint,
        createdAt,
        expiresAt,
      })),
    },
    entityId: connection.issuer,
    signOn,
    signOut,
    binding: destinationOf(settings)?.binding ?? null,
    certificates: settings.certificates.map(shown),
    staged: settings.staged.map(shown),
    metadataUrl,
    metadataReadAt: settings.metadataReadAt === null ? null : new Date(settings.metadataReadAt),
    metadataProblem,
    subjectAttribute,
    mutableSubject: settings.mutableSubject,
    nameIdFormat: settings.nameIdFormat,
    encryption: settings.encryption,
    problem: problem && samlProblems[problem],
    version: connection.version,
  };
}

function shown({ toldAt, notBefore, notAfter, since, ...rest }: KeptCertificate) {
  void toldAt;
  return {
    ...rest,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    since: new Date(since),
  };
}
