import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  accessDecision,
  type AccessDecision,
  type ClientPolicy,
} from '#identity/access/access-decision.ts';
import { lockReasons, tellingOrder, type LockReason } from '#identity/users/locks.ts';
import { affiliations, identities } from '#identity/users/user.ts';
import { accountStatuses } from '#identity/accounts/account.ts';
import { nextStep } from '#identity/sign-in/next-step.ts';
import { acme, open, person, policy } from './people.ts';

const hard = lockReasons.filter((reason) => reason !== 'too_many_attempts');
const lock = (reason: LockReason) => ({ reason, until: null });
const word = (decision: AccessDecision): string =>
  decision.access === 'deny'
    ? 'lock' in decision.denial
      ? decision.denial.lock
      : decision.denial.reason
    : decision.access === 'interact'
      ? decision.need
      : 'allow';

describe('a person who wants to come in', () => {
  it.each<[string, Parameters<typeof person>[0], Partial<ClientPolicy> | null, string]>([
    ['a member', {}, {}, 'allow'],
    ['a member, on our own pages', {}, null, 'allow'],
    ['nobody', { identity: 'erased' }, {}, 'unknown'],
    ['someone invited, who never proved their address', { identity: 'invited' }, {}, 'unverified'],
    ['someone registered, not verified', { identity: 'unverified' }, {}, 'unverified'],
    ['someone who is being erased', { identity: 'erasing' }, {}, 'erasing'],
    ['someone with terms to accept', { outstandingTerms: ['v2'] }, {}, 'terms'],
    ['someone with terms to accept, on our own pages', { outstandingTerms: ['v2'] }, null, 'terms'],
    [
      'locked, with terms to accept',
      { locks: [lock('admin')], outstandingTerms: ['v2'] },
      {},
      'admin',
    ],
    ['too many attempts at the password', { locks: [lock('too_many_attempts')] }, {}, 'allow'],
    ['of an account on hold', { account: { ...acme, status: 'on_hold' } }, {}, 'account_on_hold'],
    ['of a closed account', { account: { ...acme, status: 'closed' } }, {}, 'account_closed'],
    [
      'of an account that is closing',
      { account: { ...acme, status: 'closing' } },
      {},
      'account_closed',
    ],
    [
      'of an account that was merged',
      { account: { ...acme, status: 'merged' } },
      {},
      'account_closed',
    ],
    [
      'of an account on hold, where that is no matter',
      { account: { ...acme, status: 'on_hold' } },
      { requiresActiveAccount: false },
      'allow',
    ],
    [
      'of an account on hold, on our own pages',
      { account: { ...acme, status: 'on_hold' } },
      null,
      'allow',
    ],
    [
      'on hold and terms to accept: terms first',
      { account: { ...acme, status: 'on_hold' }, outstandingTerms: ['v2'] },
      {},
      'terms',
    ],
    ['unaffiliated', { affiliation: 'none', account: null }, {}, 'unaffiliated'],
    ['waiting for approval', { affiliation: 'pending', account: null }, {}, 'pending'],
    ['invited and not accepted', { affiliation: 'provisional' }, {}, 'unaffiliated'],
    [
      'invited by an admitted account and not accepted',
      { affiliation: 'provisional' },
      { requiresAccount: false, allowedAccounts: ['acme'] },
      'not_permitted',
    ],
    [
      'invited by an account on hold, where no account is needed',
      { affiliation: 'provisional', account: { ...acme, status: 'on_hold' } },
      { requiresAccount: false },
      'allow',
    ],
    [
      'unaffiliated, where no account is needed',
      { affiliation: 'none', account: null },
      { requiresAccount: false },
      'allow',
    ],
    [
      'waiting, where no account is needed',
      { affiliation: 'pending', account: null },
      { requiresAccount: false },
      'allow',
    ],
    ['of another account than those admitted', {}, { allowedAccounts: ['beta'] }, 'not_permitted'],
    ['of an admitted account', {}, { allowedAccounts: ['beta', 'acme'] }, 'allow'],
    [
      'unaffiliated, where accounts are named',
      { affiliation: 'none', account: null },
      { requiresAccount: false, allowedAccounts: ['acme'] },
      'not_permitted',
    ],
    [
      'without the role that is needed',
      { roles: ['download'] },
      { requiredRoles: ['download', 'edit'] },
      'not_permitted',
    ],
    [
      'with every role that is needed',
      { roles: ['download', 'edit'] },
      { requiredRoles: ['edit', 'download'] },
      'allow',
    ],
  ])('%s: %#', (_, who, client, expected) => {
    expect(word(accessDecision(person(who), client && policy(client)))).toBe(expected);
  });

  it('is nobody when there is no such person', () => {
    expect(word(accessDecision(null, open))).toBe('unknown');
  });

  it.each(hard)(
    'is stopped by the lock %s alone, at every application and on our pages',
    (reason) => {
      expect(word(accessDecision(person({ locks: [lock(reason)] }), open))).toBe(reason);
      expect(word(accessDecision(person({ locks: [lock(reason)] }), null))).toBe(reason);
    },
  );

  it('is told of the reason first that the fewest can lift', () => {
    for (let first = 0; first < tellingOrder.length; first += 1)
      for (let later = first + 1; later < tellingOrder.length; later += 1) {
        const locks = [lock(tellingOrder[later]!), lock(tellingOrder[first]!)];
        expect(word(accessDecision(person({ locks }), open))).toBe(tellingOrder[first]);
      }
    expect([...tellingOrder].sort()).toEqual([...lockReasons].sort());
  });
});

