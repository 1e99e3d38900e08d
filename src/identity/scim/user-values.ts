import type { Sql } from '#platform/database/sql.ts';
import { isLocale } from '#platform/i18n.ts';
import { isId } from '#platform/ids.ts';
import { passwordProblems } from '../credentials/password-rules.ts';
import { storePassword } from '../credentials/password.ts';
import { passwordRulesFor } from '../credentials/policy.ts';
import { Refusal } from '../refusal.ts';
import { canonicalCountry } from '../users/country.ts';
import { canonicalEmail } from '../users/email.ts';
import { revokeAccess } from '../users/revoke.ts';
import { readFacts } from '../verdict/facts.ts';
import type { Directory } from './context.ts';
import { bad, ScimError, shown } from './error.ts';
import type { Complex, Resource } from './value.ts';
import { type LockedUser, accountOf, ofAccount, type UserRow } from './user-record.ts';

/** A person has a few addresses. */
const mostEmails = 20;

/** @throws {ScimError} 400 `invalidValue` for what no user can be */
export function requireUserValues(resource: Resource): void {
  if (resource['userName'] === undefined) throw bad('invalidValue', 'userName is required.');
  if (canonicalEmail(resource['userName']) === null)
    throw bad(
      'invalidValue',
      `userName: ${shown(resource['userName'])} is no e-mail address.`,
      'invalid_email',
    );
  const emails = (resource['emails'] as Complex[] | undefined) ?? [];
  if (emails.length > mostEmails)
    throw bad('invalidValue', `emails: more than ${mostEmails} values are not taken.`);
  for (const [index, { value }] of emails.entries())
    if (canonicalEmail(value) === null)
      throw bad(
        'invalidValue',
        `emails[${index}].value: ${value === undefined ? 'it is missing' : `${shown(value)} is no e-mail address`}.`,
      );
  const country = accountOf(resource)['entitlementCountry'];
  if (country !== undefined && canonicalCountry(country) !== country)
    throw bad('invalidValue', `entitlementCountry: ${shown(country)} is no country of ISO 3166-1.`);
}

/**
 * Addresses beside the one the person signs in with. Nobody signs in by them; still none may be
 * somebody else's, or make the account look like the owner of a domain it does not own.
 *
 * @throws {ScimError} 400 `invalidValue`, 409 `uniqueness`
 */
export async function requireEmails(
  { work, caller }: Pick<Directory, 'work' | 'caller'>,
  userId: string,
  emails: readonly Complex[],
  userName: string,
): Promise<void> {
  const own = canonicalEmail(userName);
  for (const { value, type, primary } of emails) {
    if (canonicalEmail(value) === own) continue;
    const facts = await readFacts(work, value, caller.accountId, work.now);
    if (facts.person && facts.person.id !== userId)
      throw new ScimError(409, `emails: ${shown(value)} is the address of another person.`, {
        scimType: 'uniqueness',
      });
    if (facts.domain === 'other') throw new Refusal('domain_owned_by_other');
    const beside = primary !== true && (type === 'home' || type === 'other');
    if (facts.domain === 'mine' || facts.domain === 'mine_federated' || beside) continue;
    if (facts.domain === 'mine_pending') throw new Refusal('domain_pending_ownership');
    if (caller.domainPolicy === 'owned') throw new Refusal('domain_not_owned');
  }
}

/**
 * A password from a directory: only where the person has one here, and for nobody who administers.
 *
 * @returns whether nothing is left to be proved by the person
 * @throws {ScimError} 400 `invalidValue`, `mutability`
 */
export async function setPassword(
  { work, caller, hasher }: Directory,
  row: LockedUser,
  password: string,
): Promise<boolean> {
  if (row.administrator)
    throw bad('mutability', 'password: administrators choose theirs themselves.', 'administrator');
  const { domain } = await readFacts(work, row.email, caller.accountId, work.now);
  // Who signs in at their organization has none here; who was merely invited is not known yet; and an
  // address elsewhere is the person's own: whoever chose its password could take the person over.
  if (domain !== 'mine' || row.provisional) return false;
  const problems = passwordProblems(
    password,
    [row.email, row.givenName, row.familyName],
    await passwordRulesFor(work, { accountId: caller.accountId, email: row.email }),
  );
  if (problems.length > 0)
    throw bad('invalidValue', `password: it is not good enough: ${problems.join(', ')}.`);
  await storePassword(work, row.userId, await hasher.hash(password));
  // The account answers for the addresses of its domain: nothing is left to be proved.
  await work.query(
    `update users set identity = 'ready', email_verified_at = coalesce(email_verified_at, $2),
       updated_at = $2, version = version + 1
     where id = $1 and identity in ('invited', 'unverified')`,
    [row.userId, work.now],
  );
  await revokeAccess(work, row.userId);
  work.record(
    'password.changed',
    { type: 'user', id: row.userId },
    { by: 'directory' },
    caller.accountId,
  );
  return true;
}

/** Whether anybody of an account signs in with a password here: not all its domains are federated. */
export async function hasPasswords(sql: Sql, accountId: string): Promise<boolean> {
  const domains = await sql.query<{ federated: boolean }>(
    `select exists (select from connection_domains b
       join connections c on c.id = b.connection_id and c.account_id = d.account_id
       where b.domain = d.name and c.state = 'active' and c.deleted_at is null) as federated
     from domains d where d.account_id = $1 and d.state in ('owned', 'at_risk')`,
    [accountId],
  );
  return domains.length === 0 || domains.some((one) => !one.federated);
}

/** Whom somebody is led by. */
type Leader = NonNullable<UserRow['manager']>;

/**
 * Who leads the person: somebody of this account.
 *
 * @throws {ScimError} 400 `invalidValue`
 */
export async function requireManager(
  { work, caller }: Directory,
  id: string | undefined,
): Promise<Leader | null> {
  if (id === undefined) return null;
  const [leader] = isId(id)
    ? await work.query<Leader>(
        `select a.id as value, coalesce(a.display_name,
           nullif(trim(a.given_name || ' ' || a.family_name), ''), a.user_name) as "displayName"
         from affiliations a where ${ofAccount} and a.id = $2`,
        [caller.accountId, id],
      )
    : [];
  if (!leader)
    throw bad('invalidValue', `manager: there is no user ${shown(id)}.`, 'unknown_reference');
  return leader;
}

/** The language of pages and mails, where it is one of ours. */
export function languageOf(after: Resource, before: string | null): string | null {
  const tag = after['preferredLanguage'];
  if (typeof tag !== 'string') return null;
  const language = tag.toLowerCase().split(/[-_]/)[0];
  return isLocale(language) ? language : before;
}

export function phoneOf(resource: Resource): string | null {
  return valueOf(first(resource['phoneNumbers']), 'value');
}

export function countryOf(resource: Resource): string | null {
  return canonicalCountry(valueOf(first(resource['addresses']), 'country'));
}

/** The one to be used: the first in rank, the one at work, or the first there is. */
function first(values: unknown): Complex | undefined {
  const list = (values ?? []) as Complex[];
  return (
    list.find((one) => one['primary']) ?? list.find((one) => one['type'] === 'work') ?? list[0]
  );
}

function valueOf(value: Complex | undefined, name: string): string | null {
  const found = value?.[name];
  return typeof found === 'string' ? found : null;
}
