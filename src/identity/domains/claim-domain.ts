import { randomBytes } from 'node:crypto';
import { newId } from '#platform/ids.ts';
import { settingsOf } from '../accounts/settings.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { requireClaimable } from './claimable.ts';
import {
  domainById,
  findDomain,
  isOpen,
  isOwned,
  lockName,
  takeDomain,
  type Domain,
  type ProofMethod,
} from './domain.ts';
import { mailboxesFor, sendProofMail } from './mail-proof.ts';
import { checkEvery } from './staged-loss.ts';

/** How many domains an account may have claimed and not proved (security.md 3.1). */
export const pendingLimit = 20;
/** How long a claim waits for its proof. */
export const claimLife = 7 * 24 * 3600_000;

export interface NewClaim {
  /** As it was typed. */
  domain: string;
  method: ProofMethod;
  /** With `email`: one of the role mailboxes, or an address of the domain. All role mailboxes without. */
  mailbox?: string | undefined;
}

/**
 * An account says that a domain is its own, and is told how to prove it. Grants nothing yet. Who has
 * claimed or owns it already may claim it again, to prove it in another way.
 *
 * @throws {Refusal} `invalid_domain`, `public_suffix`, `public_mail_domain`, `limit_reached`,
 *   `invalid_email`, `rate_limited`
 */
export async function claimDomain(
  work: Work,
  accountId: string,
  { domain: typed, method, mailbox }: NewClaim,
): Promise<Domain> {
  const name = requireClaimable(typed, platformHost(work));
  const mailboxes = method === 'email' ? mailboxesFor(name, mailbox) : [];
  await lockName(work, name);
  await work.query('select 1 from accounts where id = $1 for no key update', [accountId]);
  const known = await findDomain(work, accountId, name);
  let id = known?.id;
  if (known && isOpen(known) && !isOver(known, work.now)) {
    // What is proved by a record needs no mail.
    if (isOwned(known) && method === 'email') return known;
    await work.query(
      `update domains set method = $2, challenge = coalesce(challenge, $3),
         next_check_at = least(next_check_at, $4), version = version + 1
       where id = $1`,
      [known.id, method, newChallenge(), firstCheck(work.now, method)],
    );
  } else {
    if (known && isOpen(known)) await expireClaim(work, known);
    await requireRoom(work, accountId);
    id = newId(work.now.getTime());
    await work.query(
      `insert into domains (id, account_id, name, state, method, challenge, claimed_at,
         next_check_at, expires_at, created_at, signup)
       values ($1, $2, $3, 'pending', $4, $5, $6, $7, $8, $6, $9)`,
      [
        id,
        accountId,
        name,
        method,
        reusable(known) ?? newChallenge(),
        work.now,
        firstCheck(work.now, method),
        new Date(work.now.getTime() + claimLife),
        (await settingsOf(work, accountId)).signUp,
      ],
    );
    work.record('domain.claimed', { type: 'domain', id: name }, { method }, accountId);
  }
  const claim = await domainById(work, id!);
  if (method === 'email') await sendProofMail(work, claim, mailboxes);
  return domainById(work, claim.id);
}

/**
 * The account gives its claim up.
 *
 * @throws {Refusal} `domain_not_found`
 */
export async function cancelClaim(work: Work, accountId: string, name: string): Promise<Domain> {
  const claim = await takeDomain(work, accountId, name);
  if (isOwned(claim)) throw new Refusal('domain_not_found', { domain: name });
  await closeClaim(work, claim, 'cancelled');
  work.record('domain.claim_cancelled', { type: 'domain', id: name }, {}, accountId);
  return domainById(work, claim.id);
}

/** Nobody proved it in time. What it held up is possible again. */
export async function expireClaim(work: Work, claim: Domain): Promise<void> {
  await closeClaim(work, claim, 'expired');
  work.record('domain.claim_expired', { type: 'domain', id: claim.name }, {}, claim.accountId);
}

/** Ends a claim and what was begun for it: the link in a mail, the requests to the owner. */
export async function closeClaim(
  work: Work,
  claim: Domain,
  state: 'cancelled' | 'expired',
): Promise<void> {
  await work.query(
    `update domains set state = $2, next_check_at = null, version = version + 1 where id = $1`,
    [claim.id, state],
  );
  await work.query(
    `delete from one_time_tokens where subject = $1 and purpose = 'domain_proof' and used_at is null`,
    [claim.id],
  );
  await work.query(
    `update domain_requests set state = 'withdrawn', decided_at = $3, decided_by = $4
     where claimant_id = $1 and domain = $2 and kind in ('release', 'transfer') and state = 'open'`,
    [claim.accountId, claim.name, work.now, JSON.stringify(work.actor)],
  );
}

/** Whether a claim has run out, though nobody has swept it up yet. */
export function isOver({ state, expiresAt }: Domain, now: Date): boolean {
  return (state === 'pending' || state === 'contested') && expiresAt !== null && expiresAt <= now;
}

/** The host of this installation, which no account owns. */
export function platformHost(work: Pick<Work, 'link'>): string {
  return new URL(work.link('/')).hostname;
}

/** When it is first looked for without being asked to; a mail is answered, not looked for. */
function firstCheck(now: Date, method: ProofMethod): Date | null {
  return method === 'email' ? null : new Date(now.getTime() + checkEvery.pending);
}

async function requireRoom(work: Work, accountId: string): Promise<void> {
  const [row] = await work.query<{ count: number }>(
    `select count(*)::int as count from domains
     where account_id = $1 and state = 'pending' and expires_at > $2`,
    [accountId, work.now],
  );
  if (row!.count >= pendingLimit) throw new Refusal('limit_reached', { limit: pendingLimit });
}

/**
 * 128 bits, of this claim alone: a record that stands in DNS for one account proves nothing for
 * another (D-24). In lower-case hexadecimal, which no form for DNS records spoils.
 */
function newChallenge(): string {
  return randomBytes(16).toString('hex');
}

/**
 * A claim that ran out while somebody was still waiting for the department that runs DNS goes on
 * with the same record. One that was given up, or a domain let go, does not.
 */
function reusable(known: Domain | null): string | null {
  return known?.state === 'expired' || known?.closedReason === 'owned_by_other'
    ? known.challenge
    : null;
}
