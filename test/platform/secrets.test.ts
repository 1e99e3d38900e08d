import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isId, newId, newReference } from '#platform/ids.ts';
import { keyedHash, newSecret, sameSecret, secretHash, vault } from '#platform/secrets.ts';

const [old, fresh] = [randomBytes(32), randomBytes(32)];

describe('the vault', () => {
  it('opens what it sealed, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, context) => {
        const safe = vault([old]);
        expect(safe.open(safe.seal(text, context), context)).toBe(text);
      }),
    );
  });

  it('seals with the new SECRET_KEY and opens with both while it is rotated', () => {
    const before = vault([old]).seal('the link', 'outbox:mail');
    const rotating = vault([fresh, old]);
    expect(rotating.open(before, 'outbox:mail')).toBe('the link');
    const after = rotating.seal('the link', 'outbox:mail');
    expect(vault([fresh]).open(after, 'outbox:mail')).toBe('the link');
    expect(() => vault([old]).open(after, 'outbox:mail')).toThrow(/SECRET_KEY/);
    expect(() => vault([fresh]).open(before, 'outbox:mail')).toThrow(/SECRET_KEY/);
  });

  it('opens nothing that was moved to another place, cut or changed', () => {
    const safe = vault([old]);
    const sealed = safe.seal('the link', 'outbox:mail');
    expect(() => safe.open(sealed, 'app_secret:mail')).toThrow(/app_secret:mail/);
    expect(() => safe.open(sealed.slice(0, -4), 'outbox:mail')).toThrow();
    expect(() => safe.open(sealed.slice(0, 20), 'outbox:mail')).toThrow();
    expect(() => safe.open('', 'outbox:mail')).toThrow();
    const bytes = Buffer.from(sealed, 'base64url');
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      expect(() => safe.open(changed.toString('base64url'), 'outbox:mail')).toThrow();
    }
  });

  it('does not take a shortened tag for a whole one', () => {
    const bytes = Buffer.from(vault([old]).seal('', 'x'), 'base64url');
    for (let length = 12; length < bytes.length; length += 1)
      expect(() =>
        vault([old]).open(bytes.subarray(0, length).toString('base64url'), 'x'),
      ).toThrow();
  });

  it('derives a key of its own for each purpose, from each secret', () => {
    const keys = [...vault([fresh, old]).derive('cookies'), ...vault([fresh, old]).derive('forms')];
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(4);
    expect(keys.every((key) => key.length === 32)).toBe(true);
    expect(vault([fresh, old]).derive('cookies')[1]).toEqual(vault([old]).derive('cookies')[0]);
  });
});

describe('a secret', () => {
  it('has 256 bits of chance and travels in an address', () => {
    expect(newSecret()).toMatch(/^[\w-]{43}$/);
    expect(new Set(Array.from({ length: 100 }, () => newSecret())).size).toBe(100);
  });

  it('is kept as a hash, and compared as one', () => {
    expect(secretHash('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0');
    expect(keyedHash(old, 'abc')).not.toBe(keyedHash(fresh, 'abc'));
    expect(sameSecret('abc', 'abc')).toBe(true);
    expect(sameSecret('abc', 'abd')).toBe(false);
    expect(sameSecret('abc', '')).toBe(false);
  });
});

describe('an id', () => {
  it('is a UUID of version 7 that begins with its time', () => {
    expect(newId(0x0123456789ab)).toMatch(
      /^01234567-89ab-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 31 }), (now) => {
        const id = newId(now);
        expect(isId(id)).toBe(true);
        expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(now);
      }),
    );
  });

  it('sorts by time, and is another one each time', () => {
    const moments = Array.from({ length: 50 }, (_, index) => 1_780_000_000_000 + index);
    const ids = moments.map((now) => newId(now));
    expect([...ids].sort()).toEqual(ids);
    expect(new Set(Array.from({ length: 1000 }, () => newId(5))).size).toBe(1000);
  });

  it.each(['', 'x', newId().toUpperCase(), `${newId()}\n`, newId().slice(1), 7, null])(
    'is not %j',
    (text) => {
      expect(isId(text)).toBe(false);
    },
  );

  it('can be read out on the telephone as a reference', () => {
    expect(newReference()).toMatch(/^[0-9A-HJKMNP-TV-Z]{10}$/);
  });
});
