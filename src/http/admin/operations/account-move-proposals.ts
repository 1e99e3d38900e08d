import { z } from 'zod';
import {
  confirmMove,
  moveProposal,
  moveProposals,
  withdrawMove,
} from '#identity/accounts/propose-move.ts';
import { MoveProposalList, MoveProposalView, MoveView } from '../belonging-views.ts';
import { operation, type AnyOperation } from '../operation.ts';
import { paging } from '../schemas.ts';

const path = '/account-move-proposals';

/** Merges and splits that one operator proposed: another confirms, or somebody withdraws. */
export const moveProposalOperations: readonly AnyOperation[] = [
  operation({
    id: 'listAccountMoveProposals',
    tag: 'Accounts',
    method: 'get',
    path,
    summary: 'Lists the merges and splits that were proposed, the newest first.',
    right: 'accounts:move',
    query: z.strictObject({
      open: z.enum(['true', 'false']).optional().describe('Only those that wait, or do not.'),
      account: z.uuid().optional().describe('Only those of this account, on either side.'),
      ...paging,
    }),
    result: MoveProposalList,
    refusals: ['invalid_cursor'],

    async handle(work, { query: { open, account, limit }, cursor }) {
      const rows = await moveProposals(work, work.now, {
        open: open === undefined ? undefined : open === 'true',
        accountId: account,
        after: cursor.after,
        limit: limit + 1,
      });
      return cursor.page(rows, limit, ({ id }) => id);
    },
  }),
  operation({
    id: 'getAccountMoveProposal',
    tag: 'Accounts',
    method: 'get',
    path: `${path}/:proposalId`,
    summary: 'Shows a proposed merge or split, with the report that was read.',
    right: 'accounts:move',
    result: MoveProposalView,
    refusals: ['not_found'],

    handle(work, { params }) {
      return moveProposal(work, params['proposalId']!, work.now);
    },
  }),
  operation({
    id: 'confirmAccountMove',
    tag: 'Accounts',
    method: 'post',
    path: `${path}/:proposalId/confirm`,
    summary: 'Begins a merge or split that another operator proposed.',
    description:
      'By another person than proposed it, within a day. A token counts as the person who made it; all tokens made on the server itself count as one. Where the report would be another one by now, it is refused with the new one: that is proposed anew.',
    right: 'accounts:move',
    body: z.strictObject({
      digest: z.string().max(100).describe('Of the report that was read: the one proposed.'),
    }),
    example: { digest: 'k2b7cXo0N4vVQG6cV4Wq8b5r0V3c2v7yQyqjv3H2n1A' },
    result: MoveView,
    status: 201,
    refusals: [
      'not_found',
      'proposal_closed',
      'second_operator_required',
      'move_refused',
      'version_conflict',
    ],

    handle(work, { params, body: { digest } }) {
      return confirmMove(work, params['proposalId']!, digest);
    },
  }),
  operation({
    id: 'withdrawAccountMove',
    tag: 'Accounts',
    method: 'post',
    path: `${path}/:proposalId/withdraw`,
    summary: 'Withdraws a proposed merge or split.',
    right: 'accounts:move',
    result: MoveProposalView,
    refusals: ['not_found', 'proposal_closed'],

    handle(work, { params }) {
      return withdrawMove(work, params['proposalId']!);
    },
  }),
];
