import { hash } from 'node:crypto';
import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  importPKCS8,
  jwtVerify,
  type JSONWebKeySet,
  type JWTPayload,
  type ProtectedHeaderParameters,
} from 'jose';
import * as oidc from 'openid-client';
import type { Clock } from '#platform/clock.ts';
import { EgressRefused, type Egress, type IncomingAnswer } from '#platform/egress.ts';
import type { Vault } from '#platform/secrets.ts';
import { UpstreamProblem, type UpstreamAssertion } from '#identity/federation/assertion.ts';
import {
  secretContext,
  type Connection,
  type ConnectionSecret,
} from '#identity/federation/connection.ts';
import { Refusal } from '#identity/refusal.ts';
import { oidcSettings, type OidcSettings } from '#identity/federation/oidc-settings.ts';
import type { UpstreamLogout } from '#identity/federation/logout.ts';
import type { FederationTrace } from '#identity/federation/trace.ts';
import type {
  Departure,
  LiveConnection,
  UpstreamProtocol,
  UpstreamRequest,
  UpstreamResponse,
} from '#identity/federation/upstream.ts';
import type { Bulkheads } from './bulkhead.ts';

/** For everything that one sign-in asks of the provider. */
const deadlineMs = 10_000;
/** For one of its answers. */
const answerMs = 5_000;
const answerBytes = 256 * 1024;
/** For what a sign-out asks: nobody waits long to be signed out. */
const signOutMs = 3_000;
/** A longer ID token does not fit into an address, and is left out. */
const hintLimit = 4096;
/** Metadata is kept so long. */
const metadataMs = 3600_000;
/** Unknown keys make us ask for keys so often at most. */
const keysMs = 30_000;
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';
/** How far the provider's clock may be ahead of ours, in seconds. */
const skew = 60;

