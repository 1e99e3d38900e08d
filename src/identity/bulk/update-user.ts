import { changeRoles } from '../access/change-roles.ts';
import { mayEver, requirePerson } from '../access/rights.ts';
import { enterDoor } from '../belonging/door.ts';
import { changeMembers } from '../groups/membership.ts';
import { Refusal } from '../refusal.ts';
import { lockByAdministrator, unlockByAdministrator } from '../users/administer-locks.ts';
import {
  changeEmail,
  changeProfile,
  profileOf,
  type ProfileChange,
} from '../users/administer-profile.ts';
import { canonicalEmail } from '../users/email.ts';
import { setEntitlementCountry } from '../users/entitlement.ts';
import type { Person } from '../users/person.ts';
import type { Work } from '../work.ts';
import { userByEmail, type Outcome, type RowContext } from './row.ts';
import {
  booleanIn,
  countryIn,
  invalid,
  languageIn,
  listCell,
  listIn,
  nameIn,
  type ListChange,
} from './cells.ts';
import type { Cells } from './format.ts';
import { groupIds, roleKeys } from './roles.ts';

/**
 * A row of a file that updates: a column that is not there leaves things as they are, a cell that is
 * empty clears (behaviour.md section 9). Where an empty cell could mean nothing sensible (NewEmail,
 * Locked) it leaves things too; a name is required.
 *
 * @throws {Refusal} what the rule of each column says no with; then nothing of the row is done
 */
export async function updateUser(work: Work, context: RowContext, cells: Cells): Promise<Outcome> {
  const { asking, account } = context;
  await enterDoor(work, account.id, [cells['CurrentEmail'], cells['NewEmail']]);
  const userId = await userByEmail(work, account.id, cells['CurrentEmail']!);
  const person = await requirePerson(work, asking, 'users:edit', account.id, userId);
  const before: Record<string, string> = {};

  for (const step of steps)
    for (const [column, cell] of Object.entries(await step(work, context, person, cells)))
      before[column] = cell;
  const changed = Object.keys(before).filter((column) => column !== 'LockNote');
  if (changed.length === 0)
    return { result: 'skipped', code: 'unchanged', message: 'It is so already.', userId };
  return {
    result: 'ok',
    code: 'updated',
    message: `Changed: ${changed.join(', ')}.`,
    userId,
    before,
  };
}

/** Does what some columns say; returns, for what it changed, what a cell has to hold to undo it. */
type Step = (work: Work, context: RowContext, person: Person, cells: Cells) => Promise<Cells>;

/** The address last: it ends the sessions, and who looks for the person finds them by the old one. */
const steps: readonly Step[] = [details, entitlement, roles, groups, lock, email];

async function details(
  work: Work,
  { account }: RowContext,
  { id }: Person,
  cells: Cells,
): Promise<Cells> {
  const was = await profileOf(work, id);
  const change: Record<string, string | null> = {};
  const take = (
    column: string,
    field: keyof ProfileChange,
    read: (column: string, text: string) => string | null,
  ): void => {
    const text = cells[column];
    // What stands there already was good enough once; it is not judged again.
    if (text === undefined || text === (was[field] ?? '').trim()) return;
    change[field] = read(column, text);
  };
  const orNone =
    (read: (column: string, text: string) => string) =>
    (column: string, text: string): string | null =>
      text === '' ? null : read(column, text);
  take('FirstName', 'givenName', nameIn);
  take('LastName', 'familyName', nameIn);
  take('ProfileCountry', 'country', orNone(countryIn));
  take('Language', 'language', orNone(languageIn));
  take('CommunicationEmail', 'communicationEmail', orNone(addressIn));
  const changed = await changeProfile(work, account, id, change);
  return Object.fromEntries(
    changed.map((field) => [
      columnOf[field as keyof ProfileChange],
      was[field as keyof typeof was] ?? '',
    ]),
  );
}

const columnOf: Record<keyof ProfileChange, string> = {
  givenName: 'FirstName',
  familyName: 'LastName',
  country: 'ProfileCountry',
  language: 'Language',
  communicationEmail: 'CommunicationEmail',
};

function addressIn(column: string, text: string): string {
  const address = canonicalEmail(text);
  if (address === null) throw invalid(column, 'is no e-mail address.');
  return address;
}

