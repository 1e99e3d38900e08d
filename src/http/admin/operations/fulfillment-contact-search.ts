import { z } from 'zod';
import { searchContacts } from '#identity/accounts/contacts.ts';
import { operation } from '../operation.ts';
import { CandidateList } from '../belonging-views.ts';

export default operation({
  id: 'searchFulfillmentContacts',
  tag: 'Fulfillment contacts',
  method: 'get',
  path: '/accounts/:accountId/fulfillment-contacts/search',
  summary: 'Finds members by three letters or more of their name or address.',
  right: 'contacts:read',
  query: z.strictObject({ q: z.string().max(200) }),
  result: CandidateList,

  async handle(work, { account, query: { q } }) {
    return { items: await searchContacts(work, account.id, q), nextCursor: null };
  },
});
