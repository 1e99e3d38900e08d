import { createHmac } from 'node:crypto';
import { decodeJwt, type JWK } from 'jose';
import {
  errors,
  Provider,
  type Client as EngineClient,
  type Configuration,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import type { Clock } from '#platform/clock.ts';
import type { CookieKeys } from '#platform/cookie-keys.ts';
import type { Database } from '#platform/database/database.ts';
import { locales } from '#platform/i18n.ts';
import { accessDecision, type AccessDecision } from '#identity/access/access-decision.ts';
import {
  mayAskAbout,
  secretMatches,
  type Client,
  type Registry,
} from '#identity/applications/client.ts';
import type { AppSecrets } from '#identity/keys/app-secrets.ts';
import { acrs, levelOfAcr, type Standing } from '#identity/sign-in/assurance.ts';
import type { SecondFactorPolicy } from '#identity/sign-in/second-factor-policy.ts';
import { findPerson, type Person } from '#identity/users/person.ts';
import { sessionPolicy } from '#identity/sign-in/session-policy.ts';
import { adapterFactory } from './adapter.ts';
import { pollInterval } from './artifact-adapter.ts';
import { opaqueLengths } from './stored-key.ts';
import { claimsOf, claimsOfScopes } from './claims.ts';
import { cookieNames } from './cookie-names.ts';
import { corsOrigins, engineClients, refuseUnsafe } from './engine-client.ts';
import { Es256Key } from './es256-key.ts';
import { existingGrant } from './existing-grant.ts';
import type { EnginePages } from './pages.ts';
import { signOutNow } from './sign-out-now.ts';
import { signInPolicy } from './interaction-policy.ts';
import { requestScopes } from './request-scope.ts';
import { sayDecision } from './said-denial.ts';

export interface EngineDependencies {
  issuer: string;
  database: Database;
  clock: Clock;
  registry: Registry;
  secrets: AppSecrets;
  cookieKeys: CookieKeys;
  lifetimes: Lifetimes;
  /** The installation's own rule of who has to have a second factor. */
  secondFactorPolicy: SecondFactorPolicy;
  pages: EnginePages;
  /** Fetches from addresses that clients registered, within what the installation allows. */
  fetch: NonNullable<Configuration['fetch']>;
}

/** Seconds (behaviour.md F27). */
export interface Lifetimes {
  sessionIdle: number;
  sessionAbsolute: number;
  accessToken: number;
  idToken: number;
  refreshIdle: number;
  refreshAbsolute: number;
  /** How long a company's provider is believed after it vouched for somebody (behaviour.md F31). */
  federated: number;
}

/** How clients prove who they are; public ones, at the end, do not. */
const clientAuthMethods = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'none',
] as const;
const assertionAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'] as const;

/**
 * oidc-provider, set up as oidc.md decides. A new one is made whenever the signing keys change: it
 * takes four milliseconds, and every process has the same state in the same database.
 */
