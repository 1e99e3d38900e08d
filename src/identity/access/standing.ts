import type { Sql } from '#platform/database/sql.ts';
import type { AccountStatus } from '../accounts/account.ts';
import type { Person } from '../users/person.ts';
import { mayEver, type Asking, type Capability } from './rights.ts';

/** The account somebody looks after at this moment. */
export interface LookedAfter {
  id: string;
  name: string;
  number: string | null;
  status: AccountStatus;
  countries: string[];
  /** How many wait to be let in; a hundred stands for more. */
  waiting: number;
}

/** What a person may ask for, and where: read at each use, never kept (behaviour.md section 7). */
export interface Standing {
  /** The higher first; none for who looks after nothing. */
  askings: readonly Asking[];
  /** Their own account; for an operator the one they act in, if any. */
  account: LookedAfter | null;
}

const read = `
  select a.id, a.name, a.number, a.status, a.countries,
    (select count(*)::int from (select from approval_requests q
       where q.account_id = a.id and q.state = 'open' limit 100) q) as waiting,
    exists (select from fulfillment_contacts f where f.user_id = $2 and f.account_id = a.id)
      as contact,
    exists (select from role_assignments r join groups g on g.id = r.group_id
      where r.user_id = $2 and r.role = 'group_manager' and g.account_id = a.id) as manages
  from accounts a where a.id = $1`;

/**
 * @param actingIn the account that an operator chose to act in; nobody else chooses.
 * @param provedAnew whether the person proved who they are within the last 15 minutes.
 */
export async function standingOf(
  sql: Sql,
  person: Person,
  { actingIn, provedAnew }: { actingIn: string | null; provedAnew: boolean },
): Promise<Standing> {
  const { id: userId, roles } = person;
  const operator = roles.includes('operator');
  const own = person.affiliation === 'member' ? (person.account?.id ?? null) : null;
  const accountId = operator ? actingIn : own;
  const [row] = accountId
    ? await sql.query<LookedAfter & { contact: boolean; manages: boolean }>(read, [
        accountId,
        userId,
      ])
    : [];
  if (operator) {
    const account = row ? lookedAfter(row) : null;
    return { askings: [{ role: 'operator', accountId: null, userId, provedAnew }], account };
  }
  if (!row) return { askings: [], account: null };
  const held = [
    roles.includes('account_administrator') && 'account_administrator',
    roles.includes('co_administrator') && 'co_administrator',
    row.contact && 'fulfillment_contact',
    row.manages && 'group_manager',
  ] as const;
  return {
    askings: held
      .filter((role) => role !== false)
      .map((role) => ({ role, accountId: row.id, userId, provedAnew })),
    account: lookedAfter(row),
  };
}

/** With which of their roles a person may do something, or null. */
export function askingFor({ askings }: Standing, capability: Capability): Asking | null {
  return askings.find(({ role }) => mayEver(role, capability)) ?? null;
}

function lookedAfter({ id, name, number, status, countries, waiting }: LookedAfter): LookedAfter {
  return { id, name, number, status, countries, waiting };
}
