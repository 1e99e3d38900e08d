import type { Router } from '@koa/router';
import type { Context } from 'koa';
import { isLocale } from '#platform/i18n.ts';
import { Refusal } from '#identity/refusal.ts';
import { changeCommunicationEmail } from '#identity/users/communication.ts';
import { canonicalCountry } from '#identity/users/country.ts';
import { changeDetails, managedAttributes, requestEmailChange } from '#identity/users/profile.ts';
import { sendPage } from '../../context.ts';
import { countryOptions } from '../../countries.ts';
import { detailsPage, type DetailsError, type DetailsPage } from '../../pages/profile/details.ts';
import type { CurrentSession } from '../../sessions.ts';
import type { ProfileDesk } from './desk.ts';

/** `/profile`: who somebody is, and where they are written to (behaviour.md F26). */
export function detailsRoutes(router: Router, desk: ProfileDesk): void {
  const { passwords, sessions, forms, as, pageOf, done, doneText } = desk;
  const { database } = passwords;

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
}

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
