import { isId } from '#platform/ids.ts';
import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import type { Work } from '../work.ts';
import { claims } from './authority.ts';
import { countDeparture, countReturn } from './brake.ts';
import type { Ahead } from './ahead.ts';
import type { ScimCaller } from './caller.ts';
import type { Directory } from './context.ts';
import { bad, notFound, ScimError } from './error.ts';
import { requireMatch, type Conditions } from './etag.ts';
import { currentExchange } from './exchange.ts';
import { enrol, welcome } from './enrol.ts';
import { rename } from './rename.ts';
import { accountSchema, enterpriseSchema, users } from './schema.ts';
import {
  accountOf,
  lockedColumns,
  managerOf,
  nameOf,
  ofAccount,
  userColumns,
  userResource,
  userTables,
  type Parts,
  type LockedUser,
  type UserRow,
} from './user-record.ts';
import {
  countryOf,
  languageOf,
  phoneOf,
  requireEmails,
  requireManager,
  requireUserValues,
  setPassword,
} from './user-values.ts';
import { readResource, type Complex, type Resource } from './value.ts';
import {
  broughtBy,
  changedBy,
  changedNames,
  finished,
  inRecord,
  oneMore,
  saidOfPerson,
  settleActive,
  setWords,
  showLocks,
  textOf,
  wordsOf,
  type Now,
} from './user-change.ts';
import { canonicalEmail } from '../users/email.ts';
import { lockUser, unlockUser } from '../users/lock.ts';
import { protectAccount, unaffiliate } from '../users/affiliate.ts';
import { givePlaceBack } from '../belonging/only-invited.ts';
import { setEntitlementCountry } from '../users/entitlement.ts';

const allParts: Parts = { groups: true, account: true };

const userById = `select ${userColumns(allParts)} from ${userTables} where ${ofAccount} and a.id = $2`;

/** What `readUser` will ask, for what is not even known to be an id. `$1` is the account. */
export function userAhead(id: string): Ahead | null {
  return isId(id) ? { text: userById, params: [null, id] } : null;
}

/** The user with this id. @throws {ScimError} 404, also for another account's */
export async function readUser(sql: Sql, accountId: string, id: string): Promise<Resource> {
  // As text it is compared with: an id is one in its own letters alone.
  const [row] = isId(id) ? await sql.query<UserRow>(userById, [accountId, id]) : [];
  if (!row) throw notFound();
  return userResource(row);
}

/**
 * The user, and their row taken until the commit: what is decided about them stays so. The person
 * comes first, as at every other door.
 */
async function lockedUser({ work, caller }: Directory, id: string): Promise<LockedUser> {
  const [row] = isId(id)
    ? await work.query<LockedUser>(
        `select ${lockedColumns} from ${userTables}
         where ${ofAccount} and a.id = $2 and u.identity <> 'erased' for update of u, a`,
        [caller.accountId, id],
      )
    : [];
  if (!row) throw notFound();
  return row;
}

/**
 * A directory brings somebody. What happens is the verdict's to say (behaviour.md section 6): a new
 * person, or one who is here already and belongs nowhere, and is taken in.
 *
 * @throws {ScimError} 400, 409
 * @throws {Refusal} the row of the table that says no
 */
export async function createUser(directory: Directory, body: unknown): Promise<Resource> {
  const { work, caller } = directory;
  const given = readResource(users, body);
  requireUserValues(given);
  settleActive(given);
  const place = await enrol(directory, given);
  const person = place.fresh ?? (await personOf(work, caller.accountId, place.userId));
  const before = userResource(person);
  const after = broughtBy(given, before);
  // Whoever was somebody before keeps the password they chose, and nobody is told that they do.
  if (place.how === 'adopted') delete after['password'];
  const changed = await writeUser(directory, person, before, after, {
    first: true,
    written: place.fresh !== null,
  });
  await welcome(directory, place, given);
  return changed;
}

