import type { Asking, PermittedAccount } from '../access/rights.ts';
import { mayGrant } from '../access/rights.ts';
import { changeRoles, requireAdministratorGrant } from '../access/change-roles.ts';
import { Refusal } from '../refusal.ts';
import { domainOf } from '../users/email.ts';
import { notEntitled } from '../users/entitlement.ts';
import type { Facts } from '../verdict/verdict.ts';
import type { Work } from '../work.ts';

/** What an account gives a person who joins it. */
export interface Given {
  entitlementCountry?: string | null | undefined;
  roles?: readonly string[] | undefined;
  /** Ids or names. */
  groups?: readonly string[] | undefined;
}

/**
 * Whether the one who asks may give all this, before anything is done.
 *
 * @throws {Refusal} `role_not_found`, `cannot_grant_higher_role`, `not_found`, `invalid_country`
 */
export async function requireGiveable(
  work: Work,
  asking: Asking,
  account: Pick<PermittedAccount, 'id' | 'countries'>,
  { entitlementCountry, roles = [], groups = [] }: Given,
): Promise<{ roles: string[]; groups: string[]; entitlementCountry: string | null }> {
  const known = await work.query<{ key: string; scope: string }>(
    'select key, scope from roles where key = any ($1::text[])',
    [[...roles]],
  );
  for (const role of roles) {
    const found = known.find(({ key }) => key === role);
    if (!found) throw new Refusal('role_not_found', { role });
    if (found.scope === 'group')
      throw new Refusal('invalid_value', { role, why: 'It is given within a group.' });
    if (found.scope === 'system') throw new Refusal('cannot_grant_higher_role', { role });
  }
  if (!mayGrant(asking.role, roles)) throw new Refusal('cannot_grant_higher_role', { roles });
  if (roles.includes('account_administrator'))
    await requireAdministratorGrant(work, asking, account.id);
  return {
    roles: [...new Set(roles)],
    groups: await groupIds(work, account.id, groups),
    entitlementCountry: entitlementCountry ? entitledIn(account, entitlementCountry, null) : null,
  };
}

/** Roles and groups for somebody who has just joined. What is no more by now is left out. */
export async function give(
  work: Work,
  asking: Asking,
  userId: string,
  accountId: string,
  { roles, groups }: { roles: readonly string[]; groups: readonly string[] },
): Promise<void> {
  const known =
    roles.length === 0
      ? []
      : await work.query<{ key: string }>(
          `select key from roles where key = any ($1::text[]) and scope = 'account'`,
          [[...roles]],
        );
  if (known.length > 0)
    await changeRoles(work, asking, { id: userId, roles: [] }, accountId, {
      add: known.map(({ key }) => key),
    });
  if (groups.length > 0)
    await work.query(
      `insert into group_members (group_id, user_id, added_at)
       select g.id, $1, $2 from groups g where g.account_id = $3 and g.id = any ($4::uuid[])
       on conflict do nothing`,
      [userId, work.now, accountId, [...groups]],
    );
}

/** @throws {Refusal} `not_found` */
async function groupIds(
  work: Work,
  accountId: string,
  groups: readonly string[],
): Promise<string[]> {
  const ids = new Set<string>();
  for (const group of groups) {
    const [found] = await work.query<{ id: string }>(
      'select id from groups where account_id = $1 and (id::text = $2 or lower(name) = lower($2))',
      [accountId, group],
    );
    if (!found) throw new Refusal('not_found', { group });
    ids.add(found.id);
  }
  return [...ids];
}

/**
 * The country a person is entitled in: the one that was said, else their own if the account is
 * entitled there, else the one the domain or the account gives (behaviour.md F24).
 *
 * @throws {Refusal} `invalid_country`
 */
export function entitledIn(
  { countries }: { countries: readonly string[] },
  asked: string | null | undefined,
  own: string | null | undefined,
  otherwise: string | null = null,
): string | null {
  if (asked) {
    if (!countries.includes(asked)) throw notEntitled(countries, asked);
    return asked;
  }
  if (own && countries.includes(own)) return own;
  if (otherwise && countries.includes(otherwise)) return otherwise;
  return countries.length === 1 ? countries[0]! : null;
}

/** The same, with what their domain gives where neither they nor anybody said a country. */
export function entitledHere(
  { account }: Pick<Facts, 'account'>,
  asked: string | null | undefined,
  own: string | null | undefined,
): string | null {
  const { countries = [], countryOfDomain = null } = account ?? {};
  return entitledIn({ countries }, asked, own, countryOfDomain);
}

export interface DomainDefaults {
  roles: string[];
  groups: string[];
  entitlementCountry: string | null;
}

/** What the owner of a domain gives its new people. A rule never gives rights over others. */
export async function defaultsOf(
  work: Work,
  email: string,
  accountId: string,
): Promise<DomainDefaults> {
  const [row] = await work.query<{ defaults: Partial<DomainDefaults>; roles: string[] }>(
    `select defaults, array(
       select key from roles where scope = 'account' and not built_in
         and key in (select jsonb_array_elements_text(d.defaults -> 'roles'))) as roles
     from domains d
     where name = $1 and account_id = $2 and state in ('owned', 'at_risk', 'lapsed')`,
    [domainOf(email), accountId],
  );
  const { groups = [], entitlementCountry = null } = row?.defaults ?? {};
  return { roles: row?.roles ?? [], groups, entitlementCountry };
}
