import type { Context } from 'koa';
import type { Denial } from '#identity/access/access-decision.ts';
import { administratorsOf } from '#identity/accounts/administrators.ts';
import type { LockReason } from '#identity/users/locks.ts';
import type { Person } from '#identity/users/person.ts';
import { offerToKeep } from '#identity/users/erase.ts';
import type { Foundation } from '#identity/work.ts';
import type { Sql } from '#platform/database/sql.ts';
import { pageContext, referenceOf, sendPage } from './context.ts';
import type { Csrf } from './csrf.ts';
import type { Interaction } from './interactions.ts';
import { stopPage, type StopReason } from './pages/stop.ts';

const locked: Record<LockReason, StopReason> = {
  too_many_attempts: 'locked.attempts',
  admin: 'locked.admin',
  unaffiliated: 'locked.unaffiliated',
  directory: 'locked.directory',
  inactive: 'locked.inactive',
  operator: 'locked.operator',
  compromised: 'locked.compromised',
  erasing: 'locked.erasing',
  domain_lapsed: 'locked.domain_lapsed',
  expired: 'locked.expired',
};

const otherwise: Record<Exclude<Denial['reason'], 'locked'>, StopReason> = {
  unknown: 'locked.operator',
  unverified: 'pending',
  account_on_hold: 'account.hold',
  account_closed: 'account.closed',
  pending: 'pending',
  unaffiliated: 'unaffiliated',
  not_permitted: 'client.denied',
};

export function stopReason(denial: Denial): StopReason {
  return denial.reason === 'locked' ? locked[denial.lock] : otherwise[denial.reason];
}

/** Tells a person who has proved who they are why they may not come in, and who can change that. */
export async function showRefusal(
  ctx: Context,
  { foundation, csrf }: { foundation: Foundation; csrf: Csrf },
  { client, uid }: Pick<Interaction, 'client' | 'uid'>,
  person: Person,
  denial: Denial,
): Promise<void> {
  const { database: sql, clock } = foundation;
  // Who waits for an organization is told who can let them in.
  const account = denial.reason === 'pending' ? await awaited(sql, person.id) : person.account;
  const lock = denial.reason === 'locked' ? denial.lock : null;
  const until = person.locks.find(({ reason }) => reason === lock)?.until;
  const kept = lock === 'erasing' ? await offerToKeep(sql, person.id, clock()) : null;
  sendPage(
    ctx,
    403,
    stopPage({
      ...pageContext(ctx, { profile: person.language }),
      csrf: csrf.token(ctx, uid),
      reason: stopReason(denial),
      account: account?.name,
      administrators: account ? await administratorsOf(sql, account.id) : [],
      reference: referenceOf(ctx),
      text:
        denial.reason === 'account_on_hold' ? (person.account?.holdReason ?? undefined) : undefined,
      date: kept?.dueAt ?? (until ? new Date(until) : undefined),
      keep: kept ? { csrf: csrf.token(ctx), token: kept.secret, signIn: uid } : undefined,
      clientName: client?.name,
      signOutAction: `/sign-in/${uid}/sign-out`,
      returnHref: `/sign-in/${uid}/return`,
      // Only where a new password changes anything.
      forgotHref:
        lock === 'compromised' || lock === 'too_many_attempts'
          ? `/forgot-password?sign_in=${uid}`
          : undefined,
    }),
  );
}

/** The organization that has somebody's request. */
async function awaited(sql: Sql, userId: string): Promise<{ id: string; name: string } | null> {
  const [account] = await sql.query<{ id: string; name: string }>(
    `select a.id, a.name from approval_requests q join accounts a on a.id = q.account_id
     where q.user_id = $1 and q.state = 'open'`,
    [userId],
  );
  return account ?? null;
}
