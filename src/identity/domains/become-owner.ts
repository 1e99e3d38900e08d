import { settingsOf } from '../accounts/settings.ts';
import type { Work } from '../work.ts';
import { countConflicts } from './conflicts.ts';
import { isStrong, type Domain, type Proof } from './domain.ts';
import { checkEvery, lapse } from './staged-loss.ts';
import { accountName, contactOf, domainLink, shownDomain, tellAdministrators } from './tell.ts';

const days = 24 * 3600_000;
/** How long the owner has to answer, and a contested claim stays. */
const contestedLife = 30 * days;

/**
 * The account owns the domain from now on. Called with the name taken, when nobody else owns it; the
 * unique index says so once more.
 *
 * Nobody is moved by it. What goes are accounts that somebody opened on an address of the domain
 * and never proved: they are bait for whoever signs in there next (security.md 3.5).
 */
export async function becomeOwner(
  work: Work,
  domain: Domain,
  proof: Proof,
  details: Record<string, unknown> = {},
): Promise<void> {
  const { id, name, accountId } = domain;
  const checked = proof === 'dns' || proof === 'https';
  await work.query(
    `update domains set state = 'owned', proof = $2, signup = $5, owned_at = $3,
       checked_at = $3, next_check_at = $4, expires_at = null, failing_since = null,
       failed_checks = 0, at_risk_at = null, lapsed_at = null, released_at = null,
       closed_reason = null, include_subdomains = false, parent_id = null, version = version + 1
     where id = $1`,
    [
      id,
      proof,
      work.now,
      checked ? new Date(work.now.getTime() + checkEvery.owned) : null,
      (await settingsOf(work, accountId)).signUp,
    ],
  );
  await closeOtherClaims(work, domain);
  await work.query(
    `update domain_requests set state = 'done', decided_at = $3, decided_by = $4
     where claimant_id = $1 and domain = $2 and state in ('open', 'granted')`,
    [accountId, name, work.now, JSON.stringify(work.actor)],
  );
  const unproved = await work.query(
    `delete from users where identity = 'unverified' and affiliation = 'none'
       and email is not null and split_part(email, '@', 2) = $1 and created_at < $2 returning 1`,
    [name, new Date(work.now.getTime() - 1 * days)],
  );
  // What comes along with another is no news by itself.
  const alone = details['parent'] === undefined;
  const impact = await countConflicts(work, accountId, name);
  work.record(
    'domain.owned',
    { type: 'domain', id: name },
    { domain: name, proof, ...impact, removedUnproved: unproved.length, ...details },
    accountId,
  );
  if (!alone) return;
  await tellAdministrators(work, accountId, {
    kind: 'domain_owned',
    account: await accountName(work, accountId),
    domain: shownDomain(name),
    proof,
    unaffiliated: impact.unaffiliated + impact.waiting,
    elsewhere: impact.elsewhere,
    domainLink: domainLink(work, name),
  });
}

/**
 * Claims of others that are not proved end here. Who proves the domain all the same claims it again,
 * or was about to at this very moment, and is contested then.
 */
async function closeOtherClaims(work: Work, { name, accountId }: Domain): Promise<void> {
  const closed = await work.query<{ account_id: string }>(
    `update domains set state = 'cancelled', closed_reason = 'owned_by_other',
       next_check_at = null, version = version + 1
     where name = $1 and account_id <> $2 and state = 'pending' returning account_id`,
    [name, accountId],
  );
  for (const { account_id } of closed)
    work.record(
      'domain.claim_closed',
      { type: 'domain', id: name },
      { reason: 'owned_by_other' },
      account_id,
    );
}

/**
 * The proof is good, and somebody else owns the domain. Nothing changes for anybody: the owner is
 * told who claims it, and the claimant is told only that it is owned (behaviour.md D3).
 *
 * An owner whose own proof is missing loses what is left of the 30 days (behaviour.md D8).
 */
export async function contest(
  work: Work,
  domain: Domain,
  owner: Domain,
  proof: Proof,
): Promise<void> {
  const expiresAt = new Date(work.now.getTime() + contestedLife);
  await work.query(
    `update domains set state = 'contested', closed_reason = null, checked_at = $2,
       next_check_at = $3, expires_at = $4, version = version + 1
     where id = $1`,
    [domain.id, work.now, new Date(work.now.getTime() + checkEvery.lost), expiresAt],
  );
  if (owner.state === 'at_risk' && isStrong(proof))
    await lapse(work, owner, { found: null, reason: 'contested' });
  if (domain.state === 'contested') return;
  work.record('domain.contested', { type: 'domain', id: domain.name }, { proof }, domain.accountId);
  work.record(
    'domain.contested',
    { type: 'domain', id: domain.name },
    { claimant: domain.accountId },
    owner.accountId,
  );
  await tellAdministrators(work, owner.accountId, {
    kind: 'domain_contested',
    account: await accountName(work, owner.accountId),
    domain: shownDomain(domain.name),
    request: 'ownership',
    claimant: await accountName(work, domain.accountId),
    contact: await contactOf(work, domain.accountId),
    domainLink: domainLink(work, domain.name),
    expiresAt,
  });
}
