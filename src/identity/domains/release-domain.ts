import type { Work } from '../work.ts';
import { closeOwnership } from './close-ownership.ts';
import { domainById, takeOwnedDomain, type Domain } from './domain.ts';
import { refuseWhileInUse } from './domain-use.ts';
import { requireOwnProof } from './subdomains.ts';

/**
 * The owner lets a domain go. Its members stay members.
 *
 * @throws {Refusal} `domain_not_found`, `domain_not_owned`, `domain_in_use`
 */
export async function releaseDomain(work: Work, accountId: string, name: string): Promise<Domain> {
  const domain = await takeOwnedDomain(work, accountId, name);
  requireOwnProof(domain);
  await refuseWhileInUse(work, accountId, name);
  await closeOwnership(work, domain, null);
  return domainById(work, domain.id);
}
