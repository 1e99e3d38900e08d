import { newOwnKey } from '#platform/saml/own-key.ts';
import { readCertificate } from '#platform/saml/certificate.ts';
import { requireAccount } from '#identity/access/rights.ts';
import type { Connection } from '#identity/federation/connection.ts';
import {
  acceptCertificate,
  changeSaml,
  importMetadata,
  removeCertificate,
  samlConnection,
  type SamlChange,
} from '#identity/federation/saml/manage.ts';
import {
  addSamlKey,
  hasSamlKey,
  revokeSamlKey,
  samlKeyKind,
} from '#identity/federation/saml/own-keys.ts';
import { readProviderMetadata } from '#identity/federation/saml/read-metadata.ts';
import {
  ourAddresses,
  persistentNameId,
  samlSettings,
  type KeptCertificate,
} from '#identity/federation/saml/settings.ts';
import { Refusal } from '#identity/refusal.ts';
import type { Work } from '#identity/work.ts';
import { samlPage, type SamlPage } from '../../pages/console/connection-saml.ts';
import type { Room, Visit } from '../room.ts';
import { Typed } from '../typed.ts';
import { idOf, one } from './connections.ts';

const fresh = { fresh: true };
const saml = `${one}/saml`;
/** Metadata as people paste it, encoded for a form. */
const documentLimit = 768 * 1024;

/** Formats of a NameID that somebody may want. */
const formats = [
  persistentNameId,
  'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
];

/** What only SAML connections have: certificates that are believed or wait, metadata, names, keys. */
export const connectionSaml: Room = {
  open(door) {
    door.get(saml, 'connections:read', (visit) => show(visit));
    door.post(`${saml}/metadata`, 'connections:manage', (visit) => readMetadata(visit), {
      ...fresh,
      limit: documentLimit,
    });
    door.post(
      `${saml}/stop-reading`,
      'connections:manage',
      (visit) => change(visit, (work, of) => changeSaml(work, of, { metadataUrl: null })),
      fresh,
    );
    door.post(`${saml}/naming`, 'connections:manage', (visit) => changeNaming(visit), fresh);
    door.post(
      `${saml}/certificates/accept`,
      'connections:manage',
      (visit) =>
        change(
          visit,
          (work, of) => acceptCertificate(work, of, { fingerprint: visit.value('fingerprint') }),
          'certificates',
        ),
      fresh,
    );
    door.post(
      `${saml}/certificates/remove`,
      'connections:manage',
      (visit) =>
        change(
          visit,
          (work, of) => removeCertificate(work, of, visit.value('fingerprint')),
          'certificates',
        ),
      fresh,
    );
    door.post(`${saml}/certificates/add`, 'connections:manage', (visit) => addOne(visit), fresh);
    door.post(`${saml}/keys`, 'connections:manage', (visit) => addKey(visit), fresh);
    door.post(
      `${saml}/keys/:keyId/revoke`,
      'connections:manage',
      (visit) =>
        change(visit, (work, of) => revokeSamlKey(work, of, visit.params['keyId']!), 'ours'),
      fresh,
    );
  },
};

async function show(
  visit: Visit,
  { failure, errors = {} }: { failure?: string; errors?: Typed['errors'] } = {},
): Promise<void> {
  const { sql, account, tools } = visit;
  const connection = await samlConnection(sql, account.id, idOf(visit));
  const settings = samlSettings(connection);
  const keys = await sql.query<{
    id: string;
    certificate: string;
    createdAt: Date;
    expiresAt: Date | null;
  }>(
    `select id, public_part ->> 'certificate' as certificate, created_at as "createdAt",
       expires_at as "expiresAt"
     from connection_secrets
     where connection_id = $1 and kind = $2 and revoked_at is null order by created_at`,
    [connection.id, samlKeyKind],
  );
  const { signOn, metadataUrl, metadataReadAt, metadataProblem, nameIdFormat } = settings;
  visit.show(
    samlPage({
      ...visit.page,
      connection,
      ours: ourAddresses(tools.foundation.issuer, connection.id),
      keys: keys.map(({ certificate, ...key }) => ({
        ...key,
        fingerprint: readCertificate(certificate).fingerprint,
      })),
      theirs: {
        ...signOn,
        entityId: connection.issuer,
        metadataUrl,
        metadataProblem,
        metadataReadAt: metadataReadAt === null ? null : new Date(metadataReadAt),
      },
      certificates: [
        ...settings.staged.map((certificate) => shown(certificate, true)),
        ...settings.certificates.map((certificate) => shown(certificate, false)),
      ],
      values: {
        subjectAttribute: settings.subjectAttribute ?? '',
        mutableSubject: settings.mutableSubject,
        nameIdFormat: nameIdFormat ?? '',
        binding: settings.binding ?? '',
        encryption: settings.encryption,
      },
      formats: [...new Set([...formats, ...(nameIdFormat === null ? [] : [nameIdFormat])])],
      failure,
      errors,
      may: visit.may('connections:manage'),
    }),
    failure !== undefined || Object.keys(errors).length > 0 ? 422 : 200,
  );
}

