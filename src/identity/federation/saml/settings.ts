import type { PinnedCertificate } from '#platform/saml/certificate.ts';
import type { IdpMetadata } from '#platform/saml/metadata.ts';
import { readCertificate } from '#platform/saml/certificate.ts';
import { SamlRefused } from '#platform/saml/refused.ts';
import { Refusal } from '../../refusal.ts';
import type { Connection } from '../connection.ts';

export const persistentNameId = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
export const transientNameId = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';

/** At most so many certificates are believed at once: the old one, the new one, one in reserve. */
export const mostCertificates = 3;

/** A certificate as settings keep it. */
export interface KeptCertificate {
  pem: string;
  fingerprint: string;
  subject: string;
  notBefore: string;
  notAfter: string;
  /** When it was pinned, or, where it is staged, first seen. */
  since: string;
  /** When administrators were last told that it ends. */
  toldAt?: string;
}

/** What a SAML connection keeps in `settings`. Its entity id is the connection's `issuer`. */
export interface SamlSettings {
  signOn: { redirect: string | null; post: string | null };
  signOut: {
    redirect: string | null;
    post: string | null;
    /** Where answers go, if elsewhere, by redirect and by POST. */
    answers?: string | null;
    postAnswers?: string | null;
  };
  /** How requests are sent; null takes the redirect where there is one. */
  binding: 'redirect' | 'post' | null;
  /** The keys that are believed. */
  certificates: KeptCertificate[];
  /** Seen in metadata, and believed by nobody until an administrator says so. */
  staged: KeptCertificate[];
  /** Where metadata is read again each day. */
  metadataUrl: string | null;
  metadataReadAt: string | null;
  /** Why it could not be read the last time. */
  metadataProblem: string | null;
  /** What names a person for ever: the NameID, or an attribute that never changes. */
  subjectAttribute: string | null;
  /** NameIDs that may change hands, such as addresses, are accepted: a risk somebody took. */
  mutableSubject: boolean;
  /** The format that is asked for; null leaves it to the provider. */
  nameIdFormat: string | null;
  /** Publishes a key for encryption, so that assertions may come encrypted. */
  encryption: boolean;
}

export const defaultSaml: SamlSettings = {
  signOn: { redirect: null, post: null },
  signOut: { redirect: null, post: null },
  binding: null,
  certificates: [],
  staged: [],
  metadataUrl: null,
  metadataReadAt: null,
  metadataProblem: null,
  subjectAttribute: null,
  mutableSubject: false,
  nameIdFormat: persistentNameId,
  encryption: false,
};

export function samlSettings({ settings }: Pick<Connection, 'settings'>): SamlSettings {
  return { ...defaultSaml, ...settings };
}

export type SamlProblem = 'metadata_missing' | 'no_address' | 'no_certificate';

/** For traces and the API. */
export const samlProblems: Readonly<Record<SamlProblem, string>> = {
  metadata_missing: 'The metadata of the identity provider is missing.',
  no_address: 'The provider has no address for requests.',
  no_certificate: 'No certificate of the provider is trusted.',
};

/** Why a connection cannot be used yet; null when it can. */
export function samlProblem(
  connection: Pick<Connection, 'settings' | 'issuer'>,
): SamlProblem | null {
  const { signOn, certificates } = samlSettings(connection);
  if (connection.issuer === null) return 'metadata_missing';
  if (!signOn.redirect && !signOn.post) return 'no_address';
  if (certificates.length === 0) return 'no_certificate';
  return null;
}

/** How and where requests go. */
export function destinationOf({ signOn, binding }: SamlSettings): {
  binding: 'redirect' | 'post';
  destination: string;
} | null {
  const wanted = binding ?? (signOn.redirect ? 'redirect' : 'post');
  const destination = signOn[wanted];
  return destination === null ? null : { binding: wanted, destination };
}

/** @throws {Refusal} `invalid_value`, which says what is wrong with it */
export function certificateFrom(text: string): PinnedCertificate {
  try {
    return readCertificate(text);
  } catch (error) {
    if (error instanceof SamlRefused)
      throw new Refusal('invalid_value', { certificate: error.message });
    throw error;
  }
}

export interface AppliedMetadata {
  settings: SamlSettings;
  issuer: string;
  /** Fingerprints of keys that nobody had seen before, and that wait for an administrator. */
  found: string[];
  /** Fingerprints that are believed and that the metadata names no more. */
  gone: string[];
}

