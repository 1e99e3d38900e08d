import { adoptDomain } from '../domains/subdomains.ts';
import { Refusal, type Action, type RefusalCode } from '../refusal.ts';
import { canonicalEmail, domainOf } from '../users/email.ts';
import type { NextAction, Verdict } from '../verdict/verdict.ts';
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
  const known = [...new Set(emails.map(canonicalEmail).filter((email) => email !== null))];
  // Sent one behind the other without waiting: they are carried out in this order all the same.
  await Promise.all([
    accountId !== null && work.query('select 1 from accounts where id = $1 for share', [accountId]),
    ...known
      .toSorted()
      .map((email) =>
        work.query('select pg_advisory_xact_lock(hashtextextended($1, 20261122))', [email]),
      ),
    work.query('select 1 from users where email = any ($1::text[]) order by id for update', [
      known,
    ]),
  ]);
  if (accountId !== null)
    for (const email of known) await adoptDomain(work, accountId, domainOf(email));
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
