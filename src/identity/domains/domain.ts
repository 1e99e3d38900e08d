import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';

/**
 * An email domain of an account (behaviour.md 2.2, security.md 3.6).
 *
 *     claim -> pending -> proof seen, nobody owns it  -> owned
 *                      -> proof seen, another owns it -> contested -> the owner lets go, proof again -> owned
 *                      -> 7 days, or its own wish     -> expired, cancelled
 *     owned -> proof missing for a day, three times -> at_risk -> 30 days -> lapsed -> 90 days -> released
 *              at_risk and lapsed -> proof seen again -> owned
 *     owned -> let go by its account, or transferred by an operator -> released
 *
 * Owned, at risk and lapsed are one owner: a unique index lets there be no second. Whoever changes
 * who owns a name takes `lockName` first, so that all of them wait for one another.
 */
export const domainStates = [
  'listed',
  'pending',
  'owned',
  'contested',
  'at_risk',
  'lapsed',
  'released',
  'expired',
  'cancelled',
] as const;
export type DomainState = (typeof domainStates)[number];

/** How a claim is proved. An operator may vouch for one besides. */
export const proofMethods = ['dns', 'https', 'email'] as const;
export type ProofMethod = (typeof proofMethods)[number];
export type Proof = ProofMethod | 'operator';

export const signupModes = ['approve', 'auto', 'closed'] as const;
export type SignupMode = (typeof signupModes)[number];

/** What new people of a domain are given (behaviour.md F03). */
export interface DomainDefaults {
  roles: string[];
  groups: string[];
  entitlementCountry: string | null;
}

export interface Domain {
  id: string;
  accountId: string;
  /** In canonical ASCII form. */
  name: string;
  state: DomainState;
  /** What it is owned by; null until then. */
  proof: Proof | null;
  /** How it is being proved; for an owned domain, how it is to be proved anew. */
  method: ProofMethod | null;
  /** What the record has to hold. It is published, and no secret. */
  challenge: string | null;
  signup: SignupMode;
  defaults: Partial<DomainDefaults>;
  /** Where the mail with the proof went, comma separated. */
  proofMailbox: string | null;
  mailedAt: Date | null;
  claimedAt: Date | null;
  ownedAt: Date | null;
  checkedAt: Date | null;
  nextCheckAt: Date | null;
  expiresAt: Date | null;
  /** Since when, and how often in a row, a check did not find the proof. */
  failingSince: Date | null;
  failedChecks: number;
  atRiskAt: Date | null;
  lapsedAt: Date | null;
  releasedAt: Date | null;
  /** Why it was closed, where it was not by the account's own wish. */
  closedReason: 'owned_by_other' | 'transferred' | 'quarantine_over' | null;
  /** Whether what is below it is its account's too. */
  includeSubdomains: boolean;
  /** The domain above it that it came along with, and whose proof it stands by. */
  parentId: string | null;
  createdAt: Date;
}

export const domainColumns = `
  id, account_id as "accountId", name, state, proof, method, challenge, signup, defaults,
  proof_mailbox as "proofMailbox", mailed_at as "mailedAt", claimed_at as "claimedAt",
  owned_at as "ownedAt", checked_at as "checkedAt", next_check_at as "nextCheckAt",
  expires_at as "expiresAt", failing_since as "failingSince", failed_checks as "failedChecks",
  at_risk_at as "atRiskAt", lapsed_at as "lapsedAt", released_at as "releasedAt",
  closed_reason as "closedReason", include_subdomains as "includeSubdomains",
  parent_id as "parentId", created_at as "createdAt"`;

/** Whether the account decides about the addresses of this domain. */
export function isOwned({ state }: { state: DomainState }): boolean {
  return state === 'owned' || state === 'at_risk' || state === 'lapsed';
}

/** Whether something of it is still under way or true. */
export function isOpen({ state }: { state: DomainState }): boolean {
  return isOwned({ state }) || state === 'pending' || state === 'contested';
}

/** A proof that allows everything; a mail shows one mailbox only (behaviour.md 3.3). */
export function isStrong(proof: Proof | null): boolean {
  return proof === 'dns' || proof === 'https' || proof === 'operator';
}

const days = 24 * 3600_000;

/** How long nothing changes once the proof is missing; after that, no machine makes people. */
export const graceBeforeAutomationStops = 7 * days;
/** From the day the proof was found missing. */
export const graceBeforeLapse = 30 * days;
/** How long a lapsed domain is kept from everybody else. */
export const quarantine = 90 * days;

/**
 * Whether people may be made and let in here without anybody looking: just in time, by a directory,
 * by auto-approval. Administrators go on as before until it has lapsed.
 */
export function automationIsOff(
  { state, atRiskAt }: Pick<Domain, 'state' | 'atRiskAt'>,
  now: Date,
): boolean {
  if (state === 'lapsed') return true;
  return (
    state === 'at_risk' &&
    atRiskAt !== null &&
    now.getTime() - atRiskAt.getTime() >= graceBeforeAutomationStops
  );
}

/** Makes all who change who owns this name wait for one another, until the transaction ends. */
export async function lockName(work: Work, name: string): Promise<void> {
  await work.query(`select pg_advisory_xact_lock(hashtextextended($1, 7268))`, [name]);
}

/** The account's row for this name: the one that is open, else the last that was. */
export async function findDomain(
  sql: Sql,
  accountId: string,
  name: string,
): Promise<Domain | null> {
  const [domain] = await sql.query<Domain>(
    `select ${domainColumns} from domains where account_id = $1 and name = $2
     order by state in ('pending', 'owned', 'contested', 'at_risk', 'lapsed', 'listed') desc,
       created_at desc, id desc limit 1`,
    [accountId, name],
  );
  return domain ?? null;
}

/**
 * The account's open row for this name, taken for a change.
 *
 * @throws {Refusal} `domain_not_found`
 */
export async function takeDomain(work: Work, accountId: string, name: string): Promise<Domain> {
  await lockName(work, name);
  const domain = await findDomain(work, accountId, name);
  if (!domain || !isOpen(domain)) throw new Refusal('domain_not_found', { domain: name });
  return domain;
}

/**
 * The same, and owned.
 *
 * @throws {Refusal} `domain_not_found`, `domain_not_owned`
 */
export async function takeOwnedDomain(
  work: Work,
  accountId: string,
  name: string,
): Promise<Domain> {
  const domain = await takeDomain(work, accountId, name);
  if (!isOwned(domain)) throw new Refusal('domain_not_owned', { domain: name });
  return domain;
}

/** Who owns a name, or null. */
export async function findOwner(sql: Sql, name: string): Promise<Domain | null> {
  const [owner] = await sql.query<Domain>(
    `select ${domainColumns} from domains
     where name = $1 and state in ('owned', 'at_risk', 'lapsed')`,
    [name],
  );
  return owner ?? null;
}

export async function domainById(work: Work, id: string): Promise<Domain> {
  const [domain] = await work.query<Domain>(`select ${domainColumns} from domains where id = $1`, [
    id,
  ]);
  if (!domain) throw new Refusal('domain_not_found');
  return domain;
}
