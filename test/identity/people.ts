import type { ClientPolicy } from '#identity/access/access-decision.ts';
import type { Person } from '#identity/users/person.ts';

export const acme = {
  id: 'acme',
  number: '7',
  name: 'Acme',
  status: 'active' as const,
  holdReason: null,
};

/** A member of Acme who may come in, but for what is changed. */
export function person(change: Partial<Person>): Person {
  return {
    id: 'ann',
    email: 'ann@acme.example',
    givenName: 'Ann',
    familyName: 'Archer',
    country: 'US',
    entitlementCountry: 'US',
    language: null,
    phone: null,
    identity: 'ready',
    emailVerified: true,
    affiliation: 'member',
    account: acme,
    locks: [],
    roles: [],
    groups: [],
    outstandingTerms: [],
    secondFactor: { enrolled: false, required: false, account: null },
    updatedAt: 0,
    putOut: 0,
    ...change,
  };
}

/** An application for members of active accounts, but for what is changed. */
export function policy(change: Partial<ClientPolicy> = {}): ClientPolicy {
  return {
    requiresAccount: true,
    requiresActiveAccount: true,
    allowedAccounts: [],
    requiredRoles: [],
    ...change,
  };
}

/** An application that takes anybody. */
export const open = policy({ requiresAccount: false, requiresActiveAccount: false });
