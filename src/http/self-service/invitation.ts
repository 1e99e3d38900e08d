import { Router } from '@koa/router';
import type { Context } from 'koa';
import type { PasswordHasher } from '#platform/password-hash.ts';
import { secretHash } from '#platform/secrets.ts';
import {
  acceptInvitation,
  declineInvitation,
  viewInvitation,
  type InvitationStop,
  type InvitationView,
  type Proof,
} from '#identity/belonging/answer-invitation.ts';
import { checkPassword } from '#identity/credentials/check-password.ts';
import { checkCodeBeside } from '#identity/credentials/check-second-factor.ts';
import type { LockoutPolicy } from '#identity/credentials/lockout.ts';
import { passwordRulesFor } from '#identity/credentials/policy.ts';
import { forgetAttempts } from '#identity/users/lock.ts';
import type { Person } from '#identity/users/person.ts';
import { unitOfWork, type Foundation } from '#identity/work.ts';
import { again } from '../again.ts';
import { readForm } from '../body.ts';
import { originOf, pageContext, sendPage } from '../context.ts';
import { countryOptions } from '../countries.ts';
import type { Csrf } from '../csrf.ts';
import type { DeviceCookie } from '../device-cookie.ts';
import {
  invitationDonePage,
  invitationPage,
  invitationStopPage,
  type InvitationPage,
} from '../pages/invitation.ts';
import type { Sessions } from '../sessions.ts';
import { readPerson } from '../person-form.ts';
import { sendThrottled } from '../throttled.ts';

export interface InvitationPagesDependencies {
  foundation: Foundation;
  hasher: PasswordHasher;
  csrf: Csrf;
  sessions: Sessions;
  device: DeviceCookie;
  lockout: LockoutPolicy;
  /** Key of the counters: see `AppSecrets`. */
  counters: Buffer;
  /** Key of the recovery codes: see `AppSecrets`. */
  recoveryKey: Buffer;
}

/**
 * Invitations are answered here. GET shows, and uses nothing up; POST answers. The link is not a
 * person: whoever is known has to be signed in as the one who was invited (security.md D-80).
 */
