import { entitledHere } from '../belonging/given.ts';
import { enterTogether } from '../belonging/door.ts';
import { sendFirstActivations } from '../credentials/password.ts';
import { createMembers, type MadeMember, type NewMember } from '../users/affiliate.ts';
import { canonicalEmail, domainOf } from '../users/email.ts';
import { readFacts } from '../verdict/facts.ts';
import { verdict, type Facts } from '../verdict/verdict.ts';
import { claims, type SourcedAttribute } from './authority.ts';
import type { ScimCaller } from './caller.ts';
import type { Directory } from './context.ts';
import { orNull } from './error.ts';
import { users } from './schema.ts';
import { broughtBy, changedNames, settleActive } from './user-change.ts';
import {
  accountOf,
  managerOf,
  nameOf,
  storedPart,
  userResource,
  type LockedUser,
} from './user-record.ts';
import { countryOf, languageOf, phoneOf, requireUserValues } from './user-values.ts';
import { readResource, type Resource } from './value.ts';

/**
 * PEOPLE NOBODY KNEW. What a directory says of somebody new goes into the rows they begin with, so
 * nothing is left to be changed behind that. Many of them are made by the statements one takes.
 */
export interface Newcomer {
  member: NewMember;
  /** As they will be read, once it is known under which ids. */
  row: Omit<LockedUser, keyof MadeMember>;
}

/** The rows of somebody nobody knew, as the directory describes them. */
export function newcomer(
  { work, caller }: Pick<Directory, 'work' | 'caller'>,
  given: Resource,
  facts: Facts,
  manager: LockedUser['manager'],
): Newcomer {
  const text = (name: string): string | null => (given[name] as string | undefined) ?? null;
  const { now } = work;
  const userName = String(given['userName']);
  const email = facts.email!;
  const { givenName, familyName } = nameOf(given);
  const country = countryOf(given);
  const language = languageOf(given, null);
  const identity = 'invited';
  const jobTitle = text('title');
  const phone = phoneOf(given);
  const said: Record<SourcedAttribute, unknown> = {
    email: true,
    givenName,
    familyName,
    jobTitle,
    phone,
    country,
    language,
    communicationEmail: null,
  };
  const names = (Object.keys(said) as SourcedAttribute[]).filter((name) => said[name]);
  const entitlementCountry = entitledHere(facts, entitledTo(given), country);
  const displayName = text('displayName');
  const externalId = text('externalId');
  const attributes = storedPart(given);
  return {
    member: {
      email,
      emailDisplay: userName,
      givenName,
      familyName,
      country,
      language,
      identity,
      jobTitle,
      phone,
      attributeSources: claims(names, 'directory', caller.id, now),
      entitlementCountry,
      externalId,
      displayName,
      managerId: manager?.value ?? null,
      attributes: JSON.stringify(attributes),
    },
    row: {
      userName,
      email,
      givenName,
      familyName,
      displayName,
      externalId,
      title: jobTitle,
      language,
      active: true,
      provisional: false,
      attributes,
      emails: [{ value: userName, type: 'work', primary: true }],
      manager,
      entitlementCountry,
      source: 'scim',
      identity,
      created: now,
      modified: now,
      groups: null,
      locks: [],
      lastLogin: null,
      emailVerified: false,
      termsAcceptedAt: null,
      breakGlass: false,
      operator: false,
      administrator: false,
    },
  };
}

/** Makes them members of the account of the directory, in their order. */
export async function admit(
  { work, caller }: Pick<Directory, 'work' | 'caller'>,
  newcomers: readonly Newcomer[],
): Promise<LockedUser[]> {
  const made = await createMembers(
    work,
    newcomers.map(({ member }) => member),
    caller.accountId,
    { source: 'scim', reason: 'directory', by: caller.id },
  );
  return newcomers.map(({ row }, at) => ({ ...row, ...made[at]! }));
}

/** The country the directory says they are entitled in. */
export function entitledTo(given: Resource): string | null {
  const country = accountOf(given)['entitlementCountry'];
  return typeof country === 'string' ? country : null;
}

