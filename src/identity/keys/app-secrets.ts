import type { Database } from '#platform/database/database.ts';
import { newSecret, type Vault } from '#platform/secrets.ts';

/** Secrets of the installation that must stay what they are when `SECRET_KEY` is rotated. */
export interface AppSecrets {
  /** Salt of pairwise subjects: another one would make everybody a stranger to their applications. */
  pairwise: Buffer;
  /** Key of the DPoP nonces, the same on every process. */
  dpopNonce: Buffer;
  /** Key of the counters for names nobody has, and of fingerprints of wrong passwords. */
  counters: Buffer;
  /** Key of the marks by which an address that was erased is known again. */
  marks: Buffer;
  /** Key of the recovery codes, which have too few bits for a hash without one. */
  recoveryCodes: Buffer;
}

const names = ['pairwise', 'dpopNonce', 'counters', 'marks', 'recoveryCodes'] as const;

/** Reads them, and makes those that are missing. Processes that start together agree. */
export async function loadAppSecrets(
  database: Database,
  vault: Vault,
  now: Date,
): Promise<AppSecrets> {
  const secrets: Partial<AppSecrets> = {};
  for (const name of names) {
    await database.query(
      `insert into app_secrets (name, sealed, created_at) values ($1, $2, $3)
       on conflict (name) do nothing`,
      [name, vault.seal(newSecret(32), `app_secret:${name}`), now],
    );
    const [row] = await database.query<{ sealed: string }>(
      'select sealed from app_secrets where name = $1',
      [name],
    );
    secrets[name] = Buffer.from(vault.open(row!.sealed, `app_secret:${name}`), 'base64url');
  }
  return secrets as AppSecrets;
}
