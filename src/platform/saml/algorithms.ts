import { createHash, createVerify, X509Certificate, type KeyLike } from 'node:crypto';
import { SignedXml } from 'xml-crypto';

/**
 * What a signature may be made with (security.md 5.3, rule 4): RSA or ECDSA, with SHA-256 and its
 * larger siblings (RFC 9231 sections 2.3.2 to 2.3.6). SHA-1, HMAC and whatever else there is are not
 * in the list, so that nothing that reads a document could be talked into them.
 */
const signatures = {
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256': ['rsa', 'sha256'],
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha384': ['rsa', 'sha384'],
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512': ['rsa', 'sha512'],
  'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256': ['ec', 'sha256'],
  'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384': ['ec', 'sha384'],
  'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512': ['ec', 'sha512'],
} as const;

const digests = {
  'http://www.w3.org/2001/04/xmlenc#sha256': 'sha256',
  'http://www.w3.org/2001/04/xmldsig-more#sha384': 'sha384',
  'http://www.w3.org/2001/04/xmlenc#sha512': 'sha512',
} as const;

export const signatureMethods: ReadonlySet<string> = new Set(Object.keys(signatures));
export const digestMethods: ReadonlySet<string> = new Set(Object.keys(digests));

/**
 * Whether a signature is good. The key has to be of the kind that the method names: that a method is
 * in the document does not choose what the key is used for.
 *
 * @param method one of `signatureMethods`; false for any other
 * @param certificate PEM
 * @param signature ECDSA as the two numbers side by side (RFC 9231 section 2.3.6)
 */
export function isSignedWith(
  method: string,
  certificate: string | Buffer,
  signed: string | Buffer,
  signature: Buffer,
): boolean {
  const [kind, hash] = signatures[method as keyof typeof signatures] ?? [];
  if (!kind || !hash) return false;
  const key = new X509Certificate(certificate).publicKey;
  if (key.asymmetricKeyType !== kind) return false;
  return createVerify(hash).update(signed).verify({ key, dsaEncoding: 'ieee-p1363' }, signature);
}

/**
 * Has the library that verifies documents know these methods, and no others: it is made by node-saml
 * for each signature, out of our sight, with SHA-1 and without SHA-384 and ECDSA. Both are pinned
 * exactly in package.json.
 */
function limitAlgorithms(): void {
  const { loadSignature } = SignedXml.prototype;
  SignedXml.prototype.loadSignature = function (this: SignedXml, node) {
    this.SignatureAlgorithms = Object.fromEntries(
      Object.keys(signatures).map((method) => [method, verifying(method)]),
    );
    this.HashAlgorithms = Object.fromEntries(
      Object.entries(digests).map(([method, hash]) => [method, hashing(method, hash)]),
    );
    return loadSignature.call(this, node);
  };
}

type Tables = Pick<SignedXml, 'SignatureAlgorithms' | 'HashAlgorithms'>;

function verifying(method: string): Tables['SignatureAlgorithms'][string] {
  return class {
    getAlgorithmName = (): string => method;
    getSignature = (): never => {
      throw new Error('Nothing is signed here.');
    };
    verifySignature = (material: string, key: KeyLike, value: string): boolean =>
      (typeof key === 'string' || Buffer.isBuffer(key)) &&
      isSignedWith(method, key, material, Buffer.from(value, 'base64'));
  };
}

function hashing(method: string, hash: string): Tables['HashAlgorithms'][string] {
  return class {
    getAlgorithmName = (): string => method;
    getHash = (xml: string): string => createHash(hash).update(xml, 'utf8').digest('base64');
  };
}

limitAlgorithms();
