import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Sql } from '#platform/database/sql.ts';
import type { Vault } from '#platform/secrets.ts';
import type { Work } from '../work.ts';

/**
 * The keys that sign tokens. There is always one current key and one next key for RS256 and for
 * ES256: the next is published long before it signs, so nobody meets a token whose key they have
 * not had time to fetch; a retired one stays published until nothing it signed is alive.
 *
 *     next -> current -> retired -> gone
 */
export const signingAlgorithms = ['RS256', 'ES256'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

export interface SigningKey {
  kid: string;
  alg: SigningAlgorithm;
  state: 'next' | 'current' | 'retired';
  createdAt: Date;
  activatesAt: Date;
  retiresAt: Date | null;
}

/** Heard by every process: the keys are not what they were. */
export const keysChannel = 'ostiary_keys';

/** How long a retired key is still published: longer than any ID token is taken as a hint. */
const retirement = 30 * 24 * 3600_000;

/** The private keys, in the order in which the engine should find them: what signs comes first. */
export async function loadSigningKeys(sql: Sql, vault: Vault): Promise<JWK[]> {
  const rows = await sql.query<{ kid: string; alg: SigningAlgorithm; sealed: string }>(
    `select kid, alg, sealed from signing_keys
     order by case state when 'current' then 1 when 'next' then 2 else 3 end, alg, created_at desc`,
  );
  return rows.map(({ kid, alg, sealed }) => ({
    ...(JSON.parse(vault.open(sealed, `signing_key:${kid}`)) as JWK),
    kid,
    alg,
    use: 'sig',
  }));
}

export function listSigningKeys(sql: Sql): Promise<SigningKey[]> {
  return sql.query<SigningKey>(
    `select kid, alg, state, created_at as "createdAt", activates_at as "activatesAt",
            retires_at as "retiresAt"
     from signing_keys order by alg, created_at desc`,
  );
}

/** New keys, made before the transaction that stores them: an RSA key takes its time. */
export interface FreshKey {
  kid: string;
  alg: SigningAlgorithm;
  privateJwk: JWK;
  publicJwk: JWK;
}

export async function newSigningKey(alg: SigningAlgorithm): Promise<FreshKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, {
    extractable: true,
    modulusLength: 2048,
  });
  const [privateJwk, publicJwk] = await Promise.all([exportJWK(privateKey), exportJWK(publicKey)]);
  return { kid: await calculateJwkThumbprint(publicJwk), alg, privateJwk, publicJwk };
}

/**
 * Makes the missing keys of a new installation: a current and a next one for each algorithm.
 * Several processes that start at once make one set, because the first takes the table.
 */
export async function ensureSigningKeys(
  work: Work,
  vault: Vault,
  fresh: FreshKey[],
): Promise<boolean> {
  await work.query('lock table signing_keys in exclusive mode');
  const [{ count }] = (await work.query<{ count: number }>(
    'select count(*)::int as count from signing_keys',
  )) as [{ count: number }];
  if (count > 0) return false;
  for (const alg of signingAlgorithms) {
    const [current, next] = fresh.filter((key) => key.alg === alg);
    await insertKey(work, vault, current!, 'current');
    await insertKey(work, vault, next!, 'next');
  }
  return true;
}

/**
 * The next keys sign from now on, the current ones retire, and new ones wait their turn. Only who can
 * open what is there: keys that are sealed with another secret would let no server sign, or start.
 *
 * @param discard where a key was stolen: retired keys are withdrawn at once, and what they signed
 * is worth nothing any more.
 * @throws {WrongKey}
 */
export async function rotateSigningKeys(
  work: Work,
  vault: Vault,
  fresh: FreshKey[],
  { discard = false }: { discard?: boolean } = {},
): Promise<SigningKey[]> {
  await work.query('lock table signing_keys in exclusive mode');
  await loadSigningKeys(work, vault);
  await work.query(
    `update signing_keys set state = 'retired', retires_at = $1 where state = 'current'`,
    [new Date(work.now.getTime() + retirement)],
  );
  await work.query(
    `update signing_keys set state = 'current', activates_at = $1 where state = 'next'`,
    [work.now],
  );
  for (const key of fresh) await insertKey(work, vault, key, 'next');
  const gone = await work.query<{ kid: string }>(
    `delete from signing_keys where state = 'retired' and ($1 or retires_at < $2) returning kid`,
    [discard, work.now],
  );
  const keys = await listSigningKeys(work);
  for (const { kid, alg } of keys.filter(({ state }) => state === 'current'))
    work.record(
      'key.rotated',
      { type: 'key', id: kid },
      { alg, withdrawn: gone.map((one) => one.kid) },
    );
  return keys;
}

async function insertKey(
  work: Work,
  vault: Vault,
  { kid, alg, privateJwk, publicJwk }: FreshKey,
  state: 'current' | 'next',
): Promise<void> {
  await work.query(
    `insert into signing_keys (kid, alg, state, public_jwk, sealed, created_at, activates_at)
     values ($1, $2, $3, $4, $5, $6, $6)`,
    [
      kid,
      alg,
      state,
      JSON.stringify(publicJwk),
      vault.seal(JSON.stringify(privateJwk), `signing_key:${kid}`),
      work.now,
    ],
  );
}
