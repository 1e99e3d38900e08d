import { Router } from '@koa/router';
import type { Context } from 'koa';
import type { PasswordHasher } from '#platform/password-hash.ts';
import {
  completeRegistration,
  openRegistration,
  redeemRegistrationCode,
  requestAgain,
  requestRegistration,
} from '#identity/belonging/register.ts';
import { openUnsubscribe, unsubscribe } from '#identity/belonging/remind.ts';
import { newSignInPass } from '#identity/sign-in/pass.ts';
import { passwordRulesFor } from '#identity/credentials/policy.ts';
import type { PasswordProblem } from '#identity/credentials/password-rules.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { readFacts } from '#identity/verdict/facts.ts';
import { verdict } from '#identity/verdict/verdict.ts';
import { unitOfWork, type Foundation } from '#identity/work.ts';
import { again } from '../again.ts';
import { readForm } from '../body.ts';
import { originOf, pageContext, queryText, sendPage, sourceOf } from '../context.ts';
import { countryOptions } from '../countries.ts';
import type { Csrf } from '../csrf.ts';
import type { Interactions } from '../interactions.ts';
import { linkInvalidPage, newPasswordPage } from '../pages/password.ts';
import {
  deadLinkPage,
  registeredPage,
  registerPage,
  registerSentPage,
  registerUpstreamPage,
  unsubscribePage,
  type RegisterPage,
} from '../pages/register.ts';
import { rateLimit } from '../rate-limit.ts';
import { sendThrottled } from '../throttled.ts';
import { readPerson } from '../person-form.ts';
import { cameFrom } from './came-from.ts';

export interface RegisterPagesDependencies {
  foundation: Foundation;
  hasher: PasswordHasher;
  csrf: Csrf;
  interactions: Pick<Interactions, 'clientOf'>;
  /** Registrations and codes from one address in a minute. */
  perMinute?: number;
}

