import { Refusal } from '../refusal.ts';
import { unitOfWork, type Foundation, type Work, type WorkContext } from '../work.ts';
import { becomeOwner, contest } from './become-owner.ts';
import { closeClaim, expireClaim, isOver } from './claim-domain.ts';
import {
  domainById,
  findDomain,
  findOwner,
  isOpen,
  isOwned,
  isStrong,
  lockName,
  type Domain,
  type Proof,
} from './domain.ts';
import { lookForProof, type Finding, type ProofNetwork } from './look-for-proof.ts';
import { findMailProof, redeemMailProof, type OpenMailProof } from './mail-proof.ts';
import { checkEvery, proofMissing, proofSeen } from './staged-loss.ts';

/** "Verify now" is for people who wait, not for programs that hammer (behaviour.md 3.3). */
const pause = 10_000;

/** What a look at the network brought, for `conclude`. */
export interface Look {
  claimId: string;
  findings: Finding[];
  /** It was looked just before: nobody looked again. */
  tooSoon: boolean;
}

export interface Verified {
  domain: Domain;
  findings: Finding[];
}

/**
 * Looks for the proof of a domain now. `permitted` says in the transaction before it whether who asks
 * may; none is open while the network is asked.
 *
 * @throws {Refusal} `domain_not_found`, `claim_closed`, and whatever `permitted` throws
 */
export async function lookAtDomain(
  foundation: Foundation,
  network: ProofNetwork,
  context: WorkContext,
  { accountId, name }: { accountId: string; name: string },
  permitted: (work: Work) => Promise<unknown>,
): Promise<Look> {
  const { claim, tooSoon } = await unitOfWork(foundation, context, async (work) => {
    await permitted(work);
    return beginCheck(work, accountId, name);
  });
  const findings = tooSoon ? [] : await lookForProof(network, claim, methodsFor(claim));
  return { claimId: claim.id, findings, tooSoon };
}

/**
 * Looks, and acts on what it finds.
 *
 * @throws {Refusal} `domain_not_found`, `claim_closed`, `rate_limited`, and whatever `permitted` throws
 */
export async function verifyDomain(
  foundation: Foundation,
  network: ProofNetwork,
  context: WorkContext,
  which: { accountId: string; name: string },
  permitted: (work: Work) => Promise<unknown>,
): Promise<Verified> {
  const look = await lookAtDomain(foundation, network, context, which, permitted);
  return unitOfWork(foundation, context, async (work) => {
    await permitted(work);
    return { domain: await concludeLook(work, look), findings: look.findings };
  });
}

/** @throws {Refusal} `rate_limited` */
export async function concludeLook(work: Work, look: Look): Promise<Domain> {
  if (!look.tooSoon) return conclude(work, look.claimId, look.findings);
  const domain = await domainById(work, look.claimId);
  // A proof that was just seen is no reason to look again, and asking for it no offence.
  if (domain.state === 'owned' && domain.failingSince === null && domain.method === domain.proof)
    return domain;
  throw new Refusal('rate_limited', { retryAfter: pause / 1000 });
}

async function beginCheck(
  work: Work,
  accountId: string,
  name: string,
): Promise<{ claim: Domain; tooSoon: boolean }> {
  const claim = await findDomain(work, accountId, name);
  if (!claim) throw new Refusal('domain_not_found', { domain: name });
  if (!isOpen(claim)) throw new Refusal('claim_closed', { domain: name, state: claim.state });
  const begun = await work.query(
    `update domains set checked_at = $2
     where id = $1 and (checked_at is null or checked_at <= $3) returning 1`,
    [claim.id, work.now, new Date(work.now.getTime() - pause)],
  );
  return { claim, tooSoon: begun.length === 0 };
}

/** Where to look: where it is to be proved, and where it was. */
export function methodsFor({ method, proof, state }: Domain): ('dns' | 'https')[] {
  const wanted = isOwned({ state }) ? [method, proof] : [method];
  return [...new Set(wanted)].filter((one) => one === 'dns' || one === 'https');
}