async function personOf(work: Work, accountId: string, userId: string): Promise<LockedUser> {
  const [row] = await work.query<LockedUser>(
    `select ${userColumns(allParts)}, u.email, u.identity, false as "breakGlass",
       false as operator, false as administrator
     from ${userTables} where ${ofAccount} and a.user_id = $2`,
    [accountId, userId],
  );
  return row!;
}

/**
 * Takes the place of what was said before (RFC 7644, section 3.5.1): what is not said any more is
 * gone, except what a directory that does not know of it would end by mistake.
 */
export async function replaceUser(
  directory: Directory,
  id: string,
  body: unknown,
  conditions: Conditions = {},
): Promise<Resource> {
  const row = await lockedUser(directory, id);
  requireMatch(conditions, row.version);
  const given = readResource(users, body);
  requireUserValues(given);
  settleActive(given);
  const before = userResource(row);
  const after: Resource = {
    ...given,
    id: before['id'],
    meta: before['meta'],
    groups: before['groups'],
    active: given['active'] ?? before['active'],
    [accountSchema]: { ...accountOf(before), ...accountOf(given) },
  };
  return writeUser(directory, row, before, after);
}

/** Changes what `change` makes of the user. */
export async function changeUser(
  directory: Directory,
  id: string,
  change: (before: Resource) => Resource,
  conditions: Conditions = {},
): Promise<Resource> {
  const row = await lockedUser(directory, id);
  const { before, after, names } = changedBy(change, row, conditions);
  return writeUser(directory, row, before, after, { changed: names });
}

const writeWords = `update affiliations set ${setWords} where id = $1`;

/** Writes the difference, in as few statements as it takes; none where there is none. */
async function writeUser(
  directory: Directory,
  row: LockedUser,
  before: Resource,
  after: Resource,
  {
    first = false,
    written = !first,
    changed = changedNames(before, after),
  }: { first?: boolean; written?: boolean; changed?: readonly string[] } = {},
): Promise<Resource> {
  const { work, caller } = directory;
  if (changed.length === 0 && written) return before;
  requireReach(row);
  const is = (name: string): boolean => changed.includes(name);

  if (is('userName')) {
    const address = await rename(directory, row, String(after['userName']));
    if (!is('emails')) after['emails'] = renamed(before, row.email, address);
  }
  if (is('active')) await (after['active'] ? letIn(directory, row) : putOut(directory, row, first));
  const { password } = after;
  if (typeof password === 'string' && (await setPassword(directory, row, password)))
    after[accountSchema] = { ...accountOf(after), emailVerified: true };
  const country = accountOf(after)['entitlementCountry'];
  if (country !== accountOf(before)['entitlementCountry'])
    await setCountry(directory, row, typeof country === 'string' ? country : null);
  const person = await writePerson(directory, row, before, after, { first });
  if (is('emails')) await writeEmails(directory, row, after);
  const manager = await managerFor(directory, row, after, is(enterpriseSchema));

  const words = wordsOf(row, after, manager, caller.id, work.now);
  // What is said of the person, or locks them, makes versions of its own.
  const alone =
    !first && !person && !is('userName') && !is('active') && !is('password') && !is(accountSchema);
  const now = alone
    ? await work.atEnd(writeWords, words).then(() => oneMore(row, work.now))
    : (
        await work.query<Now>(`${writeWords} returning version, modified_at as modified`, words)
      )[0]!;
  if (!first)
    work.record(
      'user.changed',
      { type: 'user', id: row.userId },
      inRecord(changed),
      caller.accountId,
    );
  const result = finished(after, row, manager, now);
  if (is('active') || first) showLocks(result, row);
  return result;
}

function managerFor(
  directory: Directory,
  row: LockedUser,
  after: Resource,
  changed: boolean,
): Promise<Complex | null> | Complex | null {
  const id = managerOf(after);
  return !changed && row.manager?.value === id
    ? (row.manager ?? null)
    : requireManager(directory, id);
}

