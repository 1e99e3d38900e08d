import { decodeProtectedHeader, importPKCS8, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import type { Clock } from '#platform/clock.ts';
import type { Egress } from '#platform/egress.ts';
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
import { checkWebAddress, ProviderMetadata } from './oidc-metadata.ts';
import { invalid, problemOf } from './oidc-problem.ts';
import {
  accessTokenHash,
  algorithms,
  checkIdToken,
  claimsIn,
  hintOf,
  isMoment,
  saidBy,
  skew,
  toldBy,
  wantsMore,
} from './oidc-token.ts';

/** For everything that one sign-in asks of the provider. */
const deadlineMs = 10_000;
/** For what a sign-out asks: nobody waits long to be signed out. */
const signOutMs = 3_000;

export interface OidcUpstreamDependencies {
  issuer: string;
  egress: Egress;
  vault: Vault;
  clock: Clock;
  bulkheads: Bulkheads;
}

/**
 * OpenID Connect towards a company's provider: code with PKCE and nonce, an address of its own to
 * come back to for each connection, `iss` of the answer compared where the provider sends it (RFC
 * 9207), and the ID token verified by its signature, although it came over TLS.
 */
export class OidcUpstream implements UpstreamProtocol {
  readonly kind = 'oidc';
  readonly #dependencies: OidcUpstreamDependencies;
  readonly #metadata: ProviderMetadata;

  constructor(dependencies: OidcUpstreamDependencies) {
    this.#dependencies = dependencies;
    this.#metadata = new ProviderMetadata(dependencies);
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
    this.#metadata.forget(live.connection.id);
    return this.#guarded(live, (signal) => this.#metadata.of(live, signal).metadata);
  }

  /**
   * Verifies a logout token of the provider (OpenID Connect Back-Channel Logout 1.0, section 2.6). An
   * ID token is none: it has a nonce, and no such event.
   *
   * @throws {UpstreamProblem}
   */
  logout(live: LiveConnection, token: string): Promise<UpstreamLogout> {
    return this.#guarded(live, async (signal) => {
      const { keys, issuer } = await this.#metadata.keys(live, signal);
      const { payload, protectedHeader } = await jwtVerify(token, keys, {
        issuer,
        audience: oidcSettings(live.connection.settings).clientId,
        algorithms: [...algorithms],
        clockTolerance: skew,
        maxTokenAge: 300,
        currentDate: this.#dependencies.clock(),
        requiredClaims: ['iat', 'jti', 'events'],
      });
      return toldBy(protectedHeader, payload, issuer);
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
    const { keys, issuer } = await this.#metadata.keys(live, signal);
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
        this.#metadata.of(live, signal).keys = oidc.getJwksCache(configuration);
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
    const kept = this.#metadata.of(live, signal);
    const metadata = await kept.metadata;
    const configuration = new oidc.Configuration(
      metadata,
      settings.clientId,
      undefined,
      secret ? await this.#authentication(live, settings, secret) : oidc.None(),
    );
    configuration[oidc.customFetch] = this.#metadata.fetch(signal, kept, metadata.jwks_uri);
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

/** Those that this way of proving ourselves uses, the newest first. */
function credentialsOf(
  { secrets }: LiveConnection,
  { clientAuthentication }: OidcSettings,
): ConnectionSecret[] {
  const kind = clientAuthentication === 'private_key_jwt' ? 'private_key' : 'client_secret';
  return secrets.filter((secret) => secret.kind === kind).slice(0, 2);
}