/** What is known of an address, as a directory may use it. */
export function asDirectory({ domainPolicy }: ScimCaller, facts: Facts): Facts {
  // A directory does not invite strangers, unless its connection is there to try things out.
  if (facts.account) facts.account.allowsForeignDomains = domainPolicy === 'any_unowned';
  return facts;
}

/**
 * Makes the first of many users, as far as there is nothing to be decided about them but what is decided
 * of a whole domain: nobody has their address, and all that is said of them stands in the rows they begin
 * with.
 *
 * It never says no. The first of whom this is not so ends it, and nothing has happened to them:
 * `createUser` says what becomes of them. So everybody is made in the order they stand in.
 *
 * @returns those who were made, from the first on
 */
export async function createNewcomers(
  directory: Directory,
  bodies: readonly unknown[],
): Promise<Resource[]> {
  const { work } = directory;
  const given = mapWhile(bodies, readPlain);
  if (given.length === 0) return [];
  const factsOf = await factsTogether(directory, given);
  const people = mapWhile(given, (one) => plainly(directory, one, factsOf(one)));
  if (people.length === 0) return [];
  const rows = await admit(directory, people);
  await sendFirstActivations(
    work,
    rows
      .filter((_row, at) => !people[at]!.federated)
      .map(({ userId, userName, givenName, language }) => ({
        id: userId,
        email: userName,
        givenName,
        language,
        affiliation: 'member',
        account: { name: people[0]!.account },
      })),
    { invitedBy: null },
  );
  return rows.map(userResource);
}

/**
 * Who may be said in full by the rows they begin with: no password, no lock, nobody above them. What is
 * left to be written is asked for once it is known what those rows are (`plainly`).
 */
function readPlain(body: unknown): Resource | null {
  return orNull(() => {
    const given = readResource(users, body);
    requireUserValues(given);
    settleActive(given);
    const plain =
      given['active'] !== false &&
      given['password'] === undefined &&
      managerOf(given) === undefined;
    return plain ? given : null;
  });
}

interface Plain extends Newcomer {
  /** They sign in at their organization. */
  federated: boolean;
  account: string;
}

function plainly(directory: Directory, given: Resource, facts: Facts | null): Plain | null {
  if (!facts || verdict('scim_create', facts).outcome !== 'create_member') return null;
  const one = orNull(() => newcomer(directory, given, facts, null));
  if (!one) return null;
  const before = userResource({ ...one.row, id: '', userId: '', version: 1 });
  if (changedNames(before, broughtBy(given, before)).length > 0) return null;
  const federated = facts.domain === 'mine_federated';
  return { ...one, federated, account: facts.account?.name ?? '' };
}

/**
 * What is known of addresses that nobody has, behind the door. All that is known of those is known of
 * their domain, so it is read once for each. Null for an address that somebody has, and for one that was
 * asked for before: then it is somebody's.
 */
async function factsTogether(
  { work, caller }: Directory,
  given: readonly Resource[],
): Promise<(one: Resource) => Facts | null> {
  const emails = given.map((one) => canonicalEmail(one['userName'])!);
  const had = new Set(await enterTogether(work, caller.accountId, emails));
  const domains = new Map<string, Facts>();
  for (const email of emails)
    if (!had.has(email) && !domains.has(domainOf(email)))
      domains.set(
        domainOf(email),
        asDirectory(caller, await readFacts(work, email, caller.accountId, work.now)),
      );
  return (one) => {
    const email = canonicalEmail(one['userName'])!;
    if (had.has(email)) return null;
    had.add(email);
    return { ...domains.get(domainOf(email))!, email };
  };
}

/** As `map`, up to the first of which nothing comes. */
function mapWhile<T, U>(list: readonly T[], one: (value: T) => U | null): U[] {
  const all: U[] = [];
  for (const value of list) {
    const made = one(value);
    if (made === null) break;
    all.push(made);
  }
  return all;
}
