import { z } from 'zod';
import { listResourceServers } from '#identity/applications/resource-servers.ts';
import { operation } from '../operation.ts';
import { paging } from '../schemas.ts';
import { ResourceList } from '../views.ts';

export default operation({
  id: 'listResourceServers',
  tag: 'Resource servers',
  method: 'get',
  path: '/resource-servers',
  summary: 'Lists the registered APIs.',
  right: 'resources:manage',
  query: z.strictObject(paging),
  result: ResourceList,

  async handle(work, { query: { limit }, cursor }) {
    const rows = await listResourceServers(work, { after: cursor.after, limit: limit + 1 });
    const all = rows.map((row) => ({ ...row, scopes: [...row.scopes] }));
    return cursor.page(all, limit, ({ identifier }) => identifier);
  },
});