/** Asymmetric algorithms alone: with a shared secret, whoever knows it could say who anybody is. */
const algorithms = new Set([
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
/** Keys come from the provider's metadata, and never from the message they are to verify. */
const foreignKeys = ['jku', 'jwk', 'x5u', 'x5c', 'crit'];

export interface OidcUpstreamDependencies {
  issuer: string;
  egress: Egress;
  vault: Vault;
  clock: Clock;
  bulkheads: Bulkheads;
}

interface Kept {
  /** What it was made for: another version of the connection is another one. */
  key: string;
  metadata: Promise<oidc.ServerMetadata>;
  until: number;
  /** The keys, as openid-client keeps them. */
  keys: ReturnType<typeof oidc.getJwksCache>;
  /** The last answer with keys, or the one that is under way. */
  keysAnswer: { at: number; answer: Promise<IncomingAnswer> } | null;
}

/**
 * OpenID Connect towards a company's provider: code with PKCE and nonce, an address of its own to
 * come back to for each connection, `iss` of the answer compared where the provider sends it (RFC
 * 9207), and the ID token verified by its signature, although it came over TLS.
 */
export class OidcUpstream implements UpstreamProtocol {
  readonly kind = 'oidc';
  readonly #dependencies: OidcUpstreamDependencies;
  readonly #metadata = new Map<string, Kept>();

  constructor(dependencies: OidcUpstreamDependencies) {
    this.#dependencies = dependencies;
  }

  redirectUri(connectionId: string): string {
    return `${this.#dependencies.issuer}/federation/${connectionId}/callback`;
  }

  signedOutUri(connectionId: string): string {
    return `${this.#dependencies.issuer}/federation/${connectionId}/signed-out`;
  }

  depart(
    live: LiveConnection,
    request: UpstreamRequest,
    trace: FederationTrace,
  ): Promise<Departure> {
    return this.#guarded(live, async (signal) => {
      const settings = oidcSettings(live.connection.settings);
      const configuration = await this.#configuration(live, settings, null, signal);
      const verifier = oidc.randomPKCECodeVerifier();
      const nonce = oidc.randomNonce();
      // A provider that never says when is told to ask: an unanswerable `max_age` would be a loop.
      const prompt =
        request.prompt ?? (request.maxAge !== null && !settings.sendsAuthTime ? 'login' : null);
      const parameters: Record<string, string> = {
        redirect_uri: this.redirectUri(live.connection.id),
        scope: settings.scopes.join(' '),
        state: request.state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(request.loginHint !== null && { login_hint: request.loginHint }),
        ...(prompt !== null && { prompt }),
        ...(request.maxAge !== null && { max_age: String(request.maxAge) }),
        ...(request.acrValues !== null && { acr_values: request.acrValues }),
      };
      const redirectTo = oidc.buildAuthorizationUrl(configuration, parameters);
      trace.append(this.#dependencies.clock(), 'sent', {
        to: `${redirectTo.origin}${redirectTo.pathname}`,
        parameters: {
          ...Object.fromEntries(redirectTo.searchParams),
          state: '(kept to ourselves)',
          nonce: '(kept to ourselves)',
          code_challenge: '(kept to ourselves)',
        },
      });
      return {
        redirectTo,
        remember: {
          verifier,
          nonce,
          state: request.state,
          ...(request.maxAge !== null &&
            settings.sendsAuthTime && { maxAge: String(request.maxAge) }),
        },
      };
    });
  }

  async arrive(
    live: LiveConnection,
    { url }: UpstreamResponse,
    remembered: Readonly<Record<string, string>>,
    trace: FederationTrace,
  ): Promise<UpstreamAssertion> {
    const { clock } = this.#dependencies;
    const error = url.searchParams.get('error');
    trace.append(clock(), 'received', {
      parameters: [...url.searchParams.keys()],
      ...(error && {
        error: error.slice(0, 200),
        description: url.searchParams.get('error_description')?.slice(0, 500) ?? null,
      }),
    });
    if (error !== null)
      throw new UpstreamProblem(
        error === 'access_denied' ? 'upstream_denied' : 'upstream_error',
        error.slice(0, 200),
      );
    return this.#guarded(live, async (signal) => {
      const settings = oidcSettings(live.connection.settings);
      const { tokens, configuration } = await this.#redeem(live, settings, url, remembered, signal);
      const claims = this.#verified(tokens, settings);
      const more =
        settings.userinfo && wantsMore(claims) && configuration.serverMetadata().userinfo_endpoint
          ? await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)
          : {};
      const all = { ...more, ...claims };
      trace.append(clock(), 'received', { claims: all });
      return {
        ...saidBy(claims),
        issuer: claims.iss,
        subject: claims.sub,
        claims: all,
        signOut: hintOf(tokens.id_token!),
      };
    });
  }

  /** RP-Initiated Logout 1.0, section 2: by name of the session it gave us, where we kept it. */
  signOut(
    live: LiveConnection,
    { idToken }: Readonly<Record<string, string>>,
    state: string,
  ): Promise<URL | null> {
    return this.#guarded(
      live,
      async (signal) => {
        const settings = oidcSettings(live.connection.settings);
        const configuration = await this.#configuration(live, settings, null, signal);
        const { end_session_endpoint: endpoint, issuer } = configuration.serverMetadata();
        if (!endpoint) return null;
        checkWebAddress('end_session_endpoint', endpoint, new URL(issuer));
        return oidc.buildEndSessionUrl(configuration, {
          post_logout_redirect_uri: this.signedOutUri(live.connection.id),
          state,
          ...(idToken !== undefined && { id_token_hint: idToken }),
        });
      },
      signOutMs,
    );
  }

  /**
   * Whether the provider can be asked at all: its metadata is there and says what it must. For the
   * one who sets the connection up.
   *
   * @throws {UpstreamProblem}
   */
  async look(live: LiveConnection): Promise<oidc.ServerMetadata> {
    this.#metadata.delete(live.connection.id);
    return this.#guarded(live, (signal) => this.#kept(live, signal).metadata);
  }

  /**
   * Verifies a logout token of the provider (OpenID Connect Back-Channel Logout 1.0, section 2.6). An
   * ID token is none: it has a nonce, and no such event.
   *
   * @throws {UpstreamProblem}
   */
  logout(live: LiveConnection, token: string): Promise<UpstreamLogout> {
    return this.#guarded(live, async (signal) => {
      const { keys, issuer } = await this.#keys(live, signal);
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer,
        audience: oidcSettings(live.connection.settings).clientId,
        algorithms: [...algorithms],
        clockTolerance: skew,
        maxTokenAge: 300,
        currentDate: this.#dependencies.clock(),
        requiredClaims: ['iat', 'jti', 'events'],
      });
      for (const name of foreignKeys)
        if (name in protectedHeader)
          throw invalid(`The logout token brings its own key (${name}).`);
      const { typ } = protectedHeader;
      if (typ !== undefined && !/^(application\/)?(logout\+jwt|jwt)$/i.test(typ))
        throw invalid('This is another kind of token.');
      const events = payload['events'] as Record<string, unknown> | null;
      if (typeof events !== 'object' || !events?.[logoutEvent] || 'nonce' in payload)
        throw invalid('This is no logout token.');
      const { sub, jti } = payload;
      const sid = typeof payload['sid'] === 'string' ? payload['sid'] : null;
      if (sub === undefined && sid === null)
        throw invalid('It says neither who nor which session.');
      return {
        issuer,
        subject: sub ?? null,
        nameId: null,
        sids: sid === null ? [] : [sid],
        jti: jti!,
      };
    });
  }

  /**
   * Reads an ID token that somebody pasted, to see what it would come to. It is verified as in a sign-in,
   * but for what only the moment and the browser know: whether it is over, its nonce, the access token
   * beside it. What does not verify is shown all the same, and `unverified` says why: its claims could as
   * well have been typed. Nothing is kept, and nobody signs in by it.
   *
   * @throws {UpstreamProblem} where it is no token that says who somebody is
   */
  async read(
    live: LiveConnection,
    token: string,
  ): Promise<{ assertion: UpstreamAssertion; issuedAt: Date | null; unverified: string | null }> {
    const claims = claimsIn(token);
    const { iat } = claims;
    const assertion = {
      ...saidBy(claims),
      issuer: claims.iss ?? live.connection.issuer ?? '',
      subject: claims.sub,
      claims,
    };
    const issuedAt = typeof iat === 'number' && isMoment(iat) ? new Date(iat * 1000) : null;
    try {
      await this.#guarded(live, (signal) => this.#verifyPasted(live, token, issuedAt, signal));
      return { assertion, issuedAt, unverified: null };
    } catch (error) {
      if (!(error instanceof UpstreamProblem)) throw error;
      return { assertion, issuedAt, unverified: error.detail };
    }
  }

  async #verifyPasted(
    live: LiveConnection,
    token: string,
    issuedAt: Date | null,
    signal: AbortSignal,
  ): Promise<void> {
    const { clientId } = oidcSettings(live.connection.settings);
    const { keys, issuer } = await this.#keys(live, signal);
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer,
      audience: clientId,
      algorithms: [...algorithms],
      currentDate: issuedAt ?? this.#dependencies.clock(),
      requiredClaims: ['iat', 'exp', 'sub'],
    });
    checkIdToken(protectedHeader, payload, clientId);
    if (issuedAt && issuedAt.getTime() > this.#dependencies.clock().getTime() + skew * 1000)
      throw invalid('The ID token was issued in the future.');
  }

  /** The provider's keys, asked for anew where they are older than half a minute. */
  async #keys(
    live: LiveConnection,
    signal: AbortSignal,
  ): Promise<{ keys: ReturnType<typeof createLocalJWKSet>; issuer: string }> {
    const kept = this.#kept(live, signal);
    const { jwks_uri: keysUri = '', issuer } = await kept.metadata;
    const ask = this.#fetch(signal, kept, keysUri);
    const answer = await ask(keysUri, {
      method: 'GET',
      headers: { accept: 'application/json' },
      body: undefined,
      redirect: 'manual',
    });
    return { keys: createLocalJWKSet((await answer.json()) as JSONWebKeySet), issuer };
  }

  /** The code is redeemed with the newest secret; one that was just rotated may not be known there yet. */
  async #redeem(
    live: LiveConnection,
    settings: OidcSettings,
    url: URL,
    remembered: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ) {
    const secrets = credentialsOf(live, settings);
    if (secrets.length === 0) throw new UpstreamProblem('upstream_error', 'There is no secret.');
    for (const [index, secret] of secrets.entries()) {
      const configuration = await this.#configuration(live, settings, secret, signal);
      try {
        const tokens = await oidc.authorizationCodeGrant(configuration, url, {
          expectedState: remembered['state'] ?? '',
          expectedNonce: remembered['nonce'] ?? '',
          pkceCodeVerifier: remembered['verifier'] ?? '',
          idTokenExpected: true,
          ...(remembered['maxAge'] !== undefined && { maxAge: Number(remembered['maxAge']) }),
        });
        this.#kept(live, signal).keys = oidc.getJwksCache(configuration);
        return { tokens, configuration };
      } catch (error) {
        const refused = error instanceof oidc.ResponseBodyError && error.error === 'invalid_client';
        if (!refused || index === secrets.length - 1) throw error;
      }
    }
    throw new UpstreamProblem('upstream_error', 'No secret was accepted.');
  }

  /** What openid-client leaves to us. */
  #verified(
    tokens: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers,
    { clientId }: OidcSettings,
  ): oidc.IDToken {
    const claims = tokens.claims();
    if (!claims || !tokens.id_token) throw invalid('There is no ID token.');
    const header = decodeProtectedHeader(tokens.id_token);
    checkIdToken(header, claims, clientId);
    const now = this.#dependencies.clock().getTime() / 1000;
    if (claims.iat > now + skew) throw invalid('The ID token was issued in the future.');
    const ends = claims['session_expiry'];
    if (typeof ends === 'number' && ends <= now)
      throw invalid('The session at the provider has ended.');
    const atHash = claims['at_hash'];
    if (atHash !== undefined && atHash !== accessTokenHash(tokens.access_token, header.alg!))
      throw invalid('The access token is not the one that belongs to the ID token.');
    return claims;
  }

  async #configuration(
    live: LiveConnection,
    settings: OidcSettings,
    secret: ConnectionSecret | null,
    signal: AbortSignal,
  ): Promise<oidc.Configuration> {
    const kept = this.#kept(live, signal);
    const metadata = await kept.metadata;
    const configuration = new oidc.Configuration(
      metadata,
      settings.clientId,
      undefined,
      secret ? await this.#authentication(live, settings, secret) : oidc.None(),
    );
    configuration[oidc.customFetch] = this.#fetch(signal, kept, metadata.jwks_uri);
    oidc.enableNonRepudiationChecks(configuration);
    if (kept.keys) oidc.setJwksCache(configuration, kept.keys);
    if (metadata.issuer.startsWith('http:')) oidc.allowInsecureRequests(configuration);
    return configuration;
  }

  async #authentication(
    live: LiveConnection,
    { clientAuthentication }: OidcSettings,
    secret: ConnectionSecret,
  ): Promise<oidc.ClientAuth> {
    const opened = this.#dependencies.vault.open(secret.sealed, secretContext(live.connection.id));
    switch (clientAuthentication) {
      case 'client_secret_basic':
        return oidc.ClientSecretBasic(opened);
      case 'private_key_jwt': {
        const key = await importPKCS8(opened, 'RS256');
        return oidc.PrivateKeyJwt({ key, kid: secret.id });
      }
      default:
        return oidc.ClientSecretPost(opened);
    }
  }

  /** The metadata, kept for an hour. Many who come at once cause one request; a failure is not kept. */
  #kept({ connection }: LiveConnection, signal: AbortSignal): Kept {
    const now = this.#dependencies.clock().getTime();
    const key = `${connection.issuer}|${connection.version}`;
    let kept = this.#metadata.get(connection.id);
    if (!kept || kept.key !== key || kept.until <= now) {
      if (this.#metadata.size > 10_000) this.#metadata.clear();
      const metadata = this.#load(connection.issuer ?? '', signal);
      kept = { key, metadata, until: now + metadataMs, keys: undefined, keysAnswer: null };
      this.#metadata.set(connection.id, kept);
      metadata.catch(() => {
        if (this.#metadata.get(connection.id)?.metadata === metadata)
          this.#metadata.delete(connection.id);
      });
    }
    return kept;
  }

  async #load(issuer: string, signal: AbortSignal): Promise<oidc.ServerMetadata> {
    const url = this.#dependencies.egress.check(issuer);
    const found = await oidc.discovery(url, 'discovery', undefined, oidc.None(), {
      [oidc.customFetch]: this.#fetch(signal),
      execute: url.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
    });
    const metadata = found.serverMetadata();
    if (metadata.issuer !== issuer)
      throw new UpstreamProblem('upstream_error', 'The metadata is of another issuer.');
    for (const name of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const) {
      const address = metadata[name];
      if (!address) throw new UpstreamProblem('upstream_error', `The metadata lacks ${name}.`);
      // Where people are sent is not ours to reach, but it must be a web address.
      if (name === 'authorization_endpoint') checkWebAddress(name, address, url);
      else this.#dependencies.egress.check(address);
    }
    return metadata;
  }

  /** openid-client's requests, through the one way out that there is. */
  #fetch(signal: AbortSignal, kept?: Kept, keysUri?: string): oidc.CustomFetch {
    const { egress, clock } = this.#dependencies;
    return async (url, { method, headers, body }) => {
      const ask = (): Promise<IncomingAnswer> =>
        egress.send(url, {
          method: method === 'POST' ? 'POST' : 'GET',
          headers,
          ...(body !== null && body !== undefined && { body: String(body as URLSearchParams) }),
          timeoutMs: answerMs,
          maxBytes: answerBytes,
          signal,
        });
      if (!kept || url !== keysUri) return responseOf(await ask());
      const now = clock().getTime();
      if (!kept.keysAnswer || kept.keysAnswer.at <= now - keysMs) {
        const asked = { at: now, answer: ask() };
        kept.keysAnswer = asked;
        asked.answer.catch(() => {
          if (kept.keysAnswer === asked) kept.keysAnswer = null;
        });
      }
      return responseOf(await kept.keysAnswer.answer);
    };
  }

  async #guarded<T>(
    { connection }: LiveConnection,
    act: (signal: AbortSignal) => Promise<T>,
    withinMs = deadlineMs,
  ): Promise<T> {
    const signal = AbortSignal.timeout(withinMs);
    return this.#dependencies.bulkheads.through(
      connection.id,
      async () => {
        try {
          return await act(signal);
        } catch (error) {
          throw problemOf(error);
        }
      },
      (error) => error instanceof UpstreamProblem && error.code === 'upstream_unreachable',
    );
  }
}

