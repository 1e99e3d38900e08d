import { dictionary } from '@zxcvbn-ts/language-common';

/** What can be wrong with a chosen password. */
export type PasswordProblem =
  | 'too_short'
  | 'too_long'
  | 'too_simple'
  | 'common'
  | 'personal'
  | 'mismatch'
  | 'same'
  | 'missing';

/**
 * What makes a password good enough: length, and that it is none that everybody tries (ASVS 6.2.1,
 * 6.2.4, 6.2.11). No composition rules by default:
 * they make passwords alike, not strong.
 */
export interface PasswordRules {
  minLength: number;
  maxLength: number;
  composition: PasswordComposition;
}

export const passwordCompositions = [
  'any',
  /** Three of small letters, capital letters, digits and others, for who is bound to that. */
  'three_of_four',
] as const;

export type PasswordComposition = (typeof passwordCompositions)[number];

export const passwordRules: PasswordRules = { minLength: 12, maxLength: 128, composition: 'any' };

const common = new Set(dictionary['passwords-common']);

/**
 * What is wrong with it; empty when it is good. It is measured as it will be hashed: normalized.
 *
 * @param personal words that belong to the person or the house: address, name, account, product.
 */
export function passwordProblems(
  password: string,
  personal: readonly (string | null | undefined)[],
  { minLength, maxLength, composition }: PasswordRules = passwordRules,
): PasswordProblem[] {
  if (password === '') return ['missing'];
  const typed = password.normalize('NFKC');
  const length = Array.from(typed).length;
  if (length < minLength) return ['too_short'];
  if (length > maxLength) return ['too_long'];

  const problems: PasswordProblem[] = [];
  if (composition === 'three_of_four' && kindsIn(typed) < 3) problems.push('too_simple');
  const plain = typed.toLowerCase();
  if (isCommon(plain)) problems.push('common');
  const words = [...personal, 'ostiary']
    .map((name) => (name ?? '').toLowerCase())
    .flatMap((name) => [name, ...name.split('@'), ...name.split(/[@.\s]+/)])
    .filter((word) => word.length >= 4)
    .sort((one, other) => other.length - one.length);
  // Personal words are no harm in a long sentence; they are when there is little beside them.
  const rest = words.reduce((left, word) => left.replaceAll(word, ''), plain);
  if (rest.length < plain.length && Array.from(rest).length < 8) problems.push('personal');
  return problems;
}

/** How many kinds of characters are used. A letter without case counts as neither small nor capital. */
function kindsIn(typed: string): number {
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{Nd}/u, /[^\p{Ll}\p{Lu}\p{Nd}]/u];
  return kinds.filter((kind) => kind.test(typed)).length;
}

/** A common password as it is, with a tail of digits and signs, written twice, or a mere row of keys. */
function isCommon(plain: string): boolean {
  const core = plain.replace(/[^\p{L}]+$/u, '');
  if (common.has(plain) || (core.length >= 4 && common.has(core) && plain.length - core.length < 8))
    return true;
  if (new Set(plain).size < 5) return true;
  for (let size = 1; size <= plain.length / 2; size += 1) {
    const unit = plain.slice(0, size);
    if (
      unit.repeat(Math.ceil(plain.length / size)).startsWith(plain) &&
      (size < 5 || common.has(unit))
    )
      return true;
  }
  return rows.some(
    (row) => row.includes(plain) || Array.from(row).reverse().join('').includes(plain),
  );
}

const rows = [
  'abcdefghijklmnopqrstuvwxyz'.repeat(2),
  '01234567890123456789012345678901234567890',
  '1234567890qwertyuiopasdfghjklzxcvbnm',
  'qwertyuiopasdfghjklzxcvbnm1234567890',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
];
