import { createHash, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT, type JWTPayload } from 'jose';

/** Somebody whom the provider knows. */
export interface UpstreamPerson {
  sub: string;
  [claim: string]: unknown;
}

interface Code {
  clientId: string;
  redirectUri: string;
  nonce: string | null;
  challenge: string;
  person: UpstreamPerson;
}

/** What a hostile or broken provider does differently. Each is asked at the moment it matters. */
export interface Misbehaviour {
  metadata?: (metadata: Record<string, unknown>) => Record<string, unknown>;
  /** The way back: other parameters, or fewer. */
  callback?: (parameters: URLSearchParams) => void;
  claims?: (claims: JWTPayload) => JWTPayload;
  /** Makes the ID token itself. */
  idToken?: (claims: JWTPayload, provider: FakeProvider) => Promise<string> | string;
  tokens?: (answer: Record<string, unknown>) => Record<string, unknown>;
  /** Answers a path in its own way; true where it did. */
  answer?: (path: string, response: ServerResponse) => boolean;
}

/**
 * A company's identity provider over real HTTP: discovery, code with PKCE, ID tokens signed by a key
 * of its own, userinfo. Whoever comes to its authorization endpoint is `person`, at once.
 */
export class FakeProvider {
  issuer = '';
  person: UpstreamPerson = { sub: 'nobody' };
  misbehaviour: Misbehaviour = {};
  clientId = 'ostiary-at-acme';
  secrets = ['the secret of the company'];
  /** What was asked for, oldest first. */
  requests: { path: string; parameters: URLSearchParams; headers: IncomingMessage['headers'] }[] =
    [];
  readonly #server: Server;
  readonly #codes = new Map<string, Code>();
  readonly #tokens = new Map<string, UpstreamPerson>();
  #keys: { kid: string; privateKey: KeyObject; publicKey: KeyObject }[] = [];

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.statusCode = 500;
        response.end(String(error));
      });
    });
    this.rotate();
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.issuer = `http://localhost:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** A new signing key in the place of all others. */
  rotate(): void {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    this.#keys = [{ kid: randomBytes(6).toString('hex'), privateKey, publicKey }];
  }

  /** How often a path was asked for. */
  count(path: string): number {
    return this.requests.filter((one) => one.path === path).length;
  }

  get key() {
    return this.#keys[0]!;
  }

  sign(claims: JWTPayload, header: Record<string, unknown> = {}): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: this.key.kid, ...header })
      .sign(this.key.privateKey);
  }

  /** The claims of an ID token for a person, as they are when nobody misbehaves. */
  claimsOf(person: UpstreamPerson, nonce: string | null, accessToken: string): JWTPayload {
    const now = Math.floor(Date.now() / 1000);
    return {
      iss: this.issuer,
      aud: this.clientId,
      iat: now,
      exp: now + 300,
      auth_time: now,
      at_hash: createHash('sha256')
        .update(accessToken)
        .digest()
        .subarray(0, 16)
        .toString('base64url'),
      ...(nonce !== null && { nonce }),
      ...person,
    };
  }

  /** A logout token, as OpenID Connect Back-Channel Logout 1.0 has it. */
  logoutToken(about: Record<string, unknown>): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return this.sign(
      {
        iss: this.issuer,
        aud: this.clientId,
        iat: now,
        exp: now + 120,
        jti: randomBytes(12).toString('hex'),
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
        ...about,
      },
      { typ: 'logout+jwt' },
    );
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.issuer);
    const body = new URLSearchParams(await read(request));
    const parameters = request.method === 'POST' ? body : url.searchParams;
    this.requests.push({ path: url.pathname, parameters, headers: request.headers });
    if (this.misbehaviour.answer?.(url.pathname, response)) return;
    switch (url.pathname) {
      case '/.well-known/openid-configuration': {
        const metadata = {
          issuer: this.issuer,
          authorization_endpoint: `${this.issuer}/authorize`,
          token_endpoint: `${this.issuer}/token`,
          userinfo_endpoint: `${this.issuer}/userinfo`,
          jwks_uri: `${this.issuer}/jwks`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['ES256'],
          authorization_response_iss_parameter_supported: true,
        };
        return json(response, this.misbehaviour.metadata?.(metadata) ?? metadata);
      }
      case '/jwks':
        return json(response, {
          keys: await Promise.all(
            this.#keys.map(async ({ kid, publicKey }) => ({
              ...(await exportJWK(publicKey)),
              kid,
              use: 'sig',
              alg: 'ES256',
            })),
          ),
        });
      case '/authorize': {
        const code = randomBytes(16).toString('base64url');
        const redirectUri = parameters.get('redirect_uri')!;
        this.#codes.set(code, {
          clientId: parameters.get('client_id')!,
          redirectUri,
          nonce: parameters.get('nonce'),
          challenge: parameters.get('code_challenge')!,
          person: this.person,
        });
        const back = new URL(redirectUri);
        back.searchParams.set('code', code);
        back.searchParams.set('state', parameters.get('state')!);
        back.searchParams.set('iss', this.issuer);
        this.misbehaviour.callback?.(back.searchParams);
        response.writeHead(302, { location: back.href });
        response.end();
        return;
      }
      case '/token':
        return this.#token(request, response, parameters);
      case '/userinfo': {
        const person = this.#tokens.get((request.headers.authorization ?? '').slice(7));
        if (!person) return json(response, { error: 'invalid_token' }, 401);
        return json(response, person);
      }
      default:
        return json(response, { error: 'not_found' }, 404);
    }
  }

  async #token(
    _request: IncomingMessage,
    response: ServerResponse,
    parameters: URLSearchParams,
  ): Promise<void> {
    const code = this.#codes.get(parameters.get('code') ?? '');
    const right =
      this.secrets.includes(parameters.get('client_secret') ?? '') &&
      parameters.get('client_id') === this.clientId;
    if (!right && !parameters.has('client_assertion'))
      return json(response, { error: 'invalid_client' }, 401);
    const challenge = createHash('sha256')
      .update(parameters.get('code_verifier') ?? '')
      .digest('base64url');
    if (
      !code ||
      code.redirectUri !== parameters.get('redirect_uri') ||
      code.challenge !== challenge
    )
      return json(response, { error: 'invalid_grant' }, 400);
    this.#codes.delete(parameters.get('code')!);
    const accessToken = randomBytes(16).toString('base64url');
    this.#tokens.set(accessToken, code.person);
    let claims = this.claimsOf(code.person, code.nonce, accessToken);
    claims = this.misbehaviour.claims?.(claims) ?? claims;
    const idToken = this.misbehaviour.idToken
      ? await this.misbehaviour.idToken(claims, this)
      : await this.sign(claims);
    const answer = {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: 300,
      id_token: idToken,
    };
    return json(response, this.misbehaviour.tokens?.(answer) ?? answer);
  }
}

function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
