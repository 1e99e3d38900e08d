import type { Translate } from '#messages/translate.ts';
import type { Html } from '#platform/html.ts';
import { field } from '../form.ts';

/** The address a person types first on a page. `invalid` also shows what one looks like. */
export function emailField(
  t: Translate,
  {
    email,
    error,
    autocomplete = 'username',
  }: {
    email?: string | undefined;
    error?: 'empty' | 'invalid' | undefined;
    autocomplete?: 'username' | 'email';
  },
): Html {
  return field({
    name: 'email',
    label: t('field.email'),
    type: 'email',
    value: email,
    autocomplete,
    error: error && [t('id.invalid'), error === 'invalid' && ` ${t('identifier.example')}`],
    autofocus: true,
    attributes: 'spellcheck="false" autocapitalize="none"',
  });
}
