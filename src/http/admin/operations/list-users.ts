import { z } from 'zod';
import { canonicalDomain } from '#identity/users/email.ts';
import { findUsers } from '#identity/users/find-users.ts';
import { userStatuses } from '#identity/users/status.ts';
import { operation } from '../operation.ts';
import { paging, Search } from '../schemas.ts';
import { UserList } from '../views.ts';

export default operation({
  id: 'listUsers',
  tag: 'Users',
  method: 'get',
  path: '/accounts/:accountId/users',
  summary: 'Lists the people of an account, members and invited ones.',
  right: 'users:read',
  query: z.strictObject({
    q: Search.describe('Part of the e-mail address or of the name.'),
    status: z.enum(userStatuses).optional(),
    role: z.string().max(100).optional(),
    domain: z
      .string()
      .max(253)
      .refine((text) => canonicalDomain(text) !== null, {
        error: 'Enter a valid domain name.',
        params: { code: 'invalid_domain' },
      })
      .optional(),
    ...paging,
  }),
  result: UserList,
  refusals: ['invalid_domain'],

  async handle(work, { account, query: { limit, q, status, role, domain }, cursor }) {
    const rows = await findUsers(
      work,
      {
        accountId: account.id,
        q,
        status,
        role,
        domain: domain && canonicalDomain(domain)!,
        after: cursor.after,
        limit: limit + 1,
      },
      work.now,
    );
    return cursor.page(rows, limit, ({ id }) => id);
  },
});
