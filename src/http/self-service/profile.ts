import { Router } from '@koa/router';
import type { Context } from 'koa';
import { isLocale } from '#platform/i18n.ts';
import { administratorsOf } from '#identity/accounts/administrators.ts';
import type { PasswordDependencies } from '#identity/credentials/check-password.ts';
import { hasPassword } from '#identity/credentials/password.ts';
import { passwordRulesFor } from '#identity/credentials/policy.ts';
import { rankOf } from '#identity/access/roles.ts';
import { Refusal } from '#identity/refusal.ts';
import { exportPerson } from '#identity/users/export.ts';
import { managerOf, requestErasure } from '#identity/users/erase.ts';
import {
  changeCommunicationEmail,
  confirmCommunicationEmail,
  openCommunicationLink,
} from '#identity/users/communication.ts';
import { canonicalCountry } from '#identity/users/country.ts';
import type { SecondFactorPolicy } from '#identity/sign-in/second-factor-policy.ts';
import type { Person } from '#identity/users/person.ts';
import {
  carryOutEmailChange,
  changeDetails,
  changePassword,
  managedAttributes,
  openEmailChange,
  requestEmailChange,
  sessionsOf,
} from '#identity/users/profile.ts';
import { endOtherSessions, endSession } from '#identity/users/sessions.ts';
import { unitOfWork, type Work } from '#identity/work.ts';
import { again } from '../again.ts';
import { readForm } from '../body.ts';
import { originOf, pageContext, queryText, sendPage } from '../context.ts';
import { countryOptions } from '../countries.ts';
import type { DeviceCookie } from '../device-cookie.ts';
import type { PageContext } from '../layout.ts';
import { roleName } from '../pages/console/people.ts';
import { linkInvalidPage } from '../pages/password.ts';
import {
  accountPage,
  dataPage,
  detailsPage,
  emailDonePage,
  emailLinkPage,
  mailDonePage,
  mailLinkPage,
  securityPage,
  type DataError,
  type DetailsError,
  type DetailsPage,
  type SecurityPage,
} from '../pages/profile.ts';
import type { CurrentSession } from '../sessions.ts';
import { deviceName } from '../user-agent.ts';
import { ownFactorsOf } from './factors.ts';
import { posted, type PostedDependencies } from './posted.ts';

export interface ProfileDependencies extends PostedDependencies {
  passwords: PasswordDependencies;
  device: DeviceCookie;
  /** The installation's own rule of who has to have a second factor. */
  secondFactorPolicy: SecondFactorPolicy;
}