/** The addresses, with another in the place of the one that was signed in with. */
function renamed(before: Resource, from: string, to: string): Complex[] {
  return (before['emails'] as Complex[]).map((one) =>
    canonicalEmail(one['value']) === from ? { ...one, value: to } : one,
  );
}

/** @throws {ScimError} `mutability` for whom no directory may touch */
function requireReach({ breakGlass, operator }: LockedUser): void {
  if (breakGlass)
    throw bad(
      'mutability',
      'This is an emergency account: no directory changes it.',
      'break_glass',
    );
  if (operator)
    throw bad(
      'mutability',
      'This person runs the installation: no directory changes them.',
      'operator',
    );
}

/**
 * A connection may be kept to the people of directories: a mistake in what it is about to synchronize
 * then locks and removes nobody whom somebody else brought.
 *
 * @throws {ScimError} `mutability`
 */
function requireOwn(
  { departurePolicy }: ScimCaller,
  { source, provisional }: Pick<LockedUser, 'source' | 'provisional'>,
): void {
  if (departurePolicy === 'everybody' || source === 'scim' || provisional) return;
  throw bad(
    'mutability',
    'No directory brought this person: this connection locks and removes only people of a directory.',
    'not_of_directory',
  );
}

/**
 * What every other door knows of the person too, with whose word it is. Who is new, or was ours so far,
 * is the directory's from now on. Says whether anything was written.
 */
async function writePerson(
  { work, caller }: Directory,
  row: LockedUser,
  before: Resource,
  after: Resource,
  { first = false }: { first?: boolean } = {},
): Promise<boolean> {
  const name = nameOf(after);
  const names = saidOfPerson(row, before, after, first);
  if (names.length === 0 && row.source === 'scim') return false;
  const said = new Set(names);
  await work.query(
    `update users set given_name = $2, family_name = $3, job_title = $4, language = $5,
       phone = coalesce($6, phone), country = coalesce($7, country), source = 'scim',
       attribute_sources = attribute_sources || $9::jsonb, updated_at = $8, version = version + 1
     where id = $1`,
    [
      row.userId,
      name.givenName,
      name.familyName,
      textOf(after, 'title'),
      languageOf(after, row.language),
      said.has('phone') ? phoneOf(after) : null,
      said.has('country') ? countryOf(after) : null,
      work.now,
      claims(names, 'directory', caller.id, work.now),
    ],
  );
  return true;
}

/**
 * One user less (RFC 7644, section 3.6): they leave the account, and stay who they are.
 *
 * @returns why they are still there: the last fulfillment contact is put out, but not away
 * @throws {ScimError} 404, 409, 412
 * @throws {Refusal} `last_administrator`, `directory_held`
 */
export async function removeUser(
  directory: Directory,
  id: string,
  conditions: Conditions = {},
): Promise<ScimError | null> {
  const { work, caller } = directory;
  const row = await lockedUser(directory, id);
  requireMatch(conditions, row.version);
  requireReach(row);
  requireOwn(caller, row);
  if (row.provisional) {
    await withdraw(directory, row);
    return null;
  }
  await countDeparture(work, caller, row.userId);
  if (await releaseContact(directory, row.userId)) {
    await unaffiliate(work, row.userId, caller.accountId, 'directory').catch(naming(row));
    return null;
  }
  await protectAccount(work, row.userId, caller.accountId, { contact: false }).catch(naming(row));
  await lockUser(work, row.userId, 'directory', { accountId: caller.accountId });
  return new ScimError(
    409,
    'This is the last fulfillment contact of the account. They may not sign in any more, and stay in it until there is another contact.',
    { reason: 'user_is_fulfillment_contact' },
  );
}

/** Who it was that must not go is kept with the exchange: others have to hear of it. */
function naming({ userId }: LockedUser): (error: unknown) => never {
  return (error) => {
    const exchange = currentExchange();
    if (exchange && error instanceof Refusal && error.code === 'last_administrator')
      exchange.spared = userId;
    throw error;
  };
}

