import { hash } from 'node:crypto';

/** How long the opaque values of a kind are: `find` knows a stranger's by its length. */
export const opaqueLengths: Readonly<Record<string, number>> = {
  AccessToken: 43,
  RefreshToken: 44,
  ClientCredentials: 45,
};

/** The key under which a bearer secret is kept. */
export function keyOf(model: string, id: string): string {
  return hash('sha256', `${model}:${id}`, 'base64url');
}

/**
 * The engine looks some rows up by another column and then wants to save them: it gets the hash in
 * place of the secret nobody knows any more, marked so that it cannot be mistaken for one.
 */
export const hashed = 'h:';

export function rowKey(model: string, id: string): string {
  return id.startsWith(hashed) ? id.slice(hashed.length) : keyOf(model, id);
}
