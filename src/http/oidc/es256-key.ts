import { createPrivateKey, createPublicKey, sign, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import { ExternalSigningKey } from 'oidc-provider';

/**
 * Signs ES256 right here. The engine gives each signature to a thread of its own and waits for it,
 * which for RS256 is right and for ES256 costs several times what the signature does
 * (performance.md, section 4).
 */
export class Es256Key extends ExternalSigningKey {
  readonly #private: KeyObject;
  readonly #public: KeyObject;

  constructor(jwk: JWK) {
    super();
    this.#private = createPrivateKey({ key: jwk, format: 'jwk' });
    this.#public = createPublicKey(this.#private);
    Object.assign(this, { kid: jwk.kid, alg: 'ES256' });
  }

  override keyObject(): KeyObject {
    return this.#public;
  }

  override sign(data: Uint8Array): Uint8Array {
    return joined(sign('sha256', data, this.#private));
  }
}

/** Bytes of each of the two numbers of a signature on P-256. */
const bytes = 32;

/**
 * A signature as JOSE has it (RFC 7518, section 3.4), from DER (RFC 3279, section 2.2.3). Node can
 * write it like that itself: asked with an option it tries first whether the options are a key, and
 * the signature costs 54 microseconds instead of 26.
 */
export function joined(der: Buffer): Buffer {
  const signature = Buffer.alloc(2 * bytes);
  let at = 2;
  for (const end of [bytes, 2 * bytes]) {
    const from = at + 2;
    at = from + der[from - 1]!;
    // A number has a zero before it where its first bit is set, and is shorter where it begins with zeros.
    const length = Math.min(bytes, at - from);
    der.copy(signature, end - length, at - length, at);
  }
  return signature;
}
