import type { Sql } from '#platform/database/sql.ts';
import type { RefusalCode } from '../refusal.ts';
import { Refusal } from '../refusal.ts';
import type { AccountStatus } from '../accounts/account.ts';
import { findPerson, type Person } from '../users/person.ts';
import type { Work } from '../work.ts';
import { rankOf } from './roles.ts';

/**
 * With what somebody may do something: a role that carries rights over others, the designation as a
 * fulfillment contact, or the care of a group (behaviour.md section 7: FC, GM).
 */
export type AdministeringRole =
  | 'operator'
  | 'account_administrator'
  | 'co_administrator'
  | 'fulfillment_contact'
  | 'group_manager';

/** With whose rights something is asked for. */
export interface Asking {
  role: AdministeringRole;
  /** Whose account; null for an operator, who may look into all of them. */
  accountId: string | null;
  /** The person behind it, where there is one: nobody acts on themselves. */
  userId: string | null;
  /** Whether that person proved who they are within the last minutes. A token never did. */
  provedAnew?: boolean;
}

export interface Right {
  roles: readonly AdministeringRole[];
  /** Also while the account is on hold (behaviour.md F34). An operator is never held up by that. */
  onHold?: boolean;
  /** Acts on a person: refused on somebody of a higher role, and on oneself unless said otherwise. */
  person?: 'others' | 'everybody';
  /**
   * Is for members alone. Whom an account merely invited is none of its people yet: what it does to
   * them would hold wherever they go, and anybody can invite anybody (behaviour.md section 6).
   */
  members?: boolean;
}

const operator = ['operator'] as const;
const account = ['operator', 'account_administrator'] as const;
const both = ['operator', 'account_administrator', 'co_administrator'] as const;
const contacts = [...both, 'fulfillment_contact'] as const;
const everybody = [...contacts, 'group_manager'] as const;

/**
 * Who may do what: the matrix of behaviour.md section 7, as the one table every door asks. A
 * capability that is not here cannot be named.
 */
export const rights = {
  'accounts:list': { roles: operator },
  'accounts:create': { roles: operator },
  'accounts:hold': { roles: operator },
  'account:name': { roles: everybody, onHold: true },
  'account:read': { roles: contacts, onHold: true },
  'account:rename': { roles: account },
  'account:edit': { roles: operator },
  'accounts:move': { roles: operator },
  'accounts:close': { roles: operator },

  'domains:read': { roles: both, onHold: true },
  'domains:manage': { roles: account },
  'domains:requests': { roles: account },
  'domains:attest': { roles: operator },
  'domains:transfer': { roles: operator },

  'connections:health': { roles: both, onHold: true },
  'connections:read': { roles: account, onHold: true },
  'connections:manage': { roles: account },

  'users:read': { roles: both, onHold: true },
  'users:add': { roles: both, onHold: true },
  'approvals:decide': { roles: both, onHold: true },
  'explain:read': { roles: both, onHold: true },
  'users:edit': { roles: both, person: 'everybody' },
  'users:lock': { roles: both, onHold: true, person: 'others', members: true },
  'users:unlock': { roles: both, person: 'others', members: true },
  'users:remove': { roles: both, onHold: true, person: 'others' },
  'users:restore': { roles: both, person: 'others' },
  'users:roles': { roles: both, person: 'others' },
  'users:entitlement': { roles: both, person: 'everybody' },
  'users:reset_password': { roles: both, person: 'everybody', members: true },
  'users:reset_factors': { roles: both, person: 'others', members: true },
  'users:require_factor': { roles: both, person: 'everybody', members: true },
  'users:break_glass': { roles: account, person: 'everybody', members: true },
  'users:end_sessions': { roles: both, onHold: true, person: 'everybody', members: true },

  'bulk:read': { roles: both, onHold: true },
  'bulk:manage': { roles: both, onHold: true },

  'groups:read': { roles: both, onHold: true },
  'groups:manage': { roles: both },
  'groups:own': { roles: [...both, 'group_manager'], onHold: true },
  'groups:own_members': { roles: [...both, 'group_manager'] },
  'contacts:read': { roles: contacts, onHold: true },
  'contacts:manage': { roles: contacts },
  'roles:read': { roles: both, onHold: true },
  'roles:define': { roles: operator },
  'erasures:read': { roles: account, onHold: true },
  'erasures:decide': { roles: account, onHold: true },
  'erasures:operate': { roles: operator },

  'webhooks:read': { roles: account, onHold: true },
  'webhooks:manage': { roles: account },
  'installation_webhooks:manage': { roles: operator },

  'api_tokens:read': { roles: account, onHold: true },
  'api_tokens:manage': { roles: account },
  'api_tokens:revoke': { roles: account, onHold: true },
  'scim_tokens:read': { roles: account, onHold: true },
  'scim_tokens:manage': { roles: account },
  'scim_tokens:revoke': { roles: account, onHold: true },
  'operator_tokens:manage': { roles: operator },

  'reports:read': { roles: both, onHold: true },
  'reports:read_all': { roles: operator },

  'audit:read': { roles: both, onHold: true },
  'audit:verify': { roles: both, onHold: true },
  'audit:read_all': { roles: operator },
  'mail:read': { roles: operator },
  'mail:manage': { roles: operator },
  'mail:report': { roles: operator },
  'clients:manage': { roles: operator },
  'resources:manage': { roles: operator },
  'terms:read': { roles: both, onHold: true },
  'terms:publish': { roles: operator },
  'keys:manage': { roles: operator },
  'token:read': { roles: both, onHold: true },
} as const satisfies Record<string, Right>;

