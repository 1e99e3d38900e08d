import { describe, expect, it } from 'vitest';
import { Overloaded, passwordHasher } from '#platform/password-hash.ts';

describe('passwords are hashed', () => {
  it('as OWASP has it, unless somebody says otherwise', async () => {
    const hasher = passwordHasher();
    const hash = await hasher.hash('a long enough sentence');
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(hasher.isOutdated(hash)).toBe(false);
    expect(await hasher.verify('a long enough sentence', hash)).toBe(true);
    expect(await hasher.verify('another long sentence', hash)).toBe(false);
    expect(await hasher.verify('a long enough sentence', null)).toBe(false);
  });

  it('so many at once as there are cores, and who only has a place takes none', async () => {
    const hasher = passwordHasher({ parallel: 1, queue: 2, cost: { memory: 64, passes: 1 } });
    // Two write their guess down, which takes as long as the database likes.
    const places = [await hasher.reserve(), await hasher.reserve()];
    expect(await hasher.hash('a long enough sentence')).toContain('$argon2id$');
    places.push(await hasher.reserve());
    await expect(hasher.reserve()).rejects.toThrow(Overloaded);
    await expect(hasher.hash('one more')).rejects.toThrow(Overloaded);
    // A place is given back once, however often it is said.
    for (const leave of [places[0]!, places[0]!]) leave();
    places.push(await hasher.reserve());
    await expect(hasher.reserve()).rejects.toThrow(Overloaded);
  });
});
