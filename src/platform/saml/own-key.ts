import { generateKeyPair, randomBytes, sign, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { bits, integer, oid, pemOf, sequence, set, time, utf8, der } from '../der.ts';

/** A key of ours that signs requests and opens assertions, and the certificate that publishes it. */
export interface OwnKey {
  privateKey: string;
  certificate: string;
  notAfter: Date;
}

const generate = promisify(generateKeyPair);
const years = 365 * 24 * 3600_000;

/**
 * A key of RSA 2048, and a certificate for it that vouches for itself (RFC 5280): what providers of
 * SAML expect in metadata. Takes a good part of a second, in another thread.
 */
export async function newOwnKey(name: string, now: Date, modulusLength = 2048): Promise<OwnKey> {
  const { publicKey, privateKey } = await generate('rsa', { modulusLength });
  const algorithm = sequence(oid('1.2.840.113549.1.1.11'), der(0x05, Buffer.alloc(0)));
  const whole = sequence(set(sequence(oid('2.5.4.3'), utf8(name.slice(0, 64)))));
  const from = new Date(now.getTime() - 24 * 3600_000);
  const notAfter = new Date(Math.floor((now.getTime() + 5 * years) / 1000) * 1000);
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    whole,
    sequence(time(from), time(notAfter)),
    whole,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const certificate = sequence(body, algorithm, bits(sign('sha256', body, privateKey)));
  return {
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: pemOf('CERTIFICATE', certificate),
    notAfter,
  };
}

/** The body of a certificate as metadata holds it: Base64 of its DER. */
export function certificateBody(pem: string): string {
  return new X509Certificate(pem).raw.toString('base64');
}
