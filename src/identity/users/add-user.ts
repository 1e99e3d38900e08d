import { administratorNames } from '../accounts/administrators.ts';
import { changeRoles } from '../access/change-roles.ts';
import type { Asking, PermittedAccount } from '../access/rights.ts';
import { sendActivation } from '../credentials/password.ts';
import { mail } from '../mail/letter.ts';
import { Refusal, type Action } from '../refusal.ts';
import { readFacts } from '../verdict/facts.ts';
import { verdict, type NextAction, type Verdict } from '../verdict/verdict.ts';
import type { Work } from '../work.ts';
import { affiliate } from './affiliate.ts';
import { createUser } from './create-user.ts';
import { unlockUser } from './lock.ts';
import { findPerson, type Person } from './person.ts';

export interface AddedUser {
  /** As it was typed. */
  email: string;
  givenName: string;
  familyName: string;
  country: string;
  entitlementCountry?: string | undefined;
  language?: string | undefined;
  roles?: readonly string[] | undefined;
  /** Ids or names. */
  groups?: readonly string[] | undefined;
  sendInvitation?: boolean | undefined;
}

export type AddOutcome = 'created' | 'added';

/**
 * An administrator adds somebody: what happens is the verdict's to say (behaviour.md section 6).
 *
 * @param dryRun only say what would happen; nothing is done, and there is no user.
 * @throws {Refusal} the code of the row that says no, with what can be done instead.
 */
export async function addUser(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  input: AddedUser,
  { dryRun = false, invitedBy = null }: { dryRun?: boolean; invitedBy?: string | null } = {},
): Promise<{ outcome: AddOutcome; userId: string | null }> {
  const facts = await readFacts(work, input.email, account.id, work.now);
  const said = verdict('admin_add', facts);
  const person = facts.person;
  if (said.outcome === 'refuse') throw refusalOf(said, account.id, person?.id ?? null);
  if (said.outcome !== 'create_member' && said.outcome !== 'add')
    // A person of a domain that is not the account's joins by their own acceptance.
    throw new Refusal('domain_not_owned');
  const outcome = said.outcome === 'add' ? 'added' : 'created';
  if (dryRun) return { outcome, userId: null };

  const userId =
    person?.id ??
    (await createUser(work, {
      email: facts.email!,
      emailDisplay: input.email,
      givenName: input.givenName,
      familyName: input.familyName,
      country: input.country,
      language: input.language ?? null,
      identity: 'invited',
      source: 'admin',
    }));
  const member = await join(work, asking, account, userId, input, 'admin_add');
  if (outcome === 'created' && input.sendInvitation !== false)
    await sendActivation(work, member, { invitedBy });
  return { outcome, userId };
}

/**
 * Takes a person who belongs nowhere into the account that owns their domain: the button
 * "Add to account". The lock stays unless it is asked to go (behaviour.md U15).
 *
 * @throws {Refusal} `user_not_found` for anybody the account has no say about, else as `addUser`.
 */
export async function addExistingUser(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  userId: string,
  {
    unlock = false,
    ...input
  }: Pick<AddedUser, 'entitlementCountry' | 'roles' | 'groups'> & { unlock?: boolean | undefined },
): Promise<void> {
  await work.query('select 1 from users where id = $1 for update', [userId]);
  const known = await findPerson(work, userId, work.now);
  if (!known?.email) throw new Refusal('user_not_found');
  const said = verdict('admin_add', await readFacts(work, known.email, account.id, work.now));
  if (said.outcome !== 'add' && !said.actions.includes('add_to_account')) {
    // Whoever is not in this account's domains or lists is nobody here.
    const visible = known.account?.id === account.id || said.code === 'account_on_hold';
    throw visible ? refusalOf(said, account.id, userId) : new Refusal('user_not_found');
  }
  if (unlock) await unlockUser(work, userId, ['unaffiliated'], account.id);
  const member = await join(work, asking, account, userId, input, 'added');
  mail(
    work,
    { userId, email: known.email, name: known.givenName, locale: known.language },
    {
      kind: 'added_to_account',
      account: account.name,
      administrators: await administratorNames(work, account.id),
      locked: member.locks.length > 0,
      signInLink: work.link('/'),
    },
  );
  if (member.identity !== 'ready') await sendActivation(work, member, { invitedBy: null });
}

async function join(
  work: Work,
  asking: Asking,
  account: PermittedAccount,
  userId: string,
  { entitlementCountry, roles = [], groups = [], ...input }: Partial<AddedUser>,
  reason: string,
): Promise<Person> {
  const before = await findPerson(work, userId, work.now);
  await affiliate(work, userId, account.id, reason, {
    entitlementCountry: entitledIn(account, entitlementCountry, input.country ?? before?.country),
  });
  await changeRoles(work, asking, { id: userId, roles: before?.roles ?? [] }, account.id, {
    add: roles,
  });
  await joinGroups(work, userId, account.id, groups);
  return (await findPerson(work, userId, work.now))!;
}

/**
 * The country a person is entitled in: the one that was said, else their own if the account is
 * entitled there (behaviour.md F24).
 *
 * @throws {Refusal} `invalid_country`
 */
export function entitledIn(
  { countries }: Pick<PermittedAccount, 'countries'>,
  asked: string | null | undefined,
  own: string | null | undefined,
): string | null {
  if (asked) {
    if (!countries.includes(asked)) throw new Refusal('invalid_country', { countries });
    return asked;
  }
  return own && countries.includes(own) ? own : null;
}

async function joinGroups(
  work: Work,
  userId: string,
  accountId: string,
  groups: readonly string[],
): Promise<void> {
  for (const group of groups) {
    const found = await work.query<{ id: string }>(
      'select id from groups where account_id = $1 and (id::text = $2 or lower(name) = lower($2))',
      [accountId, group],
    );
    if (found.length === 0) throw new Refusal('not_found', { group });
    await work.query(
      `insert into group_members (group_id, user_id, added_at) values ($1, $2, $3)
       on conflict do nothing`,
      [found[0]!.id, userId, work.now],
    );
  }
}

/** A verdict that says no, with the ways there are to go on, as far as there is an address for them. */
function refusalOf(said: Verdict, accountId: string, userId: string | null): Refusal {
  const actions = said.actions
    .map((name) => actionOf(name, accountId, userId))
    .filter((action) => action !== null);
  return new Refusal(said.code!, { resolver: said.resolver }, actions);
}

function actionOf(rel: NextAction, accountId: string, userId: string | null): Action | null {
  const account = `/api/v1/accounts/${accountId}`;
  if (userId === null) return null;
  switch (rel) {
    case 'add_to_account':
      return { rel, method: 'POST', href: `${account}/users/${userId}/add` };
    case 'invite_to_account':
      return { rel, method: 'POST', href: `${account}/users/${userId}/invite` };
    default:
      return null;
  }
}
