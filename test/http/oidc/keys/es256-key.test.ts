import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Es256Key, joined } from '../../../../src/http/oidc/es256-key.ts';

/** A signature in DER of two numbers, given without what DER writes before them. */
function inDer(...numbers: number[][]): Buffer {
  const parts = numbers.flatMap((number) => [0x02, number.length, ...number]);
  return Buffer.from([0x30, parts.length, ...parts]);
}

const times = (count: number, byte: number): number[] => Array.from({ length: count }, () => byte);

describe('a signature by ES256', () => {
  it('is one that everybody verifies', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const key = new Es256Key({ ...privateKey.export({ format: 'jwk' }), kid: 'one' });
    const data = Buffer.from('a header.a payload');
    const signature = key.sign(data);
    expect(signature).toHaveLength(64);
    const counterpart = { key: createPublicKey(privateKey), dsaEncoding: 'ieee-p1363' } as const;
    expect(verify('sha256', data, counterpart, signature)).toBe(true);
    expect(verify('sha256', Buffer.from('another payload'), counterpart, signature)).toBe(false);
  });

  it.each([
    ['as long as numbers are', times(32, 0x7f), times(32, 0x11)],
    [
      'with a zero before those whose first bit is set',
      [0, ...times(32, 0x80)],
      [0, ...times(32, 0xff)],
    ],
    ['shorter where they begin with zeros', times(30, 0x55), [0x01]],
  ])('holds both numbers in 32 bytes each: %s', (_, r, s) => {
    const hex = (number: number[]): string =>
      Buffer.from(number).toString('hex').slice(-64).padStart(64, '0');
    expect(joined(inDer(r, s)).toString('hex')).toBe(hex(r) + hex(s));
  });
});
