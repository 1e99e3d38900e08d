import { createHash } from 'node:crypto';
import type { Place } from './flows.ts';
import type { WireAnswer } from './wire.ts';

/** How a sign-in begins: what an application asks for, and what is said where it goes wrong. */

export const codeVerifier = 'a-verifier-that-is-long-enough-for-everybody-0123456789';
const challenge = createHash('sha256').update(codeVerifier).digest('base64url');
export const scope = 'openid profile email';

/** @throws {Error} with the answer: a bench that counts refusals measures nothing. */
export function unexpected(doing: string, { head, body }: WireAnswer): never {
  throw new Error(`${doing} failed:\n${head}\n\n${body.slice(0, 1500)}`);
}

/** The address at which an application asks for a code. */
export function authorizePath(
  { client, paths }: Pick<Place, 'client' | 'paths'>,
  extra: Record<string, string>,
): string {
  const query = new URLSearchParams({
    client_id: client.id,
    redirect_uri: client.redirectUri,
    response_type: 'code',
    scope,
    state: 'state-0123456789',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...extra,
  });
  return `${paths.authorize}?${query}`;
}

export function pathOf(address: string): string {
  if (address.startsWith('/')) return address;
  const { pathname, search } = new URL(address);
  return pathname + search;
}
