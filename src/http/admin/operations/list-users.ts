import { z } from 'zod';
import { canonicalDomain } from '#identity/users/email.ts';
import { findUsers, userSorts } from '#identity/users/find-users.ts';
import { lockReasons } from '#identity/users/locks.ts';
import { userStatuses } from '#identity/users/status.ts';
import { sources } from '#identity/users/user.ts';
import { operation } from '../operation.ts';
import { Moment, paging, Search } from '../schemas.ts';
import { UserList } from '../views.ts';

export default operation({
  id: 'listUsers',
  tag: 'Users',
  method: 'get',
  path: '/accounts/:accountId/users',
  summary: 'Lists the people of an account, members and invited ones.',
  right: 'users:read',
  query: z.strictObject({
    q: Search.describe('Words; each is part of the e-mail address or of the name.'),
    status: z.enum(userStatuses).optional(),
    role: z.string().max(100).optional(),
    lock: z.enum(lockReasons).optional().describe('Locked for this reason, whatever the others.'),
    group: z.uuid().optional().describe('The id of a group.'),
    source: z.enum(sources).optional(),
    notSignedInSince: Moment.optional().describe('Who has not signed in since then, or never.'),
    countryMissing: z
      .enum(['true', 'false'])
      .transform((text) => text === 'true')
      .optional()
      .describe('Who is entitled in no country of the account.'),
    sort: z.enum(userSorts).optional().describe('With `-` in front from the other end.'),
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

  async handle(work, { account, query, cursor }) {
    const rows = await findUsers(
      work,
      {
        ...query,
        accountId: account.id,
        domain: query.domain && canonicalDomain(query.domain)!,
        after: cursor.after,
        limit: query.limit + 1,
      },
      work.now,
    );
    return cursor.page(rows, query.limit, ({ position }) => position);
  },
});
