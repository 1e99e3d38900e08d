import type { Person } from '#identity/users/person.ts';

/** Which claims each scope gives (OpenID Connect Core 1.0, section 5.4; ours from `organization` on). */
export const claimsOfScopes: Record<string, string[]> = {
  openid: ['sub', 'acr', 'amr', 'auth_time', 'sid', 'session_expiry'],
  profile: ['name', 'given_name', 'family_name', 'preferred_username', 'locale', 'updated_at'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
  organization: [
    'org',
    'org_name',
    'org_number',
    'org_status',
    'ultimate_site',
    'usage_country_iso',
  ],
  roles: ['roles'],
  groups: ['groups', 'groups_overage'],
};

/** More groups than this make tokens too large to travel; the application reads them elsewhere. */
const groupLimit = 200;

/**
 * What is said about a person, and nothing that is not known: an absent claim is left out
 * (OpenID Connect Core 1.0, section 5.3.2). Whoever belongs to no account has no `org` at all.
 */
export function claimsOf(person: Person): Record<string, unknown> & { sub: string } {
  const { account, groups } = person;
  const member = person.affiliation === 'member' ? account : null;
  const name = [person.givenName, person.familyName].filter(Boolean).join(' ');
  return defined({
    sub: person.id,
    name: name || undefined,
    given_name: person.givenName || undefined,
    family_name: person.familyName || undefined,
    preferred_username: person.email ?? undefined,
    locale: person.language ?? undefined,
    updated_at: person.updatedAt,
    email: person.email ?? undefined,
    email_verified: person.email === null ? undefined : person.emailVerified,
    phone_number: person.phone ?? undefined,
    phone_number_verified: person.phone === null ? undefined : false,
    address: person.country === null ? undefined : { country: person.country },
    org: member?.id,
    org_name: member?.name,
    org_number: member?.number ?? undefined,
    ultimate_site: member?.number ?? undefined,
    org_status: member?.status,
    usage_country_iso: (member && person.entitlementCountry) ?? undefined,
    roles: person.roles,
    groups: groups.length > groupLimit ? undefined : groups.map((group) => group.name),
    groups_overage: groups.length > groupLimit ? true : undefined,
  });
}

function defined<T extends Record<string, unknown>>(claims: T): T {
  const kept: Record<string, unknown> = {};
  for (const name in claims) {
    const value = claims[name];
    if (value !== undefined && value !== null) kept[name] = value;
  }
  return kept as T;
}
