import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { bits, der, integer, oid, pemOf, sequence, set, time, utf8 } from '#platform/der.ts';

export interface Certificate {
  cert: string;
  key: string;
}

/** A certificate for a host that vouches for itself: good where it is trusted by name (RFC 5280). */
export function selfSigned(host: string, namedCurve = 'P-256'): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve });
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const name = sequence(set(sequence(oid('2.5.4.3'), utf8(host))));
  const year = 365 * 24 * 3600_000;
  const constraints = sequence(
    oid('2.5.29.19'),
    der(0x01, Buffer.from([0xff])),
    der(0x04, sequence(der(0x01, Buffer.from([0xff])))),
  );
  const names = sequence(oid('2.5.29.17'), der(0x04, sequence(der(0x82, Buffer.from(host)))));
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    sequence(time(new Date(Date.now() - year)), time(new Date(Date.now() + year))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(constraints, names)),
  );
  const signature = sign('sha256', body, privateKey);
  const whole = sequence(body, algorithm, bits(signature));
  return {
    cert: pemOf('CERTIFICATE', whole),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