/** Acts on what a look at the network found. What happened meanwhile is looked at again. */
export async function conclude(
  work: Work,
  claimId: string,
  findings: readonly Finding[],
): Promise<Domain> {
  await lockName(work, (await domainById(work, claimId)).name);
  const domain = await domainById(work, claimId);
  const found = findings.find(({ outcome }) => outcome === 'found');
  if (isOwned(domain)) await concludeOwned(work, domain, findings);
  else if (isOver(domain, work.now)) await expireClaim(work, domain);
  else if (found) await proved(work, domain, found.method);
  else if (isOpen(domain))
    await work.query('update domains set next_check_at = $2 where id = $1', [
      domain.id,
      domain.method === 'email'
        ? domain.expiresAt
        : new Date(
            work.now.getTime() + checkEvery[domain.state === 'pending' ? 'pending' : 'lost'],
          ),
    ]);
  return domainById(work, claimId);
}

async function concludeOwned(
  work: Work,
  domain: Domain,
  findings: readonly Finding[],
): Promise<void> {
  const found = findings.find(({ outcome }) => outcome === 'found');
  if (found) return proofSeen(work, domain, found.method);
  // It stands by the proof of the domain above it, and has none to lose.
  if (domain.parentId !== null) {
    await work.query('update domains set next_check_at = null where id = $1', [domain.id]);
    return;
  }
  // Only the proof it is owned by can be lost.
  const own = findings.find(({ method }) => method === domain.proof);
  if (own?.outcome === 'missing') return proofMissing(work, domain, own);
  // Owned by a mail or an operator's word, a record is looked for now and then, and is no loss.
  const wait = own ? checkEvery.unknown : checkEvery.owned;
  if (findings.length > 0)
    await work.query('update domains set next_check_at = $2 where id = $1', [
      domain.id,
      new Date(work.now.getTime() + wait),
    ]);
}

/** First proof wins; the name is taken, so there is a first. */
async function proved(work: Work, domain: Domain, proof: Proof): Promise<void> {
  const contender =
    domain.state === 'pending' ||
    domain.state === 'contested' ||
    // Closed by the other's proof while this one was being looked for: it comes second.
    domain.closedReason === 'owned_by_other';
  if (!contender) return;
  const owner = await findOwner(work, domain.name);
  if (owner) {
    const open = await findDomain(work, domain.accountId, domain.name);
    if (open && open.id !== domain.id && isOpen(open)) return;
    await contest(work, domain, owner, proof);
  } else {
    await becomeOwner(work, domain, proof);
  }
}

/** What the mailbox of a domain answers. */
export type MailAnswer = 'confirm' | 'deny';

/**
 * The mailbox of the domain answers: yes is a weak proof, but one; no ends the claim. Null where the
 * link is no longer good: then nothing happens.
 */
export async function answerByMail(
  foundation: Foundation,
  context: WorkContext,
  secret: string,
  answer: MailAnswer,
): Promise<OpenMailProof | null> {
  return unitOfWork(foundation, context, async (work) => {
    const asked = await findMailProof(work, secret, work.now);
    if (!asked) return null;
    await lockName(work, asked.domain);
    const domain = await domainById(work, asked.claimId);
    if (isOver(domain, work.now)) {
      await expireClaim(work, domain);
      return null;
    }
    if (isOwned(domain) || !isOpen(domain) || !(await redeemMailProof(work, secret))) return null;
    if (answer === 'confirm') {
      await proved(work, domain, 'email');
    } else {
      await closeClaim(work, domain, 'cancelled');
      work.record('domain.claim_denied', { type: 'domain', id: domain.name }, {}, domain.accountId);
    }
    return asked;
  });
}

/**
 * An operator vouches for it, by name and with a reason: as strong as a record (behaviour.md 3.3).
 *
 * @throws {Refusal} `domain_owned_by_other`
 */
export async function vouched(work: Work, domain: Domain, reason: string): Promise<void> {
  const owner = await findOwner(work, domain.name);
  if (owner && owner.id !== domain.id)
    throw new Refusal(
      'domain_owned_by_other',
      { domain: domain.name },
      [],
      'The domain is owned by a different organization.',
    );
  if (!isOwned(domain)) return becomeOwner(work, domain, 'operator', { reason });
  await proofSeen(work, domain, 'operator');
  await work.query('update domains set next_check_at = null where id = $1', [domain.id]);
  if (isStrong(domain.proof))
    work.record(
      'domain.owned',
      { type: 'domain', id: domain.name },
      { domain: domain.name, proof: 'operator', reason },
      domain.accountId,
    );
}
