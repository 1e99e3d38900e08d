import { z } from 'zod';
import { closeConflict, conflictReasons, listConflicts } from '#identity/federation/conflicts.ts';
import { operation, type AnyOperation } from '../operation.ts';
import { listOf, Moment, paging } from '../schemas.ts';

const path = '/accounts/:accountId/connection-conflicts' as const;
const tag = 'Connections';

export const ConflictView = z
  .object({
    id: z.string(),
    reason: z.enum(conflictReasons),
    userId: z.string().nullable().describe('Null for a person of another account.'),
    email: z.string().describe('As the provider named it.'),
    connectionId: z.string().nullable().describe('Null where it is another account’s.'),
    traceId: z.string().nullable(),
    times: z.number().int().describe('How often they came.'),
    firstAt: Moment,
    lastAt: Moment,
  })
  .meta({ id: 'ConnectionConflict' });

/** Who came by a provider and does not fit who is known. */
export const connectionConflictOperations: readonly AnyOperation[] = [
  operation({
    id: 'listConnectionConflicts',
    tag,
    method: 'get',
    path,
    summary: 'Lists people whom a provider named, and about whom an administrator has to decide.',
    description:
      'They were refused, or kept their address; nothing moves by itself. Who leaves the other account, or is unlinked, is in the list no longer, and neither is who came in after all.',
    right: 'connections:read',
    query: z.strictObject({ ...paging }),
    result: listOf(ConflictView),
    refusals: [],
    async handle(work, { account, query: { limit }, cursor }) {
      const rows = await listConflicts(work, account.id, {
        after: cursor.after ?? null,
        limit: limit + 1,
      });
      return cursor.page(rows, limit, ({ id }) => id);
    },
  }),

  operation({
    id: 'closeConnectionConflict',
    tag,
    method: 'post',
    path: `${path}/:conflictId/close`,
    summary:
      'Closes a conflict that an administrator has seen to. Should it happen again, it is new.',
    right: 'connections:manage',
    result: null,
    refusals: ['not_found'],
    async handle(work, { account, params }) {
      await closeConflict(work, account.id, params['conflictId']!);
    },
  }),
];
