import type { Sql } from '#platform/database/sql.ts';
import { requireProvedAnew, type Asking } from '../access/rights.ts';
import type { Work } from '../work.ts';
import { takeOwnedDomain } from './domain.ts';

/** Whether everybody with an address of a domain has to have a second factor. */
export async function domainDemandsFactor(work: Work, domainId: string): Promise<boolean> {
  const [row] = await work.query<{ required: boolean }>(
    'select second_factor_required as required from domains where id = $1',
    [domainId],
  );
  return row?.required ?? false;
}

/** The domains an account owns, and of which of them a second factor is demanded. */
export function domainsWithDemand(
  sql: Sql,
  accountId: string,
): Promise<{ name: string; required: boolean }[]> {
  return sql.query(
    `select name, second_factor_required as required from domains
     where account_id = $1 and state in ('owned', 'at_risk', 'lapsed') order by name`,
    [accountId],
  );
}

/**
 * The owner of a domain demands a second factor of everybody with an address of it, or does so no
 * more (behaviour.md F28). Sessions meet it at their next request.
 *
 * @throws {Refusal} `domain_not_found`, `domain_not_owned`, `step_up_required`
 */
export async function demandFactorOfDomain(
  work: Work,
  asking: Asking,
  accountId: string,
  name: string,
  required: boolean,
): Promise<void> {
  requireProvedAnew(asking);
  const domain = await takeOwnedDomain(work, accountId, name);
  const changed = await work.query(
    `update domains set second_factor_required = $2, version = version + 1
     where id = $1 and second_factor_required <> $2 returning 1`,
    [domain.id, required],
  );
  if (changed.length > 0)
    work.record(
      'second_factor.policy_changed',
      { type: 'domain', id: name },
      { required },
      accountId,
    );
}
