import { anyCountry } from '../users/country.ts';
import { canonicalEmail } from '../users/email.ts';
import type { UpstreamAssertion } from './assertion.ts';

/** What of a person a provider may tell us. */
export const mappedAttributes = [
  'identifier',
  'givenName',
  'familyName',
  'country',
  'language',
  'phone',
  'jobTitle',
  'externalId',
  'mail',
] as const;
export type MappedAttribute = (typeof mappedAttributes)[number];

/** What is done with what a mapping gave, where the claim it reads is not sent at all. */
export const absentPolicies = ['keep', 'remove', 'deny'] as const;
export type AbsentPolicy = (typeof absentPolicies)[number];

export interface GrantMapping<Target extends string> {
  /** The claim or attribute to read: a text or a list of texts. */
  claim: string;
  absent: AbsentPolicy;
  rules: ({ value: string } & Record<Target, string>)[];
}

/** How claims become a person (peers.md F3). Names of claims are tried in their order. */
export interface Mapping {
  attributes: Partial<Record<MappedAttribute, string[]>>;
  /** `group` is the id of a group of the account. */
  groups: GrantMapping<'group'> | null;
  /** `role` is the key of a service role: no provider makes administrators. */
  roles: GrantMapping<'role'> | null;
}

/** Where attributes are looked for unless a connection says otherwise. */
export const usualClaims: Readonly<Record<'oidc' | 'saml', Record<MappedAttribute, string[]>>> = {
  oidc: {
    identifier: ['email'],
    givenName: ['given_name'],
    familyName: ['family_name'],
    country: ['country', 'ctry', 'c', 'address.country'],
    language: ['locale', 'preferred_language'],
    phone: ['phone_number'],
    jobTitle: ['job_title', 'title'],
    externalId: ['oid'],
    mail: ['email'],
  },
  saml: {
    identifier: [
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
      'urn:oid:0.9.2342.19200300.100.1.3',
      'mail',
      'email',
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn',
    ],
    givenName: [
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname',
      'urn:oid:2.5.4.42',
      'givenName',
      'firstName',
    ],
    familyName: [
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname',
      'urn:oid:2.5.4.4',
      'sn',
      'surname',
      'lastName',
    ],
    country: [
      'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/country',
      'urn:oid:2.5.4.6',
      'c',
      'country',
    ],
    language: ['urn:oid:2.16.840.1.113730.3.1.39', 'preferredLanguage'],
    phone: ['urn:oid:2.5.4.20', 'telephoneNumber', 'mobile'],
    jobTitle: ['urn:oid:2.5.4.12', 'title'],
    externalId: [
      'http://schemas.microsoft.com/identity/claims/objectidentifier',
      'urn:oasis:names:tc:SAML:attribute:subject-id',
    ],
    mail: ['http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress', 'mail'],
  },
};

/** What the provider's words come to, before anybody decides about it. */
export interface MappedPerson {
  /** The address that stands for the person, in canonical form; null with a problem. */
  identifier: string | null;
  identifierProblem: 'missing' | 'ambiguous' | 'invalid' | null;
  /** As the provider wrote it. */
  identifierDisplay: string;
  /** A guest of the directory: the address is the directory's own name for them. */
  guest: boolean;
  givenName: string | null;
  familyName: string | null;
  country: string | null;
  language: string | null;
  phone: string | null;
  jobTitle: string | null;
  externalId: string | null;
  /** Where mails would reach a guest; proved by nobody. */
  mail: string | null;
  /** The targets that the claims give; null where the claim was not sent at all. */
  groups: string[] | null;
  roles: string[] | null;
}

/**
 * Applies a mapping. Pure: the simulator calls it with a stored assertion and another mapping.
 */
export function mapAssertion(
  kind: 'oidc' | 'saml',
  mapping: Mapping,
  { claims }: Pick<UpstreamAssertion, 'claims'>,
): MappedPerson {
  const names = (attribute: MappedAttribute): string[] =>
    mapping.attributes[attribute] ?? usualClaims[kind][attribute];
  const text = (attribute: MappedAttribute, limit = 200): string | null => {
    for (const name of names(attribute)) {
      const [value] = textsOf(claims, name);
      const said = value?.trim();
      if (said && said.length <= limit && !hasControl(said)) return said;
    }
    return null;
  };

  return {
    ...identifierOf(claims, names('identifier')),
    givenName: text('givenName', 100),
    familyName: text('familyName', 100),
    country: anyCountry(text('country', 100)),
    language: text('language', 35),
    phone: text('phone', 50),
    jobTitle: text('jobTitle', 100),
    externalId: text('externalId', 255),
    mail: canonicalEmail(text('mail', 320)),
    groups: targets(claims, mapping.groups, 'group'),
    roles: targets(claims, mapping.roles, 'role'),
  };
}

/**
 * The first of the claims that is sent decides, and it must hold one address: an assertion with two
 * could be meant for either (security.md D-19).
 */
function identifierOf(
  claims: UpstreamAssertion['claims'],
  names: readonly string[],
): Pick<MappedPerson, 'identifier' | 'identifierProblem' | 'identifierDisplay' | 'guest'> {
  const problem = (identifierProblem: MappedPerson['identifierProblem'], display = '') => ({
    identifier: null,
    identifierProblem,
    identifierDisplay: display.slice(0, 320),
    guest: false,
  });
  for (const name of names) {
    const raw = claimAt(claims, name);
    if (raw === undefined || raw === null || raw === '') continue;
    if (Array.isArray(raw) && new Set(raw).size > 1) return problem('ambiguous');
    const [said] = textsOf(claims, name);
    if (said === undefined) return problem('invalid');
    if (said.length > 320) return problem('invalid');
    const identifier = canonicalEmail(said);
    if (identifier === null) return problem('invalid', said);
    return {
      identifier,
      identifierProblem: null,
      identifierDisplay: said,
      guest: /(#ext#|_ext_)@/.test(identifier),
    };
  }
  return problem('missing');
}

/** The claim itself, or, with a dot, what lies inside it: `address.country`. */
export function claimAt(claims: UpstreamAssertion['claims'], name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  const dot = name.indexOf('.');
  if (dot < 1) return undefined;
  const outer = Object.hasOwn(claims, name.slice(0, dot)) ? claims[name.slice(0, dot)] : undefined;
  const inner = name.slice(dot + 1);
  return outer && typeof outer === 'object' && !Array.isArray(outer) && Object.hasOwn(outer, inner)
    ? (outer as Record<string, unknown>)[inner]
    : undefined;
}

/** A text, or the texts of a list; what is no text is not there. */
function textsOf(claims: UpstreamAssertion['claims'], name: string): string[] {
  const value = claimAt(claims, name);
  return (Array.isArray(value) ? value : [value]).filter((one) => typeof one === 'string');
}

function targets<Target extends 'group' | 'role'>(
  claims: UpstreamAssertion['claims'],
  mapping: GrantMapping<Target> | null,
  target: Target,
): string[] | null {
  if (!mapping) return null;
  const raw = claimAt(claims, mapping.claim);
  if (raw === undefined || raw === null) return null;
  const sent = new Set(textsOf(claims, mapping.claim));
  return [...new Set(mapping.rules.filter((rule) => sent.has(rule.value)).map((r) => r[target]))];
}

function hasControl(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- what nobody is called
  return /[\u0000-\u001f\u007f\u202a-\u202e\u2066-\u2069]/.test(text);
}
