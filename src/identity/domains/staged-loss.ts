import type { Work } from '../work.ts';
import {
  graceBeforeAutomationStops,
  graceBeforeLapse,
  quarantine,
  type Domain,
  type Proof,
} from './domain.ts';
import type { Finding } from './look-for-proof.ts';
import { proofValue } from './proof-record.ts';
import { closeOwnership } from './close-ownership.ts';
import { accountName, domainLink, shownDomain, tellAdministrators } from './tell.ts';

const hours = 3600_000;
const days = 24 * hours;

/** How often it is looked: while all is well, while in doubt, while it is lost. */
export const checkEvery = {
  pending: 1 * hours,
  owned: 7 * days,
  doubtful: 12 * hours,
  lost: 1 * days,
  unknown: 6 * hours,
};

/** So many checks in a row, over so long, until missing is believed. */
const checksUntilMissing = 3;
const timeUntilMissing = 24 * hours;

/**
 * A check saw the proof of an owned domain. Whatever its loss had begun is over: what the domain
 * allows, it allows again.
 */
export async function proofSeen(work: Work, domain: Domain, proof: Proof): Promise<void> {
  await work.query(
    `update domains set state = 'owned', proof = $2, failing_since = null, failed_checks = 0,
       at_risk_at = null, lapsed_at = null, checked_at = $3, next_check_at = $4, parent_id = null,
       version = version + 1
     where id = $1`,
    [domain.id, proof, work.now, new Date(work.now.getTime() + checkEvery.owned)],
  );
  if (domain.proof !== proof)
    work.record(
      'domain.proof_changed',
      { type: 'domain', id: domain.name },
      { from: domain.proof, to: proof },
      domain.accountId,
    );
  if (domain.state === 'owned') return;
  const along = await shareFate(
    work,
    domain,
    `state = 'owned', at_risk_at = null, lapsed_at = null`,
  );
  work.record(
    'domain.recovered',
    { type: 'domain', id: domain.name },
    { from: domain.state },
    domain.accountId,
  );
  // The account has authority over these addresses again (security.md 3.1), so they count again.
  if (domain.state === 'lapsed')
    await work.query(
      `update users set email_verified_at = $3, updated_at = $3, version = version + 1
       where account_id = $1 and affiliation = 'member' and identity = 'ready'
         and email is not null and split_part(email, '@', 2) = any ($2::text[])
         and email_verified_at is null`,
      [domain.accountId, [domain.name, ...along], work.now],
    );
}

/**
 * A check got an answer, and the proof was not in it. Once says nothing yet: three times in a row,
 * over a day, is missing (security.md 3.6). From then on in stages, each told to the administrators.
 */
export async function proofMissing(work: Work, domain: Domain, finding: Finding): Promise<void> {
  const since = domain.failingSince ?? work.now;
  const failed = domain.failedChecks + 1;
  const believed =
    failed >= checksUntilMissing && work.now.getTime() - since.getTime() >= timeUntilMissing;
  const wait = domain.state === 'owned' && !believed ? checkEvery.doubtful : checkEvery.lost;
  await work.query(
    `update domains set failing_since = $2, failed_checks = $3, checked_at = $4,
       next_check_at = $5, version = version + 1
     where id = $1`,
    [domain.id, since, failed, work.now, new Date(work.now.getTime() + wait)],
  );
  const now = work.now.getTime();
  switch (domain.state) {
    case 'owned':
      if (believed) await putAtRisk(work, domain, finding);
      return;
    case 'at_risk': {
      const found = finding.seen[0] ?? null;
      const atRisk = now - (domain.atRiskAt ?? since).getTime();
      if (atRisk >= graceBeforeLapse) await lapse(work, domain, { found, reason: 'proof_missing' });
      else await remindOfLoss(work, domain, found, atRisk);
      return;
    }
    case 'lapsed':
      if (now - (domain.lapsedAt ?? since).getTime() >= quarantine)
        await closeOwnership(work, domain, 'quarantine_over');
      return;
    default:
  }
}

async function putAtRisk(work: Work, domain: Domain, finding: Finding): Promise<void> {
  await work.query(
    `update domains set state = 'at_risk', at_risk_at = $2, version = version + 1 where id = $1`,
    [domain.id, work.now],
  );
  await shareFate(work, domain, `state = 'at_risk', at_risk_at = $2`);
  work.record(
    'domain.at_risk',
    { type: 'domain', id: domain.name },
    { proof: domain.proof, seen: finding.seen },
    domain.accountId,
  );
  await tellAtRisk(work, domain, {
    stage: 'failing',
    found: finding.seen[0] ?? null,
    lapsesAt: new Date(work.now.getTime() + graceBeforeAutomationStops),
    dedupKey: `domain_at_risk:${domain.id}:${work.now.getTime()}`,
  });
}

