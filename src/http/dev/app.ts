import { Router } from '@koa/router';
import type { Context } from 'koa';
import * as oidc from 'openid-client';
import type { Clock } from '#platform/clock.ts';
import { locales } from '#platform/i18n.ts';
import { readForm } from '../body.ts';
import { pageContext, queryText, sendPage } from '../context.ts';
import type { Csrf } from '../csrf.ts';
import { type Figure, noDemoPage, receivedPage, scopes, startPage } from './app-pages.ts';
import { errorMeanings } from './meanings.ts';
import { RelyingParty } from './relying-party.ts';
import { type Choices, keepPending, type Told, type Visit, Visits } from './visits.ts';

interface Login {
  email: string;
  password: string;
}

/** The part of `demo.json` that the application reads. */
export interface DemoPart {
  clients: Readonly<Record<string, Readonly<Record<string, string>>>>;
  resource: { identifier: string; scope: string };
  accounts: readonly {
    name: string;
    users: readonly Login[];
    newcomer?: Login;
    administrator: Login;
  }[];
}

export interface DevAppDependencies {
  issuer: string;
  clock: Clock;
  csrf: Csrf;
  /** What `demo.json` says now, or null where there is none. */
  demo(): DemoPart | null;
  /** What `acr_values` may ask for. */
  acrValues: readonly string[];
}

const cookie = 'ostiary_dev_app';

/**
 * A small application under `/dev/app`, for whoever tries things out: it signs in by OpenID Connect
 * and shows what it received. It is in this process, but knows the identity provider only by its
 * address, as any application would. Mounted in development only.
 */
