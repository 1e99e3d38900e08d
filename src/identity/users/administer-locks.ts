import { administratorNames } from '../accounts/administrators.ts';
import { contactsAndOperators } from '../accounts/contacts.ts';
import type { AdministeringRole, Asking, PermittedAccount } from '../access/rights.ts';
import type { LetterOf } from '../mail/letter.ts';
import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { protectAccount, standingAdministrators } from './affiliate.ts';
import { lockUser, requireLifted, unlockUser } from './lock.ts';
import type { LockReason } from './locks.ts';
import type { Person } from './person.ts';

/** The reasons for which people lock people. */
export const lockableReasons = ['admin', 'operator', 'compromised'] as const;
export type LockableReason = (typeof lockableReasons)[number];

/**
 * Who lifts which lock (security.md 3.8). A reason that is nobody's is lifted by what set it, such as
 * a directory, or by the person.
 */
const lifts: Partial<Record<LockReason, readonly AdministeringRole[]>> = {
  too_many_attempts: ['operator', 'account_administrator', 'co_administrator'],
  admin: ['operator', 'account_administrator', 'co_administrator'],
  unaffiliated: ['operator', 'account_administrator', 'co_administrator'],
  inactive: ['operator', 'account_administrator', 'co_administrator'],
  expired: ['operator', 'account_administrator', 'co_administrator'],
  directory: ['operator'],
  domain_lapsed: ['operator'],
  compromised: ['operator'],
  operator: ['operator'],
};

/** Whether somebody with this role may lift locks of this kind. */
export function mayLift(role: AdministeringRole, reason: LockReason): boolean {
  return lifts[reason]?.includes(role) ?? false;
}

/** The roles that may lift a lock of this kind; none where what set it lifts it, or the person. */
export function liftersOf(reason: LockReason): readonly AdministeringRole[] {
  return lifts[reason] ?? [];
}

/**
 * An administrator locks somebody, and says why. Nobody is left without an administrator by it.
 *
 * @throws {Refusal} `permission_denied`, `last_administrator`, `user_is_fulfillment_contact`
 */
export async function lockByAdministrator(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  person: Person,
  { note, reason = 'admin' }: { note: string; reason?: LockableReason | undefined },
): Promise<void> {
  if (reason !== 'admin' && asking.role !== 'operator') throw new Refusal('permission_denied');
  // What is stolen is locked, whoever's it is.
  if (reason === 'admin') await protectAccount(work, person.id, account.id);
  const added = await lockUser(work, person.id, reason, { accountId: account.id, note });
  if (!added) return;
  await tell(work, account, person, noticeOf[reason]);
  if (reason !== 'admin' && person.roles.includes('account_administrator'))
    await tellIfNobodyIsLeft(work, account, person.id);
}

/** Support may lock the last one who looks after an account: then those who can mend that are told. */
async function tellIfNobodyIsLeft(
  work: Work,
  { id, name }: PermittedAccount,
  locked: string,
): Promise<void> {
  const administrators = await standingAdministrators(work, id);
  if (administrators.some(({ usable }) => usable)) return;
  for (const to of await contactsAndOperators(work, id, { except: locked }))
    mail(work, to, { kind: 'no_administrator', account: name, accountLink: work.link('/console') });
}

/**
 * Lifts all that this administrator may lift, and leaves the rest: each lock is a fact of its own.
 *
 * @throws {Refusal} `not_locked`, `lock_not_yours`
 */
export async function unlockByAdministrator(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  person: Person,
): Promise<void> {
  const mine = (Object.keys(lifts) as LockReason[]).filter((reason) =>
    lifts[reason]!.includes(asking.role),
  );
  const lifted = await unlockUser(work, person.id, mine, account.id);
  const left = person.locks.map(({ reason }) => reason).filter((one) => !lifted.includes(one));
  if (lifted.length === 0 && left.length > 0) throw new Refusal('lock_not_yours', { locks: left });
  requireLifted(lifted);
  await tell(work, account, person, left.length > 0 ? 'partly' : 'unlocked');
}

const noticeOf = {
  admin: 'locked',
  operator: 'suspended',
  compromised: 'compromised',
} as const satisfies Record<LockableReason, LetterOf<'lock_notice'>['event']>;

async function tell(
  work: Work,
  account: PermittedAccount,
  person: Person,
  event: LetterOf<'lock_notice'>['event'],
): Promise<void> {
  if (person.email === null) return;
  mail(work, toPerson(person), {
    kind: 'lock_notice',
    event,
    account: account.name,
    at: work.now,
    // What support did is none of theirs to change.
    administrators: ['suspended', 'compromised'].includes(event)
      ? []
      : await administratorNames(work, account.id),
  });
}
