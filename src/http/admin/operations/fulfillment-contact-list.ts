import { contactsOf } from '#identity/accounts/contacts.ts';
import { operation } from '../operation.ts';
import { ContactList } from '../belonging-views.ts';

export default operation({
  id: 'listFulfillmentContacts',
  tag: 'Fulfillment contacts',
  method: 'get',
  path: '/accounts/:accountId/fulfillment-contacts',
  summary: 'Lists who is written to about what the account bought.',
  right: 'contacts:read',
  result: ContactList,

  async handle(work, { account }) {
    return { items: await contactsOf(work, account.id), nextCursor: null };
  },
});
