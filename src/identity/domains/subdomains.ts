import { newId } from '#platform/ids.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { becomeOwner } from './become-owner.ts';
import { closeOwnership } from './close-ownership.ts';
import { domainById, findDomain, isOpen, takeOwnedDomain, type Domain } from './domain.ts';
import { refuseWhileInUse } from './domain-use.ts';
import { namesAbove } from './owning-domain.ts';

/**
 * WHAT IS BELOW A DOMAIN (behaviour.md 3.2)
 *
 * A domain is its own name and no other. Its owner may take what is below it along, where the proof
 * stands in its DNS: whoever writes there decides about the names below. A subdomain that somebody
 * owns by a proof of its own stays theirs.
 *
 * From then on an address below it meets the same verdict at every door (`owningDomain`). With the
 * first person of a subdomain it gets a row of its own: people, connections and rules of the account
 * are looked up by that. Such a row has no proof but its parent's, and shares its fate; once it is
 * proved by itself it stands alone.
 */
const most = 500;

/**
 * @throws {Refusal} `domain_not_found`, `domain_not_owned`, `domain_not_proved` where the proof does
 *   not stand in DNS, `domain_in_use` for one that came along itself
 */
export async function includeSubdomains(
  work: Work,
  accountId: string,
  name: string,
  include: boolean,
): Promise<Domain> {
  const domain = await takeOwnedDomain(work, accountId, name);
  if (domain.includeSubdomains === include) return domain;
  if (include) {
    requireOwnProof(domain);
    if (domain.state === 'lapsed') throw new Refusal('domain_not_owned', { domain: name });
    if (domain.proof !== 'dns')
      throw new Refusal('domain_not_proved', { domain: name, why: 'Prove it by DNS first.' });
  } else
    for (const child of await below(work, domain.id))
      await refuseWhileInUse(work, accountId, child.name);
  await work.query(
    'update domains set include_subdomains = $2, version = version + 1 where id = $1',
    [domain.id, include],
  );
  work.record('domain.subdomains_changed', { type: 'domain', id: name }, { include }, accountId);
  const changed = await domainById(work, domain.id);
  if (include) await adoptThosePeopleHave(work, changed);
  else for (const child of await below(work, domain.id)) await closeOwnership(work, child, null);
  return changed;
}

/** @throws {Refusal} `domain_in_use` for a domain that is owned with the one above it */
export function requireOwnProof({ name, parentId }: Domain): void {
  if (parentId !== null)
    throw new Refusal(
      'domain_in_use',
      { domain: name, why: 'came_along' },
      [],
      'This came along with the domain above it. It goes with that, or once it is proved by itself.',
    );
}

/**
 * The account is about to have somebody of this domain: where it owns that by the one above alone, it
 * becomes a row of its own. What others do with addresses of it makes none.
 */
export async function adoptDomain(work: Work, accountId: string, domain: string): Promise<void> {
  const names = namesAbove(domain);
  if (names.length < 2) return;
  const [parent] = await work.query<{ id: string }>(
    `select d.id from domains d
     where d.name = any ($1::text[]) and d.account_id = $3 and d.include_subdomains
       and d.state in ('owned', 'at_risk', 'lapsed')
       and not exists (select from domains o
         where o.name = $2 and o.state in ('owned', 'at_risk', 'lapsed'))
     order by length(d.name) desc limit 1`,
    [names.slice(1), domain, accountId],
  );
  if (parent) await adopt(work, await domainById(work, parent.id), domain);
}

/** Subdomains that people here have already. */
async function adoptThosePeopleHave(work: Work, parent: Domain): Promise<void> {
  const names = await work.query<{ name: string }>(
    `select distinct split_part(u.email, '@', 2) as name from users u
     where u.email is not null and right(u.email, length($1::text) + 1) = '.' || $1::text limit $2`,
    [parent.name, most],
  );
  for (const { name } of names) await adoptDomain(work, parent.accountId, name);
}

async function adopt(work: Work, parent: Domain, name: string): Promise<void> {
  // Somebody proves it at this moment: then it is looked at again with the next person.
  const [free] = await work.query<{ locked: boolean }>(
    'select pg_try_advisory_xact_lock(hashtextextended($1, 7268)) as locked',
    [name],
  );
  if (!free!.locked) return;
  const known = await findDomain(work, parent.accountId, name);
  const id = known && isOpen(known) ? known.id : newId(work.now.getTime());
  if (id !== known?.id)
    await work.query(
      `insert into domains (id, account_id, name, state, claimed_at, created_at)
       values ($1, $2, $3, 'pending', $4, $4)`,
      [id, parent.accountId, name, work.now],
    );
  await becomeOwner(work, await domainById(work, id), parent.proof!, { parent: parent.name });
  await work.query(
    `update domains c set parent_id = p.id, state = p.state, signup = p.signup,
       defaults = p.defaults, second_factor_required = p.second_factor_required,
       at_risk_at = p.at_risk_at, lapsed_at = p.lapsed_at, next_check_at = null
     from domains p where c.id = $1 and p.id = $2`,
    [id, parent.id],
  );
  await work.query(
    `insert into connection_domains (domain, connection_id, bound_at)
     select $1, b.connection_id, $3 from connection_domains b where b.domain = $2
     on conflict (domain) do nothing`,
    [name, parent.name, work.now],
  );
}

/** Those that came along, taken. */
export async function below(work: Work, parentId: string): Promise<Domain[]> {
  const rows = await work.query<{ id: string }>(
    'select id from domains where parent_id = $1 order by name for update',
    [parentId],
  );
  const children = [];
  for (const { id } of rows) children.push(await domainById(work, id));
  return children;
}