function shown(
  { fingerprint, subject, notBefore, notAfter, since }: KeptCertificate,
  staged: boolean,
): SamlPage['certificates'][number] {
  return {
    fingerprint,
    subject,
    staged,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    since: new Date(since),
  };
}

/** Changes the connection, taken; what is in the way is told on its page. */
async function change(
  visit: Visit,
  command: (work: Work, connection: Connection) => Promise<unknown>,
  part?: 'certificates' | 'metadata' | 'naming' | 'ours',
): Promise<void> {
  try {
    await visit.act(async (work, { account }) =>
      command(work, await samlConnection(work, account.id, idOf(visit), { taken: true })),
    );
  } catch (error) {
    return refused(visit, error);
  }
  visit.done(`/connections/${idOf(visit)}/saml${part ? `#${part}` : ''}`, visit.t('rooms.saved'));
}

async function refused(visit: Visit, error: unknown): Promise<void> {
  if (!(error instanceof Refusal) || !told.has(error.code)) throw error;
  const details = Object.values(error.details).filter((value) => typeof value === 'string');
  await show(visit, { failure: [visit.reason(error), ...details].join(' ') });
}

const told = new Set(['invalid_value', 'limit_reached', 'domain_in_use', 'provider_unreachable']);

/** Metadata is fetched and parsed before there is a transaction, for who may do this alone. */
async function readMetadata(visit: Visit): Promise<void> {
  const { tools, asking, account } = visit;
  const typed = new Typed(visit);
  const xml = typed.text('xml', 262_144, { optional: true });
  const url = typed.optional('url', 2000);
  if (xml === '' && url === null) typed.wrong('url', visit.say('rooms.wrong.empty'));
  if (!typed.ok) return show(visit, { errors: typed.errors });
  try {
    const has = await visit.act(async (work) => {
      await requireAccount(work, asking, 'connections:manage', account.id);
      return hasSamlKey(work, (await samlConnection(work, account.id, idOf(visit))).id);
    });
    const [read, key] = await Promise.all([
      readProviderMetadata(tools, xml === '' ? { url: url! } : { xml }),
      has ? null : ownKey(visit),
    ]);
    await change(
      visit,
      async (work, connection) => {
        if (key && !(await hasSamlKey(work, connection.id)))
          await addSamlKey(work, tools.foundation.vault, connection, key);
        await importMetadata(work, connection, read.metadata, { url: read.url, byHand: true });
      },
      'metadata',
    );
  } catch (error) {
    await refused(visit, error);
  }
}

function ownKey({ tools: { foundation } }: Visit) {
  return newOwnKey(new URL(foundation.issuer).host, foundation.clock());
}

async function addKey(visit: Visit): Promise<void> {
  const key = await ownKey(visit);
  await change(
    visit,
    (work, connection) => addSamlKey(work, visit.tools.foundation.vault, connection, key),
    'ours',
  );
}

async function addOne(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  const certificate = typed.text('certificate', 20_000);
  if (!typed.ok) return show(visit, { errors: typed.errors });
  await change(
    visit,
    (work, connection) => acceptCertificate(work, connection, { certificate }),
    'certificates',
  );
}

async function changeNaming(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  const binding = typed.choice('binding', ['', 'redirect', 'post']);
  const wanted: SamlChange = {
    subjectAttribute: typed.optional('subject_attribute', 255),
    mutableSubject: visit.value('mutable') === 'yes',
    nameIdFormat: typed.optional('name_id_format', 255),
    binding: binding === '' ? null : binding,
    encryption: visit.value('encryption') === 'yes',
  };
  if (!typed.ok) return show(visit, { errors: typed.errors });
  await change(visit, (work, connection) => changeSaml(work, connection, wanted), 'naming');
}
