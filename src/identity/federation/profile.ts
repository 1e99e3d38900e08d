import type { SourcedAttribute } from '../scim/authority.ts';
import type { FederatedOutcome } from './decide.ts';
import type { KnownPerson, SignInFacts } from './facts.ts';

export type ProfileColumn =
  | 'given_name'
  | 'family_name'
  | 'country'
  | 'language'
  | 'phone'
  | 'job_title';

export const attributeIn = {
  given_name: 'givenName',
  family_name: 'familyName',
  country: 'country',
  language: 'language',
  phone: 'phone',
  job_title: 'jobTitle',
} as const satisfies Record<ProfileColumn, SourcedAttribute>;

/** What becomes of the address: one that a directory decides about stays. */
export function emailOf(
  { email }: Extract<FederatedOutcome, { outcome: 'sign_in' }>,
  { ofDirectory }: KnownPerson,
): typeof email {
  return email === 'update' && ofDirectory.includes('email') ? 'keep' : email;
}

/**
 * The columns that the provider's word changes; what it does not say, it does not take away, and
 * what a directory says it does not change.
 */
export function profileChanges(
  {
    connection,
    mapped,
    filledIn,
  }: Pick<SignInFacts, 'mapped' | 'filledIn'> & {
    connection: Pick<SignInFacts['connection'], 'provisioning'>;
  },
  before: KnownPerson,
): [ProfileColumn, string][] {
  const follow = connection.provisioning.syncProfile;
  const wanted: [ProfileColumn, string | null | undefined, string | null][] = [
    [
      'given_name',
      mapped.givenName ?? (before.givenName ? null : filledIn.givenName),
      before.givenName,
    ],
    [
      'family_name',
      mapped.familyName ?? (before.familyName ? null : filledIn.familyName),
      before.familyName,
    ],
    [
      'country',
      mapped.country ??
        (before.country ? null : (filledIn.country ?? connection.provisioning.defaultCountry)),
      before.country,
    ],
    // A person's own choice of language stays.
    ['language', before.language === null ? languageOf(mapped.language) : null, before.language],
    ['phone', mapped.phone, before.phone],
    ['job_title', mapped.jobTitle, before.jobTitle],
  ];
  return wanted.flatMap(([column, value, was]): [ProfileColumn, string][] =>
    value &&
    value !== was &&
    (follow || !was) &&
    !(was && before.ofDirectory.includes(attributeIn[column]))
      ? [[column, value]]
      : [],
  );
}

/** `de-CH` is German to us; what we do not speak is left to the browser. */
export function languageOf(said: string | null): string | null {
  const language = said?.toLowerCase().split(/[-_]/)[0] ?? null;
  return language !== null && spoken.has(language) ? language : null;
}

const spoken = new Set(['en', 'fr', 'nl', 'de', 'es', 'tr', 'it', 'pl', 'cs']);
