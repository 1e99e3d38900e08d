import { parse } from 'tldts';
import { newId } from '#platform/ids.ts';
import { Refusal } from '../refusal.ts';
import { canonicalDomain } from '../users/email.ts';
import type { Work } from '../work.ts';

/**
 * A domain that one account can own, in canonical form.
 *
 * @throws {Refusal} `invalid_domain`, `public_suffix`
 */
export function ownableDomain(text: string): string {
  const name = canonicalDomain(text);
  if (name === null) throw new Refusal('invalid_domain', { domain: text });
  if (parse(name, { allowPrivateDomains: true }).domain === null)
    throw new Refusal('public_suffix', { domain: name });
  return name;
}

/**
 * An operator vouches that a domain is an account's, and says why: proof as strong as a record in
 * DNS, because a person answers for it by name (behaviour.md 3.3).
 *
 * @throws {Refusal} as `ownableDomain`, and `domain_owned_by_other`
 */
export async function attestDomain(
  work: Work,
  accountId: string,
  text: string,
  reason: string,
): Promise<string> {
  const name = ownableDomain(text);
  const owners = await work.query<{ account_id: string }>(
    `select account_id from domains where name = $1 and state in ('owned', 'at_risk', 'lapsed')
     for update`,
    [name],
  );
  if (owners.some((owner) => owner.account_id !== accountId))
    throw new Refusal('domain_owned_by_other');
  const changed = await work.query(
    `update domains set state = 'owned', proof = 'operator', challenge = null, expires_at = null,
       owned_at = coalesce(owned_at, $3), checked_at = $3, failing_since = null, failed_checks = 0,
       lapsed_at = null, next_check_at = null, version = version + 1
     where account_id = $1 and name = $2
       and state in ('listed', 'pending', 'owned', 'contested', 'at_risk', 'lapsed') returning 1`,
    [accountId, name, work.now],
  );
  if (changed.length === 0)
    await work.query(
      `insert into domains
         (id, account_id, name, state, proof, claimed_at, owned_at, checked_at, created_at)
       values ($1, $2, $3, 'owned', 'operator', $4, $4, $4, $4)`,
      [newId(work.now.getTime()), accountId, name, work.now],
    );
  work.record(
    'domain.owned',
    { type: 'domain', id: name },
    { domain: name, proof: 'operator', reason },
    accountId,
  );
  return name;
}