/**
 * What metadata changes. The first time its keys are believed: somebody just said that this is their
 * provider. Afterwards a new key waits until an administrator says so, whoever answered at the
 * address; and the entity id never changes by itself (security.md 5.3, rule 11).
 *
 * @throws {Refusal} `invalid_value`
 */
export function applyMetadata(
  connection: Pick<Connection, 'issuer' | 'settings'>,
  metadata: IdpMetadata,
  { url, now, byHand }: { url: string | null; now: Date; byHand: boolean },
): AppliedMetadata {
  const before = samlSettings(connection);
  const first = connection.issuer === null;
  if (!first && connection.issuer !== metadata.entityId)
    throw new Refusal('invalid_value', {
      entityId: `The metadata is of ${metadata.entityId}, and the connection of ${connection.issuer}.`,
    });
  const offered = metadata.certificates.map((pem) => kept(certificateFrom(pem), now));
  const known = new Set([...before.certificates, ...before.staged].map((one) => one.fingerprint));
  const fresh = offered.filter(({ fingerprint }) => !known.has(fingerprint));
  const named = new Set(offered.map(({ fingerprint }) => fingerprint));
  const pinning = first || before.certificates.length === 0;
  const settings: SamlSettings = {
    ...before,
    // Where requests go is no key, but who could change it could ask people for their passwords.
    ...(first || byHand ? { signOn: metadata.signOn, signOut: metadata.signOut } : {}),
    certificates: pinning
      ? offered.toSorted(latestFirst).slice(0, mostCertificates)
      : before.certificates,
    staged: pinning
      ? []
      : [...before.staged.filter(({ fingerprint }) => named.has(fingerprint)), ...fresh].slice(-5),
    metadataUrl: url ?? before.metadataUrl,
    metadataReadAt: now.toISOString(),
    metadataProblem:
      first || byHand || sameAddresses(metadata.signOn, before.signOn)
        ? null
        : 'The provider names another address for requests. Read its metadata by hand to accept it.',
    nameIdFormat:
      first && metadata.nameIdFormats.length > 0
        ? metadata.nameIdFormats.includes(persistentNameId)
          ? persistentNameId
          : null
        : before.nameIdFormat,
  };
  return {
    settings,
    issuer: metadata.entityId,
    found: pinning ? [] : fresh.map(({ fingerprint }) => fingerprint),
    gone: pinning
      ? []
      : before.certificates
          .map(({ fingerprint }) => fingerprint)
          .filter((fingerprint) => !named.has(fingerprint)),
  };
}

/** @throws {Refusal} `limit_reached` */
export function withCertificate(
  settings: SamlSettings,
  certificate: PinnedCertificate,
  now: Date,
): SamlSettings {
  const { fingerprint } = certificate;
  if (settings.certificates.some((one) => one.fingerprint === fingerprint)) return settings;
  if (settings.certificates.length >= mostCertificates)
    throw new Refusal('limit_reached', { certificates: mostCertificates });
  return {
    ...settings,
    certificates: [...settings.certificates, kept(certificate, now)].toSorted(latestFirst),
    staged: settings.staged.filter((one) => one.fingerprint !== fingerprint),
  };
}

/** @throws {Refusal} `not_found` */
export function withoutCertificate(settings: SamlSettings, fingerprint: string): SamlSettings {
  const not = (one: KeptCertificate): boolean => one.fingerprint !== fingerprint;
  if (settings.certificates.every(not) && settings.staged.every(not))
    throw new Refusal('not_found');
  return {
    ...settings,
    certificates: settings.certificates.filter(not),
    staged: settings.staged.filter(not),
  };
}

function kept(certificate: PinnedCertificate, now: Date): KeptCertificate {
  const { pem, fingerprint, subject, notBefore, notAfter } = certificate;
  return {
    pem,
    fingerprint,
    subject,
    notBefore: notBefore.toISOString(),
    notAfter: notAfter.toISOString(),
    since: now.toISOString(),
  };
}

function sameAddresses(one: SamlSettings['signOn'], other: SamlSettings['signOn']): boolean {
  return one.redirect === other.redirect && one.post === other.post;
}

function latestFirst(one: KeptCertificate, other: KeptCertificate): number {
  return other.notAfter.localeCompare(one.notAfter);
}

/** Our names and addresses for one connection. */
export function ourAddresses(
  issuer: string,
  connectionId: string,
): { entityId: string; acsUrl: string; sloUrl: string } {
  const at = (name: string): string => new URL(`/federation/${connectionId}/${name}`, issuer).href;
  return { entityId: at('metadata'), acsUrl: at('acs'), sloUrl: at('slo') };
}
