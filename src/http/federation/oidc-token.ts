import { hash } from 'node:crypto';
import { decodeJwt, type JWTPayload, type ProtectedHeaderParameters } from 'jose';
import type { UpstreamAssertion } from '#identity/federation/assertion.ts';
import type { UpstreamLogout } from '#identity/federation/logout.ts';
import { invalid } from './oidc-problem.ts';

/** Asymmetric algorithms alone: with a shared secret, whoever knows it could say who anybody is. */
export const algorithms = new Set([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]);
/** How far the provider's clock may be ahead of ours, in seconds. */
export const skew = 60;
/** Keys come from the provider's metadata, and never from the message they are to verify. */
const foreignKeys = ['jku', 'jwk', 'x5u', 'x5c', 'crit'];
/** A longer ID token does not fit into an address, and is left out. */
const hintLimit = 4096;
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/** By which key, for whom, about whom: what holds of an ID token wherever it comes from. */
export function checkIdToken(
  header: ProtectedHeaderParameters,
  claims: JWTPayload,
  clientId: string,
): void {
  if (!algorithms.has(header.alg ?? '')) throw invalid('The ID token is not signed by a key.');
  for (const name of foreignKeys)
    if (name in header) throw invalid(`The ID token brings its own key (${name}).`);
  if (Array.isArray(claims.aud) && claims.aud.length > 1 && claims['azp'] !== clientId)
    throw invalid('The ID token is meant for others too, and not given to us.');
  if (claims['azp'] !== undefined && claims['azp'] !== clientId)
    throw invalid('The ID token was given to somebody else.');
  if (!isSubject(claims.sub)) throw invalid('The subject is no name.');
}

function isSubject(sub: unknown): sub is string {
  return typeof sub === 'string' && sub !== '' && sub.length <= 255;
}

/** Within what a date can be. */
export function isMoment(seconds: number): boolean {
  return Math.abs(seconds) < 8.64e12;
}

/** What a pasted token says, believed or not. @throws {UpstreamProblem} */
export function claimsIn(token: string): JWTPayload & { sub: string } {
  let claims: JWTPayload;
  try {
    claims = decodeJwt(token);
  } catch {
    throw invalid(
      token.split('.').length === 5
        ? 'The token is encrypted.'
        : 'This is no ID token: three parts in Base64url, with a dot between them.',
    );
  }
  if (!isSubject(claims.sub)) throw invalid('The subject is no name.');
  return { ...claims, sub: claims.sub };
}

/** How somebody proved who they are, as far as the provider says it. */
export function saidBy(
  claims: Record<string, unknown>,
): Pick<UpstreamAssertion, 'acr' | 'amr' | 'authTime' | 'sessionIndex' | 'sessionEnds'> {
  const { acr, amr, auth_time: authTime, sid, session_expiry: ends } = claims;
  return {
    acr: typeof acr === 'string' ? acr : null,
    amr: Array.isArray(amr)
      ? amr.filter((one): one is string => typeof one === 'string').slice(0, 10)
      : [],
    authTime: typeof authTime === 'number' ? authTime : null,
    sessionIndex: typeof sid === 'string' ? sid : null,
    sessionEnds: typeof ends === 'number' && isMoment(ends) ? ends : null,
  };
}

/** What the provider has to be told at the end of the session. */
export function hintOf(idToken: string): Record<string, string> {
  return idToken.length <= hintLimit ? { idToken } : {};
}

/** Whether the ID token leaves out what we ask for. */
export function wantsMore(claims: JWTPayload): boolean {
  return ['email', 'given_name', 'family_name'].some((name) => claims[name] === undefined);
}

export function accessTokenHash(token: string, alg: string): string {
  const bits = /(256|384|512)$/.exec(alg)?.[1] ?? '512';
  const digest = hash(`sha${bits}`, token, 'buffer');
  return digest.subarray(0, digest.length / 2).toString('base64url');
}

/**
 * What a logout token ends (OpenID Connect Back-Channel Logout 1.0, section 2.6). An ID token is none:
 * it has a nonce, and no such event.
 *
 * @throws {UpstreamProblem}
 */
export function toldBy(
  header: ProtectedHeaderParameters,
  payload: JWTPayload,
  issuer: string,
): UpstreamLogout {
  for (const name of foreignKeys)
    if (name in header) throw invalid(`The logout token brings its own key (${name}).`);
  const { typ } = header;
  if (typ !== undefined && !/^(application\/)?(logout\+jwt|jwt)$/i.test(typ))
    throw invalid('This is another kind of token.');
  const events = payload['events'] as Record<string, unknown> | null;
  if (typeof events !== 'object' || !events?.[logoutEvent] || 'nonce' in payload)
    throw invalid('This is no logout token.');
  const { sub, jti } = payload;
  const sid = typeof payload['sid'] === 'string' ? payload['sid'] : null;
  if (sub === undefined && sid === null) throw invalid('It says neither who nor which session.');
  return {
    issuer,
    subject: sub ?? null,
    nameId: null,
    sids: sid === null ? [] : [sid],
    jti: jti!,
  };
}
