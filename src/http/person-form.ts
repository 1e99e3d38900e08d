import { canonicalCountry } from '#identity/users/country.ts';
import type { PersonErrors, PersonFields } from './pages/register.ts';

/** Text on one line, without what turns the direction of writing or hides in it (security.md D-72). */
const name = /^[^\p{Cc}\p{Cs}\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]{1,100}$/u;

/** Who somebody says they are, in a form. */
export function readPerson(form: Record<string, string>): {
  values: PersonFields;
  errors: PersonErrors;
} {
  const country = canonicalCountry(form['country']);
  const values = {
    givenName: (form['given_name'] ?? '').trim(),
    familyName: (form['family_name'] ?? '').trim(),
    country: country ?? '',
  };
  return {
    values,
    errors: {
      ...(!name.test(values.givenName) && { givenName: true as const }),
      ...(!name.test(values.familyName) && { familyName: true as const }),
      ...(country === null && { country: true as const }),
    },
  };
}
