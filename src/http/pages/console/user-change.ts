import { type Child, type Html, html } from '#platform/html.ts';
import { alert, field, named, postForm, select } from '../../form.ts';
import { languageOptions } from '../../languages.ts';
import type { Errors } from './forms.ts';
import { sendOrCancel } from './parts.ts';
import { consolePage, type ConsoleFrame } from './frame.ts';
import { nameOf, type Named } from './people.ts';

export interface UserValues {
  email: string;
  givenName: string;
  familyName: string;
  country: string;
  language: string;
  communicationEmail: string;
}

export interface ChangeUserPage extends ConsoleFrame {
  user: Named;
  values: UserValues;
  /** What is changed elsewhere alone, and where. */
  managed: readonly { attribute: string; name: string | null }[];
  countries: readonly (readonly [string, string])[];
  errors: Errors;
  /** Why it was refused, where no field is to blame. */
  failure: string | null;
}

export function changeUserPage(page: ChangeUserPage): Html {
  const { t, csrf, user, values, managed, countries, errors, failure } = page;
  const elsewhere = (key: keyof UserValues): { readonly: boolean; hint: Child } => {
    const found = managed.find(({ attribute }) => attribute === key);
    return {
      readonly: found !== undefined,
      hint: found && t.parts('people.changed_there', { name: named(found.name ?? '') }),
    };
  };
  const text = (key: 'givenName' | 'familyName', label: string): Html =>
    field({
      name: key,
      label,
      value: values[key],
      error: errors[key],
      ...elsewhere(key),
    });
  const back = { href: `/console/users/${user.id}`, title: html`<bdi>${nameOf(user)}</bdi>` };
  return consolePage(page, {
    title: t('people.change'),
    heading: [t('people.change'), ': ', html`<bdi>${nameOf(user)}</bdi>`],
    back,
    failed: failure !== null || Object.keys(errors).length > 0,
    main: html`<section class="card part">
      ${failure && alert(failure)}
      ${postForm({ action: `/console/users/${user.id}/change`, csrf }, [
        html`<div class="pair">
          ${text('givenName', t('profile.given_name'))}
          ${text('familyName', t('profile.family_name'))}
        </div>`,
        field({
          name: 'email',
          label: t('field.email'),
          type: 'email',
          value: values.email,
          error: errors['email'],
          ...elsewhere('email'),
          ...(!elsewhere('email').readonly && { hint: t('people.email_hint') }),
        }),
        field({
          name: 'communicationEmail',
          label: t('people.communication'),
          type: 'email',
          value: values.communicationEmail,
          optional: true,
          hint: t('people.communication_hint'),
          error: errors['communicationEmail'],
        }),
        select({
          name: 'country',
          label: t('profile.country'),
          value: values.country,
          error: errors['country'],
          options: [['', t('people.language_unknown')], ...countries],
        }),
        select({
          name: 'language',
          label: t('people.language'),
          value: values.language,
          options: [['', t('people.language_unknown')], ...languageOptions],
        }),
        sendOrCancel(page, t('profile.save'), back),
      ])}
    </section>`,
  });
}
