import { z } from 'zod';
import { isId } from '#platform/ids.ts';
import { clientById } from '#identity/applications/manage-clients.ts';
import { countConflict } from '#identity/belonging/limits.ts';
import { Refusal, type RefusalCode } from '#identity/refusal.ts';
import { explain } from '#identity/verdict/explain.ts';
import { counting } from '../adding.ts';
import { operation } from '../operation.ts';
import { ExplanationView } from '../views-belonging.ts';

export default operation({
  id: 'explain',
  tag: 'Explain',
  method: 'get',
  path: '/explain',
  summary: 'Says what would happen to a person at every door, and why, and who can change it.',
  description:
    'An account is told about its own people and domains, and of any other address what adding it would say. Other accounts are never named.',
  right: 'explain:read',
  query: z.strictObject({
    email: z.string().max(320),
    account: z
      .string()
      .refine(isId, 'Must be the id of an account.')
      .optional()
      .describe('Seen from this account; from none, only what concerns the person themselves.'),
    client: z.string().max(200).optional().describe('What a sign-in to this application says.'),
  }),
  result: ExplanationView,
  refusals: ['account_not_found', 'client_not_found'],
  ...counting,

  async handle(work, { asking, query: { email, account, client: clientId } }) {
    const accountId = account ?? asking.accountId;
    if (asking.accountId !== null && accountId !== asking.accountId)
      throw new Refusal('account_not_found');
    if (accountId !== null) {
      const known = await work.query('select 1 from accounts where id = $1', [accountId]);
      if (known.length === 0) throw new Refusal('account_not_found');
    }
    const client = clientId === undefined ? null : await clientById(work, clientId);
    const explanation = await explain(work, email, {
      accountId,
      client: client && {
        name: client.name,
        policy: client,
      },
      everything: asking.role === 'operator',
      now: work.now,
    });
    // It tells what adding would tell, so it counts like it.
    const said = explanation.doors.find(({ door }) => door === 'admin_add');
    if (asking.accountId !== null && said?.code)
      await countConflict(work, asking.accountId, said.code as RefusalCode, work.now);
    return explanation;
  },
});
