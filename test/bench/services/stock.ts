import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from 'koa';
import { Provider, type Configuration } from 'oidc-provider';
import { pageContext, sendPage } from '#http/context.ts';
import { csrf } from '#http/csrf.ts';
import { Es256Key } from '#http/oidc/es256-key.ts';
import { passwordPage } from '#http/pages/identify.ts';
import { CookieKeys } from '#platform/cookie-keys.ts';
import { serveParent } from '../service.ts';
import type { Place } from '../flows.ts';

/**
 * The baseline: oidc-provider as it comes, with its own in-memory adapter, its own defaults and our
 * page of a sign-in, made as we make it (performance.md, section 3). Set is only what switches on the
 * features that are measured, and a grant without a page, as its documentation has it for applications
 * of one's own. Tuned, it signs as we do, and keeps everything in memory still.
 */

const client = {
  id: 'bench',
  secret: 'a-secret-of-the-bench-that-is-long-enough',
  redirectUri: 'https://rp.example/cb',
};
const resource = 'https://api.example/';

serveParent({
  /** @param tuned whether it signs, and signs cookies, as we do */
  async start({ people, tuned }: { people: Place['people']; tuned: boolean }): Promise<Place> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const issuer = `http://localhost:${port}`;
    const provider = engine(issuer, tuned ? ours() : {});
    const handle = provider.callback();
    server.on('request', (request, response) => void handle(request, response));
    return {
      host: `localhost:${port}`,
      ports: [port],
      paths: {
        authorize: '/auth',
        token: '/token',
        userinfo: '/me',
        introspect: '/token/introspection',
        discovery: '/.well-known/openid-configuration',
        keys: '/jwks',
      },
      client,
      resource,
      people,
    };
  },
  sample: () => {
    const { user, system } = process.cpuUsage();
    return { cpu: (user + system) / 1000, statements: 0, rss: process.memoryUsage.rss() };
  },
});

/** What we give the engine to be quicker, but for where it keeps things. */
function ours(): Partial<Configuration> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = { ...privateKey.export({ format: 'jwk' }), kid: 'bench', alg: 'ES256', use: 'sig' };
  return {
    cookies: { keys: new CookieKeys([randomBytes(32)]) as never },
    jwks: { keys: [new Es256Key(key)] as never },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
  };
}

function engine(issuer: string, own: Partial<Configuration>): Provider {
  const forms = csrf(Buffer.alloc(32, 7), issuer);
  const provider: Provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [client.redirectUri],
        grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      },
    ],
    cookies: { keys: ['a key of the bench'] },
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'given_name', 'family_name', 'preferred_username', 'locale', 'updated_at'],
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      externalSigningSupport: { enabled: 'jwks' in own, ack: 'experimental-01' },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope: 'api:read',
          audience: resource,
          accessTokenTTL: 300,
          accessTokenFormat: 'jwt' as const,
          ...('jwks' in own && { jwt: { sign: { alg: 'ES256' as const } } }),
        }),
      },
    },
    rotateRefreshToken: true,
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        email: id,
        email_verified: true,
        name: 'Ann Archer',
        given_name: 'Ann',
        family_name: 'Archer',
        preferred_username: id,
        locale: 'en',
        updated_at: 1_700_000_000,
      }),
    }),
    async loadExistingGrant(ctx) {
      const { session, client: asking, result } = ctx.oidc;
      const id = result?.consent?.grantId ?? session!.grantIdFor(asking!.clientId);
      const found = id ? await provider.Grant.find(id) : undefined;
      if (found) return found;
      const grant = new provider.Grant({
        clientId: asking!.clientId,
        accountId: session!.accountId!,
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    ...own,
  } satisfies Configuration);

  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith('/interaction/')) return next();
    const { uid, prompt, params, session } = await provider.interactionDetails(ctx.req, ctx.res);
    let result: Record<string, unknown>;
    if (prompt.name === 'login' && ctx.method === 'GET') {
      const here = `/interaction/${uid}`;
      sendPage(
        ctx,
        200,
        passwordPage({
          ...pageContext(ctx, { requested: params['ui_locales'] }),
          csrf: forms.token(ctx, uid),
          action: here,
          changeHref: here,
          email: String(params['login_hint']),
          forgotHref: here,
          clientName: 'Bench',
        }),
      );
      return undefined;
    } else if (prompt.name === 'login') {
      const form = new URLSearchParams(await bodyOf(ctx));
      result = { login: { accountId: form.get('email') } };
    } else {
      const grant = new provider.Grant({
        clientId: String(params['client_id']),
        accountId: session!.accountId,
      });
      grant.addOIDCScope(String(params['scope']));
      result = { consent: { grantId: await grant.save() } };
    }
    await provider.interactionFinished(ctx.req, ctx.res, result, {
      mergeWithLastSubmission: prompt.name !== 'login',
    });
    ctx.respond = false;
    return undefined;
  });
  return provider;
}

async function bodyOf(ctx: Context): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
