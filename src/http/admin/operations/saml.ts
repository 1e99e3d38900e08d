import { z } from 'zod';
import { newOwnKey } from '#platform/saml/own-key.ts';
import { requireAccount } from '#identity/access/rights.ts';
import type { Connection } from '#identity/federation/connection.ts';
import {
  acceptCertificate,
  changeSaml,
  importMetadata,
  removeCertificate,
  samlConnection,
} from '#identity/federation/saml/manage.ts';
import { addSamlKey, hasSamlKey, revokeSamlKey } from '#identity/federation/saml/own-keys.ts';
import { readProviderMetadata } from '#identity/federation/saml/read-metadata.ts';
import { ourAddresses } from '#identity/federation/saml/settings.ts';
import { unitOfWork, type Work } from '#identity/work.ts';
import { operation, type AnyOperation, type Preparing } from '../operation.ts';
import { SamlView, showSaml } from '../saml-views.ts';

const path = '/accounts/:accountId/connections/:connectionId/saml' as const;
const tag = 'SAML';
const fingerprint = z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256, in hexadecimal.');

/** Before anything is fetched or made for them: whether the caller may do this to that connection. */
function permitted({
  asking,
  context,
  params,
  tools,
}: Pick<Preparing<unknown, unknown>, 'asking' | 'context' | 'params' | 'tools'>): Promise<boolean> {
  return unitOfWork(tools.foundation, context, async (work) => {
    await requireAccount(work, asking, 'connections:manage', params['accountId']!);
    const connection = await samlConnection(work, params['accountId']!, params['connectionId']!);
    return hasSamlKey(work, connection.id);
  });
}

/** The connection that is changed, which nobody else changes meanwhile. */
function taken(
  work: Work,
  accountId: string,
  params: Readonly<Record<string, string>>,
): Promise<Connection> {
  return samlConnection(work, accountId, params['connectionId']!, { taken: true });
}

/** The key of ours that a connection is to have; none where it has one. */
async function keyFor(
  { params, tools }: Pick<Preparing<unknown, unknown>, 'params' | 'tools'>,
  has: boolean,
) {
  if (has) return null;
  const { issuer, clock } = tools.foundation;
  const { entityId } = ourAddresses(issuer, params['connectionId']!);
  return newOwnKey(new URL(entityId).host, clock());
}