async function entitlement(
  work: Work,
  { account }: RowContext,
  { id, entitlementCountry }: Person,
  cells: Cells,
): Promise<Cells> {
  const text = cells['EntitlementCountry'];
  if (text === undefined) return {};
  const country = text === '' ? null : countryIn('EntitlementCountry', text);
  if (country === entitlementCountry) return {};
  if (country !== null && !account.countries.includes(country))
    throw new Refusal(
      'invalid_country',
      { column: 'EntitlementCountry', countries: account.countries },
      [],
      `EntitlementCountry: your organization is entitled in ${account.countries.join(', ') || 'no country'}, not in ${country}.`,
    );
  await setEntitlementCountry(work, account, id, { country });
  return { EntitlementCountry: entitlementCountry ?? '' };
}

async function roles(
  work: Work,
  { asking, account }: RowContext,
  { id }: Person,
  cells: Cells,
): Promise<Cells> {
  const text = cells['Roles'];
  if (text === undefined) return {};
  const held = await work.query<{ role: string }>(
    `select role from role_assignments
     where user_id = $1 and account_id = $2 and group_id is null order by role`,
    [id, account.id],
  );
  const now = held.map(({ role }) => role);
  const { add, remove } = await difference(listIn('Roles', text), now, (names) =>
    roleKeys(work, names),
  );
  if (add.length + remove.length === 0) return {};
  const person = await requirePerson(work, asking, 'users:roles', account.id, id);
  await changeRoles(work, asking, person, account.id, { add, remove });
  return { Roles: listCell(now) };
}

async function groups(
  work: Work,
  { asking, account }: RowContext,
  { id }: Person,
  cells: Cells,
): Promise<Cells> {
  const text = cells['Groups'];
  if (text === undefined) return {};
  const held = await work.query<{ id: string; name: string }>(
    `select g.id, g.name from group_members m join groups g on g.id = m.group_id
     where m.user_id = $1 and g.account_id = $2 order by lower(g.name)`,
    [id, account.id],
  );
  const { add, remove } = await difference(
    listIn('Groups', text),
    held.map((group) => group.id),
    (names) => groupIds(work, account.id, names),
  );
  if (add.length + remove.length === 0) return {};
  if (!mayEver(asking.role, 'groups:manage')) throw new Refusal('permission_denied');
  // In one order everywhere, as each group is locked.
  for (const group of [...add, ...remove].sort())
    await changeMembers(
      work,
      account.id,
      group,
      add.includes(group) ? { add: [id] } : { remove: [id] },
    );
  return { Groups: listCell(held.map(({ name }) => name)) };
}

async function difference(
  change: ListChange,
  now: readonly string[],
  known: (names: readonly string[]) => Promise<string[]>,
): Promise<{ add: string[]; remove: string[] }> {
  if ('set' in change) {
    const wanted = await known(change.set);
    return {
      add: wanted.filter((one) => !now.includes(one)),
      remove: now.filter((one) => !wanted.includes(one)),
    };
  }
  const [add, remove] = [await known(change.add), await known(change.remove)];
  return {
    add: add.filter((one) => !now.includes(one)),
    remove: remove.filter((one) => now.includes(one)),
  };
}

/** `Locked` says whether there is a padlock: it closes one, or lifts what this administrator may lift. */
async function lock(
  work: Work,
  { asking, account, options }: RowContext,
  { id, locks }: Person,
  cells: Cells,
): Promise<Cells> {
  const text = cells['Locked'] ?? '';
  if (text === '') return {};
  const wanted = booleanIn('Locked', text);
  if (wanted === locks.length > 0) return {};
  if (wanted) {
    const note = cells['LockNote'] || options.note;
    if (!note) throw invalid('LockNote', 'say why; other administrators read it.');
    if (note.length > 500) throw invalid('LockNote', 'at most 500 letters.');
    const person = await requirePerson(work, asking, 'users:lock', account.id, id);
    await lockByAdministrator(work, asking, account, person, { note });
    return { Locked: 'false', LockNote: '' };
  }
  const person = await requirePerson(work, asking, 'users:unlock', account.id, id);
  const [noted] = await work.query<{ note: string | null }>(
    `select note from user_locks where user_id = $1 and released_at is null
     order by note is null, set_at limit 1`,
    [id],
  );
  await unlockByAdministrator(work, asking, account, person);
  return { Locked: 'true', LockNote: noted?.note ?? 'Locked before.' };
}

async function email(
  work: Work,
  { account }: RowContext,
  person: Person,
  cells: Cells,
): Promise<Cells> {
  const typed = cells['NewEmail'] ?? '';
  if (typed === '' || !(await changeEmail(work, account, person, typed))) return {};
  return { NewEmail: person.email! };
}
