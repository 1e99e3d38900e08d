import { z } from 'zod';
import { mayEver } from '#identity/access/rights.ts';
import { changeAccount } from '#identity/accounts/change-account.ts';
import { accountById } from '#identity/accounts/find-accounts.ts';
import { Refusal } from '#identity/refusal.ts';
import { operation } from '../operation.ts';
import { Country, line, name } from '../schemas.ts';
import { AccountView } from '../views.ts';

export default operation({
  id: 'changeAccount',
  tag: 'Accounts',
  method: 'patch',
  path: '/accounts/:accountId',
  summary:
    'Changes an account. Its Account Administrators may change its name; operators the rest.',
  right: 'account:rename',
  body: z.strictObject({
    name: name.optional(),
    number: line(50).nullable().optional(),
    countries: z.array(Country).max(250).optional(),
    version: z.int().optional().describe('Refuses when it was changed since this version.'),
  }),
  example: { name: 'Acme Incorporated' },
  result: AccountView,
  refusals: ['invalid_country', 'account_number_exists'],

  async handle(work, { account, asking, body }) {
    const more = body.number !== undefined || body.countries !== undefined;
    if (more && !mayEver(asking.role, 'account:edit')) throw new Refusal('permission_denied');
    await changeAccount(work, account.id, body);
    return accountById(work, account.id);
  },
});