/** What only SAML connections have. */
export const samlOperations: readonly AnyOperation[] = [
  operation({
    id: 'getSamlSettings',
    tag,
    method: 'get',
    path,
    summary:
      'Shows what a SAML connection knows of its provider, and what the provider needs of us.',
    right: 'connections:read',
    result: SamlView,
    refusals: ['not_found'],
    async handle(work, { account, params, tools }) {
      const connection = await samlConnection(work, account.id, params['connectionId']!);
      return showSaml(work, tools.foundation.issuer, connection);
    },
  }),

  operation({
    id: 'readSamlMetadata',
    tag,
    method: 'post',
    path: `${path}/metadata`,
    summary: "Reads the provider's metadata, pasted or from its address.",
    description:
      'The first time, its certificates are accepted. Later, certificates that are new are staged: accept each one once you have compared its fingerprint. From an address it is read again each day; an address for requests that changed is taken over only by this call.',
    right: 'connections:manage',
    body: z
      .strictObject({
        xml: z.string().max(262_144).optional(),
        url: z.string().max(2000).optional(),
      })
      .refine(({ xml, url }) => (xml === undefined) !== (url === undefined), 'Either xml or url.'),
    example: { url: 'https://idp.acme.example/saml/metadata' },
    result: SamlView,
    refusals: ['not_found'],
    async prepare(asked) {
      const has = await permitted(asked);
      const [read, key] = await Promise.all([
        readProviderMetadata(asked.tools, asked.body),
        keyFor(asked, has),
      ]);
      return { ...read, key };
    },
    async handle(work, { account, params, tools, prepared }) {
      const connection = await taken(work, account.id, params);
      if (prepared.key && !(await hasSamlKey(work, connection.id)))
        await addSamlKey(work, tools.vault, connection, prepared.key);
      const { metadata, url } = prepared;
      const changed = await importMetadata(work, connection, metadata, { url, byHand: true });
      return showSaml(work, tools.foundation.issuer, changed);
    },
  }),

  operation({
    id: 'changeSamlSettings',
    tag,
    method: 'patch',
    path,
    summary: 'Changes how people are named and how requests are sent.',
    right: 'connections:manage',
    body: z.strictObject({
      binding: z.enum(['redirect', 'post']).nullable().optional(),
      subjectAttribute: z
        .string()
        .trim()
        .min(1)
        .max(255)
        .nullable()
        .optional()
        .describe('An attribute that never changes, such as an object id. Null takes the NameID.'),
      mutableSubject: z
        .boolean()
        .optional()
        .describe(
          'Accepts NameIDs that may change hands, such as e-mail addresses. A risk: whoever is given an address later is taken for who had it before.',
        ),
      nameIdFormat: z.string().max(255).nullable().optional(),
      encryption: z.boolean().optional().describe('Publishes a key for encrypted assertions.'),
      metadataUrl: z.null().optional().describe('Null: it is not read again by itself.'),
    }),
    example: { subjectAttribute: 'http://schemas.microsoft.com/identity/claims/objectidentifier' },
    result: SamlView,
    refusals: ['not_found'],
    async handle(work, { account, params, tools, body }) {
      const connection = await taken(work, account.id, params);
      return showSaml(work, tools.foundation.issuer, await changeSaml(work, connection, body));
    },
  }),

  operation({
    id: 'acceptSamlCertificate',
    tag,
    method: 'post',
    path: `${path}/certificates`,
    summary:
      'Accepts a certificate of the provider: a staged one by its fingerprint, or a new one.',
    right: 'connections:manage',
    body: z
      .strictObject({
        fingerprint: fingerprint.optional(),
        certificate: z.string().max(20_000).optional().describe('PEM, or the Base64 of its DER.'),
      })
      .refine(
        (given) => (given.fingerprint === undefined) !== (given.certificate === undefined),
        'Either fingerprint or certificate.',
      ),
    example: { fingerprint: '5e'.repeat(32) },
    result: SamlView,
    status: 201,
    refusals: ['not_found', 'limit_reached'],
    async handle(work, { account, params, tools, body }) {
      const connection = await taken(work, account.id, params);
      const given =
        body.fingerprint === undefined
          ? { certificate: body.certificate! }
          : { fingerprint: body.fingerprint };
      const changed = await acceptCertificate(work, connection, given);
      return showSaml(work, tools.foundation.issuer, changed);
    },
  }),

  operation({
    id: 'removeSamlCertificate',
    tag,
    method: 'delete',
    path: `${path}/certificates/:fingerprint`,
    summary: 'Accepts a certificate no more, at once.',
    right: 'connections:manage',
    result: SamlView,
    refusals: ['not_found', 'limit_reached'],
    async handle(work, { account, params, tools }) {
      const connection = await taken(work, account.id, params);
      const changed = await removeCertificate(work, connection, params['fingerprint']!);
      return showSaml(work, tools.foundation.issuer, changed);
    },
  }),

  operation({
    id: 'addSamlKey',
    tag,
    method: 'post',
    path: `${path}/keys`,
    summary: 'Makes another key of ours. It signs once the old one is revoked.',
    right: 'connections:manage',
    result: SamlView,
    status: 201,
    refusals: ['not_found', 'limit_reached'],
    async prepare(asked) {
      await permitted(asked);
      return keyFor(asked, false);
    },
    async handle(work, { account, params, tools, prepared }) {
      const connection = await taken(work, account.id, params);
      await addSamlKey(work, tools.vault, connection, prepared!);
      return showSaml(work, tools.foundation.issuer, connection);
    },
  }),

  operation({
    id: 'revokeSamlKey',
    tag,
    method: 'delete',
    path: `${path}/keys/:keyId`,
    summary: 'Revokes a key of ours. Another one has to be there.',
    right: 'connections:manage',
    result: SamlView,
    refusals: ['not_found', 'limit_reached'],
    async handle(work, { account, params, tools }) {
      const connection = await taken(work, account.id, params);
      await revokeSamlKey(work, connection, params['keyId']!);
      return showSaml(work, tools.foundation.issuer, connection);
    },
  }),
];
