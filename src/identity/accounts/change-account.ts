import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { Account } from './account.ts';
import { lookingAfter, notice } from './notice.ts';

export interface AccountChange {
  name?: string | undefined;
  number?: string | null | undefined;
  countries?: readonly string[] | undefined;
  /** The version it was read in: then a change made meanwhile is not overwritten. */
  version?: number | undefined;
}

/** @throws {Refusal} `account_not_found`, `version_conflict`, `account_number_exists` */
export async function changeAccount(
  work: Work,
  id: string,
  { version, ...change }: AccountChange,
): Promise<void> {
  const account = await accountToChange(work, id);
  if (version !== undefined && account.version !== version) throw new Refusal('version_conflict');
  if (change.number) await requireFreeNumber(work, change.number, id);
  const before = { name: account.name, number: account.number, countries: account.countries };
  if (change.name !== undefined) account.name = change.name;
  if (change.number !== undefined) account.number = change.number;
  if (change.countries !== undefined) account.countries = [...new Set(change.countries)];
  account.updatedAt = work.now;
  const after = { name: account.name, number: account.number, countries: account.countries };
  work.record('account.changed', { type: 'account', id }, { before, after }, id);
  await work.em.flush();
}

/** @throws {Refusal} `account_number_exists` */
export async function requireFreeNumber(
  work: Work,
  number: string,
  except: string | null = null,
): Promise<void> {
  const taken = await work.query(
    'select 1 from accounts where number = $1 and id is distinct from $2::uuid',
    [number, except],
  );
  if (taken.length > 0) throw new Refusal('account_number_exists', { number });
}

/**
 * Puts an account on hold, with a text its people read. What its people have open ends at the next
 * look at it: a sign-in, a refresh, an introspection (behaviour.md F34).
 *
 * @throws {Refusal} `account_not_found`, `invalid_value` for an account that is closed
 */
export async function holdAccount(work: Work, id: string, reason: string): Promise<void> {
  const account = await accountToChange(work, id);
  if (account.status !== 'active' && account.status !== 'on_hold')
    throw new Refusal('invalid_value', { status: account.status });
  account.hold(reason, work.now);
  work.record('account.held', { type: 'account', id }, { reason }, id);
  await work.em.flush();
  await notice(work, await lookingAfter(work, id), account.name, 'on_hold', { message: reason });
}

/** @throws {Refusal} `account_not_found`, `invalid_value` for an account that is closed */
export async function resumeAccount(work: Work, id: string): Promise<void> {
  const account = await accountToChange(work, id);
  if (account.status === 'active') return;
  if (account.status !== 'on_hold') throw new Refusal('invalid_value', { status: account.status });
  account.resume(work.now);
  work.record('account.resumed', { type: 'account', id }, {}, id);
  await work.em.flush();
  await notice(work, await lookingAfter(work, id), account.name, 'resumed');
}

async function accountToChange(work: Work, id: string): Promise<Account> {
  await work.query('select 1 from accounts where id = $1 for no key update', [id]);
  const account = await work.em.findOne(Account, { id });
  if (!account) throw new Refusal('account_not_found');
  return account;
}
