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

/**
 * Reads a certificate, as PEM or as the Base64 of a metadata document.
 *
 * @throws {SamlRefused} when it is none, or its key is not one to trust (RSA below 2048 bits)
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
  const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
  if (asymmetricKeyType !== 'rsa')
    throw new SamlRefused(
      'certificate',
      `Responses have to be signed with an RSA key; this one is ${asymmetricKeyType}.`,
    );
  if ((asymmetricKeyDetails?.modulusLength ?? 0) < 2048)
    throw new SamlRefused('certificate', 'The RSA key has fewer than 2048 bits.');
  return {
    pem: certificate.toString(),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: certificate.subject.replaceAll('\n', ', ').slice(0, 200),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
  };
}
