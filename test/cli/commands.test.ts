import { describe, expect, it } from 'vitest';
import { commands } from '../../src/cli/commands.ts';
import { terminal } from './support.ts';

/** Contract.md, section 5. */
const nouns = [
  'account',
  'domain',
  'user',
  'group',
  'role',
  'client',
  'connection',
  'scim-token',
  'api-token',
  'terms',
  'invitation',
  'approval',
  'audit',
];

describe('every command', () => {
  it('of the contract is there', () => {
    const known = new Set(commands.map(({ noun }) => noun));
    expect([...nouns, 'explain'].filter((noun) => !known.has(noun))).toEqual([]);
    const own = commands.map(({ noun, verb }) => (verb ? `${noun} ${verb}` : noun));
    const alone = ['serve', 'migrate', 'doctor', 'keys rotate', 'db copy', 'backup', 'restore'];
    expect([...alone, 'audit verify'].filter((one) => !own.includes(one))).toEqual([]);
  });

  it('is found by its noun, and ends with 2 when it is used otherwise', async () => {
    const say = terminal({ url: 'http://localhost:1' }, 'none');
    for (const noun of new Set(commands.map((one) => one.noun))) {
      const help = await say(`${noun} --help`);
      expect([noun, help.status, help.err]).toEqual([noun, 0, '']);
      for (const { verb } of commands.filter((one) => one.noun === noun))
        if (verb) expect(help.out).toContain(verb);
    }
    for (const { noun, verb } of commands) {
      const name = verb ? `${noun} ${verb}` : noun;
      const wrong = await say(`${name} --no-such-option`);
      expect([name, wrong.status, wrong.out]).toEqual([name, 2, '']);
      expect(wrong.err).not.toBe('');
    }
  });
});
