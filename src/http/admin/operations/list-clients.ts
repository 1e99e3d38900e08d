import { z } from 'zod';
import { findClients } from '#identity/applications/manage-clients.ts';
import { operation } from '../operation.ts';
import { paging, Search } from '../schemas.ts';
import { ClientList, clientView } from '../views.ts';

export default operation({
  id: 'listClients',
  tag: 'Clients',
  method: 'get',
  path: '/clients',
  summary: 'Lists applications by their ids.',
  right: 'clients:manage',
  query: z.strictObject({ q: Search.describe('Part of the id or the name.'), ...paging }),
  result: ClientList,

  async handle(work, { query: { limit, q }, cursor }) {
    const rows = await findClients(work, { q, after: cursor.after, limit: limit + 1 });
    return cursor.page(rows.map(clientView), limit, ({ id }) => id);
  },
});
