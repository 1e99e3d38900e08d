import { z } from 'zod';
import { createAccount } from '#identity/accounts/create-account.ts';
import { requireFreeNumber } from '#identity/accounts/change-account.ts';
import { accountById } from '#identity/accounts/find-accounts.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { operation } from '../operation.ts';
import { Country, Email, line, name } from '../schemas.ts';
import { AccountView } from '../views.ts';

export default operation({
  id: 'createAccount',
  tag: 'Accounts',
  method: 'post',
  path: '/accounts',
  summary: 'Makes an account. Its fulfillment contact becomes its first Account Administrator.',
  right: 'accounts:create',
  body: z.strictObject({
    name,
    number: line(50).optional().describe('Your customer number; no two accounts have the same.'),
    countries: z.array(Country).max(250).default([]),
    fulfillmentContact: z.strictObject({
      email: Email,
      givenName: name,
      familyName: name,
      country: Country,
    }),
  }),
  example: {
    name: 'Acme',
    number: '1001',
    countries: ['US', 'DE'],
    fulfillmentContact: {
      email: 'fay@acme.example',
      givenName: 'Fay',
      familyName: 'Miller',
      country: 'US',
    },
  },
  result: AccountView,
  status: 201,
  refusals: [
    'invalid_email',
    'invalid_country',
    'user_in_other_account',
    'user_not_addable',
    'account_number_exists',
  ],

  async handle(work, { body: { fulfillmentContact: contact, ...account } }) {
    if (account.number !== undefined) await requireFreeNumber(work, account.number);
    const { id } = await createAccount(work, {
      ...account,
      countries: [...new Set(account.countries)],
      fulfillmentContact: {
        ...contact,
        email: canonicalEmail(contact.email)!,
        emailDisplay: contact.email,
      },
    });
    return accountById(work, id);
  },
});
