import { removeContact } from '#identity/accounts/contacts.ts';
import { operation } from '../operation.ts';

export default operation({
  id: 'removeFulfillmentContact',
  tag: 'Fulfillment contacts',
  method: 'delete',
  path: '/accounts/:accountId/fulfillment-contacts/:contactId',
  summary: 'Ends a designation. One that is for everything always stays.',
  right: 'contacts:manage',
  result: null,
  refusals: ['not_found', 'last_contact'],

  handle(work, { account, params }) {
    return removeContact(work, account.id, params['contactId']!);
  },
});
