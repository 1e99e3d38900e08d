import { z } from 'zod';
import { removedPeople } from '#identity/users/restore.ts';
import { operation } from '../operation.ts';
import { listOf, Moment, paging } from '../schemas.ts';

const RemovedUser = z
  .object({
    id: z.uuid(),
    email: z.string(),
    givenName: z.string(),
    familyName: z.string(),
    removedAt: Moment,
    removedBy: z.string().nullable().describe('The address of the administrator, if it was one.'),
  })
  .meta({ id: 'RemovedUser' });

export default operation({
  id: 'listRemovedUsers',
  tag: 'Users',
  method: 'get',
  path: '/accounts/:accountId/removed-users',
  summary: 'Lists whose removal of the last 30 days can still be taken back: see `restore`.',
  right: 'users:restore',
  query: z.strictObject(paging),
  result: listOf(RemovedUser),

  async handle(work, { account, query: { limit }, cursor }) {
    const rows = await removedPeople(work, account.id, work.now, {
      before: cursor.after,
      limit: limit + 1,
    });
    return cursor.page(rows, limit, ({ position }) => position);
  },
});
