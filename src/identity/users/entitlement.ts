import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';

/** A country that the account is not entitled in. */
export function notEntitled(countries: readonly string[], country: string): Refusal {
  const where = countries.length > 0 ? countries.join(', ') : 'no country';
  return new Refusal(
    'invalid_country',
    { country, countries },
    [],
    `The organization is entitled in ${where}, not in ${country}.`,
  );
}

/**
 * Where a person is entitled in, set by an administrator: a country of the account, or none. Pinned,
 * it stays as it is whatever the person's own directory says about the country (behaviour.md F24).
 *
 * @throws {Refusal} `user_not_found`, `invalid_country`
 */
export async function setEntitlementCountry(
  work: Work,
  account: { id: string; countries: readonly string[] },
  userId: string,
  { country, pinned }: { country?: string | null | undefined; pinned?: boolean | undefined },
): Promise<void> {
  if (country && !account.countries.includes(country))
    throw notEntitled(account.countries, country);
  const before = await standing(work, userId, account.id);
  const after = {
    country: country === undefined ? before.country : country,
    pinned: pinned ?? before.pinned,
  };
  if (after.country === before.country && after.pinned === before.pinned) return;
  await write(work, userId, account.id, before, after);
}

/**
 * What the person's directory says at a sign-in: taken over where the account is entitled in that
 * country, unless an administrator pinned another. What is no country of the account changes nothing.
 *
 * @param wins whether the connection says so (`countryWins`); else only where there is none yet.
 */
export async function adoptUpstreamCountry(
  work: Work,
  account: { id: string; countries: readonly string[] },
  userId: string,
  country: string | null,
  { wins = true }: { wins?: boolean } = {},
): Promise<void> {
  if (country === null || !account.countries.includes(country)) return;
  const before = await standing(work, userId, account.id);
  if (before.pinned || before.country === country) return;
  if (before.country !== null && !wins) return;
  await write(work, userId, account.id, before, { country, pinned: false });
}

interface Standing {
  country: string | null;
  pinned: boolean;
}

async function standing(work: Work, userId: string, accountId: string): Promise<Standing> {
  const [row] = await work.query<Standing>(
    `select entitlement_country as country, entitlement_pinned as pinned from users
     where id = $1 and account_id = $2 for update`,
    [userId, accountId],
  );
  if (!row) throw new Refusal('user_not_found');
  return row;
}

async function write(
  work: Work,
  userId: string,
  accountId: string,
  before: Standing,
  after: Standing,
): Promise<void> {
  await work.query(
    `update users set entitlement_country = $2, entitlement_pinned = $3, updated_at = $4,
       version = version + 1
     where id = $1`,
    [userId, after.country, after.pinned, work.now],
  );
  work.record(
    'user.entitlement_changed',
    { type: 'user', id: userId },
    { before, after },
    accountId,
  );
}
