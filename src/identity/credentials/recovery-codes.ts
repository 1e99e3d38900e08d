import { randomBytes } from 'node:crypto';
import type { Sql } from '#platform/database/sql.ts';
import { keyedHash } from '#platform/secrets.ts';
import type { Work } from '../work.ts';

/**
 * Ten codes for the day the phone is gone, each good once (behaviour.md F28). 60 bits each: too many
 * to guess here, too few for a hash without a key, so they are kept under one of the installation.
 */
export const recoveryCodeCount = 10;

/** No I, L, O, U, and nothing that looks like them (Crockford's base 32). */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** As they are shown: `7K2M-9QXA-0FJT`. */
export const recoveryCodePattern = /^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/;

function newRecoveryCode(): string {
  const letters = [...randomBytes(12)].map((byte) => alphabet[byte % 32]);
  return [0, 4, 8].map((from) => letters.slice(from, from + 4).join('')).join('-');
}

function hashOf(key: Buffer, userId: string, code: string): string {
  return keyedHash(key, `recovery:${userId}:${code}`);
}

/** As a person types it: small letters, without dashes, O for 0. */
function plain(typed: string): string {
  return typed
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, '')
    .replace(/O/g, '0')
    .replace(/[IL]/g, '1');
}

/** Makes ten new codes; the old ones are no longer good. They are told here, and never again. */
export async function makeRecoveryCodes(
  work: Work,
  key: Buffer,
  userId: string,
): Promise<string[]> {
  const codes = Array.from({ length: recoveryCodeCount }, newRecoveryCode);
  await work.query('delete from recovery_codes where user_id = $1', [userId]);
  await work.query(
    'insert into recovery_codes (user_id, code_hash) select $1, unnest($2::text[])',
    [userId, codes.map((code) => hashOf(key, userId, plain(code)))],
  );
  return codes;
}

/**
 * Uses a code up. Of requests at the same time with the same code one succeeds.
 *
 * Returns how many are left, or null where it is none.
 */
export async function spendRecoveryCode(
  sql: Sql,
  key: Buffer,
  userId: string,
  typed: string,
  now: Date,
): Promise<number | null> {
  const spent = await sql.query(
    `update recovery_codes set used_at = $3
     where user_id = $1 and code_hash = $2 and used_at is null returning 1`,
    [userId, hashOf(key, userId, plain(typed)), now],
  );
  return spent.length === 0 ? null : recoveryCodesLeft(sql, userId);
}

export async function recoveryCodesLeft(sql: Sql, userId: string): Promise<number> {
  const [row] = await sql.query<{ left: number }>(
    'select count(*)::int as left from recovery_codes where user_id = $1 and used_at is null',
    [userId],
  );
  return row!.left;
}