/** People who register themselves (behaviour.md F01), and who wants no reminders of them. */
export function registerRoutes({
  foundation,
  hasher,
  csrf,
  interactions,
  perMinute = 30,
}: RegisterPagesDependencies): Router {
  const router = new Router();
  const { database, clock } = foundation;
  const limit = rateLimit(perMinute, clock);

  router.get('/register', (ctx) => showForm(ctx));

  router.post('/register', async (ctx) => {
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    if (throttled(ctx)) return;
    const typed = (form['email'] ?? '').trim();
    const email = canonicalEmail(typed);
    const { values, errors } = readPerson(form);
    if (email === null || Object.keys(errors).length > 0)
      return showForm(ctx, {
        email: typed,
        values,
        errors: {
          ...errors,
          ...(email === null && {
            email: typed === '' ? ('empty' as const) : ('invalid' as const),
          }),
        },
      });
    if (await signsInUpstream(email)) return showUpstream(ctx, email);
    const { t } = pageContext(ctx);
    const signIn = cameFrom(ctx);
    await requestRegistration(
      foundation,
      {
        email,
        emailDisplay: typed,
        ...values,
        locale: t.locale,
        browser: csrf.browser(ctx),
        signIn,
        clientId: signIn && (await interactions.clientOf(signIn)),
      },
      originOf(ctx),
    );
    showSent(ctx, email);
  });

  router.post('/register/code', async (ctx) => {
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    if (throttled(ctx)) return;
    const email = canonicalEmail(form['email'] ?? '');
    if (email === null) return showForm(ctx);
    const result = await redeemRegistrationCode(foundation, {
      email,
      browser: csrf.browser(ctx),
      code: form['code'] ?? '',
    });
    if (result.outcome !== 'right') return showSent(ctx, email, { error: result.outcome });
    ctx.status = 303;
    ctx.redirect(`/register/confirm?token=${result.pass}`);
  });

  router.post('/register/resend', async (ctx) => {
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    if (throttled(ctx)) return;
    const email = canonicalEmail(form['email'] ?? '');
    if (email === null) return showForm(ctx);
    await requestAgain(foundation, { email, browser: csrf.browser(ctx) }, originOf(ctx));
    showSent(ctx, email, { resent: true });
  });

  router.get('/register/confirm', async (ctx) => {
    const token = queryText(ctx, 'token') ?? '';
    await showPassword(ctx, token);
  });

  router.post('/register/confirm', async (ctx) => {
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const secret = form['token'] ?? '';
    const browser = csrf.browser(ctx);
    const chosen = {
      secret,
      password: form['password'] ?? '',
      again: form['password_again'] ?? '',
      browser,
    };
    const result = await again(() =>
      completeRegistration(foundation, hasher, chosen, originOf(ctx)),
    );
    if (result.outcome === 'problems') return showPassword(ctx, secret, result.problems);
    if (result.outcome === 'upstream')
      return showUpstream(ctx, canonicalEmail(form['email']) ?? '');
    if (result.outcome === 'invalid') return showInvalid(ctx);
    const { person, signIn } = result;
    if (signIn !== null) {
      // Back to the sign-in it began in, where they need not type the password they just chose.
      const pass = await newSignInPass(foundation, person.id, browser);
      ctx.status = 303;
      return ctx.redirect(`/sign-in/${signIn}/registered?pass=${pass}`);
    }
    sendPage(
      ctx,
      200,
      registeredPage({
        ...pageContext(ctx, { profile: person.language }),
        pending: person.affiliation === 'pending',
        continueHref: '/profile',
      }),
    );
  });

  router.get('/unsubscribe/:secret', async (ctx) => {
    const found = await openUnsubscribe(database, String(ctx['params'].secret), clock());
    if (!found) return sendPage(ctx, 410, deadLinkPage(pageContext(ctx)));
    sendPage(
      ctx,
      200,
      unsubscribePage({
        ...pageContext(ctx, { profile: found.language }),
        csrf: csrf.token(ctx),
        action: ctx.path,
      }),
    );
  });

  router.post('/unsubscribe/:secret', async (ctx) => {
    csrf.check(ctx, await readForm(ctx));
    const found = await openUnsubscribe(database, String(ctx['params'].secret), clock());
    if (!found) return sendPage(ctx, 410, deadLinkPage(pageContext(ctx)));
    await unitOfWork(
      foundation,
      { actor: { type: 'user', id: found.userId }, origin: originOf(ctx) },
      (work) => unsubscribe(work, found.userId),
    );
    sendPage(
      ctx,
      200,
      unsubscribePage({
        ...pageContext(ctx, { profile: found.language }),
        action: ctx.path,
        done: true,
      }),
    );
  });

  return router;

  function throttled(ctx: Context): boolean {
    const wait = limit.take(sourceOf(ctx));
    if (wait === 0) return false;
    sendThrottled(ctx, wait);
    return true;
  }

  /** The domain alone decides, so that the answer tells nothing of the address. */
  async function signsInUpstream(email: string): Promise<boolean> {
    const domain = email.slice(email.lastIndexOf('@'));
    const facts = await readFacts(database, `postmaster${domain}`, null, clock());
    return verdict('discovery', facts).outcome === 'sign_in_upstream';
  }

  function showForm(ctx: Context, more: Partial<RegisterPage> = {}): void {
    const page = pageContext(ctx);
    const signIn = cameFrom(ctx);
    sendPage(
      ctx,
      more.errors ? 422 : 200,
      registerPage({
        ...page,
        csrf: csrf.token(ctx),
        action: signIn ? `/register?sign_in=${signIn}` : '/register',
        countries: countryOptions(page.t.locale),
        signInHref: signIn ? `/sign-in/${signIn}` : '/profile',
        ...more,
      }),
    );
  }

  function showSent(
    ctx: Context,
    email: string,
    more: { error?: 'wrong' | 'spent'; resent?: boolean } = {},
  ): void {
    sendPage(
      ctx,
      more.error ? 422 : 200,
      registerSentPage({
        ...pageContext(ctx),
        csrf: csrf.token(ctx),
        email,
        codeAction: '/register/code',
        resendAction: '/register/resend',
        backHref: '/register',
        ...more,
      }),
    );
  }

  async function showPassword(
    ctx: Context,
    secret: string,
    errors?: PasswordProblem[],
  ): Promise<void> {
    const open = await openRegistration(database, secret, clock());
    if (!open) return showInvalid(ctx);
    if (await signsInUpstream(open.email)) return showUpstream(ctx, open.email);
    sendPage(
      ctx,
      errors ? 422 : 200,
      newPasswordPage({
        ...pageContext(ctx, { profile: open.locale }),
        csrf: csrf.token(ctx),
        action: '/register/confirm',
        email: open.email,
        mode: 'activate',
        token: secret,
        errors,
        ...(await passwordRulesFor(database, { accountId: null, email: open.email })),
        givenName: open.givenName,
      }),
    );
  }

  function showUpstream(ctx: Context, email: string): void {
    sendPage(
      ctx,
      200,
      registerUpstreamPage({ ...pageContext(ctx), email, continueHref: '/profile' }),
    );
  }

  function showInvalid(ctx: Context): void {
    sendPage(ctx, 410, linkInvalidPage({ ...pageContext(ctx), forgotHref: '/register' }));
  }
}
