import { newId } from '#platform/ids.ts';
import type { Work } from '../work.ts';
import { grantRole } from '../access/roles.ts';
import { mail } from '../mail/letter.ts';
import { sendActivation } from '../credentials/password.ts';
import { affiliate } from '../users/affiliate.ts';
import { createUser } from '../users/create-user.ts';
import { findPerson, findPersonByEmail } from '../users/person.ts';
import { Refusal } from '../refusal.ts';
import { Account } from './account.ts';

export interface NewAccount {
  name: string;
  number?: string | null;
  countries?: readonly string[];
  fulfillmentContact: {
    /** In canonical form. */
    email: string;
    emailDisplay: string;
    givenName: string;
    familyName: string;
    country: string;
  };
}

/**
 * A new customer organization. Its first fulfillment contact is its first Account Administrator too
 * (behaviour.md A1), and sets a password by the mail that says so.
 *
 * @throws {Refusal} `user_in_other_account` when the contact belongs to another account.
 */
export async function createAccount(work: Work, input: NewAccount): Promise<Account> {
  const account = work.em.create(Account, {
    id: newId(work.now.getTime()),
    name: input.name,
    number: input.number ?? null,
    countries: [...(input.countries ?? [])],
    status: 'active',
    settings: {},
    createdAt: work.now,
    updatedAt: work.now,
  });
  await work.em.flush();
  work.record(
    'account.created',
    { type: 'account', id: account.id },
    { name: input.name },
    account.id,
  );

  const { fulfillmentContact: contact } = input;
  const known = await findPersonByEmail(work, contact.email, work.now);
  if (known?.affiliation === 'member') throw new Refusal('user_in_other_account');
  const userId =
    known?.id ?? (await createUser(work, { ...contact, identity: 'invited', source: 'admin' }));
  await affiliate(work, userId, account.id, 'fulfillment_contact', {
    entitlementCountry: account.countries.includes(contact.country) ? contact.country : null,
  });
  await grantRole(work, userId, 'account_administrator', account.id);
  await work.query(
    `insert into fulfillment_contacts (id, account_id, user_id, created_at) values ($1, $2, $3, $4)`,
    [newId(work.now.getTime()), account.id, userId, work.now],
  );
  const person = (await findPerson(work, userId, work.now))!;
  if (person.identity !== 'ready') await sendActivation(work, person, { invitedBy: null });
  else
    mail(
      work,
      { userId, email: contact.email, name: contact.givenName, locale: person.language },
      {
        kind: 'account_welcome',
        account: account.name,
        link: work.link('/'),
        expiresAt: null,
      },
    );
  return account;
}
