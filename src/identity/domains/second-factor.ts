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
