import { z } from 'zod';
import { addContact } from '#identity/accounts/contacts.ts';
import { operation } from '../operation.ts';
import { ContactView } from '../belonging-views.ts';
import { Country } from '../schemas.ts';

export default operation({
  id: 'addFulfillmentContact',
  tag: 'Fulfillment contacts',
  method: 'post',
  path: '/accounts/:accountId/fulfillment-contacts',
  summary: 'Makes a member a fulfillment contact, for one country or for everything. Ten at most.',
  right: 'contacts:manage',
  body: z.strictObject({ userId: z.uuid(), country: Country.nullable().default(null) }),
  example: { userId: '01a201aa-a637-7dcc-b569-3b562a947439' },
  result: ContactView,
  status: 201,
  refusals: ['user_not_found', 'limit_reached', 'name_taken', 'invalid_country'],

  handle(work, { account, body: { userId, country } }) {
    return addContact(work, account, userId, country);
  },
});
