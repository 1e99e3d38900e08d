import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Provider, type Adapter, type AdapterPayload, type Configuration } from 'oidc-provider';
import { html, raw, type Html } from '#platform/html.ts';
import { sameSecret } from '#platform/secrets.ts';

/** Somebody whom the demo's company knows. */
export interface CorporateUser {
  email: string;
  password: string;
  givenName: string;
  familyName: string;
  /** Left out, so that it is seen how a person is asked for it. */
  country?: string;
  groups?: string[];
}

export interface CorporateIdpOptions {
  issuer: string;
  company: string;
  client: {
    id: string;
    secret: string;
    redirectUri: string;
    signedOutUri: string;
    backchannelLogoutUri: string;
  };
  users: readonly CorporateUser[];
}

export interface CorporateIdp {
  listen(port: number, host: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * The identity provider of the demo's company: a small OpenID provider with people of its own, in
 * memory, on a port of its own. It knows nothing of us but a client, as any company's provider would.
 */
export function corporateIdp({
  issuer,
  company,
  client,
  users,
}: CorporateIdpOptions): CorporateIdp {
  const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    format: 'jwk',
  });
  const byId = new Map(users.map((user) => [subjectOf(user), user]));
  const provider = new Provider(issuer, {
    adapter: memory(),
    jwks: { keys: [{ ...key, alg: 'ES256', use: 'sig', kid: 'corporate-1' }] },
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [client.redirectUri],
        post_logout_redirect_uris: [client.signedOutUri],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        application_type: 'web',
        token_endpoint_auth_method: 'client_secret_post',
        id_token_signed_response_alg: 'ES256',
        backchannel_logout_uri: client.backchannelLogoutUri,
        backchannel_logout_session_required: true,
      },
    ],
    scopes: ['openid', 'profile', 'email'],
    claims: {
      openid: ['sub', 'auth_time', 'amr', 'sid'],
      profile: ['given_name', 'family_name', 'country', 'groups'],
      email: ['email', 'email_verified'],
    },
    conformIdTokenClaims: false,
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = page(
            `Sign out of ${company}?`,
            html`${raw(form)}<button form="op.logoutForm" name="logout" value="yes">
                Sign out
              </button>`,
          ).toString();
        },
        postLogoutSuccessSource: (ctx) => {
          ctx.body = page(
            'You are signed out',
            html`<p>Of ${company}, and of what asked it.</p>`,
          ).toString();
        },
      },
    },
    cookies: {
      // Another name than ours: a browser does not keep cookies of two ports apart.
      names: {
        session: 'corporate_session',
        interaction: 'corporate_sign_in',
        resume: 'corporate_resume',
      },
      keys: [crypto.randomUUID()],
    },
    interactions: { url: (_ctx, { uid }) => `/sign-in/${uid}` },
    findAccount: (_ctx, id) => {
      const user = byId.get(id);
      return (
        user && {
          accountId: id,
          claims: () => ({
            sub: id,
            email: user.email,
            email_verified: true,
            given_name: user.givenName,
            family_name: user.familyName,
            ...(user.country && { country: user.country }),
            groups: user.groups ?? [],
          }),
        }
      );
    },
    // Its one application is its own.
    async loadExistingGrant(ctx) {
      const grant = new ctx.oidc.provider.Grant({
        accountId: ctx.oidc.session!.accountId!,
        clientId: ctx.oidc.client!.clientId,
      });
      grant.addOIDCScope('openid profile email');
      await grant.save();
      return grant;
    },
    // The engine refuses private addresses, and ours is one while somebody tries things out.
    fetch: (input, { dispatcher: _guard, ...init }: RequestInit & { dispatcher?: unknown } = {}) =>
      fetch(input, init),
    ttl: {
      Session: 8 * 3600,
      Interaction: 3600,
      Grant: 8 * 3600,
      AuthorizationCode: 60,
      AccessToken: 300,
      IdToken: 300,
    },
  } satisfies Configuration);

  const answer = provider.callback();
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').split('?');
    if (path === '/') return send(response, 200, welcome());
    if (!path.startsWith('/sign-in/')) return void answer(request, response);
    signIn(request, response).catch(() => {
      send(
        response,
        400,
        page('This sign-in is over', html`<p>Begin again in the application.</p>`),
      );
    });
  });

  async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { uid, params } = await provider.interactionDetails(request, response);
    if (request.method !== 'POST') {
      const hint = params['login_hint'];
      return send(response, 200, form(uid, typeof hint === 'string' ? hint : ''));
    }
    const fields = new URLSearchParams(await textOf(request));
    const email = (fields.get('email') ?? '').trim().toLowerCase();
    const user = users.find((one) => one.email === email);
    if (!user || !sameSecret(user.password, fields.get('password') ?? ''))
      return send(response, 401, form(uid, email, true));
    await provider.interactionFinished(request, response, {
      login: { accountId: subjectOf(user), amr: ['pwd'], remember: true },
    });
  }

  function welcome(): Html {
    return page(
      `${company}: corporate sign-in`,
      html`<p>
          This stands for a company's own identity provider. Sign in at an application with one of
          these addresses, and you come here.
        </p>
        <ul>
          ${users.map(({ email }) => html`<li>${email}</li>`)}
        </ul>`,
    );
  }

  function form(uid: string, email: string, wrong = false): Html {
    return page(
      `${company}: corporate sign-in`,
      html`${wrong && html`<p class="error" role="alert">This is not the right password.</p>`}
        <form method="post" action="/sign-in/${uid}">
          <label for="email">E-mail address</label>
          <input
            id="email"
            name="email"
            type="email"
            value="${email}"
            autocomplete="username"
            required
          />
          <label for="password">Password</label>
          <input
            id="password"
            name="password"
            type="password"
            autocomplete="current-password"
            required
            ${email !== '' && raw('autofocus')}
          />
          <button type="submit">Sign in</button>
        </form>`,
    );
  }

  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(port, host, () => resolve());
      }),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Everything it knows is gone when it stops. */
