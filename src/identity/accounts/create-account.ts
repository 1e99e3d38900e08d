import { newId } from '#platform/ids.ts';
import type { Work } from '../work.ts';
import { grantRole } from '../access/roles.ts';
import { mail } from '../mail/mail.ts';
import { sendActivation } from '../credentials/password.ts';
import { affiliate } from '../users/affiliate.ts';
import { createUser } from '../users/create-user.ts';
import { unlockUser } from '../users/lock.ts';
import { findPerson } from '../users/person.ts';
import { factsAtDoor } from '../belonging/door.ts';
import { takeOver } from '../belonging/only-invited.ts';
import { isOnlyInvited, verdict } from '../verdict/verdict.ts';
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

/** An account that nobody belongs to yet. */
export async function foundAccount(
  work: Work,
  { name, number = null, countries = [] }: Omit<NewAccount, 'fulfillmentContact'>,
): Promise<Account> {
  const account = work.em.create(Account, {
    id: newId(work.now.getTime()),
    name,
    number,
    countries: [...countries],
    status: 'active',
    settings: {},
    createdAt: work.now,
    updatedAt: work.now,
  });
  await work.em.flush();
  work.record('account.created', { type: 'account', id: account.id }, { name }, account.id);
  return account;
}

/**
 * A new customer organization. Its first fulfillment contact is its first Account Administrator too
 * (behaviour.md A1), and sets a password by the mail that says so.
 *
 * @throws {Refusal} `user_in_other_account` when the contact belongs to another account,
 *   `user_not_addable` when support or the person's own wish keeps them out
 */
export async function createAccount(
  work: Work,
  { fulfillmentContact: contact, ...input }: NewAccount,
): Promise<Account> {
  const account = await foundAccount(work, input);
  const facts = await factsAtDoor(work, account.id, contact.email);
  // Whose the domain is does not matter: an operator says who founds an account.
  const { code } = verdict('admin_add', { ...facts, domain: 'free' });
  if (code === 'user_in_other_account' || code === 'user_not_addable') throw new Refusal(code);
  const userId =
    facts.person?.id ??
    (await createUser(work, { ...contact, identity: 'invited', source: 'admin' }));
  if (facts.person && isOnlyInvited(facts.person))
    await takeOver(work, userId, {
      ...contact,
      language: null,
      identity: 'invited',
      source: 'admin',
    });
  await affiliate(work, userId, account.id, 'fulfillment_contact', {
    entitlementCountry: account.countries.includes(contact.country) ? contact.country : null,
  });
  // Who was removed from an account and now founds one is let in by the operator's act.
  await unlockUser(work, userId, ['unaffiliated'], account.id);
  await grantRole(work, userId, 'account_administrator', account.id);
  await work.query(
    `insert into fulfillment_contacts (id, account_id, user_id, created_at) values ($1, $2, $3, $4)`,
    [newId(work.now.getTime()), account.id, userId, work.now],
  );
  const person = (await findPerson(work, userId, work.now))!;
  if (person.identity !== 'ready')
    await sendActivation(work, person, { invitedBy: null, founds: account.name });
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
