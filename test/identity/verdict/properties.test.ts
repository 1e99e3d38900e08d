import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lockReasons } from '#identity/users/locks.ts';
import {
  addingDoors,
  doors,
  verdict,
  type Door,
  type Facts,
  type Outcome,
} from '#identity/verdict/verdict.ts';

const accounts = ['acme', 'beta', 'gamma'] as const;
const someAccount = fc.constantFrom(...accounts);
const several = fc.uniqueArray(someAccount);

/** A person whose facts fit together, as the constraints of the database have it. */
const anyPerson: fc.Arbitrary<Facts['person']> = fc
  .record({
    identity: fc.constantFrom('invited', 'unverified', 'ready', 'erasing'),
    affiliation: fc.constantFrom('none', 'pending', 'provisional', 'member'),
    at: someAccount,
    locks: fc.uniqueArray(fc.constantFrom(...lockReasons), { maxLength: 3 }),
    invitedBy: several,
    removedBy: someAccount,
    rejectedBy: several,
    breakGlass: fc.boolean(),
    administrator: fc.boolean(),
  } as const)
  .map(({ at, removedBy, ...one }) => ({
    id: 'person',
    ...one,
    accountId: one.affiliation === 'member' || one.affiliation === 'provisional' ? at : null,
    approvalAt: one.affiliation === 'pending' ? at : null,
    removedBy: one.locks.includes('unaffiliated') ? removedBy : null,
  }));

const anyFacts: fc.Arbitrary<Facts> = fc.record({
  email: fc.option(fc.constant('ann@acme.example'), { freq: 20 }),
  account: fc.option(
    fc.record({
      id: fc.constant('acme'),
      status: fc.constantFrom('active', 'on_hold', 'closing', 'closed', 'merged'),
      allowsForeignDomains: fc.boolean(),
    } as const),
    { freq: 10 },
  ),
  domain: fc.constantFrom(
    'mine',
    'mine_federated',
    'mine_lapsed',
    'mine_pending',
    'other',
    'public',
    'free',
  ),
  owner: fc.option(
    fc.record({
      id: someAccount,
      status: fc.constantFrom('active', 'on_hold', 'closing', 'closed', 'merged'),
      signup: fc.constantFrom('approve', 'auto', 'closed'),
      federated: fc.boolean(),
      lapsed: fc.boolean(),
    } as const),
  ),
  person: fc.option(anyPerson, { freq: 6 }),
  from: fc.option(fc.constantFrom('mine', 'mine_federated', 'free', 'public')),
} as const);

const anyDoor = fc.constantFrom(...doors);

/** The person is a member right away. */
const joining = new Set<Outcome>([
  'create_member',
  'create_auto_approved',
  'add',
  'approve',
  'accept',
]);
/** Somebody is let in, or asked in. */
const taking = new Set<Outcome>([...joining, 'create_provisional', 'invite']);
const severe = ['operator', 'compromised', 'erasing'] as const;

function always(name: string, holds: (door: Door, facts: Facts) => void): void {
  it(name, () => {
    fc.assert(fc.property(anyDoor, anyFacts, holds), { numRuns: 8000 });
  });
}

describe('whoever asks, whatever is known', () => {
  always('the same facts get the same verdict', (door, facts) => {
    const before = structuredClone(facts);
    expect(verdict(door, facts)).toEqual(verdict(door, structuredClone(facts)));
    expect(facts).toEqual(before);
  });

  always('a no has a code, a sentence and somebody who can change it', (door, facts) => {
    const { outcome, code, message } = verdict(door, facts);
    if (outcome !== 'refuse') return;
    expect(code).toBeTruthy();
    expect(message).toBeTruthy();
  });

  always('a person is never in two accounts', (door, facts) => {
    const { outcome, joins } = verdict(door, facts);
    if (facts.person?.affiliation !== 'member' || joins === null) return;
    expect(taking.has(outcome)).toBe(false);
    expect(outcome === 'nothing' || outcome === 'change_email').toBe(true);
    if (outcome === 'nothing') expect(joins).toBe(facts.person.accountId);
  });

  always(
    'nobody is taken in past a lock that is not an administrator’s to judge',
    (door, facts) => {
      const { outcome } = verdict(door, facts);
      if (facts.person?.locks.some((lock) => (severe as readonly string[]).includes(lock)))
        expect(taking.has(outcome)).toBe(false);
    },
  );

  always('who was removed by an account does not come back to it by themselves', (door, facts) => {
    const { outcome, joins } = verdict(door, facts);
    const { person } = facts;
    if (!person?.removedBy || person.removedBy !== joins) return;
    const alone: Door[] = ['registration', 'settling', 'just_in_time'];
    if (alone.includes(door)) expect(joining.has(outcome)).toBe(false);
  });

  always('an account on hold takes nobody in, at no door', (door, facts) => {
    const { outcome, joins } = verdict(door, facts);
    const acting = facts.account?.id === joins ? facts.account : null;
    const own = facts.owner?.id === joins ? facts.owner : null;
    const unasked = door === 'registration' || door === 'settling';
    if (unasked ? own && own.status !== 'active' : !acting || acting.status !== 'active')
      expect(taking.has(outcome)).toBe(false);
  });

  always('a domain of somebody else never yields a member', (door, facts) => {
    if (door === 'registration' || door === 'settling') return;
    const { outcome } = verdict(door, { ...facts, domain: 'other' });
    expect(taking.has(outcome)).toBe(false);
    expect(outcome).not.toBe('change_email');
  });

  always(
    'a domain that nobody proved yields a member by their own consent alone',
    (door, facts) => {
      const unproved = facts.domain === 'free' || facts.domain === 'public';
      if (!unproved || door === 'registration' || door === 'settling') return;
      const { outcome } = verdict(door, facts);
      if (joining.has(outcome)) expect(outcome).toBe('accept');
    },
  );

  always('another account is never named', (door, facts) => {
    const said = JSON.stringify(verdict(door, facts));
    const others = accounts.filter((id) => id !== facts.account?.id && id !== facts.owner?.id);
    for (const id of others)
      if (id !== facts.person?.accountId || facts.account) expect(said).not.toContain(`"${id}"`);
  });
});

describe('an administrator, a file, an invitation and a directory', () => {
  it('say the same of everybody, but for what the table says', () => {
    const differences = new Set<string>();
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const [admin, ...others] = addingDoors.map((door) => verdict(door, facts));
        for (const [index, other] of others.entries()) {
          if (JSON.stringify(admin) === JSON.stringify(other)) continue;
          const short = ({ outcome, code }: typeof other): string => code ?? outcome;
          differences.add(`${addingDoors[index + 1]}: ${short(admin!)} → ${short(other)}`);
        }
      }),
      { numRuns: 20_000, seed: 6 },
    );
    expect([...differences].sort()).toEqual([
      // Row 5: an invitation needs no domain.
      'invite: domain_pending_ownership → create_provisional',
      'invite: domain_pending_ownership → domain_not_owned',
      'invite: domain_pending_ownership → invite',
      'invite: domain_pending_ownership → user_in_other_account',
      'invite: domain_pending_ownership → user_not_addable',
      // Rows 8 and 9: it is what the others offer.
      'invite: user_exists → invite',
      'invite: user_exists_other_domain → invite',
      // Rows 3b, 3c, 8, 9: a directory has decided already.
      'scim_create: already_invited → add',
      'scim_create: already_invited → user_not_addable',
      'scim_create: pending_approval → approve',
      'scim_create: pending_approval → user_not_addable',
      'scim_create: user_exists → add',
      'scim_create: user_exists_other_domain → invite',
    ]);
  });
});
