import type { MessageKey } from '#messages/translate.ts';
import { type Child, type Html, html } from '#platform/html.ts';
import { field, named, postForm, primary, select } from '../../form.ts';
import { languageOptions } from '../../languages.ts';
import { part, profile, type Frame } from './frame.ts';

export type DetailsError = 'name' | 'phone' | 'text' | 'country' | 'managed';

export interface DetailsPage extends Frame {
  details: {
    givenName: string;
    familyName: string;
    country: string;
    language: string;
    phone: string;
    jobTitle: string;
  };
  countries: readonly (readonly [string, string])[];
  /** Names of fields that a directory decides about. */
  managed: readonly string[];
  /** Whose directory that is. */
  account?: string | undefined;
  errors?: Partial<Record<keyof DetailsPage['details'], DetailsError>>;
  emailError?: 'invalid' | 'foreign' | 'managed' | undefined;
  emailTyped?: string | undefined;
  /** Where they want to be written to instead, and whether its reader has still to say yes. */
  mail: { address: string | null; waits: boolean };
  mailFailed?: boolean | undefined;
  mailTyped?: string | undefined;
}

const detailsErrors: Record<DetailsError, MessageKey> = {
  name: 'profile.invalid_name',
  phone: 'profile.invalid_phone',
  text: 'profile.invalid_text',
  country: 'profile.invalid_country',
  managed: 'profile.managed',
};

export function detailsPage(page: DetailsPage): Html {
  const { t, csrf, details, countries, managed, errors = {}, email } = page;
  const told = (key: keyof DetailsPage['details']): string | undefined =>
    errors[key] && t(detailsErrors[errors[key]], { account: page.account ?? '' });
  const name = (key: 'givenName' | 'familyName', label: string, autocomplete: string): Html =>
    field({
      name: key,
      label,
      value: details[key],
      autocomplete,
      readonly: managed.includes(key),
      hint: managed.includes(key) && managedBy(page),
      error: told(key),
    });
  const other = (key: 'phone' | 'jobTitle', label: string, autocomplete: string): Html =>
    field({
      name: key,
      label,
      type: key === 'phone' ? 'tel' : 'text',
      value: details[key],
      autocomplete,
      optional: true,
      readonly: managed.includes(key),
      hint: managed.includes(key) ? managedBy(page) : t('profile.optional'),
      error: told(key),
    });
  const emailErrors = {
    invalid: 'id.invalid',
    foreign: 'profile.email.foreign',
    managed: 'profile.email.managed',
  } as const;
  return profile(page, 'details', [
    part(
      t('profile.details'),
      postForm({ action: '/profile', csrf }, [
        name('givenName', t('profile.given_name'), 'given-name'),
        name('familyName', t('profile.family_name'), 'family-name'),
        select({
          name: 'country',
          label: t('profile.country'),
          value: details.country,
          options: [['', t('profile.no_choice')], ...countries],
          autocomplete: 'country',
          error: errors.country && t(detailsErrors[errors.country]),
        }),
        select({
          name: 'language',
          label: t('profile.language'),
          value: details.language,
          options: [['', t('profile.browser_language')], ...languageOptions],
          autocomplete: 'language',
        }),
        other('phone', t('profile.phone'), 'tel'),
        other('jobTitle', t('profile.job_title'), 'organization-title'),
        primary(t('profile.save')),
      ]),
    ),
    part(t('profile.email.title'), [
      html`<p>${t.parts('profile.email.current', { email: named(email) })}</p>`,
      managed.includes('email')
        ? html`<p class="hint">${managedBy(page)}</p>`
        : postForm({ action: '/profile/email', csrf }, [
            field({
              name: 'email',
              label: t('profile.email.new'),
              type: 'email',
              autocomplete: 'email',
              value: page.emailTyped,
              hint: t('profile.email.hint'),
              error: page.emailError && t(emailErrors[page.emailError]),
            }),
            html`<button type="submit">${t('profile.email.change')}</button>`,
          ]),
    ]),
    part(t('profile.mail.title'), mailAddress(page)),
  ]);
}

function mailAddress({ t, csrf, email, mail, mailTyped, mailFailed }: DetailsPage): Child {
  const { address, waits } = mail;
  return [
    html`<p>
      ${
        address !== null && waits
          ? t.parts('profile.mail.waits', { address: named(address), email: named(email) })
          : t.parts('profile.mail.here', { address: named(address ?? email) })
      }
    </p>`,
    postForm({ action: '/profile/mail', csrf }, [
      field({
        name: 'mail',
        label: t('profile.mail.field'),
        type: 'email',
        autocomplete: 'email',
        value: mailTyped ?? address ?? '',
        optional: true,
        hint: t('profile.mail.hint'),
        error: mailFailed && t('id.invalid'),
      }),
      html`<button type="submit">${t('profile.mail.change')}</button>`,
    ]),
  ];
}

function managedBy({ t, account }: DetailsPage): Child {
  return t.parts('profile.managed', { account: named(account ?? '') });
}