/** `/profile`: what a person may see and change about themselves (behaviour.md F25, F26, F35). */
export function profileRoutes({
  passwords,
  sessions,
  csrf,
  kept,
  device,
  secondFactorPolicy,
}: ProfileDependencies): Router {
  const { database, clock } = passwords;
  const forms = posted({ sessions, csrf, kept });
  const router = new Router({ prefix: '/profile' });
  router.use(forms.offers);

  // --- Links of mails, which need no session
  for (const [path, reverts] of [
    ['/email/confirm', false],
    ['/email/revert', true],
  ] as const) {
    router.get(path, async (ctx) => {
      const token = queryText(ctx, 'token') ?? '';
      const change = await openEmailChange(database, token, clock());
      if (change?.reverts !== reverts) return showInvalid(ctx);
      sendPage(
        ctx,
        200,
        emailLinkPage({
          ...pageContext(ctx, { profile: change.person.language }),
          csrf: csrf.token(ctx),
          action: `/profile${path}`,
          token,
          email: change.email,
          reverts,
        }),
      );
    });

    router.post(path, async (ctx) => {
      const form = await readForm(ctx);
      csrf.check(ctx, form);
      const change = await openEmailChange(database, form['token'] ?? '', clock());
      if (change?.reverts !== reverts) return showInvalid(ctx);
      try {
        const { person, email } = await as(ctx, change.person, (work) =>
          carryOutEmailChange(work, form['token'] ?? ''),
        );
        sendPage(
          ctx,
          200,
          emailDonePage({
            ...pageContext(ctx, { profile: person.language }),
            email,
            href: reverts ? '/forgot-password' : '/profile',
            resets: reverts,
          }),
        );
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        showInvalid(ctx);
      }
    });
  }

  router.get('/mail/confirm', async (ctx) => {
    const token = queryText(ctx, 'token') ?? '';
    const found = await openCommunicationLink(database, token, clock());
    if (!found) return showInvalid(ctx);
    sendPage(
      ctx,
      200,
      mailLinkPage({
        ...pageContext(ctx, { profile: found.person.language }),
        csrf: csrf.token(ctx),
        action: '/profile/mail/confirm',
        token,
        email: found.person.email!,
        address: found.address,
      }),
    );
  });

  router.post('/mail/confirm', async (ctx) => {
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const token = form['token'] ?? '';
    const found = await openCommunicationLink(database, token, clock());
    if (!found) return showInvalid(ctx);
    try {
      const address = await as(ctx, found.person, (work) => confirmCommunicationEmail(work, token));
      const page = pageContext(ctx, { profile: found.person.language });
      sendPage(ctx, 200, mailDonePage({ ...page, address }));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      showInvalid(ctx);
    }
  });

  // --- Details
  router.get('/', async (ctx) => {
    const session = await sessions.require(ctx);
    if (session) await showDetails(ctx, session);
  });

  router.post('/', async (ctx) => {
    const sent = await forms.read(ctx);
    if (!sent) return;
    const { session, form } = sent;
    const text = (name: string): string => (form[name] ?? '').trim();
    const details: DetailsPage['details'] = {
      givenName: text('givenName'),
      familyName: text('familyName'),
      country: text('country'),
      language: text('language'),
      phone: text('phone'),
      jobTitle: text('jobTitle'),
    };
    const errors = detailsErrors(details);
    if (Object.keys(errors).length > 0)
      return showDetails(ctx, session, { details, errors, failed: true });
    const change = as(ctx, session.person, (work) =>
      changeDetails(work, session.person, {
        givenName: details.givenName,
        familyName: details.familyName,
        country: details.country === '' ? null : canonicalCountry(details.country),
        language: isLocale(details.language) ? details.language : null,
        phone: details.phone || null,
        jobTitle: details.jobTitle || null,
      }),
    );
    try {
      await change;
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'managed_by_directory') throw error;
      const fields = error.details['fields'] as (keyof DetailsPage['details'])[];
      const managed = Object.fromEntries(fields.map((field) => [field, 'managed' as const]));
      return showDetails(ctx, session, { details, errors: managed, failed: true });
    }
    done(ctx, '/profile', 'saved');
  });

  router.get('/email', (ctx) => {
    ctx.redirect('/profile');
  });

  router.post('/email', async (ctx) => {
    const sent = await forms.read(ctx, { anew: true });
    if (!sent) return;
    const { session, form } = sent;
    const typed = (form['email'] ?? '').trim();
    try {
      await as(ctx, session.person, (work) => requestEmailChange(work, session.person, typed));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const emailError = emailErrors[error.code] ?? 'invalid';
      return showDetails(ctx, session, { emailError, emailTyped: typed, failed: true });
    }
    const { t } = pageOf(ctx, session);
    await showDetails(ctx, session, { done: t('profile.email.sent', { email: typed }) });
  });

  router.get('/mail', (ctx) => {
    ctx.redirect('/profile');
  });

  router.post('/mail', async (ctx) => {
    const sent = await forms.read(ctx, { anew: true });
    if (!sent) return;
    const { session, form } = sent;
    const typed = (form['mail'] ?? '').trim();
    try {
      const waits = await as(ctx, session.person, (work) =>
        changeCommunicationEmail(work, session.person, typed),
      );
      if (!waits) return done(ctx, '/profile', 'saved');
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return showDetails(ctx, session, { mailFailed: true, mailTyped: typed, failed: true });
    }
    const { t } = pageOf(ctx, session);
    await showDetails(ctx, session, { done: t('profile.mail.sent', { email: typed }) });
  });

  // --- Sign-in and security
  router.get('/security', async (ctx) => {
    const session = await sessions.require(ctx);
    if (session) await showSecurity(ctx, session);
  });

  router.get('/password', (ctx) => {
    ctx.redirect('/profile/security');
  });

  router.post('/password', async (ctx) => {
    const session = await sessions.require(ctx);
    if (!session) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const result = await changePassword(
      passwords,
      session.person,
      {
        current: form['current'] ?? '',
        password: form['password'] ?? '',
        again: form['password_again'] ?? '',
        session: session.uid,
        device: device.read(ctx),
      },
      originOf(ctx),
    );
    switch (result.outcome) {
      case 'changed':
        return done(ctx, '/profile/security', 'password');
      case 'problems':
        return showSecurity(ctx, session, { problems: result.problems, failed: true });
      case 'wrong':
      case 'locked':
        return showSecurity(ctx, session, { passwordError: result.outcome, failed: true });
    }
  });

  router.post('/sessions', async (ctx) => {
    const session = await sessions.require(ctx);
    if (!session) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const own = await sessionsOf(database, session.person.id, clock());
    const chosen = own.find(({ uid }) => uid === form['session']);
    if (chosen)
      await as(ctx, session.person, (work) => endSession(work, chosen.uid, 'ended in the profile'));
    done(ctx, '/profile/security', 'session');
  });

  router.post('/sessions/others', async (ctx) => {
    const session = await sessions.require(ctx);
    if (!session) return;
    csrf.check(ctx, await readForm(ctx));
    await as(ctx, session.person, (work) => endOtherSessions(work, session.person.id, session.uid));
    done(ctx, '/profile/security', 'session');
  });

  router.post('/applications', async (ctx) => {
    const session = await sessions.require(ctx);
    if (!session) return;
    const form = await readForm(ctx);
    csrf.check(ctx, form);
    const client = form['client'] ?? '';
    await as(ctx, session.person, async (work) => {
      const { person } = session;
      const rows = await work.query(
        'delete from consents where user_id = $1 and client_id = $2 returning 1',
        [person.id, client],
      );
      if (rows.length === 0) return;
      await work.query('delete from oidc_artifacts where user_id = $1 and client_id = $2', [
        person.id,
        client,
      ]);
      await work.query('delete from oidc_grants where user_id = $1 and client_id = $2', [
        person.id,
        client,
      ]);
      work.record(
        'consent.withdrawn',
        { type: 'user', id: person.id },
        { client },
        person.account?.id,
      );
    });
    done(ctx, '/profile/security', 'session');
  });

  for (const path of ['/sessions', '/sessions/others', '/applications'])
    router.get(path, (ctx) => {
      ctx.redirect('/profile/security');
    });

  // --- Organization
  router.get('/account', async (ctx) => {
    const session = await sessions.require(ctx);
    if (session) await showAccount(ctx, session);
  });

  // --- Data
  router.get('/data', async (ctx) => {
    const session = await sessions.require(ctx);
    if (session) await showData(ctx, session);
  });

  router.get('/data/export.json', async (ctx) => {
    const session = await sessions.stepUp(ctx);
    if (!session) return;
    ctx.set('Content-Disposition', 'attachment; filename="my-data.json"');
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'application/json';
    ctx.body = JSON.stringify(await exportPerson(database, session.person.id, clock()), null, 2);
  });

  router.get('/data/delete', (ctx) => {
    ctx.redirect('/profile/data');
  });

  router.post('/data/delete', async (ctx) => {
    const sent = await forms.read(ctx, { anew: true });
    if (!sent) return;
    const { session, form } = sent;
    if (form['understood'] !== 'yes') return showData(ctx, session, { error: 'missing' });
    try {
      const outcome = await as(ctx, session.person, (work) => requestErasure(work, session.person));
      if (outcome === 'requested') return done(ctx, '/profile/data', 'requested');
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const why = error.code === 'last_administrator' ? 'administrator' : 'contact';
      return showData(ctx, session, { error: why });
    }
    ctx.status = 303;
    ctx.redirect('/');
  });

  return router;

  function as<T>(ctx: Context, person: Person, command: (work: Work) => Promise<T>): Promise<T> {
    const actor = { type: 'user', id: person.id, email: person.email } as const;
    return again(() => unitOfWork(passwords, { actor, origin: originOf(ctx) }, command));
  }

  function pageOf(
    ctx: Context,
    session: CurrentSession,
  ): PageContext & { email: string; administers: boolean } {
    const { person } = session;
    return {
      ...pageContext(ctx, { profile: person.language }),
      csrf: forms.token(ctx, session),
      email: person.email ?? '',
      administers: rankOf(person.roles) > 0,
    };
  }

  /** Sends the browser to the page again, so that a reload sends nothing twice. */
  function done(ctx: Context, path: string, what: keyof typeof doneTexts): void {
    ctx.status = 303;
    ctx.redirect(`${path}?done=${what}`);
  }

  function doneText(ctx: Context, { t }: PageContext): string | undefined {
    const what = ctx.query['done'];
    return typeof what === 'string' && what in doneTexts
      ? t(doneTexts[what as keyof typeof doneTexts])
      : undefined;
  }

  async function showDetails(
    ctx: Context,
    session: CurrentSession,
    changes: Partial<DetailsPage> = {},
  ): Promise<void> {
    const { person } = session;
    const page = pageOf(ctx, session);
    const [row] = await database.query<{
      job_title: string | null;
      address: string | null;
      waits: boolean;
    }>(
      `select job_title, communication_email as address,
         communication_email is distinct from communication_proved as waits
       from users where id = $1`,
      [person.id],
    );
    sendPage(
      ctx,
      changes.failed ? 422 : 200,
      detailsPage({
        ...page,
        done: doneText(ctx, page),
        details: {
          givenName: person.givenName,
          familyName: person.familyName,
          country: person.country ?? '',
          language: person.language ?? '',
          phone: person.phone ?? '',
          jobTitle: row?.job_title ?? '',
        },
        countries: countryOptions(page.t.locale),
        managed: await managedAttributes(database, person.id),
        account: person.account?.name,
        mail: { address: row?.address ?? null, waits: row?.waits ?? false },
        ...changes,
      }),
    );
  }

  async function showSecurity(
    ctx: Context,
    session: CurrentSession,
    changes: Partial<SecurityPage> = {},
  ): Promise<void> {
    const { person } = session;
    const page = pageOf(ctx, session);
    const own = await sessionsOf(database, person.id, clock());
    sendPage(
      ctx,
      changes.failed ? 422 : 200,
      securityPage({
        ...page,
        done: doneText(ctx, page),
        hasPassword: await hasPassword(database, person.id),
        ...(await passwordRulesFor(database, {
          accountId: person.account?.id ?? null,
          email: person.email,
        })),
        sessions: own.map((one) => ({
          ...one,
          current: one.uid === session.uid,
          device: deviceName(one.userAgent),
        })),
        links: await database.query(
          `select c.name, l.linked_at as "linkedAt"
           from federated_links l join connections c on c.id = l.connection_id
           where l.user_id = $1 and l.unlinked_at is null order by l.linked_at`,
          [person.id],
        ),
        applications: await database.query(
          `select c.id, c.name, k.granted_at as "grantedAt"
           from consents k join clients c on c.id = k.client_id
           where k.user_id = $1 order by c.name`,
          [person.id],
        ),
        factors: {
          ...(await ownFactorsOf(passwords, person, secondFactorPolicy)),
          error: factorErrors[queryText(ctx, 'done') ?? ''],
        },
        ...changes,
      }),
    );
  }

  async function showAccount(ctx: Context, session: CurrentSession): Promise<void> {
    const { person } = session;
    const { account } = person;
    const page = pageOf(ctx, session);
    const [pending, invitations, terms, roles] = await Promise.all([
      database.query<{ id: string; name: string }>(
        `select a.id, a.name from approval_requests r join accounts a on a.id = r.account_id
         where r.user_id = $1 and r.state = 'open'`,
        [person.id],
      ),
      database.query<{ account: string; expiresAt: Date }>(
        `select a.name as account, i.expires_at as "expiresAt"
         from invitations i join accounts a on a.id = i.account_id
         join users u on u.email = i.email
         where u.id = $1 and i.state = 'pending' and i.expires_at > $2 order by i.created_at`,
        [person.id, clock()],
      ),
      database.query<{ title: string; version: string; acceptedAt: Date }>(
        `select t.title, v.version, k.accepted_at as "acceptedAt"
         from terms_acceptances k join terms_versions v on v.id = k.version_id
         join terms_texts t on t.version_id = v.id and t.locale = k.locale
         where k.user_id = $1 order by k.accepted_at desc`,
        [person.id],
      ),
      database.query<{ key: string; name: string }>(
        'select key, name from roles where key = any ($1::text[])',
        [person.roles],
      ),
    ]);
    sendPage(
      ctx,
      200,
      accountPage({
        ...page,
        account:
          person.affiliation === 'member' && account
            ? {
                name: account.name,
                number: account.number,
                hold: account.status === 'on_hold' ? (account.holdReason ?? '') : null,
              }
            : null,
        pendingAt: pending[0]?.name,
        roles: roles.map((role) => roleName(page, role)),
        groups: person.groups.map(({ name }) => name),
        entitlementCountry:
          person.entitlementCountry &&
          (new Intl.DisplayNames(page.t.locale, { type: 'region' }).of(person.entitlementCountry) ??
            person.entitlementCountry),
        administrators: await administratorsOf(database, account?.id ?? pending[0]?.id ?? null),
        invitations,
        terms,
      }),
    );
  }

  async function showData(
    ctx: Context,
    session: CurrentSession,
    { error }: { error?: DataError } = {},
  ): Promise<void> {
    const page = pageOf(ctx, session);
    sendPage(
      ctx,
      error ? 422 : 200,
      dataPage({
        ...page,
        done: doneText(ctx, page),
        failed: error !== undefined,
        managedBy: await managerOf(database, session.person),
        account: session.person.account?.name,
        error,
      }),
    );
  }

  function showInvalid(ctx: Context): void {
    sendPage(ctx, 410, linkInvalidPage({ ...pageContext(ctx), forgotHref: '/profile' }));
  }
}

