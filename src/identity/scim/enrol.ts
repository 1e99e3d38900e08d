import { newId } from '#platform/ids.ts';
import { administratorNames } from '../accounts/administrators.ts';
import { enterDoor, refusalOf } from '../belonging/door.ts';
import { entitledIn } from '../belonging/given.ts';
import { invite } from '../belonging/invite.ts';
import { holdPlace, takeOver } from '../belonging/only-invited.ts';
import { sendActivation } from '../credentials/password.ts';
import { mail } from '../mail/letter.ts';
import { affiliate } from '../users/affiliate.ts';
import { createUser } from '../users/create-user.ts';
import { unlockUser } from '../users/lock.ts';
import { findPerson } from '../users/person.ts';
import { readFacts } from '../verdict/facts.ts';
import { verdict } from '../verdict/verdict.ts';
import type { Directory } from './context.ts';
import { bad } from './error.ts';
import { accountOf, nameOf } from './user-record.ts';
import { countryOf, languageOf } from './user-values.ts';
import type { Resource } from './value.ts';

/** How somebody came to be in the account. */
export interface Place {
  userId: string;
  how: 'created' | 'adopted' | 'invited';
  /** They sign in at their organization. */
  federated: boolean;
}

interface Account {
  id: string;
  name: string;
  countries: string[];
}

/**
 * Takes somebody a directory brings into the account, as the verdict says: a new person, one who is
 * known and belongs nowhere, or one who is asked first. Never a second record of the same address.
 *
 * @throws {Refusal} the row of the table that says no
 * @throws {ScimError} 400 `invalidValue`, `invitation_required`
 */
export async function enrol({ work, caller }: Directory, given: Resource): Promise<Place> {
  const { accountId } = caller;
  const typed = String(given['userName']);
  await enterDoor(work, accountId, [typed]);
  const facts = await readFacts(work, typed, accountId, work.now);
  // A directory does not invite strangers, unless its connection is there to try things out.
  if (facts.account) facts.account.allowsForeignDomains = caller.domainPolicy === 'any_unowned';
  const said = verdict('scim_create', facts);
  if (said.outcome === 'invite')
    throw bad(
      'invalidValue',
      'userName: this person exists and has to agree. Invite them.',
      'invitation_required',
    );
  const place = (how: Place['how'], userId: string): Place => ({
    userId,
    how,
    federated: facts.domain === 'mine_federated',
  });
  const [account] = await work.query<Account>(
    'select id, name, countries from accounts where id = $1',
    [accountId],
  );
  const country = countryOf(given);
  const entitlementCountry = account ? entitledIn(account, entitledTo(given), country) : null;
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
      if (known) await takeOver(work, known, person);
      const userId =
        known ?? (await createUser(work, { ...person, email: facts.email!, emailDisplay: typed }));
      await affiliate(work, userId, accountId, 'directory', { entitlementCountry });
      return place('created', userId);
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
      await invite(work, account!, {
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

function entitledTo(given: Resource): string | null {
  const country = accountOf(given)['entitlementCountry'];
  return typeof country === 'string' ? country : null;
}

/** Tells a person that they are in: once all is written that the mail says of them. */
export async function welcome(
  { work, caller }: Directory,
  { userId, how, federated }: Place,
  given: Resource,
): Promise<void> {
  // Who signs in at their organization has no password to set; who may not come in is not asked to.
  if (how === 'invited' || given['active'] === false) return;
  const person = how === 'created' && federated ? null : await findPerson(work, userId, work.now);
  if (!person) return;
  if (person.identity !== 'ready') {
    if (!federated) await sendActivation(work, person, { invitedBy: null });
    return;
  }
  if (how !== 'adopted') return;
  mail(
    work,
    { userId, email: person.email!, name: person.givenName, locale: person.language },
    {
      kind: 'added_to_account',
      account: person.account!.name,
      administrators: await administratorNames(work, caller.accountId),
      locked: person.locks.length > 0,
      signInLink: work.link('/'),
    },
  );
}
