import { hash } from 'node:crypto';
import type { Sql } from '#platform/database/sql.ts';
import type { Vault } from '#platform/secrets.ts';
import { Refusal } from '#identity/refusal.ts';
import type { Work } from '#identity/work.ts';

/** An answer as it is sent, and as it is kept for when the same is asked again. */
export interface Answer {
  status: number;
  body: unknown;
}

/** What tells one request from another: nothing that a repetition may differ in. */
export function requestHash(method: string, path: string, query: unknown, body: unknown): string {
  return hash('sha256', `${method} ${path}\n${canonical(query)}\n${canonical(body)}`, 'base64url');
}

/**
 * Takes the key for this request, or gives back the answer it was given before. In the transaction of
 * the change itself: of ten equal requests at once, nine wait here for the tenth to commit, and if it
 * does not, the next one does it. A request that was refused changed nothing and keeps no answer.
 *
 * Answers hold secrets that are told once, so they are kept sealed.
 *
 * @throws {Refusal} `idempotency_conflict` when the key was used for another request.
 */
export async function claimKey(
  work: Work,
  vault: Vault,
  tokenId: string,
  key: string,
  request: string,
): Promise<Answer | null> {
  const taken = await work.query(
    `insert into idempotency_keys as k (token_id, key, request_hash, created_at)
     values ($1, $2, $3, $4)
     on conflict (token_id, key) do update
       set request_hash = excluded.request_hash, status = null, body = null, created_at = $4
       where k.created_at < $4::timestamptz - interval '1 day'
     returning 1`,
    [tokenId, key, request, work.now],
  );
  if (taken.length > 0) return null;
  const kept = await keptAnswer(work, vault, tokenId, key, request, work.now);
  if (!kept) throw new Refusal('idempotency_conflict');
  return kept;
}

/**
 * What was answered to the same request with this key, within a day; null where it was not asked yet.
 *
 * @throws {Refusal} `idempotency_conflict`
 */
export async function keptAnswer(
  sql: Sql,
  vault: Vault,
  tokenId: string,
  key: string,
  request: string,
  now: Date,
): Promise<Answer | null> {
  const [kept] = await sql.query<{ request_hash: string; status: number; body: string }>(
    `select request_hash, status, body from idempotency_keys
     where token_id = $1 and key = $2 and created_at >= $3::timestamptz - interval '1 day'`,
    [tokenId, key, now],
  );
  if (!kept) return null;
  if (kept.request_hash !== request) throw new Refusal('idempotency_conflict');
  return {
    status: kept.status,
    body: JSON.parse(vault.open(kept.body, contextOf(tokenId, key))),
  };
}

/**
 * Lets what has the same name happen one after the other, in this process. For what is prepared before
 * the transaction in which equal requests wait for each other.
 */
export function turns(): <T>(name: string, act: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (name, act) => {
    const mine = (last.get(name) ?? Promise.resolve()).then(act);
    const over = mine.catch(() => {});
    last.set(name, over);
    try {
      return await mine;
    } finally {
      if (last.get(name) === over) last.delete(name);
    }
  };
}

export async function keepAnswer(
  work: Work,
  vault: Vault,
  tokenId: string,
  key: string,
  { status, body }: Answer,
): Promise<void> {
  const sealed = vault.seal(JSON.stringify(body ?? null), contextOf(tokenId, key));
  await work.query(
    'update idempotency_keys set status = $3, body = $4 where token_id = $1 and key = $2',
    [tokenId, key, status, JSON.stringify(sealed)],
  );
}

function contextOf(tokenId: string, key: string): string {
  return `idempotency:${tokenId}:${key}`;
}

/** The same value in the same text, however its fields were ordered. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? null, (_, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );
}
