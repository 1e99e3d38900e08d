import { adoptDomain } from '../domains/subdomains.ts';
import { Refusal, type Action, type RefusalCode } from '../refusal.ts';
import { canonicalEmail, domainOf } from '../users/email.ts';
import { readFacts } from '../verdict/facts.ts';
import type { Facts, NextAction, Verdict } from '../verdict/verdict.ts';
import type { Work } from '../work.ts';

/**
 * What every door that takes somebody in does first: one after the other for the same address, and
 * not while the account is being put on hold. What is read behind it stays so until the commit.
 *
 * The order is the account, then addresses in their own order, then the person's row, then
 * invitations and requests. Whoever keeps to it waits, and never deadlocks.
 */
export async function enterDoor(
  work: Work,
  accountId: string | null,
  emails: readonly unknown[],
): Promise<void> {
  const known = inOrder(emails);
  // Sent one behind the other without waiting: they are carried out in this order all the same.
  await Promise.all([
    work.query(takeAddresses, [accountId, known]),
    work.query(takePeople, [known]),
  ]);
  await adoptDomains(work, accountId, known);
}

/**
 * `enterDoor` for one address, and what is known of it behind it. Mostly nobody has the address: then
 * nobody's row has to be taken, and no other door can give it to anybody.
 */
export async function factsAtDoor(work: Work, accountId: string, typed: unknown): Promise<Facts> {
  const known = inOrder([typed]);
  await work.query(takeAddresses, [accountId, known]);
  await adoptDomains(work, accountId, known);
  const facts = await readFacts(work, typed, accountId, work.now);
  if (facts.person === null) return facts;
  await work.query(takePeople, [known]);
  return readFacts(work, typed, accountId, work.now);
}

/**
 * `enterDoor` for many addresses at once.
 *
 * @returns those of them that somebody has, in canonical form
 */
export async function enterTogether(
  work: Work,
  accountId: string,
  emails: readonly unknown[],
): Promise<ReadonlySet<string>> {
  const known = inOrder(emails);
  await work.query(takeAddresses, [accountId, known]);
  await adoptDomains(work, accountId, known);
  const people = await work.query<{ email: string }>(
    'select email from users where email = any ($1::text[])',
    [known],
  );
  return new Set(people.map(({ email }) => email));
}

function inOrder(emails: readonly unknown[]): string[] {
  const known = emails.map(canonicalEmail).filter((email) => email !== null);
  return [...new Set(known)].toSorted();
}

/** The account $1, where there is one, and then the addresses $2, as they are listed. */
const takeAddresses = `
  with account as materialized (select 1 from accounts where id = $1::uuid for share)
  select pg_advisory_xact_lock(hashtextextended(e.email, 20261122))
  from (select count(*) from account) taken, unnest($2::text[]) as e (email)`;

const takePeople = 'select 1 from users where email = any ($1::text[]) order by id for update';

async function adoptDomains(
  work: Work,
  accountId: string | null,
  emails: readonly string[],
): Promise<void> {
  if (accountId === null) return;
  for (const domain of new Set(emails.map(domainOf))) await adoptDomain(work, accountId, domain);
}

/** A verdict that says no, with the ways there are to go on, as far as there is an address for them. */
export function refusalOf(
  said: Verdict,
  about: { email: unknown; accountId: string; userId: string | null; invitedAt?: Date | null },
): Refusal {
  const { email, accountId, userId, invitedAt } = about;
  const actions = said.actions
    .map((name) => actionOf(name, accountId, userId, email))
    .filter((action) => action !== null);
  return new Refusal(
    said.code!,
    {
      email,
      resolver: said.resolver,
      ...(userId && told.has(said.code!) && { userId }),
      ...(invitedAt && { invitedAt: invitedAt.toISOString() }),
    },
    actions,
    invitedAt ? `${String(email)} was invited on ${onDay(invitedAt)}.` : said.message,
  );
}

/** The rows in which it is said whom they are about. */
const told = new Set<RefusalCode>([
  'already_member',
  'pending_approval',
  'already_invited',
  'user_exists',
  'user_exists_other_domain',
]);

function onDay(date: Date): string {
  return new Intl.DateTimeFormat('en', { dateStyle: 'long', timeZone: 'UTC' }).format(date);
}

function actionOf(
  rel: NextAction,
  accountId: string,
  userId: string | null,
  email: unknown,
): Action | null {
  const account = `/api/v1/accounts/${accountId}`;
  const domain = typeof email === 'string' ? email.slice(email.lastIndexOf('@') + 1) : '';
  const user = userId === null ? null : `${account}/users/${userId}`;
  switch (rel) {
    case 'add_to_account':
      return user === null ? null : { rel, method: 'POST', href: `${user}/add` };
    case 'invite_to_account':
      return user !== null
        ? { rel, method: 'POST', href: `${user}/invite` }
        : { rel, method: 'POST', href: `${account}/invitations` };
    case 'approve':
      return { rel, method: 'POST', href: `${account}/approvals/decide` };
    case 'resend_invitation':
      return user === null ? null : { rel, method: 'POST', href: `${user}/invite/resend` };
    case 'request_transfer':
      return user === null ? null : { rel, method: 'POST', href: `${user}/request-transfer` };
    case 'request_access':
      return { rel, method: 'POST', href: `${account}/domains/${domain}/request-access` };
    case 'finish_claim':
      return { rel, method: 'POST', href: `${account}/domains/${domain}/verify` };
    case 'cancel_claim':
      return { rel, method: 'DELETE', href: `${account}/domains/${domain}` };
    case 'unlock':
      return user === null ? null : { rel, method: 'POST', href: `${user}/unlock` };
    default:
      return null;
  }
}
