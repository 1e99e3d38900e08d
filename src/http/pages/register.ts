import type { Translate } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { alert, field, hidden, named, notice, postForm, primary, select } from '../form.ts';
import type { PageContext } from '../layout.ts';
import { card } from './card.ts';
import { emailField } from './email-field.ts';
import { codeField } from './password.ts';

export interface PersonFields {
  givenName: string;
  familyName: string;
  country: string;
}

export type PersonErrors = Partial<Record<keyof PersonFields, true>>;

/** Who somebody is: first name, last name, country; or those of them that are asked for. */
export function personFields(
  t: Translate,
  values: Partial<PersonFields>,
  errors: PersonErrors,
  countries: readonly (readonly [string, string])[],
  asked: readonly (keyof PersonFields)[] = ['givenName', 'familyName', 'country'],
): Child {
  return [
    asked.includes('givenName') &&
      field({
        name: 'given_name',
        label: t('profile.given_name'),
        value: values.givenName,
        autocomplete: 'given-name',
        error: errors.givenName && t('profile.invalid_name'),
        attributes: 'maxlength="100"',
      }),
    asked.includes('familyName') &&
      field({
        name: 'family_name',
        label: t('profile.family_name'),
        value: values.familyName,
        autocomplete: 'family-name',
        error: errors.familyName && t('profile.invalid_name'),
        attributes: 'maxlength="100"',
      }),
    asked.includes('country') &&
      select({
        name: 'country',
        label: t('profile.country'),
        value: values.country ?? '',
        options: [['', t('register.choose')], ...countries],
        autocomplete: 'country',
        required: true,
        error: errors.country && t('profile.invalid_country'),
      }),
  ];
}

export interface RegisterPage extends PageContext {
  action: string;
  email?: string | undefined;
  values?: Partial<PersonFields> | undefined;
  errors?: (PersonErrors & { email?: 'empty' | 'invalid' | undefined }) | undefined;
  countries: readonly (readonly [string, string])[];
  signInHref: string;
  clientName?: string | undefined;
}

export function registerPage(page: RegisterPage): Html {
  const { t, action, csrf, email, values = {}, errors = {}, countries } = page;
  const wrong = errors.email;
  return card(page, {
    title: t('identifier.register'),
    lead: t('register.lead'),
    failed: Object.keys(errors).length > 0,
    body: html`
      ${postForm({ action, csrf }, [
        emailField(t, { email, error: wrong, autocomplete: 'email' }),
        personFields(t, values, errors, countries),
        primary(t('action.continue')),
      ])}
      <p class="links">
        <span>${t('register.have')} <a href="${page.signInHref}">${t('action.sign_in')}</a></span>
      </p>
    `,
  });
}

export interface RegisterSentPage extends PageContext {
  email: string;
  codeAction: string;
  resendAction: string;
  error?: 'wrong' | 'spent' | undefined;
  /** Another code was just asked for. */
  resent?: boolean | undefined;
  backHref: string;
}

/** The same for every address: it does not tell whether somebody has it. */
export function registerSentPage(page: RegisterSentPage): Html {
  const { t, csrf, email, error, resent, codeAction, resendAction, backHref } = page;
  return card(page, {
    title: t('code.title'),
    lead: t.parts('register.sent.text', { email: html`<strong>${named(email)}</strong>` }),
    failed: error !== undefined,
    body: html`
      ${resent && html`<div role="status">${notice('success', t('register.resent'))}</div>`}
      ${postForm({ action: codeAction, csrf }, [
        hidden('email', email),
        codeField(t, error),
        primary(t('action.continue')),
      ])}
      <p class="hint">${t('register.sent.hint')}</p>
      ${postForm({ action: resendAction, csrf }, [
        hidden('email', email),
        html`<button class="quiet" type="submit">${t('code.resend')}</button>`,
      ])}
      <p class="links"><a href="${backHref}">${t('action.start_again')}</a></p>
    `,
  });
}

export interface RegisteredPage extends PageContext {
  /** They wait for an administrator. */
  pending: boolean;
  continueHref: string;
}

export function registeredPage(page: RegisteredPage): Html {
  const { t, pending, continueHref } = page;
  return card(page, {
    title: t('register.done.title'),
    lead: t('register.done.text'),
    body: html`
      ${pending && notice('info', [t('pending'), ' ', t('pending.mail')])}
      <p><a class="button primary" href="${continueHref}">${t('action.sign_in')}</a></p>
    `,
  });
}

export interface RegisterUpstreamPage extends PageContext {
  email: string;
  continueHref: string;
}

/** Nobody registers where their organization signs them in. */
export function registerUpstreamPage(page: RegisterUpstreamPage): Html {
  const { t, email, continueHref } = page;
  return card(page, {
    title: t('register.upstream.title'),
    lead: t.parts('register.upstream.text', { email: html`<strong>${named(email)}</strong>` }),
    body: html`<p><a class="button primary" href="${continueHref}">${t('action.continue')}</a></p>`,
  });
}

export interface UnsubscribePage extends PageContext {
  action: string;
  done?: boolean | undefined;
}

/** Ends the reminders of one person. A link that is followed by a scanner ends nothing. */
export function unsubscribePage(page: UnsubscribePage): Html {
  const { t, action, csrf, done } = page;
  if (done)
    return card(page, {
      title: t('unsubscribe.done.title'),
      lead: t('unsubscribe.done.text'),
    });
  return card(page, {
    title: t('unsubscribe.title'),
    lead: t('unsubscribe.text'),
    body: postForm({ action, csrf }, primary(t('unsubscribe.submit'))),
  });
}

/** A link that leads nowhere any more, where there is nothing to ask for again. */
export function deadLinkPage(page: PageContext): Html {
  const { t } = page;
  return card(page, {
    title: t('link.title'),
    failed: true,
    body: alert(t('link.text'), 'warning'),
  });
}
