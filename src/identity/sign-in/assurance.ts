import { rankOf } from '../access/roles.ts';
import type { Person } from '../users/person.ts';
import { secondFactorPolicies, type SecondFactorPolicy } from './second-factor-policy.ts';

/**
 * What a person showed in a sign-in. `passkey` is two factors by itself: something they have, and the
 * PIN or the finger that opens it. `known_device`: a second factor was shown in this browser not long
 * ago, and it was to be remembered. `upstream`: their company says who they are, and is believed.
 */
export type Method =
  | 'password'
  | 'totp'
  | 'passkey'
  /** A passkey that is copied between devices, hence not bound to hardware. */
  | 'synced_passkey'
  | 'recovery_code'
  | 'known_device'
  | 'upstream'
  /** The company says who they are, and a second factor is to be shown here beside. */
  | 'upstream_alone';

/** How strongly a person proved who they are. */
export type Level = 'password' | 'known_device' | 'second_factor' | 'upstream';

/** What a session of each level says in `acr`, and what `acr_values` may ask for. */
export const acrs = {
  password: 'urn:ostiary:acr:password',
  known_device: 'urn:ostiary:acr:known-device',
  second_factor: 'urn:ostiary:acr:mfa',
  upstream: 'urn:ostiary:acr:federated',
} as const satisfies Record<Level, string>;

export function levelOf(methods: readonly Method[]): Level {
  if (methods.some((method) => second.has(method))) return 'second_factor';
  if (methods.includes('upstream')) return 'upstream';
  return methods.includes('known_device') ? 'known_device' : 'password';
}

const second = new Set<Method>(['totp', 'passkey', 'synced_passkey', 'recovery_code']);

export function isOwnAcr(acr: string): boolean {
  return (Object.values(acrs) as string[]).includes(acr);
}

/** The level of a session by its `acr`. What no name of ours is, a company's own provider said. */
export function levelOfAcr(acr: string | null | undefined): Level {
  if (!acr) return 'password';
  const [level] = Object.entries(acrs).find(([, name]) => name === acr) ?? ['upstream'];
  return level as Level;
}

/** How providers say that they asked for a second factor: RFC 8176, REFEDS, Microsoft. */
const factorContexts = new Set([
  acrs.second_factor,
  'https://refeds.org/profile/mfa',
  'http://schemas.microsoft.com/claims/multipleauthn',
]) as ReadonlySet<string>;

/** Whether a second factor is to be shown here beside what a company's provider said (behaviour.md F28). */
export function lacksFactorBeside(
  policy: 'trust' | 'if_missing' | 'always',
  { acr, amr }: { acr: string | null; amr: readonly string[] },
): boolean {
  if (policy === 'trust') return false;
  const said = amr.includes('mfa') || (acr !== null && factorContexts.has(acr));
  return policy === 'always' || !said;
}

/** `acr` values by which something was asked for that is met by a second factor alone. */
export function takesOnlyFactor(values: readonly string[]): boolean {
  return (
    values.includes(acrs.second_factor) &&
    !values.includes(acrs.password) &&
    !values.includes(acrs.known_device)
  );
}

/**
 * The methods by their registered names (RFC 8176, section 2). Nothing is said that was not done: of
 * a known device only the password, of a company's provider nothing of our own.
 */
export function amrOf(methods: readonly Method[]): string[] {
  const names = methods.flatMap((method) => registered[method]);
  if (levelOf(methods) === 'second_factor') names.push('mfa');
  return [...new Set(names)];
}

const registered: Record<Method, readonly string[]> = {
  password: ['pwd'],
  totp: ['otp'],
  passkey: ['hwk', 'user'],
  synced_passkey: ['swk', 'user'],
  recovery_code: ['otp'],
  known_device: [],
  upstream: [],
  upstream_alone: [],
};

/** Of the installation's policy and the account's, the stricter one. */
export function policyFor(
  { affiliation, secondFactor }: Pick<Person, 'affiliation' | 'secondFactor'>,
  installation: SecondFactorPolicy,
): SecondFactorPolicy {
  const rank = (policy: SecondFactorPolicy): number => secondFactorPolicies.indexOf(policy);
  const own = affiliation === 'member' ? secondFactor.account : null;
  return own !== null && rank(own) > rank(installation) ? own : installation;
}

/** Whether this person has to show a second factor, whether they have one or not. */
export function demandsSecondFactor(
  person: Pick<Person, 'affiliation' | 'roles' | 'secondFactor'>,
  installation: SecondFactorPolicy,
): boolean {
  if (person.secondFactor.required) return true;
  const policy = policyFor(person, installation);
  return policy === 'all' || (policy === 'admins' && rankOf(person.roles) > 0);
}

/** How somebody stands before a door that looks at how they proved who they are. */
export interface Standing {
  level: Level;
  /** The policy of the installation. */
  policy: SecondFactorPolicy;
  /** They are signing in now: who has a second factor shows it, though nobody demands it. */
  signingIn?: boolean;
  /** It is asked for here, by an application or by what they are about to do. */
  asked?: boolean;
}

/** Whether a second factor is still to be shown. */
export function lacksSecondFactor(
  person: Pick<Person, 'affiliation' | 'roles' | 'secondFactor'>,
  { level, policy, signingIn = false, asked = false }: Standing,
): boolean {
  if (level === 'second_factor' || level === 'upstream') return false;
  if (asked) return true;
  if (level === 'known_device') return false;
  return demandsSecondFactor(person, policy) || (signingIn && person.secondFactor.enrolled);
}
