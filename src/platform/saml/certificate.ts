import { X509Certificate } from 'node:crypto';
import { SamlRefused } from './refused.ts';

/** A certificate that an identity provider signs with, as it is pinned. */
export interface PinnedCertificate {
  pem: string;
  /** SHA-256 of it, in hexadecimal: what two people compare on the telephone. */
  fingerprint: string;
  subject: string;
  notBefore: Date;
  notAfter: Date;
}

const curves = new Set(['prime256v1', 'secp384r1']);

/**
 * Reads a certificate, as PEM or as the Base64 of a metadata document.
 *
 * @throws {SamlRefused} when it is none, or its key is not one to trust (RSA below 2048 bits, a curve other
 * than P-256 and P-384)
 */
export function readCertificate(text: string): PinnedCertificate {
  const base64 = text.replace(/-----(BEGIN|END) CERTIFICATE-----/g, '').replace(/\s+/g, '');
  if (base64.length > 20_000 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64))
    throw new SamlRefused('certificate', 'This is no certificate.');
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(Buffer.from(base64, 'base64'));
  } catch {
    throw new SamlRefused('certificate', 'This is no certificate.');
  }
  const { asymmetricKeyType: kind, asymmetricKeyDetails: details } = certificate.publicKey;
  if (kind === 'rsa' && (details?.modulusLength ?? 0) < 2048)
    throw new SamlRefused('certificate', 'The RSA key has fewer than 2048 bits.');
  if (kind !== 'rsa' && !(kind === 'ec' && curves.has(details?.namedCurve ?? '')))
    throw new SamlRefused(
      'certificate',
      `Responses have to be signed with an RSA key, or one of the curves P-256 and P-384; this one is ${details?.namedCurve ?? kind}.`,
    );
  return {
    pem: certificate.toString(),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: certificate.subject.replaceAll('\n', ', ').slice(0, 200),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
  };
}