export type Capability = keyof typeof rights;

/** Whether a role has the right at all, wherever it is. */
export function mayEver(role: AdministeringRole, capability: Capability): boolean {
  return (rights[capability].roles as readonly AdministeringRole[]).includes(role);
}

/**
 * Whether somebody may give and take these roles. One's own is the highest: a Co-Administrator makes
 * Co-Administrators, an Account Administrator both (behaviour.md F15). Service roles have no rank.
 */
export function mayGrant(role: AdministeringRole, granted: readonly string[]): boolean {
  return rankOf(granted) <= rankOf([role]);
}

/**
 * What guards an account is changed by a person only right after they proved anew who they are: a
 * browser that was left open must not be enough (behaviour.md section 7, rule 4). A token is no
 * browser; whoever made it said what it may.
 *
 * @throws {Refusal} `step_up_required`
 */
export function requireProvedAnew({ userId = null, provedAnew = false }: Partial<Asking>): void {
  if (userId !== null && !provedAnew) throw new Refusal('step_up_required');
}

export interface PermittedAccount {
  id: string;
  name: string;
  status: AccountStatus;
  countries: string[];
}

/**
 * The account that something is to be done in, once it is certain that it may be. Somebody else's
 * account is one that there is not.
 *
 * `guarded`: it will be changed who looks after it, so two such changes wait for each other. The
 * row is taken here, before any person's, always in that order.
 *
 * @throws {Refusal} `account_not_found`, `permission_denied`, `account_on_hold`
 */
export async function requireAccount(
  work: Sql,
  asking: Asking,
  capability: Capability,
  accountId: string,
  { guarded = false }: { guarded?: boolean } = {},
): Promise<PermittedAccount> {
  if (asking.accountId !== null && asking.accountId !== accountId)
    throw new Refusal('account_not_found');
  const [found] = await work.query<PermittedAccount>(
    `select id, name, status, countries from accounts where id = $1
     ${guarded ? 'for no key update' : ''}`,
    [accountId],
  );
  if (!found) throw new Refusal('account_not_found');
  if (!mayEver(asking.role, capability)) throw new Refusal('permission_denied');
  const right: Right = rights[capability];
  if (found.status !== 'active' && !right.onHold && asking.role !== 'operator')
    throw new Refusal(
      'account_on_hold',
      {},
      [],
      found.status === 'on_hold'
        ? "Your organization's account is on hold: it can be looked at, and people can be put out."
        : "Your organization's account is being closed, or is closed: it can only be looked at.",
    );
  return found;
}

/**
 * The person that something is to be done to: of this account, and not beyond the reach of who asks.
 * With `former`, a person who left it and belongs nowhere since.
 *
 * @throws {Refusal} `user_not_found`, `cannot_act_on_higher_role`, `cannot_act_on_self`,
 *   `only_invited`
 */
export async function requirePerson(
  work: Work,
  asking: Asking,
  capability: Capability,
  accountId: string,
  userId: string,
  { former = false }: { former?: boolean } = {},
): Promise<Person> {
  const right: Right = rights[capability];
  // Taken, so that the role seen here is the role they have when it happens.
  if (right.person) await work.query('select 1 from users where id = $1 for update', [userId]);
  const person = await findPerson(work, userId, work.now);
  if (!person || person.identity === 'erased') throw new Refusal('user_not_found');
  const belongs = former
    ? person.affiliation !== 'member' && (await belonged(work, userId, accountId))
    : person.account?.id === accountId;
  if (!belongs) throw new Refusal('user_not_found');
  const problem = right.person ? reach(asking, right, person) : null;
  if (problem) throw new Refusal(problem);
  return person;
}

function reach(
  asking: Asking,
  { person: whom, members }: Right,
  { id, roles, affiliation }: Person,
): RefusalCode | null {
  if (rankOf(roles) > rankOf([asking.role])) return 'cannot_act_on_higher_role';
  if (whom === 'others' && asking.userId === id) return 'cannot_act_on_self';
  if (members && affiliation === 'provisional') return 'only_invited';
  return null;
}

async function belonged(work: Work, userId: string, accountId: string): Promise<boolean> {
  const rows = await work.query(
    'select 1 from affiliations where user_id = $1 and account_id = $2 and ended_at is not null and not provisional limit 1',
    [userId, accountId],
  );
  return rows.length > 0;
}
