import { Refusal } from '../refusal.ts';
import { notEntitled } from '../users/entitlement.ts';
import type { Work } from '../work.ts';
import {
  domainById,
  takeOwnedDomain,
  type Domain,
  type DomainDefaults,
  type SignupMode,
} from './domain.ts';

/**
 * How people with an address of the domain come in who register by themselves: looked at by an
 * administrator, at once, or not at all. Changes nothing for those who wait already.
 *
 * @throws {Refusal} `domain_not_found`, `domain_not_owned`
 */
export async function changeSignup(
  work: Work,
  accountId: string,
  name: string,
  signup: SignupMode,
): Promise<Domain> {
  const domain = await takeOwnedDomain(work, accountId, name);
  // A lapsed domain makes nobody, so there is nothing to switch on.
  if (signup === 'auto' && domain.state === 'lapsed')
    throw new Refusal('domain_not_owned', { domain: name });
  if (domain.signup !== signup) {
    await work.query('update domains set signup = $2, version = version + 1 where id = $1', [
      domain.id,
      signup,
    ]);
    work.record(
      'domain.signup_changed',
      { type: 'domain', id: name },
      { from: domain.signup, to: signup },
      accountId,
    );
  }
  return domainById(work, domain.id);
}

/**
 * What people get who come in by this domain. Service roles only: nobody becomes an administrator by
 * registering.
 *
 * @throws {Refusal} `domain_not_found`, `domain_not_owned`, `role_not_found`,
 *   `cannot_grant_higher_role`, `not_found` for a group, `invalid_country`
 */
export async function changeDefaults(
  work: Work,
  accountId: string,
  name: string,
  changes: Partial<DomainDefaults>,
): Promise<Domain> {
  const domain = await takeOwnedDomain(work, accountId, name);
  const defaults: DomainDefaults = {
    roles: [...new Set(changes.roles ?? domain.defaults.roles ?? [])],
    groups: [...new Set(changes.groups ?? domain.defaults.groups ?? [])],
    entitlementCountry:
      changes.entitlementCountry === undefined
        ? (domain.defaults.entitlementCountry ?? null)
        : changes.entitlementCountry,
  };
  await requireGivable(work, accountId, defaults);
  await work.query('update domains set defaults = $2, version = version + 1 where id = $1', [
    domain.id,
    JSON.stringify(defaults),
  ]);
  work.record('domain.defaults_changed', { type: 'domain', id: name }, { ...defaults }, accountId);
  return domainById(work, domain.id);
}

async function requireGivable(
  work: Work,
  accountId: string,
  { roles, groups, entitlementCountry }: DomainDefaults,
): Promise<void> {
  const known = await work.query<{ key: string; built_in: boolean }>(
    'select key, built_in from roles where key = any ($1::text[])',
    [roles],
  );
  const missing = roles.filter((role) => !known.some(({ key }) => key === role));
  if (missing.length > 0) throw new Refusal('role_not_found', { roles: missing });
  if (known.some((role) => role.built_in)) throw new Refusal('cannot_grant_higher_role');
  const own = await work.query(
    'select 1 from groups where account_id = $1 and id = any ($2::uuid[])',
    [accountId, groups],
  );
  if (own.length < groups.length) throw new Refusal('not_found', { groups });
  if (entitlementCountry === null) return;
  const [account] = await work.query<{ countries: string[] }>(
    'select countries from accounts where id = $1',
    [accountId],
  );
  if (!account!.countries.includes(entitlementCountry))
    throw notEntitled(account!.countries, entitlementCountry);
}
