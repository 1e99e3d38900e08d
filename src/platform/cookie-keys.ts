import { timingSafeEqual } from 'node:crypto';
import { hmacSha256 } from './hmac.ts';

/**
 * Signs cookies, in the form the `cookies` package expects of a Keygrip: HMAC-SHA256, newest key
 * first, every key verifies.
 */
export class CookieKeys {
  readonly #keys: readonly Buffer[];

  constructor(keys: readonly Buffer[]) {
    if (keys.length === 0) throw new TypeError('Cookies need a key to be signed with.');
    this.#keys = keys;
  }

  sign(data: string): string {
    return hmacSha256(this.#keys[0]!, data).toString('base64url');
  }

  verify(data: string, digest: string): boolean {
    return this.index(data, digest) > -1;
  }

  /** Which key made the digest, or -1. */
  index(data: string, digest: string): number {
    const given = Buffer.from(digest, 'base64url');
    return this.#keys.findIndex((key) => {
      const expected = hmacSha256(key, data);
      return given.length === expected.length && timingSafeEqual(given, expected);
    });
  }
}
