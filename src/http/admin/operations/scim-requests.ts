import { z } from 'zod';
import { requireAccount } from '#identity/access/rights.ts';
import { findExchanges, requireExchange } from '#identity/scim/exchanges.ts';
import { directoryHealth } from '#identity/scim/health.ts';
import { outcomes } from '#identity/scim/meaning.ts';
import { rehearseAgain, replayed } from '#identity/scim/replay.ts';
import { operation, type AnyOperation } from '../operation.ts';
import { Moment, paging, Search } from '../schemas.ts';
import {
  DirectoryHealthList,
  exchangeView,
  healthView,
  meaningView,
  ReplayedView,
  ScimRequestDetailView,
  ScimRequestList,
} from '../scim-views.ts';

const path = '/accounts/:accountId/scim-requests';
const tag = 'Directories (SCIM)';

/** What directories sent, what it meant, and how they are doing. */
export const scimRequestOperations: readonly AnyOperation[] = [
  operation({
    id: 'listScimRequests',
    tag,
    method: 'get',
    path,
    summary: 'Lists what directories sent and what it came to, the latest first. Kept for 30 days.',
    right: 'scim_tokens:read',
    query: z.strictObject({
      token: z.uuid().optional().describe('The id of a token.'),
      person: Search.describe('An id, an e-mail address, or a name as the directory has it.'),
      outcome: z.enum(outcomes).optional(),
      since: Moment.optional(),
      ...paging,
    }),
    result: ScimRequestList,

    prepare: ({ tools }) => tools.directories.flush(),

    async handle(work, { account, query: { token, limit, ...filter }, cursor }) {
      const found = await findExchanges(work, {
        ...filter,
        accountId: account.id,
        tokenId: token,
        before: cursor.after,
        limit: limit + 1,
      });
      return cursor.page(found.map(exchangeView), limit, ({ id }) => id);
    },
  }),
  operation({
    id: 'getScimRequest',
    tag,
    method: 'get',
    path: `${path}/:requestId`,
    summary: 'Gives one request of a directory: what was sent, answered, and what it means.',
    right: 'scim_tokens:read',
    result: ScimRequestDetailView,
    refusals: ['not_found'],

    prepare: ({ tools }) => tools.directories.flush(),

    handle: async (work, { account, params }) =>
      exchangeView(await requireExchange(work, account.id, params['requestId']!)),
  }),
  operation({
    id: 'replayScimRequest',
    tag,
    method: 'post',
    path: `${path}/:requestId/replay`,
    summary: 'Asks again what a directory asked, as a dry run: what would come of it today.',
    description:
      'Nothing is changed and nobody is told. A request that changes nothing and was answered well, or that was too large to be kept, cannot be replayed.',
    right: 'scim_tokens:read',
    result: ReplayedView,
    refusals: ['not_found'],

    prepare: async ({ asking, context, params, tools }) => {
      await tools.directories.flush();
      return rehearseAgain(
        tools.foundation,
        context,
        tools.directories.rehearse,
        params['requestId']!,
        (work) => requireAccount(work, asking, 'scim_tokens:read', params['accountId']!),
      );
    },

    async handle(work, { account, params, prepared }) {
      const again = await replayed(work, account.id, params['requestId']!, prepared);
      return { ...again, meaning: meaningView(again.meaning) };
    },
  }),
  operation({
    id: 'listDirectoryHealth',
    tag,
    method: 'get',
    path: '/accounts/:accountId/scim-health',
    summary: 'Says how each directory is doing: last success, errors, end of its token.',
    right: 'scim_tokens:read',
    result: DirectoryHealthList,

    prepare: ({ tools }) => tools.directories.flush(),

    async handle(work, { account }) {
      const all = await directoryHealth(work, account.id, work.now);
      return { items: all.map(healthView), nextCursor: null };
    },
  }),
];
