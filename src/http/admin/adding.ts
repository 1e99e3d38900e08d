import { z } from 'zod';
import type { Asking } from '#identity/access/rights.ts';
import { countConflict, takeAdd } from '#identity/belonging/limits.ts';
import type { Refusal } from '#identity/refusal.ts';
import type { Foundation } from '#identity/work.ts';
import { Country, line } from './schemas.ts';

/** What an account gives a person who joins it. */
export const given = {
  entitlementCountry: Country.optional().describe('One of the countries of the account.'),
  roles: z.array(z.string().max(100)).max(50).default([]),
  groups: z.array(line(100)).max(200).default([]).describe('Ids or names.'),
};

interface Counted {
  asking: Asking;
  params: Record<string, string>;
  tools: { foundation: Foundation };
}

/**
 * How often one account may ask: the answers tell which addresses are registered, so it is counted
 * outside the transaction, where a refusal does not undo it (behaviour.md section 6).
 */
export const counting = {
  async prepare({ asking, params, tools: { foundation } }: Counted): Promise<undefined> {
    const accountId = params['accountId'] ?? asking.accountId;
    if (accountId === null || (asking.accountId ?? accountId) !== accountId) return;
    await takeAdd(foundation.database, accountId, foundation.clock());
  },
  async refused(
    { code }: Refusal,
    { asking, params, tools: { foundation } }: Counted,
  ): Promise<void> {
    const accountId = params['accountId'] ?? asking.accountId;
    if (accountId === null || (asking.accountId ?? accountId) !== accountId) return;
    await countConflict(foundation.database, accountId, code, foundation.clock());
  },
};

/** What is said of what cannot be given. */
export const ofWhatIsGiven = [
  'invalid_country',
  'role_not_found',
  'cannot_grant_higher_role',
  'step_up_required',
  'not_found',
] as const;

/** What the table says of a person at every door that takes somebody in (behaviour.md section 6). */
export const ofThePerson = [
  'account_on_hold',
  'already_member',
  'pending_approval',
  'already_invited',
  'domain_not_owned',
  'user_in_other_account',
  'user_not_addable',
] as const;