/**
 * Whether a provider can be asked, for the one who sets the connection up.
 *
 * @throws {Refusal} `provider_unreachable`, with what is wrong
 */
export async function lookAt(upstream: OidcUpstream, connection: Connection): Promise<void> {
  try {
    await upstream.look({ connection, secrets: [] });
  } catch (error) {
    if (!(error instanceof UpstreamProblem)) throw error;
    throw new Refusal('provider_unreachable', { why: error.detail });
  }
}

/** By which key, for whom, about whom: what holds of an ID token wherever it comes from. */
function checkIdToken(
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
function isMoment(seconds: number): boolean {
  return Math.abs(seconds) < 8.64e12;
}

/** What a pasted token says, believed or not. @throws {UpstreamProblem} */
function claimsIn(token: string): JWTPayload & { sub: string } {
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
function saidBy(
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
function hintOf(idToken: string): Record<string, string> {
  return idToken.length <= hintLimit ? { idToken } : {};
}

/** Where people are sent: by https, or as the issuer itself. @throws {UpstreamProblem} */
function checkWebAddress(name: string, address: string, issuer: URL): void {
  const protocol = URL.canParse(address) ? new URL(address).protocol : '';
  if (protocol !== 'https:' && protocol !== issuer.protocol)
    throw new UpstreamProblem('upstream_error', `${name} is not https.`);
}

/** Those that this way of proving ourselves uses, the newest first. */
function credentialsOf(
  { secrets }: LiveConnection,
  { clientAuthentication }: OidcSettings,
): ConnectionSecret[] {
  const kind = clientAuthentication === 'private_key_jwt' ? 'private_key' : 'client_secret';
  return secrets.filter((secret) => secret.kind === kind).slice(0, 2);
}

/** Whether the ID token leaves out what we ask for. */
function wantsMore(claims: oidc.IDToken): boolean {
  return ['email', 'given_name', 'family_name'].some((name) => claims[name] === undefined);
}

function responseOf({ status, headers, body }: IncomingAnswer): Response {
  const kept = new Headers();
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && name !== 'content-length')
      kept.set(name, Array.isArray(value) ? value.join(', ') : value);
  const empty = status === 204 || status === 304;
  return new Response(empty ? null : new Uint8Array(body), { status, headers: kept });
}

function accessTokenHash(token: string, alg: string): string {
  const bits = /(256|384|512)$/.exec(alg)?.[1] ?? '512';
  const digest = hash(`sha${bits}`, token, 'buffer');
  return digest.subarray(0, digest.length / 2).toString('base64url');
}

function invalid(detail: string): UpstreamProblem {
  return new UpstreamProblem('response_invalid', detail);
}

/** What went wrong, in our words: nothing of a token or a secret goes into a log. */
function problemOf(error: unknown): UpstreamProblem {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    if (one instanceof UpstreamProblem) return one;
    if (one instanceof EgressRefused)
      return new UpstreamProblem(
        one.code === 'too_large' ? 'response_invalid' : 'upstream_unreachable',
        one.message,
        { cause: error },
      );
    const { code = '' } = one as { code?: string };
    if (unreachable.test(code) || one.name === 'AbortError' || one.name === 'TimeoutError')
      return new UpstreamProblem('upstream_unreachable', `No answer (${code || one.name}).`, {
        cause: error,
      });
  }
  if (error instanceof oidc.ResponseBodyError)
    return new UpstreamProblem(
      error.status >= 500 ? 'upstream_unreachable' : 'upstream_error',
      `It said ${error.error.slice(0, 200)}.`,
    );
  const { message, code = '' } = error as { message?: string; code?: string };
  return new UpstreamProblem('response_invalid', `${message} (${code})`.slice(0, 300), {
    cause: error,
  });
}

/** No connection, no certificate, no answer, or none that a provider in order gives. */
const unreachable =
  /^(E[A-Z]+|ERR_TLS.*|ERR_SSL.*|.*CERT.*|UND_ERR.*|HPE_.*|OAUTH_TIMEOUT|OAUTH_ABORT|OAUTH_RESPONSE_IS_NOT_CONFORM|OAUTH_RESPONSE_IS_NOT_JSON)$/;