export function engine(dependencies: EngineDependencies, keys: JWK[]): Provider {
  const { issuer, database, clock, registry, secrets, cookieKeys, lifetimes, pages } = dependencies;
  const policy = dependencies.secondFactorPolicy;
  const secure = issuer.startsWith('https:');
  const sessionCookie = {
    signed: true,
    httpOnly: true,
    sameSite: 'lax',
    secure,
    path: '/',
  } as const;

  /** The person as they are now: read once per request, with whatever else it read. */
  async function personOf(id: string): Promise<Person | null> {
    const scope = requestScopes.getStore();
    const known = scope?.people.get(id);
    if (known !== undefined) return known;
    const person = await findPerson(database, id, clock());
    scope?.people.set(id, person);
    return person;
  }

  /** The person as this request has read them already. */
  function known(id: string | undefined): Person | null | undefined {
    return id === undefined ? undefined : requestScopes.getStore()?.people.get(id);
  }

  /** Seconds since an application was first given a refresh token, however often it was rotated. */
  function ageOf(token: object): number {
    const { iiat } = token as { iiat?: number };
    return iiat === undefined ? 0 : Math.max(0, Math.floor(clock().getTime() / 1000) - iiat);
  }

  /** A session goes on as long as it is used, but not for ever (oidc.md P13). */
  async function isTooOld(ctx: KoaContextWithOIDC): Promise<boolean> {
    const { accountId, loginTs } = ctx.oidc.session ?? {};
    if (!accountId || loginTs === undefined) return false;
    return clock().getTime() / 1000 - loginTs > longestSession(await personOf(accountId));
  }

  /** Seconds after which a person proves anew who they are, however busy they were. */
  function longestSession(person: Person | null | undefined): number {
    const { hours } = sessionPolicy(person);
    return hours === null ? lifetimes.sessionAbsolute : hours * 3600;
  }

  /**
   * When what began with this proof is over at the latest, in seconds since 1970: the `session_expiry`
   * of OpenID IPSIE's session lifecycle profile. A company's provider may have set an earlier end.
   */
  function sessionExpiry(person: Person, authTime: number | undefined): number | undefined {
    if (authTime === undefined) return undefined;
    const own = authTime + longestSession(person);
    const until = requestScopes.getStore()?.redeemed?.until;
    return until === undefined ? own : Math.min(own, Math.floor(Date.parse(until) / 1000));
  }

  function refreshAbsolute(person: Person | null | undefined): number {
    const { refreshDays } = sessionPolicy(person);
    return refreshDays === null ? lifetimes.refreshAbsolute : refreshDays * 24 * 3600;
  }

  async function clientOf(id: string | undefined): Promise<Client | undefined> {
    return id === undefined ? undefined : await registry.client(id);
  }

  async function decide(ctx: KoaContextWithOIDC): Promise<AccessDecision> {
    const id = ctx.oidc.session?.accountId;
    // Both are known nearly always, and it is asked again and again.
    const person = id ? await personOf(id) : null;
    const client = await clientOf(ctx.oidc.client?.clientId);
    return accessDecision(person, client?.policy ?? null, standing(ctx.oidc.session?.acr));
  }

  /** How strong the proof behind a session, or behind what a session gave, was. */
  function standing(acr: string | undefined): Standing {
    return { level: levelOfAcr(acr), policy };
  }

  async function isFirstParty(ctx: KoaContextWithOIDC): Promise<boolean> {
    return (await clientOf(ctx.oidc.client?.clientId))?.firstParty ?? false;
  }

  /** The same person is another to each sector (OpenID Connect Core 1.0, section 8.1). */
  function pairwise(sector: string, accountId: string): string {
    return createHmac('sha256', secrets.pairwise)
      .update(`${sector}|${accountId}`)
      .digest('base64url');
  }

  const provider = new Provider(issuer, {
    adapter: adapterFactory({ database, clock, clientMetadata: engineClients(registry) }),
    jwks: { keys: keys.map((key) => (key.alg === 'ES256' ? new Es256Key(key) : key)) },
    clients: [],
    clientDefaults: {
      // RS256 costs many times what ES256 costs; an application that needs it registers it.
      id_token_signed_response_alg: 'ES256',
      response_types: ['code'],
      grant_types: ['authorization_code'],
    },
    routes: {
      authorization: '/oauth/authorize',
      backchannel_authentication: '/oauth/backchannel',
      code_verification: '/device',
      device_authorization: '/oauth/device_authorization',
      end_session: '/oauth/end_session',
      introspection: '/oauth/introspect',
      jwks: '/oauth/jwks',
      pushed_authorization_request: '/oauth/par',
      revocation: '/oauth/revoke',
      token: '/oauth/token',
      userinfo: '/oauth/userinfo',
    },

    // --- What is spoken
    responseTypes: ['code', 'none'],
    acrValues: Object.values(acrs),
    subjectTypes: ['public', 'pairwise'],
    scopes: ['openid', 'offline_access', ...Object.keys(claimsOfScopes).slice(1), 'scim'],
    claims: claimsOfScopes,
    // An application that reads nothing but the ID token finds in it what its scopes promise.
    conformIdTokenClaims: false,
    clientAuthMethods: [...clientAuthMethods],
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256', 'ES256'],
      userinfoSigningAlgValues: ['RS256', 'ES256'],
      introspectionSigningAlgValues: ['RS256', 'ES256'],
      clientAuthSigningAlgValues: [...assertionAlgorithms],
      requestObjectSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'],
      dPoPSigningAlgValues: ['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'],
    },
    allowOmittingSingleRegisteredRedirectUri: false,
    discovery: {
      claim_types_supported: ['normal'],
      display_values_supported: ['page', 'popup', 'touch'],
      introspection_endpoint_auth_methods_supported: clientAuthMethods.slice(0, -1),
      introspection_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
      prompt_values_supported: ['none', 'login', 'consent'],
      request_parameter_supported: false,
      revocation_endpoint_auth_methods_supported: clientAuthMethods,
      revocation_endpoint_auth_signing_alg_values_supported: assertionAlgorithms,
      ui_locales_supported: [...locales],
    },
    acceptQueryParamAccessTokens: false,
    clockTolerance: 15,
    pkce: {
      // Public clients always; a confidential one authenticates itself at the token endpoint, and
      // the certification of the Basic profile runs without PKCE (oidc.md section 1).
      required: (_ctx, client) =>
        client.clientAuthMethod === 'none' || client['require_pkce'] === true,
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: true },
      jwtUserinfo: { enabled: false },
      revocation: { enabled: true, allowedPolicy: mayRevoke },
      clientCredentials: { enabled: true },
      claimsParameter: { enabled: true },
      backchannelLogout: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      dPoP: { enabled: true, nonceSecret: secrets.dpopNonce, allowReplay: false },
      introspection: { enabled: true, allowedPolicy: mayIntrospect },
      // For `Es256Key`. The version of the engine is pinned exactly.
      externalSigningSupport: { enabled: true, ack: 'experimental-01' },
      deviceFlow: {
        enabled: true,
        charset: 'base-20',
        mask: '****-****',
        userCodeInputSource: pages.userCodeInput,
        userCodeConfirmSource: pages.userCodeConfirm,
        successSource: pages.deviceDone,
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: async (ctx, form) =>
          (await isExpected(ctx)) ? signOutNow(ctx) : pages.signOut(ctx, form),
        postLogoutSuccessSource: pages.signedOut,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo,
      },
    },
    extraClientMetadata: {
      properties: ['require_pkce', 'cors_origins'],
      // Called once per property; what is looked at is the whole.
      validator: (_ctx, _key, _value, metadata) => refuseUnsafe(metadata),
    },
    /**
     * oidc-provider drops `offline_access` unless `prompt=consent` is sent along. A first-party
     * application is never asked for consent, so it keeps what it asked for. This hook runs right
     * after the scope was looked at, at each endpoint that takes authorization parameters.
     */
    extraParams: {
      async ostiary_offline(ctx: KoaContextWithOIDC) {
        const { params, client } = ctx.oidc;
        if (!params || !client || !requestedScopes(ctx).includes('offline_access')) return;
        const kept = typeof params['scope'] === 'string' ? params['scope'].split(' ') : [];
        if (kept.includes('offline_access') || !client.grantTypeAllowed('refresh_token')) return;
        if (client.scope && !client.scope.split(' ').includes('offline_access')) return;
        if ((await clientOf(client.clientId))?.firstParty)
          params['scope'] = [...kept, 'offline_access'].join(' ');
      },
    },

    // --- How long
    ttl: {
      AccessToken: (_ctx, token) => token.resourceServer?.accessTokenTTL ?? lifetimes.accessToken,
      AuthorizationCode: 60,
      ClientCredentials: (_ctx, token) =>
        token.resourceServer?.accessTokenTTL ?? lifetimes.accessToken,
      DeviceCode: 600,
      Grant: lifetimes.refreshAbsolute,
      IdToken: lifetimes.idToken,
      Interaction: 3600,
      RefreshToken: (_ctx, token) =>
        Math.max(
          1,
          Math.min(lifetimes.refreshIdle, refreshAbsolute(known(token.accountId)) - ageOf(token)),
        ),
      Session: (_ctx, session) => {
        const { idleMinutes } = sessionPolicy(known(session.accountId));
        return idleMinutes === null ? lifetimes.sessionIdle : idleMinutes * 60;
      },
    },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx, client, source) =>
      Promise.resolve(
        client.grantTypeAllowed('refresh_token') && source.scopes.has('offline_access'),
      ),
    formats: {
      bitsOfOpaqueRandomness: (_ctx, token) => (opaqueLengths[token.kind] ?? 43) * 6,
    },
    async extraTokenClaims(_ctx, token) {
      if (!('accountId' in token) || !token.aud) return undefined;
      const person = await personOf(token.accountId);
      const { org, org_name } = person ? claimsOf(person) : ({} as Record<string, unknown>);
      return org ? { org, org_name } : undefined;
    },

    // --- Who
    async findAccount(ctx, sub, token) {
      const person = await personOf(sub);
      if (!person || person.identity === 'erased') return undefined;
      if (token) {
        const client = await clientOf(token.clientId);
        // A code and a refresh token say how their person signed in; an access token does not.
        const proof =
          token.kind === 'AccessToken' ? null : standing((token as { acr?: string }).acr);
        const decision = accessDecision(person, client?.policy ?? null, proof);
        if (decision.access !== 'allow') {
          // Userinfo answers 401 to nobody; a grant is told what to do about it.
          if (token.kind === 'AccessToken') return undefined;
          throw new errors.InvalidGrant(sayDecision(decision));
        }
        if (token.kind === 'RefreshToken') {
          if (ageOf(token) > refreshAbsolute(person))
            throw new errors.InvalidGrant('the end-user has to sign in again');
        }
      }
      void ctx;
      const { authTime } = (token ?? {}) as { authTime?: number };
      return {
        accountId: sub,
        claims: (use) =>
          use === 'id_token'
            ? { ...claimsOf(person), session_expiry: sessionExpiry(person, authTime) }
            : claimsOf(person),
      };
    },
    pairwiseIdentifier: (_ctx, accountId, client) =>
      Promise.resolve(pairwise(client.sectorIdentifier as string, accountId)),
    loadExistingGrant: existingGrant(database, registry),

    // --- Pages
    interactions: {
      url: (_ctx, interaction) => `/sign-in/${interaction.uid}`,
      policy: signInPolicy(decide, isFirstParty, isTooOld),
    },
    renderError: pages.error,
    cookies: {
      names: cookieNames(issuer),
      keys: cookieKeys as never,
      long: sessionCookie,
      short: { signed: true, httpOnly: true, sameSite: 'lax', secure },
    },
    clientBasedCORS: (_ctx, origin, client) => corsOrigins(client).includes(origin),
    fetch: dependencies.fetch,
  } satisfies Configuration);

  async function getResourceServerInfo(
    _ctx: unknown,
    indicator: string,
    engineClient: EngineClient,
  ) {
    const [server, client] = await Promise.all([
      registry.resourceServer(indicator),
      clientOf(engineClient.clientId),
    ]);
    if (!server || !client?.resources.includes(indicator)) throw new errors.InvalidTarget();
    return {
      scope: server.scopes.join(' '),
      audience: server.identifier,
      accessTokenTTL: server.ttl,
      accessTokenFormat: 'jwt' as const,
      jwt: { sign: { alg: server.alg } },
    };
  }

  /**
   * What is told of a token: that it is alive only while its person may still come in. Otherwise the
   * token of a locked person stays `active` (oidc.md P2).
   */
  async function mayIntrospect(
    _ctx: KoaContextWithOIDC,
    asking: EngineClient,
    token: { clientId?: string | undefined; accountId?: string | undefined },
  ): Promise<boolean> {
    if (asking.clientAuthMethod === 'none') return false;
    const [asker, owner] = await Promise.all([clientOf(asking.clientId), clientOf(token.clientId)]);
    if (!owner || !mayAskAbout(asker, owner)) return false;
    if (!token.accountId) return true;
    return accessDecision(await personOf(token.accountId), owner.policy).access === 'allow';
  }

  /** RFC 7009, section 2.1: who asks about the token of another is told so, and nothing happens. */
  function mayRevoke(
    _ctx: KoaContextWithOIDC,
    asking: EngineClient,
    token: { clientId?: string | undefined },
  ): boolean {
    if (token.clientId === asking.clientId) return true;
    throw new errors.InvalidRequest('the token was given to another client');
  }

  /**
   * Whether the application proves, by an ID token it was given, that it means the person who is
   * signed in here: then they are not asked whether they want to sign out (behaviour.md F27). Without
   * such a proof anybody could sign anybody out by a link.
   */
  async function isExpected(ctx: KoaContextWithOIDC): Promise<boolean> {
    const { client, session, entities } = ctx.oidc;
    const accountId = session?.accountId;
    if (!client || !accountId || !entities.IdTokenHint) return false;
    const sub =
      client.subjectType === 'pairwise'
        ? pairwise(client.sectorIdentifier as string, accountId)
        : accountId;
    return (
      entities.IdTokenHint.payload.sub === sub && session.sidFor(client.clientId) !== undefined
    );
  }

  // The page that says what is wrong with a device's code holds a form, and hence needs a session. The
  // engine gives it one too late to be saved, and fails where the browser had none before.
  const { persist } = provider.Session.prototype;
  provider.Session.prototype.persist = async function (this: typeof provider.Session.prototype) {
    if (typeof this.exp === 'number') return await persist.call(this);
    Provider.ctx?.oidc.cookies.set(cookieNames(issuer).session, this.jti, sessionCookie);
    return await this.save(lifetimes.sessionIdle);
  };

  // A device is told how often it may ask.
  provider.on('device_authorization.success', (_ctx, response) => {
    Object.assign(response, { interval: pollInterval });
  });

  // The engine would find its client by a hash of all its metadata, at each request.
  const find = provider.Client.find.bind(provider.Client);
  const made = new WeakMap<Client, EngineClient>();
  provider.Client.find = async (id: string): Promise<EngineClient | undefined> => {
    const client = typeof id === 'string' ? await registry.client(id) : undefined;
    if (!client) return undefined;
    let engineClient = made.get(client);
    if (!engineClient) {
      engineClient = await find(id);
      if (engineClient) made.set(client, engineClient);
    }
    return engineClient;
  };

  // Several secrets per client, each hashed and with an end of its own.
  provider.Client.prototype.compareClientSecret = async function (
    this: EngineClient,
    actual: string,
  ): Promise<boolean> {
    const client = await registry.client(this.clientId);
    return client !== undefined && secretMatches(client, actual, clock());
  };

  return provider;
}

/** The scope parameter as it was sent or pushed, before anything was dropped from it. */
function requestedScopes(ctx: KoaContextWithOIDC): string[] {
  const pushed = ctx.oidc.entities.PushedAuthorizationRequest as { request: string } | undefined;
  const body = ctx.oidc.body as { scope?: unknown } | undefined;
  const sent = ctx.method === 'POST' ? body : ctx.query;
  const { scope } = (pushed ? decodeJwt(pushed.request) : sent) as { scope?: unknown };
  return typeof scope === 'string' ? scope.split(' ') : [];
}
