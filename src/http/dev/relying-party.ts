import { createRemoteJWKSet, jwtVerify, type JWTPayload } from 'jose';
import * as oidc from 'openid-client';
import type { Clock } from '#platform/clock.ts';
import type { Answer, Choices, Pending, Received, TokenKind } from './visits.ts';

export interface Registration {
  clientId: string;
  clientSecret: string;
}

const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout';

/**
 * An application that signs people in by OpenID Connect, as anybody's would: it knows the issuer, its
 * own name and secret, and learns the rest from the issuer's metadata, over HTTP.
 *
 * The metadata is read anew for every use. An application that serves people would keep it.
 */
export class RelyingParty {
  readonly #issuer: string;
  readonly #clock: Clock;
  readonly #registration: Registration;

  constructor(issuer: string, clock: Clock, registration: Registration) {
    this.#issuer = issuer;
    this.#clock = clock;
    this.#registration = registration;
  }

  /** Where the browser goes, and what the answer will be compared with. */
  async begin(
    choices: Choices,
    { idTokenHint }: { idTokenHint?: string | undefined } = {},
  ): Promise<{ url: URL; pending: Pending }> {
    const configuration = await this.#discover();
    const verifier = oidc.randomPKCECodeVerifier();
    const state = oidc.randomState();
    const nonce = oidc.randomNonce();
    const scope = ['openid', ...choices.scopes, choices.refreshToken && 'offline_access']
      .filter(Boolean)
      .join(' ');
    const parameters = {
      redirect_uri: `${this.#issuer}/dev/app/callback`,
      scope,
      state,
      nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      ...given('prompt', choices.prompt),
      ...given('login_hint', choices.loginHint),
      ...given('max_age', choices.maxAge),
      ...given('acr_values', choices.acrValues),
      ...given('ui_locales', choices.uiLocales),
      ...given('resource', choices.resource),
      ...given('id_token_hint', idTokenHint ?? ''),
    };
    const url = oidc.buildAuthorizationUrl(configuration, parameters);
    return {
      url,
      pending: {
        state,
        nonce,
        verifier,
        maxAge: choices.maxAge === '' ? undefined : Number(choices.maxAge),
        resource: choices.resource,
        sent: Object.fromEntries(url.searchParams),
      },
    };
  }

  /**
   * Redeems the code. On the way are compared: `state`, `iss` of the answer (RFC 9207), the code
   * with its PKCE verifier, and of the ID token: signature, `iss`, `aud`, `exp`, `nonce`, and
   * `auth_time` where `max_age` was asked for.
   */
  async finish(answer: URL, pending: Pending): Promise<Received> {
    const tokens = await oidc.authorizationCodeGrant(await this.#discover(), answer, {
      expectedState: pending.state,
      expectedNonce: pending.nonce,
      pkceCodeVerifier: pending.verifier,
      idTokenExpected: true,
      ...(pending.maxAge !== undefined && { maxAge: pending.maxAge }),
    });
    return {
      ...this.#held(tokens),
      idToken: tokens.id_token!,
      claims: tokens.claims()!,
      refreshToken: tokens.refresh_token ?? null,
      resource: pending.resource,
      sent: pending.sent,
      userinfo: null,
      introspection: null,
    };
  }

  /** The tokens that follow. The refresh token is spent by this: the answer holds the next one. */
  async refresh(received: Received): Promise<Received> {
    const tokens = await oidc.refreshTokenGrant(await this.#discover(), received.refreshToken!);
    const claims = tokens.claims() ?? received.claims;
    // OpenID Connect Core 1.0, section 12.2.
    if (claims.sub !== received.claims.sub || claims.iss !== received.claims.iss)
      throw new Error('The new ID token is about somebody else.');
    return {
      ...received,
      ...this.#held(tokens),
      idToken: tokens.id_token ?? received.idToken,
      claims,
      refreshToken: tokens.refresh_token ?? received.refreshToken,
      introspection: null,
    };
  }

  async userinfo({ accessToken, claims }: Received): Promise<Answer> {
    return { ...(await oidc.fetchUserInfo(await this.#discover(), accessToken, claims.sub)) };
  }

  async introspect(received: Received, kind: TokenKind): Promise<Answer> {
    const answer = await oidc.tokenIntrospection(await this.#discover(), held(received, kind), {
      token_type_hint: kind,
    });
    return { ...answer };
  }

  async revoke(received: Received, kind: TokenKind): Promise<void> {
    await oidc.tokenRevocation(await this.#discover(), held(received, kind), {
      token_type_hint: kind,
    });
  }

  /** Where the browser goes to end the session (OpenID Connect RP-Initiated Logout 1.0). */
  async signOut(idToken: string): Promise<{ url: URL; state: string }> {
    const state = oidc.randomState();
    const url = oidc.buildEndSessionUrl(await this.#discover(), {
      id_token_hint: idToken,
      post_logout_redirect_uri: `${this.#issuer}/dev/app`,
      state,
    });
    return { url, state };
  }

  /**
   * What a logout token says (OpenID Connect Back-Channel Logout 1.0, section 2.6).
   *
   * @throws {Error} unless the identity provider wrote it, for us, just now.
   */
  async readLogoutToken(token: string): Promise<{ sid?: string; sub?: string }> {
    const { jwks_uri: keys } = (await this.#discover()).serverMetadata();
    const { payload } = await jwtVerify<JWTPayload & { events?: unknown; sid?: unknown }>(
      token,
      createRemoteJWKSet(new URL(keys!)),
      {
        issuer: this.#issuer,
        audience: this.#registration.clientId,
        algorithms: ['ES256', 'RS256'],
        typ: 'logout+jwt',
        requiredClaims: ['iat', 'exp', 'jti', 'events'],
        maxTokenAge: '5 minutes',
        clockTolerance: 15,
        currentDate: this.#clock(),
      },
    );
    const { events, sid, sub } = payload;
    if (typeof events !== 'object' || events === null || !(logoutEvent in events))
      throw new Error('It tells no logout.');
    if ('nonce' in payload) throw new Error('It is an ID token in disguise.');
    if (typeof sid !== 'string' && typeof sub !== 'string') throw new Error('It names nobody.');
    return { ...(typeof sid === 'string' && { sid }), ...(typeof sub === 'string' && { sub }) };
  }

  #discover(): Promise<oidc.Configuration> {
    const { clientId, clientSecret } = this.#registration;
    const plain = this.#issuer.startsWith('http:');
    return oidc.discovery(
      new URL(this.#issuer),
      clientId,
      undefined,
      oidc.ClientSecretBasic(clientSecret),
      {
        timeout: 10,
        // Without TLS nobody vouches for the token endpoint, so the signature has to.
        execute: [
          oidc.enableNonRepudiationChecks,
          // oxlint-disable-next-line typescript/no-deprecated -- for http://localhost, in development
          ...(plain ? [oidc.allowInsecureRequests] : []),
        ],
      },
    );
  }

  #held(tokens: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers) {
    const seconds = tokens.expiresIn();
    return {
      accessToken: tokens.access_token,
      scope: tokens.scope,
      accessTokenUntil:
        seconds === undefined ? null : new Date(this.#clock().getTime() + seconds * 1000),
    };
  }
}

function held({ accessToken, refreshToken }: Received, kind: TokenKind): string {
  return kind === 'access_token' ? accessToken : refreshToken!;
}

function given(name: string, value: string): Record<string, string> {
  return value === '' ? {} : { [name]: value };
}
