import { AccountSettingsSchema, type InactivityPolicy } from '../accounts/settings.ts';
import { administratorsOf } from '../accounts/administrators.ts';
import { mail } from '../mail/mail.ts';
import { toReader, type Reader } from '../mail/recipient.ts';
import { Refusal } from '../refusal.ts';
import { unitOfWork, type Foundation, type Work } from '../work.ts';
import { protectAccount, unaffiliate } from './affiliate.ts';
import { requestErasure } from './erase.ts';
import { lockUser } from './lock.ts';
import { findPerson } from './person.ts';

/**
 * Who does not sign in any more (behaviour.md F35), where an account asks for it:
 *
 *     told 30, 7 and 1 days before (M23)  ->  locked `inactive`  ->  left alone, unaffiliated or erased
 *
 * Signing in ends it. So does an administrator who unlocks: the days count anew from then. Nobody is
 * told the same twice, and who looks after the account as its last is never locked.
 */
const day = 24 * 3600_000;
const warnings = [30, 7, 1] as const;
const batch = 100;

/** One look at every account that has a policy. To be called now and then, such as every hour. */
export async function lookForInactive(foundation: Foundation): Promise<void> {
  const accounts = await foundation.database.query<{ id: string; settings: unknown }>(
    `select id, settings from accounts
     where status = 'active' and jsonb_typeof(settings -> 'inactivity') = 'object'`,
  );
  for (const { id, settings } of accounts) {
    const parsed = AccountSettingsSchema.safeParse(settings);
    const policy = parsed.success ? parsed.data.inactivity : null;
    if (policy) await lookAt(foundation, id, policy);
  }
}

async function lookAt(
  foundation: Foundation,
  accountId: string,
  policy: InactivityPolicy,
): Promise<void> {
  const as = <T>(command: (work: Work) => Promise<T>): Promise<T> =>
    unitOfWork(foundation, { actor: { type: 'system', id: 'inactivity' } }, command);
  await as((work) => warn(work, accountId, policy));
  await as((work) => list(work, accountId, policy));
  // Each in a transaction of its own: one who may not be locked holds up nobody.
  for (const id of await due(foundation, accountId, policy))
    await as((work) => lock(work, accountId, id, policy)).catch(unlessProtected);
  if (policy.after === 'nothing') return;
  for (const id of await overdue(foundation, accountId, policy))
    await as((work) => finish(work, accountId, id, policy)).catch(unlessProtected);
}

/**
 * The moment from which the days count: the last sign-in, or what came later and stands for one.
 * `u` is the user.
 */
const since = `greatest(u.last_login_at, u.created_at,
  (select max(f.began_at) from affiliations f where f.user_id = u.id),
  (select max(l.released_at) from user_locks l where l.user_id = u.id and l.reason = 'inactive'))`;

const candidates = `
  from users u
  where u.account_id = $1 and u.affiliation = 'member' and u.identity in ('ready', 'invited')
    and not exists (select from user_locks l where l.user_id = u.id and l.released_at is null)`;

async function warn(work: Work, accountId: string, { days }: InactivityPolicy): Promise<void> {
  const people = await work.query<Reader & { since: Date }>(
    `select u.id, u.email_display as email, u.given_name as name, u.language, ${since} as since
     ${candidates} and u.identity = 'ready' and ${since} <= $2 and ${since} > $3
     order by u.id`,
    [
      accountId,
      new Date(work.now.getTime() - (days - ahead(days)[0]!) * day),
      new Date(work.now.getTime() - days * day),
    ],
  );
  for (const reader of people) {
    const locksAt = new Date(reader.since.getTime() + days * day);
    const left = Math.max(1, Math.ceil((locksAt.getTime() - work.now.getTime()) / day));
    // The nearest warning whose day has come: who was asleep for a while is told once.
    const warning = ahead(days).findLast((one) => left <= one)!;
    mail(
      work,
      toReader(reader),
      { kind: 'inactivity', days: left, locksAt, signInLink: work.link('/') },
      { dedupKey: `inactivity:${reader.id}:${locksAt.toISOString().slice(0, 10)}:${warning}` },
    );
  }
}

/** How many days before people are told. Where they have 30 days in all, not on the first of them. */
function ahead(days: number): number[] {
  return warnings.filter((one) => one < days);
}

/** Once a month, to the administrators: who will be locked within 30 days. */
async function list(work: Work, accountId: string, { days }: InactivityPolicy): Promise<void> {
  const people = await work.query<{ name: string }>(
    `select trim(u.given_name || ' ' || u.family_name) || ' (' || u.email_display || ')' as name
     ${candidates} and ${since} <= $2 order by u.family_name, u.id limit 500`,
    [accountId, new Date(work.now.getTime() - (days - ahead(days)[0]!) * day)],
  );
  if (people.length === 0) return;
  const [account] = await work.query<{ name: string }>('select name from accounts where id = $1', [
    accountId,
  ]);
  const month = work.now.toISOString().slice(0, 7);
  for (const reader of await administratorsOf(work, accountId))
    mail(
      work,
      toReader(reader),
      {
        kind: 'inactivity_list',
        account: account!.name,
        count: people.length,
        names: people.slice(0, 50).map((one) => one.name),
        usersLink: work.link('/console/users'),
      },
      { dedupKey: `inactivity_list:${accountId}:${reader.id}:${month}` },
    );
}

async function due(
  { database, clock }: Foundation,
  accountId: string,
  { days }: InactivityPolicy,
): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `select u.id ${candidates} and ${since} <= $2 order by u.id limit ${batch}`,
    [accountId, new Date(clock().getTime() - days * day)],
  );
  return rows.map(({ id }) => id);
}

async function lock(
  work: Work,
  accountId: string,
  userId: string,
  { days }: InactivityPolicy,
): Promise<void> {
  await protectAccount(work, userId, accountId, { contact: false });
  const [still] = await work.query(
    `select u.id ${candidates} and ${since} <= $2 and u.id = $3 for update`,
    [accountId, new Date(work.now.getTime() - days * day), userId],
  );
  if (still) await lockUser(work, userId, 'inactive', { accountId, note: `${days} days` });
}

async function overdue(
  { database, clock }: Foundation,
  accountId: string,
  { afterDays }: InactivityPolicy,
): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `select u.id from users u join user_locks l on l.user_id = u.id
     where u.account_id = $1 and u.affiliation = 'member' and l.reason = 'inactive'
       and l.account_id = $1 and l.released_at is null and l.set_at <= $2
       and u.identity not in ('erasing', 'erased')
     order by u.id limit ${batch}`,
    [accountId, new Date(clock().getTime() - afterDays * day)],
  );
  return rows.map(({ id }) => id);
}

async function finish(
  work: Work,
  accountId: string,
  userId: string,
  { after }: InactivityPolicy,
): Promise<void> {
  if (after === 'unaffiliate') return unaffiliate(work, userId, accountId, 'inactive');
  const person = await findPerson(work, userId, work.now);
  if (person) await requestErasure(work, person);
}

/** The last administrator and the fulfillment contacts stay: a person has to decide about them. */
function unlessProtected(error: unknown): void {
  if (error instanceof Refusal) return;
  throw error;
}