const doneTexts = {
  saved: 'profile.saved',
  password: 'profile.password.changed',
  session: 'profile.sessions.ended',
  requested: 'profile.data.requested',
  factor_added: 'mfa.profile.added',
  factor_removed: 'mfa.profile.removed',
  factor_renamed: 'mfa.profile.renamed',
} as const;

const factorErrors: Record<string, 'last' | 'name'> = { last_factor: 'last', bad_name: 'name' };

const emailErrors: Partial<Record<Refusal['code'], DetailsPage['emailError']>> = {
  domain_owned_by_other: 'foreign',
  managed_by_directory: 'managed',
};

function detailsErrors(
  details: DetailsPage['details'],
): Partial<Record<keyof DetailsPage['details'], DetailsError>> {
  const errors: Partial<Record<keyof DetailsPage['details'], DetailsError>> = {};
  for (const key of ['givenName', 'familyName'] as const)
    if (details[key] === '' || details[key].length > 100) errors[key] = 'name';
  if (details.country !== '' && canonicalCountry(details.country) === null)
    errors.country = 'country';
  if (details.phone !== '' && !/^\+?[\d\s().\-/]{4,30}$/.test(details.phone))
    errors.phone = 'phone';
  if (details.jobTitle.length > 100) errors.jobTitle = 'text';
  return errors;
}
