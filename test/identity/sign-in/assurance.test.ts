import { describe, expect, it } from 'vitest';
import { accessDecision } from '#identity/access/access-decision.ts';
import {
  acrs,
  amrOf,
  demandsSecondFactor,
  lacksSecondFactor,
  levelOf,
  levelOfAcr,
  takesOnlyFactor,
  type Method,
} from '#identity/sign-in/assurance.ts';
import { secondFactorPolicies } from '#identity/sign-in/second-factor-policy.ts';
import { nextStep } from '#identity/sign-in/next-step.ts';
import type { Person } from '#identity/users/person.ts';
import { open, person } from '../people.ts';

const factor = (change: Partial<Person['secondFactor']>, more: Partial<Person> = {}): Person =>
  person({ secondFactor: { enrolled: false, required: false, account: null, ...change }, ...more });
const admin = { roles: ['co_administrator'] };

describe('how strong a proof is', () => {
  it.each<[Method[], string, string[]]>([
    [['password'], 'password', ['pwd']],
    [['password', 'totp'], 'second_factor', ['pwd', 'otp', 'mfa']],
    [['password', 'recovery_code'], 'second_factor', ['pwd', 'otp', 'mfa']],
    [['password', 'passkey'], 'second_factor', ['pwd', 'hwk', 'user', 'mfa']],
    [['synced_passkey'], 'second_factor', ['swk', 'user', 'mfa']],
    [['password', 'known_device'], 'known_device', ['pwd']],
    [['password', 'known_device', 'totp'], 'second_factor', ['pwd', 'otp', 'mfa']],
    [['upstream'], 'upstream', []],
    [['upstream', 'totp'], 'second_factor', ['otp', 'mfa']],
  ])('%j is %s', (methods, level, amr) => {
    expect(levelOf(methods)).toBe(level);
    expect(amrOf(methods)).toEqual(amr);
  });

  it('is known again by the acr of a session; a name of others is the company’s', () => {
    for (const [level, acr] of Object.entries(acrs)) expect(levelOfAcr(acr)).toBe(level);
    expect(levelOfAcr(undefined)).toBe('password');
    expect(levelOfAcr('http://schemas.example/mfa')).toBe('upstream');
  });

  it('is asked for by acr values only where nothing less is taken', () => {
    expect(takesOnlyFactor([acrs.second_factor])).toBe(true);
    expect(takesOnlyFactor([acrs.second_factor, 'urn:elsewhere'])).toBe(true);
    expect(takesOnlyFactor([acrs.second_factor, acrs.password])).toBe(false);
    expect(takesOnlyFactor(['urn:elsewhere'])).toBe(false);
  });
});

describe('who has to have a second factor', () => {
  it('is said by the stricter of installation and account', () => {
    for (const installation of secondFactorPolicies)
      for (const account of [null, ...secondFactorPolicies]) {
        const of = (more: Partial<Person>): boolean =>
          demandsSecondFactor(factor({ account }, more), installation);
        const either = [installation, account];
        expect(of({})).toBe(either.includes('all'));
        expect(of(admin)).toBe(either.includes('all') || either.includes('admins'));
        // An account decides about its members alone.
        expect(of({ affiliation: 'provisional' })).toBe(installation === 'all');
      }
  });

  it('is who is named, whatever the policies are', () => {
    expect(demandsSecondFactor(factor({ required: true }), 'off')).toBe(true);
  });
});

describe('whether one is still to be shown', () => {
  const bare = factor({});
  const has = factor({ enrolled: true });
  const must = factor({ required: true });
  it.each([
    ['nobody asks', bare, { level: 'password' }, false],
    ['it is demanded', must, { level: 'password' }, true],
    ['it was shown', must, { level: 'second_factor' }, false],
    ['it was shown in this browser lately', must, { level: 'known_device' }, false],
    ['the company vouches', must, { level: 'upstream' }, false],
    ['they have one and sign in', has, { level: 'password', signingIn: true }, true],
    ['they have one and are in already', has, { level: 'password' }, false],
    ['an application asks', bare, { level: 'password', asked: true }, true],
    [
      'an application asks, and a known device is not enough',
      has,
      { level: 'known_device', asked: true },
      true,
    ],
    [
      'an application asks, and the company vouches',
      bare,
      { level: 'upstream', asked: true },
      false,
    ],
  ] as const)('%s', (_, who, standing, lacks) => {
    expect(lacksSecondFactor(who, { policy: 'optional', ...standing })).toBe(lacks);
  });

  it('comes after the locks and before the terms', () => {
    const standing = { level: 'password', policy: 'off' } as const;
    const locked = { locks: [{ reason: 'admin', until: null }] } as Partial<Person>;
    const terms = { outstandingTerms: ['tos'] };
    expect(accessDecision({ ...must, ...locked }, open, standing)).toMatchObject({
      access: 'deny',
    });
    expect(accessDecision({ ...must, ...terms }, open, standing)).toEqual({
      access: 'interact',
      need: 'second_factor',
    });
    // Where nobody knows how they signed in, as behind an access token, it is not asked.
    expect(accessDecision(must, open)).toEqual({ access: 'allow' });
  });

  it('is a step of its own: set up where there is none, asked for where there is', () => {
    const at = (who: Person) =>
      nextStep({
        identifier: 'ann@acme.example',
        person: who,
        proved: true,
        standing: { level: 'password', policy: 'optional', signingIn: true },
        client: open,
        consented: true,
      }).step;
    expect([at(bare), at(must), at(has)]).toEqual(['done', 'enrol', 'second_factor']);
  });
});
