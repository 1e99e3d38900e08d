import { moveApprovals } from '../belonging/open-approval.ts';
import { unbindDomain } from '../federation/account-changes.ts';
import type { Work } from '../work.ts';
import { domainById, type Domain } from './domain.ts';

/**
 * An owned domain is nobody's again. Members stay members; what the ownership held up goes: who
 * waited for approval because of it, who was trusted with it, and its own rules.
 *
 * Those who have proved the domain too are looked at again at once: now one of them may own it.
 *
 * @param reason null where the account lets it go by itself.
 */
export async function closeOwnership(
  work: Work,
  domain: Domain,
  reason: 'transferred' | 'quarantine_over' | null,
): Promise<void> {
  await work.query(
    `update domains set state = 'released', released_at = $2, closed_reason = $3,
       signup = 'approve', defaults = '{}', expires_at = null, next_check_at = null,
       lapsed_at = case when lapsed_at is null and (state = 'at_risk' or $3::text is not null)
                        then $2 else lapsed_at end,
       include_subdomains = false, parent_id = null, version = version + 1
     where id = $1`,
    [domain.id, work.now, reason],
  );
  const along = await work.query<{ id: string }>(
    'select id from domains where parent_id = $1 order by name',
    [domain.id],
  );
  for (const { id } of along) await closeOwnership(work, await domainById(work, id), reason);
  await moveApprovals(work, domain.name);
  await unbindDomain(work, domain.accountId, domain.name);
  const trusted = await work.query<{ id: string; claimant_id: string }>(
    `update domain_requests set state = 'revoked', decided_at = $3, decided_by = $4
     where owner_id = $1 and domain = $2 and kind = 'access' and state in ('open', 'granted')
     returning id, claimant_id`,
    [domain.accountId, domain.name, work.now, JSON.stringify(work.actor)],
  );
  await work.query(
    `update domains set next_check_at = $2 where name = $1 and state = 'contested'`,
    [domain.name, work.now],
  );
  work.record(
    'domain.released',
    { type: 'domain', id: domain.name },
    { from: domain.state, reason, trusts: trusted.length },
    domain.accountId,
  );
}
