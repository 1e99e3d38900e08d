import { newId } from '#platform/ids.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import { findPerson, type Person } from '../users/person.ts';
import type { Foundation } from '../work.ts';

const life = 2 * 60_000;

/**
 * Lets a person who has just chosen a password go on with the sign-in they came from, in the same
 * browser, once, within two minutes. In another browser it is worth nothing: a stranger's link must
 * not sign anybody in as the stranger.
 */
export async function newSignInPass(
  { database, clock }: Foundation,
  userId: string,
  browser: string,
): Promise<string> {
  const secret = newSecret();
  const now = clock();
  await database.query(
    `insert into one_time_tokens (id, purpose, user_id, secret_hash, binding, created_at, expires_at)
     values ($1, 'sign_in_pass', $2, $3, $4, $5, $6)`,
    [
      newId(now.getTime()),
      userId,
      secretHash(secret),
      secretHash(browser),
      now,
      new Date(now.getTime() + life),
    ],
  );
  return secret;
}

/** Whose pass it is, while it is good; it is used up. */
export async function redeemSignInPass(
  { database, clock }: Foundation,
  secret: string,
  browser: string,
): Promise<Person | null> {
  const now = clock();
  const [row] = await database.query<{ user_id: string }>(
    `update one_time_tokens set used_at = $3
     where secret_hash = $1 and binding = $2 and purpose = 'sign_in_pass' and used_at is null
       and expires_at > $3
     returning user_id`,
    [secretHash(secret), secretHash(browser), now],
  );
  return row ? findPerson(database, row.user_id, now) : null;
}