/** Who was merely invited is not, any more. */
async function withdraw({ work, caller }: Directory, { email }: LockedUser): Promise<void> {
  const withdrawn = await work.query<{ id: string }>(
    `update invitations set state = 'revoked', decided_at = $3
     where account_id = $1 and email = $2 and state = 'pending' returning id`,
    [caller.accountId, email, work.now],
  );
  for (const { id } of withdrawn)
    work.record('invitation.revoked', { type: 'invitation', id }, {}, caller.accountId);
  await givePlaceBack(work, email, caller.accountId);
}

/** A fulfillment contact who leaves is none any more; false where there is no other for everything. */
async function releaseContact({ work, caller }: Directory, userId: string): Promise<boolean> {
  const contacts = await work.query<{ id: string; user_id: string; country: string | null }>(
    'select id, user_id, country from fulfillment_contacts where account_id = $1',
    [caller.accountId],
  );
  const own = contacts.filter((one) => one.user_id === userId);
  if (own.length === 0) return true;
  if (!contacts.some((one) => one.user_id !== userId && one.country === null)) return false;
  for (const { id, country } of own) {
    await work.query('delete from fulfillment_contacts where id = $1', [id]);
    work.record('contact.removed', { type: 'user', id: userId }, { country }, caller.accountId);
  }
  return true;
}

/** The directory lets somebody in again: its own lock goes, and no other (behaviour.md F32). */
async function letIn({ work, caller }: Directory, row: LockedUser): Promise<void> {
  if (caller.accountStatus !== 'active') throw new Refusal('account_on_hold');
  if (row.provisional) {
    await work.query('update affiliations set active = true where id = $1', [row.id]);
    return;
  }
  await unlockUser(work, row.userId, ['directory'], caller.accountId);
  await countReturn(work, caller, row.userId);
}

/**
 * The directory lets somebody in no more: they are put out at once, everywhere. Whoever was merely
 * invited is not known here yet: it is kept for when they come.
 *
 * @throws {Refusal} `last_administrator`, `directory_held`
 */
async function putOut({ work, caller }: Directory, row: LockedUser, first: boolean): Promise<void> {
  if (row.provisional) {
    await work.query('update affiliations set active = false where id = $1', [row.id]);
    return;
  }
  if (!first) {
    requireOwn(caller, row);
    await countDeparture(work, caller, row.userId);
  }
  await protectAccount(work, row.userId, caller.accountId, { contact: false }).catch(naming(row));
  await lockUser(work, row.userId, 'directory', { accountId: caller.accountId });
}

async function setCountry(
  { work, caller }: Directory,
  row: LockedUser,
  country: string | null,
): Promise<void> {
  const [account] = await work.query<{ countries: string[] }>(
    'select countries from accounts where id = $1',
    [caller.accountId],
  );
  await setEntitlementCountry(
    work,
    { id: caller.accountId, countries: account!.countries },
    row.userId,
    { country },
  );
}

/** The addresses as they were sent; the one the person signs in with, where there are none. */
async function writeEmails(
  { work, caller }: Directory,
  row: LockedUser,
  after: Resource,
): Promise<void> {
  const emails = (after['emails'] as Complex[] | undefined) ?? [
    { value: String(after['userName']), type: 'work', primary: true },
  ];
  await requireEmails({ work, caller }, row.userId, emails, String(after['userName']));
  await work.query('delete from affiliation_emails where affiliation_id = $1', [row.id]);
  await work.query(
    `insert into affiliation_emails
       (affiliation_id, account_id, ord, type, value, value_key, display, is_primary)
     select $1, $2, e.ord, e.type, e.value, e.key, e.display, e.primary
     from jsonb_to_recordset($3::jsonb)
       as e(ord int, type text, value text, key text, display text, "primary" boolean)`,
    [
      row.id,
      caller.accountId,
      JSON.stringify(
        emails.map((one, ord) => ({ ...one, ord, key: canonicalEmail(one['value']) })),
      ),
    ],
  );
}
