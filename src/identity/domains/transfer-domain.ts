import { personBehind } from '../access/person-behind.ts';
import { Refusal } from '../refusal.ts';
import { unitOfWork, type Foundation, type Work, type WorkContext } from '../work.ts';
import { becomeOwner } from './become-owner.ts';
import { closeOwnership } from './close-ownership.ts';
import { findDomain, findOwner, lockName, type Domain } from './domain.ts';
import { refuseWhileInUse } from './domain-use.ts';
import { lookForProof, type Finding, type ProofNetwork } from './look-for-proof.ts';
import {
  decide,
  findOpenRequest,
  insertRequest,
  recordBoth,
  takeRequest,
  type DomainRequest,
} from './requests.ts';
import { distrustMailboxes } from './staged-loss.ts';
import { accountName, contactOf, domainLink, shownDomain, tellAdministrators } from './tell.ts';
import { methodsFor } from './verify-domain.ts';

/** How long the owner has to put its proof back, or to say something. */
export const transferNotice = 14 * 24 * 3600_000;

/** The proofs of both sides, as they are in the world now. */
export interface BothProofs {
  claim: Domain;
  owner: Domain;
  claimProof: 'dns' | 'https' | null;
  ownerLives: boolean;
}

/**
 * Looks at both proofs. No transaction is open meanwhile. An owner that was never proved by a record
 * has none that lives; one that nobody could look at counts as living.
 *
 * @throws {Refusal} `domain_not_found`, `transfer_refused`
 */
export async function lookAtBoth(
  foundation: Foundation,
  network: ProofNetwork,
  { claimantId, name }: { claimantId: string; name: string },
): Promise<BothProofs> {
  const claim = await findDomain(foundation.database, claimantId, name);
  if (!claim) throw new Refusal('domain_not_found', { domain: name });
  const owner = await findOwner(foundation.database, name);
  if (claim.state !== 'contested' || !owner)
    throw new Refusal('transfer_refused', { domain: name, why: 'not_contested' });
  const [ofClaim, ofOwner] = await Promise.all([
    lookForProof(network, claim, methodsFor(claim)),
    lookForProof(
      network,
      owner,
      owner.proof === 'dns' || owner.proof === 'https' ? [owner.proof] : [],
    ),
  ]);
  return {
    claim,
    owner,
    claimProof: ofClaim.find(found)?.method ?? null,
    ownerLives: ofOwner.some(({ outcome }) => outcome !== 'missing'),
  };
}

/**
 * An operator announces that a domain will go to who has proved it, because its owner's proof is
 * gone. For two weeks nothing happens; then another operator carries it out, or nobody does.
 *
 * @throws {Refusal} `transfer_refused`
 */
export async function announceTransfer(
  work: Work,
  proofs: BothProofs,
  reason: string,
): Promise<DomainRequest> {
  const { claim, owner } = await stillSo(work, proofs);
  const open = await findOpenRequest(work, 'transfer', claim.name, claim.accountId);
  if (open) return open;
  const dueAt = new Date(work.now.getTime() + transferNotice);
  const contact = await contactOf(work, claim.accountId);
  const request = await insertRequest(work, {
    kind: 'transfer',
    domain: claim.name,
    ownerId: owner.accountId,
    claimantId: claim.accountId,
    message: reason,
    contact,
    expiresAt: null,
    dueAt,
  });
  recordBoth(work, request, 'transfer_announced', { reason, dueAt });
  // The claim waits as long as the notice runs.
  await work.query('update domains set expires_at = greatest(expires_at, $2) where id = $1', [
    claim.id,
    new Date(dueAt.getTime() + transferNotice),
  ]);
  await tellAdministrators(work, owner.accountId, {
    kind: 'domain_contested',
    account: await accountName(work, owner.accountId),
    domain: shownDomain(claim.name),
    request: 'ownership',
    claimant: await accountName(work, claim.accountId),
    contact,
    domainLink: domainLink(work, claim.name),
    expiresAt: dueAt,
  });
  return request;
}

