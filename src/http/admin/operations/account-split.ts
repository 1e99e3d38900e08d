import { z } from 'zod';
import { operation } from '../operation.ts';
import { MovedView } from '../belonging-views.ts';
import { dryRunOrProposal, showOrPropose } from '../move-request.ts';
import { Country, Ids, line, name } from '../schemas.ts';

export default operation({
  id: 'splitAccount',
  tag: 'Accounts',
  method: 'post',
  path: '/accounts/:accountId/split',
  summary: 'Proposes to make an account of some domains and people of another. First it is shown.',
  description:
    'As mergeAccount: a dry run gives the digest that `propose` takes, and another operator confirms.',
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
    ...dryRunOrProposal,
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

  handle(work, { account, body: { mode, confirm, reason, ...rest } }) {
    const split = { kind: 'split', sourceId: account.id, ...rest } as const;
    return showOrPropose(work, split, { mode, confirm, reason });
  },
});
