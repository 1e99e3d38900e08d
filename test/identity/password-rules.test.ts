import { describe, expect, it } from 'vitest';
import { passwordProblems } from '#identity/credentials/password-rules.ts';

const ann = [
  'ann@acme.example',
  'max.mustermann@else.example',
  'Ann',
  'Archibald',
  'Acme Engineering',
];

describe('a new password', () => {
  it.each([
    ['a few words', 'purple lampshade riding north'],
    ['twelve characters', 'vK3#pq9Lm!x2'],
    ['128 characters', 'abcdefgh zyxwv 123 '.repeat(7).slice(0, 128)],
    ['no capitals, no digits, no signs', 'gravelpitsunrise'],
    ['spaces at both ends', '  rain on the roof  '],
    [
      'another script',
      '\u0434\u043e\u0436\u0434\u044c \u043d\u0430 \u043a\u0440\u044b\u0448\u0435',
    ],
    [
      'emoji',
      '\u{1f427}\u{1f33b}\u{1f6b2}\u{1f9ca}\u{1f30b}\u{1f3bb}\u{1f9ed}\u{1f9e9}\u{1f9c7}\u{1f9a7}\u{1f9e8}\u{1f9f5}',
    ],
    ['a personal word in a long sentence', 'archibald never liked rainy mondays'],
  ])('is good: %s', (_, password) => {
    expect(passwordProblems(password, ann)).toEqual([]);
  });

  it.each([
    ['nothing', '', 'missing'],
    ['eleven characters', 'vK3#pq9Lm!x', 'too_short'],
    [
      'six letters that count twice, being decomposed',
      'e\u0301a\u0300o\u0302u\u0308i\u0301n\u0303',
      'too_short',
    ],
    ['129 characters', 'abcdefgh zyxwv 123 '.repeat(7).slice(0, 129), 'too_long'],
    ['a common one', 'passwordpassword', 'common'],
    ['a common one with a tail', 'password1234', 'common'],
    [
      'a common one in full-width letters',
      '\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff441234',
      'common',
    ],
    ['one letter', 'aaaaaaaaaaaa', 'common'],
    ['two letters', 'abababababab', 'common'],
    ['a row of keys', 'qwertyuiopas', 'common'],
    ['a row of keys, backwards', 'poiuytrewq0987', 'common'],
    ['digits in their order', '123456789012', 'common'],
    ['the family name and a year', 'archibald2026', 'personal'],
    ['the organization and a year', 'Engineering26!', 'personal'],
    ['the product', 'Ostiary-2026!', 'personal'],
    ['the address without its domain and a year', 'max.mustermann26', 'personal'],
    ['the address itself', 'ann@acme.example', 'personal'],
    ['the names one after the other', 'Ann Archibald 1', 'personal'],
  ])('is refused: %s', (_, password, problem) => {
    expect(passwordProblems(password, ann)).toContain(problem);
  });

  it('may be of 64 characters and more', () => {
    const long = 'correct horse battery staple and so on until it is long enough ok';
    expect(long.length).toBeGreaterThanOrEqual(64);
    expect(passwordProblems(long, ann)).toEqual([]);
  });

  it('does not mind what is unknown of the person', () => {
    expect(passwordProblems('purple lampshade', [null, undefined, ''])).toEqual([]);
  });
});