/** Since when the domain has been at risk, when its administrators are told once more. */
const reminders = [graceBeforeAutomationStops, graceBeforeLapse - 7 * days];

/** Between the first letter and the loss lie weeks: two more say what has stopped, and what comes. */
async function remindOfLoss(
  work: Work,
  domain: Domain,
  found: string | null,
  atRisk: number,
): Promise<void> {
  // A domain is looked at each day; of a letter that is long gone nothing is left to know it by.
  const due = reminders.findLast((from) => atRisk >= from && atRisk < from + 3 * days);
  if (due === undefined) return;
  await tellAtRisk(work, domain, {
    stage: 'stopped',
    found,
    lapsesAt: new Date(work.now.getTime() - atRisk + graceBeforeLapse),
    dedupKey: `domain_stopped:${domain.id}:${domain.atRiskAt?.getTime() ?? 0}:${due / days}`,
  });
}

interface AtRisk {
  stage: 'failing' | 'stopped' | 'lapsed';
  found: string | null;
  /** Null where it is lost already. */
  lapsesAt: Date | null;
  dedupKey: string;
}

/** The letter about a missing proof: what was expected, what was found, and until when it can be mended. */
async function tellAtRisk(
  work: Work,
  domain: Domain,
  { dedupKey, ...told }: AtRisk,
): Promise<void> {
  await tellAdministrators(
    work,
    domain.accountId,
    {
      kind: 'domain_at_risk',
      account: await accountName(work, domain.accountId),
      domain: shownDomain(domain.name),
      expected: proofValue(domain.challenge ?? ''),
      domainLink: domainLink(work, domain.name),
      ...told,
    },
    { dedupKey },
  );
}

/**
 * The domain is no longer the account's to speak for, and nobody else's yet. Its people stay members
 * and sign in with what they have. But whoever holds the domain now reads their mail: addresses do
 * not count as verified, and no link that was sent, or is asked for, lets anybody in (D-30).
 */
export async function lapse(
  work: Work,
  domain: Domain,
  { found, reason }: { found: string | null; reason: 'proof_missing' | 'contested' },
): Promise<void> {
  await work.query(
    `update domains set state = 'lapsed', lapsed_at = $2, at_risk_at = coalesce(at_risk_at, $2),
       version = version + 1
     where id = $1`,
    [domain.id, work.now],
  );
  const along = await shareFate(
    work,
    domain,
    `state = 'lapsed', lapsed_at = $2, at_risk_at = coalesce(at_risk_at, $2)`,
  );
  for (const name of [domain.name, ...along])
    await distrustMailboxes(work, { accountId: domain.accountId, name });
  work.record('domain.lapsed', { type: 'domain', id: domain.name }, { reason }, domain.accountId);
  await tellAtRisk(work, domain, {
    stage: 'lapsed',
    found,
    lapsesAt: null,
    dedupKey: `domain_lapsed:${domain.id}:${work.now.getTime()}`,
  });
}

/** What came along with a domain is as it is. Returns the names. */
async function shareFate(work: Work, { id }: Domain, changes: string): Promise<string[]> {
  const along = await work.query<{ name: string }>(
    `update domains set ${changes}, version = version + 1
     where parent_id = $1 and $2::timestamptz is not null returning name`,
    [id, work.now],
  );
  return along.map(({ name }) => name).sort();
}

/** The links that were sent to these mailboxes are dead, and the addresses prove nothing more. */
export async function distrustMailboxes(
  work: Work,
  { accountId, name }: Pick<Domain, 'accountId' | 'name'>,
): Promise<void> {
  await work.query(
    `delete from one_time_tokens t using users u
     where u.id = t.user_id and t.used_at is null and u.account_id = $1
       and split_part(u.email, '@', 2) = $2 and u.email is not null`,
    [accountId, name],
  );
  await work.query(
    `update users set email_verified_at = null, updated_at = $3, version = version + 1
     where account_id = $1 and split_part(email, '@', 2) = $2 and email is not null
       and email_verified_at is not null`,
    [accountId, name, work.now],
  );
}
