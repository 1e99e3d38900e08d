import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { hmacSha256 } from './hmac.ts';

/**
 * Encrypts what must be read again (signing keys, links in queued mails) and derives the keys that
 * sign cookies and counters.
 *
 * Several keys may be alive while one is rotated: the first seals, all of them open.
 */
export interface Vault {
  /** AES-256-GCM. `context` is authenticated, so a sealed value cannot be moved to another row. */
  seal(plain: string, context: string): string;
  /** @throws {Error} when no key fits, or the context is another. */
  open(sealed: string, context: string): string;
  /** A key of 32 bytes for one purpose, from each secret, newest first (HKDF, RFC 5869). */
  derive(purpose: string): Buffer[];
}

export function vault(secrets: readonly Buffer[]): Vault {
  const derive = (purpose: string): Buffer[] =>
    secrets.map((secret) => Buffer.from(hkdfSync('sha256', secret, 'ostiary', purpose, 32)));
  // As they are taken by a cipher: what is handed over as bytes is made a key of each time.
  const keys = derive('seal').map((bytes) => createSecretKey(bytes));

  return {
    derive,

    seal(plain, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', keys[0]!, nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64url');
    },

    open(sealed, context) {
      const bytes = Buffer.from(sealed, 'base64url');
      for (const key of keys) {
        try {
          const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), {
            authTagLength: 16,
          })
            .setAAD(Buffer.from(context))
            .setAuthTag(bytes.subarray(12, 28));
          return decipher.update(bytes.subarray(28), undefined, 'utf8') + decipher.final('utf8');
        } catch {
          // Sealed with an older key, perhaps: the next one is tried.
        }
      }
      throw new WrongKey(context);
    },
  };
}

/** What is kept was sealed with a key that we were not given. */
export class WrongKey extends Error {
  override readonly name = 'WrongKey';

  constructor(context: string) {
    super(`Nothing opens ${context}: SECRET_KEY is not the one it was sealed with.`);
  }
}

/** A secret of 256 bits, as URL-safe text. */
export function newSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url');
}

/**
 * How a secret of ours is kept: its SHA-256. Enough for what has 128 bits of chance or more; a
 * password, which has not, is hashed with Argon2id.
 */
export function secretHash(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

/** A keyed hash: the same text gives the same value, and nobody without the key can try texts. */
export function keyedHash(key: Buffer, text: string): string {
  return hmacSha256(key, text).toString('base64url');
}

/** Whether two texts are equal, in a time that does not tell where they differ. */
export function sameSecret(one: string, other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'));
}
