import { z } from 'zod';
import { reportSplit, splitAccount } from '#identity/accounts/split.ts';
import { Refusal } from '#identity/refusal.ts';
import { operation } from '../operation.ts';
import { MovedView } from '../belonging-views.ts';
import { Country, Ids, line, name, note } from '../schemas.ts';

export default operation({
  id: 'splitAccount',
  tag: 'Accounts',
  method: 'post',
  path: '/accounts/:accountId/split',
  summary: 'Makes an account of some domains and people of another. First it is shown.',
  description: 'As mergeAccount: a dry run gives the digest that `apply` takes.',
  right: 'accounts:move',
  body: z.strictObject({
    name,
    number: line(100).nullable().default(null),
    countries: z.array(Country).max(300).optional().describe('Those of the account, if left out.'),
    domains: z
      .array(z.string().max(253))
      .max(200)
      .default([])
      .describe('They go with their people.'),
    users: Ids.describe('People who go beside them.'),
    groups: Ids.describe('Groups that go.'),
    administrators: Ids.describe('Who looks after the new account: people who go.'),
    mode: z.enum(['dry-run', 'apply']).default('dry-run'),
    confirm: z.string().max(100).optional().describe('The `digest` of the report that was read.'),
    reason: note.optional().describe('Required to apply.'),
  }),
  example: {
    name: 'Acme Rockets',
    domains: ['rockets.example'],
    administrators: [],
    mode: 'dry-run',
  },
  result: MovedView,
  status: 201,
  refusals: ['move_refused', 'version_conflict'],

  async handle(work, { account, body: { mode, confirm, reason, ...rest } }) {
    const split = { sourceId: account.id, ...rest };
    if (mode === 'dry-run')
      return { dryRun: true, ...(await reportSplit(work, split)), move: null };
    if (!confirm || !reason)
      throw new Refusal('invalid_value', { required: ['confirm', 'reason'] });
    const move = await splitAccount(work, { ...split, confirm, reason });
    return { dryRun: false, report: move.report, digest: confirm, move };
  },
});