export function devAppRoutes(dependencies: DevAppDependencies): Router {
  const { issuer, clock, csrf, acrValues } = dependencies;
  const router = new Router({ prefix: '/dev/app' });
  const visits = new Visits(clock);

  router.get('/', (ctx) => {
    const visit = visits.find(ctx.cookies.get(cookie, { signed: false }));
    const demo = dependencies.demo();
    if (!demo) return sendPage(ctx, 200, noDemoPage(pageContext(ctx), visit?.told ?? null));
    // Back from a sign-out that was begun here.
    if (visit?.leaving && ctx.query['state'] === visit.leaving) leave(visit);
    const page = { ...pageContext(ctx), csrf: csrf.token(ctx), told: visit?.told ?? null };
    // What was done is said once.
    if (visit) visit.told = null;
    const { resource } = demo;
    const people = peopleOf(demo);
    sendPage(
      ctx,
      200,
      visit?.received
        ? receivedPage({ ...page, received: visit.received })
        : startPage({ ...page, choices: visit?.choices ?? usual, people, resource, acrValues }),
    );
  });

  router.post('/sign-in', async (ctx) => {
    const form = await readForm(ctx, { repeated: ['scope'] });
    csrf.check(ctx, form);
    const visit = visitOf(ctx);
    visit.choices = choicesIn(form);
    const hint = form['as'];
    await send(ctx, visit, hint ? { ...visit.choices, loginHint: hint } : visit.choices);
  });

  router.get('/callback', async (ctx) => {
    const visit = visits.find(ctx.cookies.get(cookie, { signed: false }));
    const state = queryText(ctx, 'state') ?? '';
    const pending = visit?.pending.get(state);
    const party = partyOf();
    if (!visit || !pending || !party) {
      visitOf(ctx).told = {
        tone: 'danger',
        title: 'This answer fits no question',
        text: 'Its state belongs to no sign-in that was begun in this browser, so it was not looked at. An application that looks at it lets others sign a person in as somebody else.',
      };
      return home(ctx);
    }
    visit.pending.delete(state);
    await attempt(visit, async () => {
      const received = await party.finish(new URL(ctx.url, issuer), pending);
      visit.received = received;
      visit.leaving = null;
      // The token for an API is not for userinfo, which would refuse it.
      if (pending.resource === '') received.userinfo = await party.userinfo(received);
      visits.rename(visit);
      remember(ctx, visit);
      return pending.sent['prompt'] === 'none'
        ? good('Signed in without a page', 'The identity provider knew the session.')
        : null;
    });
    home(ctx);
  });

  router.post('/do', async (ctx) => {
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const visit = visitOf(ctx);
    const party = partyOf();
    const { received } = visit;
    if (!received || !party) return home(ctx);
    const kind = form['token'] === 'refresh_token' ? 'refresh_token' : 'access_token';
    switch (form['do']) {
      case 'silent':
        return send(ctx, visit, { ...visit.choices, prompt: 'none' }, received.idToken);
      case 'sign-out':
        await attempt(visit, async () => {
          const { url, state } = await party.signOut(received.idToken);
          visit.leaving = state;
          go(ctx, url.href);
          return null;
        });
        break;
      case 'refresh':
        if (received.refreshToken === null) break;
        await attempt(visit, async () => {
          visit.received = await party.refresh(received);
          return good(
            'Refreshed',
            'There is a new access token and a new refresh token. The old refresh token is spent.',
          );
        });
        break;
      case 'userinfo':
        await attempt(visit, async () => {
          received.userinfo = null;
          received.userinfo = await party.userinfo(received);
          const told = good('Userinfo was called', 'The answer is below.');
          return { ...told, about: 'userinfo' };
        });
        break;
      case 'introspect':
        if (received[kind === 'access_token' ? 'accessToken' : 'refreshToken'] === null) break;
        await attempt(visit, async () => {
          const answer = await party.introspect(received, kind);
          received.introspection = { of: kind, answer };
          return good(
            answer['active'] === true ? 'The token is alive' : 'The token is dead',
            'The answer is beside it.',
          );
        });
        break;
      case 'revoke':
        if (received[kind === 'access_token' ? 'accessToken' : 'refreshToken'] === null) break;
        await attempt(visit, async () => {
          await party.revoke(received, kind);
          return good('Revoked', 'Introspect it, or use it, to see that it is dead.');
        });
        break;
    }
    if (ctx.status !== 303) home(ctx);
  });

  /** From the identity provider itself, without a browser (OpenID Connect Back-Channel Logout 1.0). */
  router.post('/backchannel', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    const form = await readForm(ctx);
    const party = partyOf();
    try {
      if (!party) throw new Error('There is no demo here.');
      const session = await party.readLogoutToken(form['logout_token'] ?? '');
      for (const visit of visits.ofSession(session)) {
        visit.received = null;
        visit.told = visit.leaving
          ? visit.told
          : {
              tone: 'warning',
              title: 'Signed out by the identity provider',
              text: 'It sent a logout token, and this application forgot what it had received: somebody signed out elsewhere, or may no longer come in.',
            };
      }
      ctx.status = 200;
      ctx.body = '';
    } catch (error) {
      ctx.status = 400;
      ctx.body = {
        error: 'invalid_request',
        error_description: error instanceof Error ? error.message : String(error),
      };
    }
  });

  return router;

  /** To the identity provider, with a question. */
  async function send(
    ctx: Context,
    visit: Visit,
    choices: Choices,
    idTokenHint?: string,
  ): Promise<void> {
    const demo = dependencies.demo();
    const party = partyOf();
    if (!demo || !party) return home(ctx);
    const wanted = choices.resource === '' ? [] : [demo.resource.scope];
    await attempt(visit, async () => {
      const { url, pending } = await party.begin(
        { ...choices, scopes: [...choices.scopes, ...wanted] },
        { idTokenHint },
      );
      keepPending(visit, pending);
      go(ctx, url.href);
      return null;
    });
    if (ctx.status !== 303) home(ctx);
  }

  function partyOf(): RelyingParty | null {
    const { client_id, client_secret } = dependencies.demo()?.clients['devApp'] ?? {};
    if (!client_id || !client_secret) return null;
    return new RelyingParty(issuer, clock, { clientId: client_id, clientSecret: client_secret });
  }

  function visitOf(ctx: Context): Visit {
    const known = visits.find(ctx.cookies.get(cookie, { signed: false }));
    if (known) return known;
    const visit = visits.begin(usual);
    remember(ctx, visit);
    return visit;
  }

  function remember(ctx: Context, { id }: Visit): void {
    ctx.cookies.set(cookie, id, {
      httpOnly: true,
      sameSite: 'lax',
      secure: issuer.startsWith('https:'),
      path: '/dev/app',
      signed: false,
      overwrite: true,
    });
  }
}