export function invitationRoutes(dependencies: InvitationPagesDependencies): Router {
  const { foundation, hasher, csrf, sessions, device, lockout, counters, recoveryKey } =
    dependencies;
  const router = new Router({ prefix: '/invitations/:secret' });

  router.get('/', async (ctx) => {
    const current = await personIn(ctx);
    const view = await viewInvitation(foundation, secretOf(ctx), current);
    await show(ctx, view, current);
  });

  router.post('/sign-in', async (ctx) => {
    csrf.check(ctx, await readForm(ctx));
    const view = await viewInvitation(foundation, secretOf(ctx), null);
    if (!view) return showStop(ctx, 'unknown', null, null);
    sessions.signIn(ctx, pathOf(ctx), { loginHint: view.invitation.email });
  });

  router.post('/accept', async (ctx) => {
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const current = await personIn(ctx);
    const view = await viewInvitation(foundation, secretOf(ctx), current);
    if (!view || view.stop) return show(ctx, view, current);
    const proof = await proofOf(ctx, view, form, current);
    if (!proof) return;
    const answer = await again(() =>
      acceptInvitation(foundation, hasher, secretOf(ctx), proof, originOf(ctx)),
    );
    if (answer.outcome === 'problems') {
      const { values } = readPerson(form);
      return show(ctx, view, current, { values, problems: answer.problems });
    }
    if (answer.outcome === 'stopped') return showStop(ctx, answer.stop, answer.account, current);
    sendPage(
      ctx,
      200,
      invitationDonePage({
        ...pageContext(ctx, { profile: answer.person.language }),
        account: answer.account,
        continueHref: '/profile',
      }),
    );
  });

  router.post('/decline', async (ctx) => {
    csrf.check(ctx, await readForm(ctx));
    const current = await personIn(ctx);
    const answer = await declineInvitation(foundation, secretOf(ctx), current, originOf(ctx));
    if (answer.outcome === 'stopped') return showStop(ctx, answer.stop!, answer.account, current);
    sendPage(
      ctx,
      200,
      invitationDonePage({
        ...pageContext(ctx, { profile: current?.language }),
        account: answer.account ?? '',
        declined: true,
      }),
    );
  });

  return router;

  async function personIn(ctx: Context): Promise<Person | null> {
    return (await sessions.current(ctx))?.person ?? null;
  }

  /** How the person proves themselves, or null where they were told what is missing. */
  async function proofOf(
    ctx: Context,
    view: InvitationView,
    form: Record<string, string>,
    current: Person | null,
  ): Promise<Proof | null> {
    switch (view.way) {
      case 'signed_in':
        return { by: 'person', userId: current!.id };
      case 'sign_in':
        sessions.signIn(ctx, pathOf(ctx), { loginHint: view.invitation.email });
        return null;
      case 'password':
        return proofByPassword(ctx, view, form, current);
      default: {
        const { values, errors } = readPerson(form);
        if (Object.keys(errors).length > 0) {
          await show(ctx, view, current, { values, errors });
          return null;
        }
        const { t } = pageContext(ctx);
        return {
          by: 'new_password',
          ...values,
          password: form['password'] ?? '',
          again: form['password_again'] ?? '',
          language: t.locale,
        };
      }
    }
  }

  async function proofByPassword(
    ctx: Context,
    view: InvitationView,
    form: Record<string, string>,
    current: Person | null,
  ): Promise<Proof | null> {
    const password = form['password'] ?? '';
    if (password === '' || password.length > 1024) {
      await show(ctx, view, current, { failure: 'wrong' });
      return null;
    }
    const origin = originOf(ctx);
    const result = await checkPassword(
      { ...foundation, hasher, policy: lockout, key: counters },
      { email: view.invitation.email, password, device: device.read(ctx), origin },
    );
    if (result.outcome === 'throttled') {
      sendThrottled(ctx, result.minutes * 60);
      return null;
    }
    if (result.outcome !== 'right') {
      await show(ctx, view, current, { failure: result.outcome });
      return null;
    }
    const { id } = result.person;
    if (!(await showsFactor(ctx, view, result.person, form['code'] ?? '', current))) return null;
    await unitOfWork(foundation, { actor: { type: 'user', id }, origin }, (work) =>
      forgetAttempts(work, id),
    );
    return { by: 'person', userId: id };
  }

  /** Who has a second factor shows it here as well: a password alone is not them at any door. */
  async function showsFactor(
    ctx: Context,
    view: InvitationView,
    person: Person,
    code: string,
    current: Person | null,
  ): Promise<boolean> {
    const outcome = await checkCodeBeside(
      { ...foundation, recoveryKey },
      {
        person,
        code,
        challenge: `invitation:${secretHash(secretOf(ctx))}`,
        origin: originOf(ctx),
      },
    );
    if (outcome === 'right') return true;
    if (outcome !== 'throttled') {
      await show(ctx, view, current, { failure: outcome === 'missing' ? 'code' : 'code_wrong' });
      return false;
    }
    sendThrottled(ctx, 3600, { codes: true });
    return false;
  }

  async function show(
    ctx: Context,
    view: InvitationView | null,
    current: Person | null,
    more: Partial<InvitationPage> = {},
  ): Promise<void> {
    if (!view) return showStop(ctx, 'unknown', null, current);
    const { invitation, inviter, stop, done, groups, way } = view;
    if (stop) return showStop(ctx, stop, invitation.account, current);
    const page = pageContext(ctx, { profile: current?.language });
    if (done)
      return sendPage(
        ctx,
        200,
        invitationDonePage({ ...page, account: invitation.account, continueHref: '/profile' }),
      );
    const failed = more.errors || more.problems || more.failure;
    sendPage(
      ctx,
      failed ? 422 : 200,
      invitationPage({
        ...page,
        csrf: csrf.token(ctx),
        path: pathOf(ctx),
        account: invitation.account,
        inviter,
        email: invitation.email,
        expiresAt: invitation.expiresAt,
        groups,
        way,
        countries: countryOptions(page.t.locale),
        values: {
          givenName: invitation.givenName,
          familyName: invitation.familyName,
          country: invitation.country ?? '',
        },
        ...(await passwordRulesFor(foundation.database, invitation)),
        ...more,
      }),
    );
  }

  function showStop(
    ctx: Context,
    stop: InvitationStop,
    account: string | null,
    current: Person | null,
  ): void {
    sendPage(
      ctx,
      statuses[stop] ?? 410,
      invitationStopPage({
        ...pageContext(ctx, { profile: current?.language }),
        stop,
        account,
        continueHref: stop === 'sign_in_upstream' ? '/profile' : undefined,
        signOutHref: stop === 'wrong_person' ? '/oauth/end_session?client_id=ostiary' : undefined,
      }),
    );
  }
}

/** Gone for good, unless it may still be accepted by another person or at another time. */
const statuses: Partial<Record<InvitationStop, number>> = {
  wrong_person: 403,
  member_elsewhere: 409,
  domain_owned_by_other: 409,
  account_on_hold: 409,
  inviter: 409,
  not_addable: 409,
  sign_in_upstream: 409,
  unknown: 404,
};

function secretOf(ctx: Context): string {
  return String((ctx as Context & { params: Record<string, string> }).params['secret']);
}

function pathOf(ctx: Context): string {
  return `/invitations/${encodeURIComponent(secretOf(ctx))}`;
}
