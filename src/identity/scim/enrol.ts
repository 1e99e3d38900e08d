import { newId } from '#platform/ids.ts';
import { administratorNames } from '../accounts/administrators.ts';
import { factsAtDoor, refusalOf } from '../belonging/door.ts';
import { entitledHere } from '../belonging/given.ts';
import { invite } from '../belonging/invite.ts';
import { holdPlace, takeOver } from '../belonging/only-invited.ts';
import { sendActivation, sendFirstActivations } from '../credentials/password.ts';
import { mail } from '../mail/mail.ts';
import { toPerson } from '../mail/recipient.ts';
import { affiliate } from '../users/affiliate.ts';
import { createUser } from '../users/create-user.ts';
import { unlockUser } from '../users/lock.ts';
import { findPerson } from '../users/person.ts';
import { verdict } from '../verdict/verdict.ts';
import type { Directory } from './context.ts';
import { bad } from './error.ts';
import { admit, asDirectory, entitledTo, newcomer } from './newcomers.ts';
import { managerOf, nameOf, type LockedUser } from './user-record.ts';
import { countryOf, languageOf, requireManager } from './user-values.ts';
import type { Resource } from './value.ts';

/** How somebody came to be in the account. */
export interface Place {
  userId: string;
  how: 'created' | 'adopted' | 'invited';
  account: { name: string };
  /** They sign in at their organization. */
  federated: boolean;
  /** The row of a new person, in which all is written that was said; null for anybody else. */
  fresh: LockedUser | null;
}

/**
 * Takes somebody a directory brings into the account, as the verdict says: a new person, one who is
 * known and belongs nowhere, or one who is asked first. Never a second record of the same address.
 *
 * @throws {Refusal} the row of the table that says no
 * @throws {ScimError} 400 `invalidValue`, `invitation_required`
 */
export async function enrol(directory: Directory, given: Resource): Promise<Place> {
  const { work, caller } = directory;
  const { accountId } = caller;
  const typed = String(given['userName']);
  const facts = asDirectory(caller, await factsAtDoor(work, accountId, typed));
  const said = verdict('scim_create', facts);
  if (said.outcome === 'invite')
    throw bad(
      'invalidValue',
      'userName: this person exists and has to agree. Invite them.',
      'invitation_required',
    );
  const federated = facts.domain === 'mine_federated';
  const account = { id: accountId, name: facts.account?.name ?? '' };
  const place = (how: Place['how'], userId: string): Place => ({
    userId,
    how,
    account,
    federated,
    fresh: null,
  });
  const country = countryOf(given);
  const entitlementCountry = entitledHere(facts, entitledTo(given), country);
  const person = {
    ...nameOf(given),
    country,
    language: languageOf(given, null),
    identity: 'invited',
    source: 'scim',
  } as const;

  switch (said.outcome) {
    case 'create_member': {
      const known = facts.person?.id;
      if (known === undefined) {
        const manager = await requireManager(directory, managerOf(given));
        const [fresh] = await admit(directory, [newcomer(directory, given, facts, manager)]);
        return { userId: fresh!.userId, how: 'created', account, federated, fresh: fresh! };
      }
      await takeOver(work, known, person);
      await affiliate(work, known, accountId, 'directory', { entitlementCountry });
      return place('created', known);
    }
    case 'create_provisional': {
      const userId = await createUser(work, {
        ...person,
        email: facts.email!,
        emailDisplay: typed,
      });
      await holdPlace(work, userId, accountId);
      await work.query(
        `insert into affiliations (id, user_id, account_id, reason, began_at, provisional)
         values ($1, $2, $3, 'invited', $4, true)`,
        [newId(work.now.getTime()), userId, accountId, work.now],
      );
      await invite(work, account, {
        ...person,
        language: person.language ?? undefined,
        email: facts.email!,
        roles: [],
        groups: [],
        entitlementCountry,
      });
      return place('invited', userId);
    }
    case 'add':
    case 'approve': {
      const userId = facts.person!.id;
      await affiliate(work, userId, accountId, 'directory', { entitlementCountry });
      // The directory is an administrator's word: what locked them for being sent away goes.
      await unlockUser(work, userId, ['unaffiliated'], accountId);
      return place('adopted', userId);
    }
    default:
      throw refusalOf(said, { email: typed, accountId, userId: null });
  }
}

/** Tells a person that they are in: once all is written that the mail says of them. */
export async function welcome(
  { work, caller }: Directory,
  { userId, how, federated, account, fresh }: Place,
  given: Resource,
): Promise<void> {
  // Who signs in at their organization has no password to set; who may not come in is not asked to.
  if (how === 'invited' || given['active'] === false) return;
  if (fresh && given['password'] === undefined) {
    if (federated) return;
    const { givenName, language } = fresh;
    const person = {
      id: userId,
      email: fresh.userName,
      givenName,
      language,
      account,
      affiliation: 'member' as const,
    };
    return sendFirstActivations(work, [person], { invitedBy: null });
  }
  const person = how === 'created' && federated ? null : await findPerson(work, userId, work.now);
  if (!person) return;
  if (person.identity !== 'ready') {
    if (!federated) await sendActivation(work, person, { invitedBy: null });
    return;
  }
  if (how !== 'adopted') return;
  mail(work, toPerson(person), {
    kind: 'added_to_account',
    account: person.account!.name,
    administrators: await administratorNames(work, caller.accountId),
    locked: person.locks.length > 0,
    signInLink: work.link('/'),
  });
}
