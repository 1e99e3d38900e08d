import type { Facts } from '#identity/verdict/verdict.ts';

type Person = NonNullable<Facts['person']>;
type Owner = NonNullable<Facts['owner']>;

export const acme = 'acme';
export const beta = 'beta';

export const nobody = null;

export function person(change: Partial<Person> = {}): Person {
  return {
    id: 'person',
    identity: 'ready',
    affiliation: 'none',
    accountId: null,
    locks: [],
    approvalAt: null,
    invitedBy: [],
    removedBy: null,
    rejectedBy: [],
    breakGlass: false,
    administrator: false,
    ...change,
  };
}

export function owner(change: Partial<Owner> = {}): Owner {
  return {
    id: acme,
    status: 'active',
    signup: 'approve',
    federated: false,
    lapsed: false,
    ...change,
  };
}

/** Acme looks at an address of a domain that nobody owns and nobody has. */
export function facts(change: Partial<Facts> = {}): Facts {
  return {
    email: 'ann@acme.example',
    account: { id: acme, status: 'active', allowsForeignDomains: true },
    domain: 'free',
    owner: null,
    person: null,
    from: null,
    ...change,
  };
}

/** Everybody an address may belong to, as seen from Acme. */
export const people: Record<string, Person | null> = {
  nobody: nobody,
  'member of Acme': person({ affiliation: 'member', accountId: acme }),
  'added to Acme, never signed in': person({
    identity: 'invited',
    affiliation: 'member',
    accountId: acme,
  }),
  'waiting for Acme': person({ affiliation: 'pending', approvalAt: acme }),
  'invited by Acme, new': person({
    identity: 'invited',
    affiliation: 'provisional',
    accountId: acme,
    invitedBy: [acme],
  }),
  'invited by Acme': person({ invitedBy: [acme] }),
  'member of Beta': person({ affiliation: 'member', accountId: beta }),
  'waiting for Beta': person({ affiliation: 'pending', approvalAt: beta }),
  'invited by Beta, new': person({
    identity: 'invited',
    affiliation: 'provisional',
    accountId: beta,
    invitedBy: [beta],
  }),
  'invited by Beta': person({ invitedBy: [beta] }),
  unaffiliated: person(),
  'removed by Acme': person({ locks: ['unaffiliated'], removedBy: acme }),
  'removed by Beta': person({ locks: ['unaffiliated'], removedBy: beta }),
  'rejected by Acme': person({ rejectedBy: [acme] }),
  'locked by the operator': person({ locks: ['operator'] }),
  compromised: person({ locks: ['compromised'] }),
  'being erased': person({ identity: 'erasing', locks: ['erasing'] }),
  'too many attempts': person({ locks: ['too_many_attempts'] }),
  'break-glass of Acme': person({ affiliation: 'member', accountId: acme, breakGlass: true }),
};
