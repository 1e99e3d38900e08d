import { newId } from '#platform/ids.ts';
import type { Work } from '../work.ts';
import { platformHost } from './claim-domain.ts';
import { requireClaimable } from './claimable.ts';
import { domainById, findDomain, isOpen, lockName, type Domain } from './domain.ts';
import { vouched } from './verify-domain.ts';

/**
 * An operator vouches that a domain is an account's, and says why: proof as strong as a record in
 * DNS, because somebody answers for it by name (behaviour.md 3.3).
 *
 * @throws {Refusal} `invalid_domain`, `public_suffix`, `public_mail_domain`, `domain_owned_by_other`
 */
export async function attestDomain(
  work: Work,
  accountId: string,
  typed: string,
  reason: string,
): Promise<Domain> {
  const name = requireClaimable(typed, platformHost(work), { operator: true });
  await lockName(work, name);
  const known = await findDomain(work, accountId, name);
  const id = known && isOpen(known) ? known.id : newId(work.now.getTime());
  if (id !== known?.id)
    await work.query(
      `insert into domains (id, account_id, name, state, claimed_at, created_at)
       values ($1, $2, $3, 'pending', $4, $4)`,
      [id, accountId, name, work.now],
    );
  await vouched(work, await domainById(work, id), reason);
  return domainById(work, id);
}