const anyone = fc.record({
  identity: fc.constantFrom(...identities),
  locks: fc.uniqueArray(fc.constantFrom(...lockReasons)).map((reasons) => reasons.map(lock)),
  outstandingTerms: fc.subarray(['tos-2', 'privacy-2']),
  affiliation: fc.constantFrom(...affiliations),
  status: fc.constantFrom(...accountStatuses),
  roles: fc.subarray(['download', 'edit']),
});
const anyPolicy = fc.option(
  fc.record({
    requiresAccount: fc.boolean(),
    requiresActiveAccount: fc.boolean(),
    allowedAccounts: fc.subarray(['acme', 'beta']),
    requiredRoles: fc.subarray(['download', 'edit']),
  }),
);
const build = ({ status, ...rest }: ReturnType<typeof anyone.generate>['value']) =>
  person({
    ...rest,
    account: ['member', 'provisional'].includes(rest.affiliation) ? { ...acme, status } : null,
  });

describe('whatever is true of a person and an application', () => {
  const check = (
    claim: (who: ReturnType<typeof build>, client: ClientPolicy | null) => void,
  ): void =>
    fc.assert(
      fc.property(anyone, anyPolicy, (who, client) => claim(build(who), client)),
      { numRuns: 3000 },
    );

  it('nobody who is locked is let in, by whichever reason but their own password', () => {
    check((who, client) => {
      if (who.locks.some(({ reason }) => reason !== 'too_many_attempts'))
        expect(accessDecision(who, client).access).toBe('deny');
    });
  });

  it('clearing one reason never clears another (M3)', () => {
    check((who, client) => {
      for (const gone of who.locks) {
        const rest = who.locks.filter((one) => one !== gone);
        if (rest.some(({ reason }) => reason !== 'too_many_attempts'))
          expect(accessDecision({ ...who, locks: rest }, client).access).toBe('deny');
      }
    });
  });

  it('nobody comes in without a proved address, without the terms, or erased', () => {
    check((who, client) => {
      if (accessDecision(who, client).access !== 'allow') return;
      expect(who.identity).toBe('ready');
      expect(who.outstandingTerms).toEqual([]);
    });
  });

  it('an application that asks for more lets in no one whom a laxer one stops', () => {
    check((who, client) => {
      if (client && accessDecision(who, client).access === 'allow')
        expect(accessDecision(who, null).access).toBe('allow');
    });
  });

  it('an application gets nobody without what it asks for', () => {
    check((who, client) => {
      if (!client || accessDecision(who, client).access !== 'allow') return;
      if (client.requiresAccount) expect(who.affiliation).toBe('member');
      if (client.requiresActiveAccount && who.affiliation === 'member')
        expect(who.account!.status).toBe('active');
      if (client.allowedAccounts.length > 0)
        expect(client.allowedAccounts).toContain(who.account?.id);
      for (const role of client.requiredRoles) expect(who.roles).toContain(role);
    });
  });

  it('an invitation makes nobody a member, whatever accounts an application admits', () => {
    check((who, client) => {
      if (who.affiliation === 'provisional' && client && client.allowedAccounts.length > 0)
        expect(accessDecision(who, client).access).not.toBe('allow');
    });
  });

  it('a page after a proof says what the decision says, and before it nothing of it', () => {
    fc.assert(
      fc.property(
        anyone,
        anyPolicy,
        fc.boolean(),
        fc.boolean(),
        (who, client, proved, consented) => {
          const one = build(who);
          const step = nextStep({
            identifier: 'a@b.example',
            person: one,
            proved,
            client,
            consented,
          });
          if (!proved) {
            expect(step).toEqual({ step: 'password' });
            return;
          }
          const decision = accessDecision(one, client);
          if (decision.access === 'allow') expect(step.step).toBe(consented ? 'done' : 'consent');
          else if (decision.access === 'interact') expect(step.step).toBe('terms');
          else expect(['refused', 'verify']).toContain(step.step);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('the next step of a sign-in', () => {
  const progress = {
    identifier: null,
    person: null,
    proved: false,
    client: open,
    consented: false,
  };

  it.each([
    ['asks for the address', {}, { step: 'identifier' }],
    [
      'asks for the password once there is an address',
      { identifier: 'ann@acme.example' },
      { step: 'password' },
    ],
    [
      'asks for the password of a person who is signed in but not freshly enough',
      { identifier: 'ann@acme.example', person: person({}) },
      { step: 'password' },
    ],
    [
      'asks again when the person is no more',
      { identifier: 'ann@acme.example', proved: true },
      { step: 'password' },
    ],
    [
      'shows the terms before consent',
      { person: person({ outstandingTerms: ['v2'] }), proved: true },
      { step: 'terms' },
    ],
    ['asks for consent last', { person: person({}), proved: true }, { step: 'consent' }],
    ['is done', { person: person({}), proved: true, consented: true }, { step: 'done' }],
    [
      'does not tell a stranger that somebody is locked',
      { identifier: 'ann@acme.example', person: person({ locks: [lock('admin')] }) },
      { step: 'password' },
    ],
    [
      'tells the person themselves',
      { person: person({ locks: [lock('admin')] }), proved: true },
      { step: 'refused', denial: { reason: 'locked', lock: 'admin' } },
    ],
    [
      'asks nobody for consent who may not have it',
      {
        person: person({ affiliation: 'none', account: null }),
        proved: true,
        client: policy({ requiresAccount: true }),
      },
      { step: 'refused', denial: { reason: 'unaffiliated' } },
    ],
    [
      'has the address proved first',
      { person: person({ identity: 'unverified' }), proved: true },
      { step: 'verify' },
    ],
  ])('%s', (_, what, expected) => {
    expect(nextStep({ ...progress, ...what })).toEqual(expected);
  });
});
