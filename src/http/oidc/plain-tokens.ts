import type { Context } from 'koa';
import type { AdapterPayload } from 'oidc-provider';
import type { Clock } from '#platform/clock.ts';
import { accessDecision } from '#identity/access/access-decision.ts';
import {
  mayAskAbout,
  secretMatches,
  type Client,
  type Registry,
} from '#identity/applications/client.ts';
import { isConfidential } from '#identity/applications/manage-clients.ts';
import type { Person } from '#identity/users/person.ts';
import { readBytes } from '../body.ts';
import type { accessTokens } from './found-token.ts';
import { opaqueLengths } from './stored-key.ts';
import { claimsOf, claimsOfScopes } from './claims.ts';

/**
 * Userinfo and introspection of ordinary access tokens, which is nearly all that is ever asked there:
 * a bearer token without audience, with no claims asked for one by one, that is alive and whose person
 * may come in. What the engine would answer is answered here, byte for byte, in half of its time; the
 * decisions are the same functions.
 *
 * **It never says no.** Whatever is not plain, and every refusal, is the engine's, which looks for
 * itself. `test/http/oidc/plain-tokens` asks both.
 */
export interface PlainTokens {
  /** Whether the request was answered. If not, nothing has happened to it. */
  answer(ctx: Context): Promise<boolean>;
}

export interface PlainTokenDependencies {
  /** Where access tokens are found. */
  accessTokens: ReturnType<typeof accessTokens>;
  registry: Registry;
  clock: Clock;
  issuer: string;
}

/** An access token of ours, where it is brought along, and where it is asked about. */
const opaque = `[\\w-]{${opaqueLengths['AccessToken']}}`;
const bearer = new RegExp(`^Bearer (${opaque})$`);
const question = new RegExp(`^token=(${opaque})(?:&token_type_hint=access_token)?$`);

/** Longer forms hold something that is not plain. */
const formLimit = 2048;

export function plainTokens({
  accessTokens: find,
  registry,
  clock,
  issuer,
}: PlainTokenDependencies): PlainTokens {
  return {
    answer(ctx) {
      if (ctx.querystring !== '' || 'origin' in ctx.req.headers || 'dpop' in ctx.req.headers)
        return Promise.resolve(false);
      if (ctx.path === '/oauth/userinfo' && ctx.method === 'GET') return userinfo(ctx);
      if (ctx.path === '/oauth/introspect' && ctx.method === 'POST') return introspect(ctx);
      return Promise.resolve(false);
    },
  };

  /** OpenID Connect Core 1.0, section 5.3. */
  async function userinfo(ctx: Context): Promise<boolean> {
    const { authorization = '', 'content-type': type } = ctx.req.headers;
    const value = bearer.exec(authorization)?.[1];
    if (value === undefined || type !== undefined) return false;
    const found = await alive(value);
    if (!found) return false;
    const { token, owner, person, granted } = found;
    if (owner.metadata['userinfo_signed_response_alg'] !== undefined) return false;
    const asked = new Set((token.scope ?? '').split(' '));
    if (!asked.has('openid')) return false;

    const known = claimsOf(person);
    const told: Record<string, unknown> = {};
    for (const name of granted)
      if (asked.has(name))
        for (const claim of claimsOfScopes[name] ?? [])
          if (claim in known) told[claim] = known[claim];
    send(ctx, told, 'DPoP-Nonce,WWW-Authenticate');
    return true;
  }

  /** RFC 7662. */
  async function introspect(ctx: Context): Promise<boolean> {
    const { headers } = ctx.req;
    const asker = await authenticated(headers.authorization ?? '');
    const length = Number(headers['content-length']);
    if (
      !asker ||
      headers['content-type'] !== 'application/x-www-form-urlencoded' ||
      !(length > 0 && length <= formLimit) ||
      headers['content-encoding'] !== undefined
    )
      return false;
    const body = await readBytes(ctx.req, formLimit);
    const value = question.exec(body.toString('latin1'))?.[1];
    const found = value !== undefined && (await alive(value));
    if (!found || !mayAskAbout(asker, found.owner)) {
      readAgain(ctx, body);
      return false;
    }
    const { token } = found;
    send(
      ctx,
      {
        active: true,
        sub: token.accountId,
        client_id: token.clientId,
        exp: token.exp,
        iat: token.iat,
        sid: token.sid,
        iss: issuer,
        scope: token.scope || undefined,
        token_type: 'Bearer',
      },
      'WWW-Authenticate',
    );
    return true;
  }

  /** The client whose secret it is (RFC 6749, section 2.3.1), where it proves itself like that. */
  async function authenticated(authorization: string): Promise<Client | undefined> {
    const [, pair] = /^Basic ([A-Za-z0-9+/]+={0,2})$/.exec(authorization) ?? [];
    if (pair === undefined || pair.length % 4 !== 0) return undefined;
    const [, id, secret] = /^([\w-]+):([\w-]+)$/.exec(Buffer.from(pair, 'base64').toString()) ?? [];
    const client = id === undefined ? undefined : await registry.client(id);
    if (!client || !isConfidential(client.metadata)) return undefined;
    return secretMatches(client, secret!, clock()) ? client : undefined;
  }

  /** A plain token that lives, with all that it stands on and a person who may come in. */
  async function alive(value: string): Promise<Alive | undefined> {
    const found = await find(value);
    if (!found) return undefined;
    const { token, grant, person, ofSession } = found;
    if (token.kind !== 'AccessToken') return undefined;
    for (const name of notPlain) if (token[name] !== undefined) return undefined;

    const { accountId, clientId } = token;
    const owner = clientId === undefined ? undefined : await registry.client(clientId);
    if (!person || !owner || owner.metadata['subject_type'] === 'pairwise') return undefined;
    if (grant.accountId !== accountId || grant.clientId !== clientId || grant.rejected)
      return undefined;
    if (accessDecision(person, owner.policy).access !== 'allow') return undefined;

    const now = clock().getTime() / 1000;
    if (!(token.exp! > now && grant.exp! > now && token.iat! <= now)) return undefined;
    if (token.expiresWithSession && !ofSession) return undefined;
    const { openid } = grant as { openid?: { scope?: string } };
    return { token, owner, person, granted: (openid?.scope ?? '').split(' ') };
  }
}

interface Alive {
  token: AdapterPayload;
  owner: Client;
  person: Person;
  /** The scopes that the person, or an administrator for them, gave the application. */
  granted: string[];
}

/** What makes a token another thing than a bearer token for our own endpoints. */
const notPlain = ['aud', 'claims', 'extra', 'jkt', 'x5t#S256', 'rar'] as const;

/** The engine reads the body of a request itself: it gets to read what was read. */
function readAgain({ req }: Context, body: Buffer): void {
  Object.defineProperties(req, {
    readable: { value: true, configurable: true },
    iterator: { value: () => [body], configurable: true },
  });
}

function send(ctx: Context, answer: object, exposed: string): void {
  const { res } = ctx;
  res.setHeader('Vary', 'Origin');
  res.setHeader('Access-Control-Allow-Origin', '*');
  res.setHeader('Access-Control-Expose-Headers', exposed);
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  ctx.body = JSON.stringify(answer);
}
