import { requirePerson } from '../access/rights.ts';
import { rankOf } from '../access/roles.ts';
import { addToAccount, addUser, inviteToAccount } from '../belonging/add.ts';
import { removeFromAccount } from '../belonging/remove.ts';
import { Refusal } from '../refusal.ts';
import { canonicalEmail } from '../users/email.ts';
import type { Work } from '../work.ts';
import { countryIn, invalid, languageIn, nameIn, wholeListIn } from './cells.ts';
import type { BulkKind, Cells } from './format.ts';
import { roleKeys } from './roles.ts';
import { userByEmail, type Outcome, type RowContext } from './row.ts';
import { updateUser } from './update-user.ts';

/**
 * Does what one row says. Each kind goes through the same rule as any other door, so a file can
 * nothing that a person at the console could not.
 *
 * @throws {Refusal} what that rule says no with
 */
export function carryOutRow(
  work: Work,
  kind: BulkKind,
  context: RowContext,
  cells: Cells,
): Promise<Outcome> {
  if (kind === 'add') return add(work, context, cells);
  if (kind === 'update') return updateUser(work, context, cells);
  return remove(work, context, cells);
}

/** Rows of a file that adds: behaviour.md section 6, with rows 8 and 9 decided by the options. */
async function add(
  work: Work,
  { asking, account, options }: RowContext,
  cells: Cells,
): Promise<Outcome> {
  const country = countryIn('Country', cells['Country']!);
  const communication = cells['CommunicationEmail'] ?? '';
  const communicationEmail = canonicalEmail(communication);
  if (communication !== '' && communicationEmail === null)
    throw invalid('CommunicationEmail', 'is no e-mail address.');
  if (account.countries.length > 0 && !account.countries.includes(country))
    throw new Refusal(
      'invalid_country',
      { column: 'Country', countries: account.countries },
      [],
      `Country: your organization is entitled in ${account.countries.join(', ')}, not in ${country}.`,
    );
  const given = {
    entitlementCountry: account.countries.length > 0 ? country : null,
    roles: await roleKeys(work, wholeListIn('Roles', cells['Roles'] ?? '')),
    groups: wholeListIn('Groups', cells['Groups'] ?? ''),
  };
  const person = {
    email: cells['Email']!,
    givenName: nameIn('FirstName', cells['FirstName']!),
    familyName: nameIn('LastName', cells['LastName']!),
    country:
      cells['ProfileCountry'] === undefined
        ? country
        : countryIn('ProfileCountry', cells['ProfileCountry']),
    language: cells['Language'] ? languageIn('Language', cells['Language']) : undefined,
    communicationEmail: communicationEmail ?? undefined,
  };
  try {
    const { outcome, userId, message } = await addUser(
      work,
      asking,
      account,
      { ...person, ...given, sendInvitation: options.sendInvitation },
      { door: 'bulk_add' },
    );
    const said =
      outcome === 'created' && !options.sendInvitation ? 'Created; no mail was sent.' : message;
    return { result: 'ok', code: outcome, message: said ?? 'Created.', userId };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { userId } = error.details;
    if (typeof userId !== 'string') throw error;
    // It is so already: nothing is left to do.
    if (error.code === 'already_member' || error.code === 'already_invited')
      return { result: 'skipped', code: error.code, message: error.message, userId };
    if (error.code === 'user_exists' && options.addExisting) {
      await addToAccount(work, asking, account, userId, given);
      return {
        result: 'ok',
        code: 'added',
        message: 'Added to the account. Whoever was locked is to be unlocked by hand.',
        userId,
      };
    }
    if (error.code === 'user_exists_other_domain' && options.inviteExisting) {
      await inviteToAccount(work, asking, account, userId, given);
      return {
        result: 'ok',
        code: 'invited',
        message: 'Invited. The user joins your account when the invitation is accepted.',
        userId,
      };
    }
    throw error;
  }
}

/** Rows of a file that deletes (behaviour.md U14). */
async function remove(work: Work, { asking, account }: RowContext, cells: Cells): Promise<Outcome> {
  const userId = await userByEmail(work, account.id, cells['Email']!);
  const person = await requirePerson(work, asking, 'users:remove', account.id, userId);
  // One by one, and with thought: a file is quickly the wrong one.
  if (rankOf(person.roles) >= rankOf(['account_administrator']))
    throw new Refusal(
      'cannot_act_on_higher_role',
      {},
      [],
      'Account Administrators are not removed by a file. Remove this one at the console.',
    );
  await removeFromAccount(work, account.id, person);
  return { result: 'ok', code: 'removed', message: 'Removed.', userId };
}
