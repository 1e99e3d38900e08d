import type { Sql } from '#platform/database/sql.ts';
import { comparedEmail, domainOf } from '../users/email.ts';
import type { DomainState } from './domain.ts';

/** What the domain of a member's address was last to the account of the member. */
export interface RecoveryStanding {
  state: DomainState;
  /** When its proof was lost, if it was; also after it was let go. */
  lapsedAt: Date | null;
  /** Somebody else owns it now. */
  ownedByOther: boolean;
}

/**
 * Whether a mail may let a person back in. Not once the account has lost the domain, or it has
 * changed hands: whoever holds it now would read that mail (D-30).
 *
 * @param standing null where the account never owned the domain, or the person has no account.
 */
export function mayRecoverByMail(standing: RecoveryStanding | null): boolean {
  switch (standing?.state) {
    case 'lapsed':
      return false;
    case 'released':
      return standing.lapsedAt === null && !standing.ownedByOther;
    default:
      return true;
  }
}

/** The standing of a person's address, `email` in any spelling of ours. */
export async function recoveryStanding(
  sql: Sql,
  { email, accountId }: { email: string; accountId: string | null },
): Promise<RecoveryStanding | null> {
  if (accountId === null) return null;
  const [standing] = await sql.query<RecoveryStanding>(
    `select d.state, d.lapsed_at as "lapsedAt", exists (
       select from domains o where o.name = d.name and o.account_id <> d.account_id
         and o.state in ('owned', 'at_risk', 'lapsed')) as "ownedByOther"
     from domains d
     where d.account_id = $1 and d.name = $2 and d.owned_at is not null
     order by d.owned_at desc, d.id desc limit 1`,
    [accountId, domainOf(comparedEmail(email))],
  );
  return standing ?? null;
}
