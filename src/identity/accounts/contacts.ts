import { newId } from '#platform/ids.ts';
import { toReader, type Reader, type Recipient } from '../mail/recipient.ts';
import type { Sql } from '#platform/database/sql.ts';
import { Refusal } from '../refusal.ts';
import { notEntitled } from '../users/entitlement.ts';
import { likeText } from '../users/find-users.ts';
import type { Work } from '../work.ts';

/**
 * A fulfillment contact: who is written to about what the account bought, for one country or (null)
 * for all of it. A designation, no role: it gives no rights over people (behaviour.md F16).
 */
export interface FulfillmentContact {
  id: string;
  userId: string;
  email: string;
  name: string;
  country: string | null;
  createdAt: Date;
}

export const contactLimit = 10;

const columns = `f.id, f.user_id as "userId", u.email_display as email,
  trim(u.given_name || ' ' || u.family_name) as name, f.country, f.created_at as "createdAt"`;

/** Those of an account, those for everything first. */
export function contactsOf(sql: Sql, accountId: string): Promise<FulfillmentContact[]> {
  return sql.query<FulfillmentContact>(
    `select ${columns} from fulfillment_contacts f join users u on u.id = f.user_id
     where f.account_id = $1 order by f.country nulls first, f.id`,
    [accountId],
  );
}

/** Who hears that an account has nobody to look after it: its contacts, and the operators (M21). */
export async function contactsAndOperators(
  sql: Sql,
  accountId: string,
  { except }: { except: string },
): Promise<Recipient[]> {
  const people = await sql.query<Reader>(
    `select u.id, u.email_display as email, u.given_name as name, u.language from users u
     where u.email is not null and u.identity = 'ready' and u.id <> $2 and (
       exists (select from fulfillment_contacts f where f.user_id = u.id and f.account_id = $1)
       or exists (select from role_assignments r where r.user_id = u.id and r.role = 'operator'))
     order by u.id`,
    [accountId, except],
  );
  return people.map(toReader);
}

/** Whether a person may look after the contacts because they are one (behaviour.md section 7). */
export async function isContact(sql: Sql, userId: string, accountId: string): Promise<boolean> {
  const rows = await sql.query(
    'select 1 from fulfillment_contacts where user_id = $1 and account_id = $2 limit 1',
    [userId, accountId],
  );
  return rows.length > 0;
}

/**
 * Members who might become one, by three letters or more: this is no way to list an account.
 *
 * @throws {Refusal} `invalid_value`
 */
export function searchContacts(
  sql: Sql,
  accountId: string,
  q: string,
): Promise<{ id: string; email: string; name: string }[]> {
  if (Array.from(q.trim()).length < 3)
    throw new Refusal('invalid_value', { q: 'Enter three letters or more.' });
  return sql.query(
    `select u.id, u.email_display as email, trim(u.given_name || ' ' || u.family_name) as name
     from users u
     where u.account_id = $1 and u.affiliation = 'member' and u.identity not in ('erasing', 'erased')
       and (u.email like $2 or (u.given_name || ' ' || u.family_name) ilike $2)
     order by u.family_name, u.given_name, u.id limit 20`,
    [accountId, `%${likeText(q.trim().toLowerCase())}%`],
  );
}

/**
 * @throws {Refusal} `user_not_found`, `limit_reached`, `name_taken` where they are one already,
 * `invalid_country`
 */
export async function addContact(
  work: Work,
  account: { id: string; countries: readonly string[] },
  userId: string,
  country: string | null,
): Promise<FulfillmentContact> {
  await lockContacts(work, account.id);
  if (country !== null && !account.countries.includes(country))
    throw notEntitled(account.countries, country);
  const [member] = await work.query(
    `select 1 from users where id = $1 and account_id = $2 and affiliation = 'member'
       and identity not in ('erasing', 'erased') for share`,
    [userId, account.id],
  );
  if (!member) throw new Refusal('user_not_found');
  const existing = await contactsOf(work, account.id);
  if (existing.some((one) => one.userId === userId && one.country === country))
    throw new Refusal('name_taken', { user: userId, country });
  if (existing.length >= contactLimit) throw new Refusal('limit_reached', { limit: contactLimit });
  const id = newId(work.now.getTime());
  await work.query(
    `insert into fulfillment_contacts (id, account_id, user_id, country, created_at)
     values ($1, $2, $3, $4, $5)`,
    [id, account.id, userId, country, work.now],
  );
  work.record('contact.added', { type: 'user', id: userId }, { country }, account.id);
  return (await contactsOf(work, account.id)).find((one) => one.id === id)!;
}

/** @throws {Refusal} `not_found`, `last_contact` for the last one that is for everything */
export async function removeContact(work: Work, accountId: string, id: string): Promise<void> {
  await lockContacts(work, accountId);
  const contacts = await contactsOf(work, accountId);
  const contact = contacts.find((one) => one.id === id);
  if (!contact) throw new Refusal('not_found');
  const others = contacts.filter((one) => one.id !== id && one.country === null);
  if (contact.country === null && others.length === 0) throw new Refusal('last_contact');
  await work.query('delete from fulfillment_contacts where id = $1', [id]);
  work.record(
    'contact.removed',
    { type: 'user', id: contact.userId },
    { country: contact.country },
    accountId,
  );
}

/** Two who remove each other at the same moment are looked at one after the other. */
async function lockContacts(work: Work, accountId: string): Promise<void> {
  await work.query('select 1 from accounts where id = $1 for no key update', [accountId]);
}
