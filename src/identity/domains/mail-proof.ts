import { newId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { newSecret, secretHash } from '#platform/secrets.ts';
import { mail } from '../mail/mail.ts';
import { Refusal } from '../refusal.ts';
import { canonicalEmail, domainForPeople, domainOf } from '../users/email.ts';
import type { Work } from '../work.ts';
import type { Domain } from './domain.ts';
import { roleMailboxes } from './proof-record.ts';
import { accountName } from './tell.ts';

const minutes = 60_000;
const days = 24 * 60 * minutes;
const linkLife = 7 * days;
/** Between two mails for one claim, and how many an account may have sent in an hour. */
const pause = 5 * minutes;
const hourly = 10;

/**
 * Where the mail goes: the mailboxes that stand for a domain, or one that the administrator names,
 * which has to be of that very domain.
 *
 * @throws {Refusal} `invalid_email`
 */
export function mailboxesFor(name: string, mailbox: string | undefined): string[] {
  if (mailbox === undefined) return roleMailboxes.map((role) => `${role}@${name}`);
  const email = canonicalEmail(mailbox.includes('@') ? mailbox : `${mailbox}@${name}`);
  if (email === null || domainOf(email) !== name) throw new Refusal('invalid_email', { mailbox });
  return [email];
}

/**
 * Asks a mailbox of the domain whether the claim is right. The link is one for all of them, and works
 * once. A link sent before is dead.
 *
 * @throws {Refusal} `rate_limited`
 */
export async function sendProofMail(
  work: Work,
  claim: Domain,
  mailboxes: readonly string[],
): Promise<void> {
  await requirePatience(work, claim);
  const secret = newSecret();
  const expiresAt = new Date(work.now.getTime() + linkLife);
  await work.query(
    `delete from one_time_tokens where subject = $1 and purpose = 'domain_proof' and used_at is null`,
    [claim.id],
  );
  await work.query(
    `insert into one_time_tokens (id, purpose, subject, secret_hash, details, created_at, expires_at)
     values ($1, 'domain_proof', $2, $3, $4, $5, $6)`,
    [
      newId(work.now.getTime()),
      claim.id,
      secretHash(secret),
      JSON.stringify({ claimant: await claimantName(work) }),
      work.now,
      expiresAt,
    ],
  );
  await work.query(
    'update domains set mailed_at = $2, proof_mailbox = $3, expires_at = $4 where id = $1',
    [claim.id, work.now, mailboxes.join(','), expiresAt],
  );
  const account = await accountName(work, claim.accountId);
  const claimant = await claimantName(work);
  for (const email of mailboxes)
    mail(
      work,
      { email, locale: null },
      {
        kind: 'domain_proof',
        account,
        domain: domainForPeople(claim.name),
        claimant: claimant || account,
        link: work.link(`/domains/confirm?token=${secret}`),
        expiresAt,
      },
    );
}

async function requirePatience(work: Work, claim: Domain): Promise<void> {
  const ago = claim.mailedAt ? work.now.getTime() - claim.mailedAt.getTime() : Infinity;
  if (ago < pause)
    throw new Refusal('rate_limited', { retryAfter: Math.ceil((pause - ago) / 1000) });
  const [row] = await work.query<{ count: number }>(
    'select count(*)::int as count from domains where account_id = $1 and mailed_at > $2',
    [claim.accountId, new Date(work.now.getTime() - 60 * minutes)],
  );
  if (row!.count >= hourly) throw new Refusal('rate_limited', { retryAfter: 3600 });
}

async function claimantName({ query, actor }: Work): Promise<string> {
  if (actor.type === 'api_token') return actor.name;
  if (actor.type !== 'user') return '';
  const [person] = await query<{ name: string }>(
    `select trim(given_name || ' ' || family_name) as name from users where id = $1`,
    [actor.id],
  );
  return person?.name ?? '';
}

export interface OpenMailProof {
  claimId: string;
  accountId: string;
  account: string;
  domain: string;
  claimant: string;
}

/** What a link asks about, while it is good. Looking does not use it up: scanners follow links. */
export async function findMailProof(
  sql: Sql,
  secret: string,
  now: Date,
): Promise<OpenMailProof | null> {
  const [row] = await sql.query<OpenMailProof>(
    `select d.id as "claimId", d.account_id as "accountId", a.name as account, d.name as domain,
            coalesce(t.details ->> 'claimant', '') as claimant
     from one_time_tokens t join domains d on d.id::text = t.subject
     join accounts a on a.id = d.account_id
     where t.secret_hash = $1 and t.purpose = 'domain_proof' and t.used_at is null
       and t.expires_at > $2 and d.state in ('pending', 'contested')`,
    [secretHash(secret), now],
  );
  return row ?? null;
}

/** Uses the link up. Returns whether it was there to be used. */
export async function redeemMailProof(work: Work, secret: string): Promise<boolean> {
  const used = await work.query(
    `update one_time_tokens set used_at = $2
     where secret_hash = $1 and purpose = 'domain_proof' and used_at is null returning 1`,
    [secretHash(secret), work.now],
  );
  return used.length > 0;
}