/**
 * The cut-over, all of it or nothing: the owner changes; open invitations, approvals, links and codes
 * of the domain are gone; nobody is moved (security.md 3.2). By another operator than announced it.
 *
 * @throws {Refusal} `not_found`, `transfer_refused`, `domain_in_use`
 */
export async function carryOutTransfer(
  work: Work,
  proofs: BothProofs,
  reason: string,
): Promise<Domain> {
  const { name, accountId: claimantId } = proofs.claim;
  const announced = await findOpenRequest(work, 'transfer', name, claimantId);
  if (!announced) throw new Refusal('not_found');
  const request = await takeRequest(work, announced.id);
  if (request.state !== 'open') throw new Refusal('not_found');
  const { claim, owner } = await stillSo(work, proofs);
  if (owner.accountId !== request.ownerId) refuse(name, 'owner_changed');
  if (request.dueAt === null || request.dueAt > work.now)
    refuse(name, 'notice_runs', { dueAt: request.dueAt?.toISOString() });
  if (await isSamePerson(work, request)) refuse(name, 'second_operator');
  await refuseWhileInUse(work, owner.accountId, name);

  await decide(work, request.id, 'done');
  await distrustMailboxes(work, owner);
  await closeOwnership(work, owner, 'transferred');
  const [invitations] = await work.query<{ count: number }>(
    `with gone as (
       update invitations set state = 'superseded', decided_at = $2
       where state = 'pending' and split_part(email, '@', 2) = $1 and account_id <> $3 returning 1)
     select count(*)::int as count from gone`,
    [name, work.now, claimantId],
  );
  const details = { reason, request: request.id, invitations: invitations!.count };
  work.record('domain.transferred', { type: 'domain', id: name }, details, owner.accountId);
  work.record('domain.transferred', { type: 'domain', id: name }, details, claimantId);
  await becomeOwner(work, claim, proofs.claimProof!, { transferred: true });
  return (await findDomain(work, claimantId, name))!;
}

/**
 * An operator stops a transfer that was announced.
 *
 * @throws {Refusal} `not_found`
 */
export async function stopTransfer(
  work: Work,
  claimantId: string,
  name: string,
  reason: string,
): Promise<void> {
  const announced = await findOpenRequest(work, 'transfer', name, claimantId);
  if (!announced) throw new Refusal('not_found');
  const request = await takeRequest(work, announced.id);
  if (request.state !== 'open') throw new Refusal('not_found');
  await decide(work, request.id, 'withdrawn');
  recordBoth(work, request, 'transfer_stopped', { reason });
}

/** A transfer with a look at both proofs before it. */
export async function transferring<T>(
  foundation: Foundation,
  network: ProofNetwork,
  context: WorkContext,
  which: { claimantId: string; name: string },
  act: (work: Work, proofs: BothProofs) => Promise<T>,
): Promise<T> {
  const proofs = await lookAtBoth(foundation, network, which);
  return unitOfWork(foundation, context, (work) => act(work, proofs));
}

/** Both rows again, taken, as they were when their proofs were looked at. */
async function stillSo(
  work: Work,
  { claim, owner, claimProof, ownerLives }: BothProofs,
): Promise<{ claim: Domain; owner: Domain }> {
  await lockName(work, claim.name);
  const claimNow = await findDomain(work, claim.accountId, claim.name);
  const ownerNow = await findOwner(work, claim.name);
  if (claimNow?.id !== claim.id || claimNow.state !== 'contested' || ownerNow?.id !== owner.id)
    return refuse(claim.name, 'not_contested');
  if (claimProof === null) return refuse(claim.name, 'claimant_not_proved');
  if (ownerLives) return refuse(claim.name, 'owner_proved');
  return { claim: claimNow, owner: ownerNow };
}

async function isSamePerson(work: Work, { requestedBy }: DomainRequest): Promise<boolean> {
  const [one, other] = [
    await personBehind(work, work.actor),
    await personBehind(work, requestedBy),
  ];
  return one === other;
}

function found({ outcome }: Finding): boolean {
  return outcome === 'found';
}

function refuse(domain: string, why: string, more: Record<string, unknown> = {}): never {
  throw new Refusal('transfer_refused', { domain, why, ...more });
}