function peopleOf({ accounts: [first] }: DemoPart): Figure[] {
  if (!first) return [];
  const [somebody] = first.users;
  return [
    somebody && { who: `Somebody of ${first.name}`, ...somebody },
    first.newcomer && { who: 'A newcomer, who has terms to accept', ...first.newcomer },
    { who: `An administrator of ${first.name}`, ...first.administrator },
  ].filter((one) => one !== undefined);
}

/** What is asked for unless somebody chooses. */
const usual: Choices = {
  scopes: ['profile', 'email', 'organization', 'roles'],
  refreshToken: true,
  prompt: '',
  loginHint: '',
  maxAge: '',
  acrValues: '',
  uiLocales: '',
  resource: '',
};

function choicesIn(form: Record<string, string>): Choices {
  const text = (name: string): string => (form[name] ?? '').trim().slice(0, 500);
  const maxAge = text('max_age');
  const uiLocales = text('ui_locales');
  return {
    scopes: (form['scope'] ?? '').split('\n').filter((scope) => scope in scopes),
    refreshToken: form['refresh_token'] !== undefined,
    prompt: text('prompt'),
    loginHint: text('login_hint'),
    maxAge: /^\d{1,9}$/.test(maxAge) ? maxAge : '',
    acrValues: text('acr_values'),
    uiLocales: locales.some((one) => one === uiLocales) ? uiLocales : '',
    resource: text('resource'),
  };
}

/** Does something, and keeps what is to be said about it. */
async function attempt(visit: Visit, what: () => Promise<Told | null>): Promise<void> {
  try {
    visit.told = await what();
  } catch (error) {
    visit.told = toldOf(error);
  }
}

/** What went wrong, for a developer: as it came, and what it means. */
function toldOf(error: unknown): Told {
  const { code, description } = oauthError(error);
  return {
    tone: code === 'login_required' ? 'warning' : 'danger',
    title: titles[code] ?? 'It did not work',
    text:
      errorMeanings[code] ??
      (error instanceof TypeError
        ? 'The identity provider could not be reached at its own address, the ISSUER.'
        : 'The answer was not as it has to be, so it was not believed.'),
    code: [code, description].filter(Boolean).join(': '),
  };
}

const titles: Record<string, string> = {
  access_denied: 'Not signed in',
  login_required: 'Nobody is signed in',
  invalid_grant: 'The token or code is no good any more',
  invalid_token: 'The access token was refused',
};

function oauthError(error: unknown): { code: string; description: string } {
  if (error instanceof oidc.AuthorizationResponseError || error instanceof oidc.ResponseBodyError)
    return { code: error.error, description: error.error_description ?? '' };
  if (error instanceof oidc.WWWAuthenticateChallengeError) {
    const { error: code, error_description } = error.cause[0]?.parameters ?? {};
    return { code: code ?? 'invalid_token', description: error_description ?? '' };
  }
  const { code, message, cause } = error as { code?: string; message?: string; cause?: unknown };
  const deeper = cause instanceof Error ? ` (${cause.message})` : '';
  return { code: code ?? '', description: `${message ?? ''}${deeper}` };
}

/** Back from the identity provider after a sign-out: whether it told us directly or not, it is over. */
function leave(visit: Visit): void {
  const heard = visit.received === null;
  visit.received = null;
  visit.leaving = null;
  visit.told = good(
    'Signed out',
    heard
      ? 'Here and at the identity provider, which also told this application directly, by a logout token.'
      : 'Here and at the identity provider.',
  );
}

function good(title: string, text: string): Told {
  return { tone: 'success', title, text };
}

function home(ctx: Context): void {
  go(ctx, '/dev/app');
}

function go(ctx: Context, to: string): void {
  ctx.status = 303;
  ctx.redirect(to);
}
