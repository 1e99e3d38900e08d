import { Router } from '@koa/router';
import type { Context } from 'koa';
import type { PasswordHasher } from '#platform/password-hash.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { sourceBucket } from '#identity/credentials/check-password.ts';
import { passwordRulesFor } from '#identity/credentials/policy.ts';
import {
  openToken,
  redeemCode,
  requestReset,
  setPasswordByToken,
  type TokenPurpose,
} from '#identity/credentials/password.ts';
import type { PasswordProblem } from '#identity/credentials/password-rules.ts';
import type { Foundation } from '#identity/work.ts';
import { again } from '../again.ts';
import { readForm } from '../body.ts';
import { originOf, pageContext, queryText, sendPage } from '../context.ts';
import type { Csrf } from '../csrf.ts';
import {
  forgotPasswordPage,
  forgotPasswordSentPage,
  linkInvalidPage,
  newPasswordPage,
  passwordChangedPage,
} from '../pages/password.ts';
import { rateLimit } from '../rate-limit.ts';
import { sendThrottled } from '../throttled.ts';
import { cameFrom } from './came-from.ts';

export interface PasswordPagesDependencies {
  foundation: Foundation;
  hasher: PasswordHasher;
  csrf: Csrf;
}

/** Forgotten and first passwords, for people without a session. */
export function passwordRoutes({ foundation, hasher, csrf }: PasswordPagesDependencies): Router {
  const router = new Router();
  const limit = rateLimit(30, foundation.clock);

  router.get('/forgot-password', (ctx) => showForgot(ctx));

  router.post('/forgot-password', async (ctx) => {
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    if (throttled(ctx)) return;
    const typed = (form['email'] ?? '').trim();
    const email = canonicalEmail(typed);
    if (email === null) return showForgot(ctx, typed, typed === '' ? 'empty' : 'invalid');
    const { t } = pageContext(ctx);
    await requestReset(
      foundation,
      {
        email,
        browser: csrf.browser(ctx),
        locale: t.locale,
        returnTo: signInPath(ctx),
      },
      originOf(ctx),
    );
    showSent(ctx, email);
  });

  router.post('/forgot-password/code', async (ctx) => {
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    if (throttled(ctx)) return;
    const email = canonicalEmail(form['email'] ?? '');
    if (email === null) return showForgot(ctx);
    const result = await redeemCode(foundation, {
      email,
      browser: csrf.browser(ctx),
      code: form['code'] ?? '',
    });
    if (result.outcome !== 'right') return showSent(ctx, email, result.outcome);
    ctx.status = 303;
    ctx.redirect(`/reset-password?token=${result.link}`);
  });

  for (const [path, purpose] of [
    ['/reset-password', 'password_reset'],
    ['/activate', 'activation'],
  ] as const) {
    router.get(path, async (ctx) => {
      const token = queryText(ctx, 'token') ?? '';
      await showNewPassword(ctx, path, purpose, token);
    });

    router.post(path, async (ctx) => {
      const form = await readForm(ctx);
      csrf.check(ctx, form);
      const secret = form['token'] ?? '';
      const chosen = {
        purpose,
        secret,
        password: form['password'] ?? '',
        again: form['password_again'] ?? '',
        browser: csrf.browser(ctx),
      };
      const outcome = await again(() =>
        setPasswordByToken(foundation, hasher, chosen, originOf(ctx)),
      );
      if (outcome.outcome === 'problems')
        return showNewPassword(ctx, path, purpose, secret, outcome.problems);
      if (outcome.outcome === 'invalid') return showInvalid(ctx);
      sendPage(
        ctx,
        200,
        passwordChangedPage({
          ...pageContext(ctx, { profile: outcome.person.language }),
          first: purpose === 'activation',
          signInHref: outcome.returnTo ?? '/',
        }),
      );
    });
  }
  return router;

  /** One source must not fill the queue of all others. */
  function throttled(ctx: Context): boolean {
    const source = sourceBucket(ctx.ip);
    const wait = source === '' ? 0 : limit.take(source);
    if (wait === 0) return false;
    sendThrottled(ctx, wait);
    return true;
  }

  function showForgot(ctx: Context, email?: string, error?: 'empty' | 'invalid'): void {
    const returnTo = signInPath(ctx);
    sendPage(
      ctx,
      error ? 422 : 200,
      forgotPasswordPage({
        ...pageContext(ctx),
        csrf: csrf.token(ctx),
        action: ctx.search ? `/forgot-password${ctx.search}` : '/forgot-password',
        email,
        error,
        backHref: returnTo ?? '/',
      }),
    );
  }

  function showSent(ctx: Context, email: string, error?: 'wrong' | 'spent'): void {
    sendPage(
      ctx,
      error ? 422 : 200,
      forgotPasswordSentPage({
        ...pageContext(ctx),
        csrf: csrf.token(ctx),
        email,
        codeAction: `/forgot-password/code${ctx.search}`,
        error,
        backHref: signInPath(ctx) ?? '/',
      }),
    );
  }

  async function showNewPassword(
    ctx: Context,
    action: string,
    purpose: TokenPurpose,
    secret: string,
    errors?: PasswordProblem[],
  ): Promise<void> {
    const token = await openToken(foundation.database, secret, foundation.clock());
    if (!token || token.purpose !== purpose) return showInvalid(ctx);
    sendPage(
      ctx,
      errors ? 422 : 200,
      newPasswordPage({
        ...pageContext(ctx, { profile: token.person.language }),
        csrf: csrf.token(ctx),
        action,
        email: token.person.email ?? '',
        mode: purpose === 'activation' ? 'activate' : 'reset',
        token: secret,
        errors,
        ...(await passwordRulesFor(foundation.database, {
          accountId: token.person.account?.id ?? null,
          email: token.person.email,
        })),
        givenName: token.person.givenName,
      }),
    );
  }

  function showInvalid(ctx: Context): void {
    sendPage(ctx, 410, linkInvalidPage({ ...pageContext(ctx), forgotHref: '/forgot-password' }));
  }
}

function signInPath(ctx: Context): string | null {
  const signIn = cameFrom(ctx);
  return signIn && `/sign-in/${signIn}`;
}
