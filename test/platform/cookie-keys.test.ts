import { createHmac, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CookieKeys } from '#platform/cookie-keys.ts';

describe('the keys of cookies', () => {
  it('sign as Keygrip does with SHA-256 and base64url, whatever the length of the key', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.string({ unit: 'binary', maxLength: 300 }),
        (key, data) => {
          const ours = new CookieKeys([Buffer.from(key)]).sign(data);
          const keygrip = createHmac('sha256', key).update(data).digest('base64');
          expect(ours).toBe(
            keygrip.replace(/\/|\+|=/g, (sign) => ({ '/': '_', '+': '-', '=': '' })[sign]!),
          );
        },
      ),
    );
  });

  it('know what an older key signed, and by which', () => {
    const [old, fresh] = [randomBytes(32), randomBytes(32)];
    const signature = new CookieKeys([old]).sign('session=1');
    const rotated = new CookieKeys([fresh, old]);
    expect(rotated.index('session=1', signature)).toBe(1);
    expect(rotated.index('session=1', rotated.sign('session=1'))).toBe(0);
    expect(new CookieKeys([fresh]).verify('session=1', signature)).toBe(false);
  });

  it.each(['', 'x', '=', 'a'.repeat(43), 'a'.repeat(500)])(
    'do not take %j for a signature',
    (text) => {
      expect(new CookieKeys([randomBytes(32)]).verify('session=1', text)).toBe(false);
    },
  );

  it('are needed', () => {
    expect(() => new CookieKeys([])).toThrow(TypeError);
  });
});