function memory(): (model: string) => Adapter {
  const kept = new Map<string, { payload: AdapterPayload; until: number }>();
  const by = (field: 'uid' | 'userCode', value: string): Promise<AdapterPayload | undefined> =>
    Promise.resolve([...kept.values()].find(({ payload }) => payload[field] === value)?.payload);
  return (model) => {
    const key = (id: string): string => `${model}:${id}`;
    return {
      upsert(id, payload, seconds = 3600) {
        const until = performance.now() + seconds * 1000;
        for (const [other, entry] of kept) if (entry.until < performance.now()) kept.delete(other);
        kept.set(key(id), { payload, until });
        return Promise.resolve();
      },
      find: (id) => Promise.resolve(kept.get(key(id))?.payload),
      findByUid: (uid) => by('uid', uid),
      findByUserCode: (code) => by('userCode', code),
      consume(id) {
        const entry = kept.get(key(id));
        if (entry) entry.payload['consumed'] = 1;
        return Promise.resolve();
      },
      destroy(id) {
        kept.delete(key(id));
        return Promise.resolve();
      },
      revokeByGrantId(grant) {
        for (const [id, { payload }] of kept) if (payload.grantId === grant) kept.delete(id);
        return Promise.resolve();
      },
    };
  };
}

/** What names a person there: never their address. */
function subjectOf({ email }: CorporateUser): string {
  return `employee-${Buffer.from(email).toString('hex').slice(0, 24)}`;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size > 16_384) throw new Error('This form is too long.');
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, status: number, body: Html): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'x-frame-options': 'DENY',
  });
  response.end(body.toString());
}

/** A look of its own: somebody who comes here is to see that they left us. */
function page(title: string, body: Html): Html {
  return html`${raw('<!doctype html>')}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <title>${title}</title>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <style>
          ${raw(style)}
        </style>
      </head>
      <body>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
      </body>
    </html>`;
}

const style = `
  body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; background: light-dark(#f3efe6, #1d1a14); }
  main { max-width: 24rem; margin: 10vh auto; padding: 2rem; border-radius: .5rem;
         background: light-dark(#fff, #2a261d); border-top: .4rem solid #a3410f; }
  h1 { font-size: 1.25rem; margin-top: 0; }
  label { display: block; margin-top: 1rem; font-weight: 600; }
  input { box-sizing: border-box; width: 100%; font: inherit; padding: .5rem; }
  button { margin-top: 1.5rem; font: inherit; font-weight: 600; padding: .6rem 1.2rem; border: 0;
           border-radius: .3rem; background: #a3410f; color: #fff; }
  .error { color: light-dark(#a3140f, #ff9d94); }`;
