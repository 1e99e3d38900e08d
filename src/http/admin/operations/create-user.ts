import { z } from 'zod';
import { addUser } from '#identity/users/add-user.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { operation } from '../operation.ts';
import { Country, line, Locale, name } from '../schemas.ts';
import { AddedView } from '../views.ts';

export default operation({
  id: 'createUser',
  tag: 'Users',
  method: 'post',
  path: '/accounts/:accountId/users',
  summary: 'Adds a person to an account. Whether that can be is decided by who owns their domain.',
  description:
    'Where the person exists already, the problem says so, and its `actions` name what to do instead.',
  right: 'users:add',
  body: z.strictObject({
    email: z.string().max(320),
    givenName: name,
    familyName: name,
    country: Country,
    entitlementCountry: Country.optional().describe('One of the countries of the account.'),
    preferredLanguage: Locale.optional(),
    roles: z.array(z.string().max(100)).max(50).default([]),
    groups: z.array(line(100)).max(200).default([]).describe('Ids or names.'),
    sendInvitation: z.boolean().default(true).describe('Sends the mail to set a password by.'),
    mode: z.enum(['apply', 'dry-run']).default('apply'),
  }),
  example: {
    email: 'ann@acme.example',
    givenName: 'Ann',
    familyName: 'Archer',
    country: 'US',
    roles: [],
    sendInvitation: true,
  },
  result: AddedView,
  status: 201,
  refusals: [
    'invalid_email',
    'invalid_country',
    'already_member',
    'pending_approval',
    'already_invited',
    'domain_owned_by_other',
    'domain_pending_ownership',
    'domain_not_owned',
    'user_in_other_account',
    'user_not_addable',
    'user_exists',
    'user_exists_other_domain',
    'role_not_found',
    'cannot_grant_higher_role',
    'not_found',
  ],

  async handle(work, { account, asking, body: { mode, preferredLanguage, ...input } }) {
    const dryRun = mode === 'dry-run';
    const { outcome, userId } = await addUser(
      work,
      asking,
      account,
      { ...input, language: preferredLanguage },
      { dryRun },
    );
    const user = userId && (await userOfAccount(work, account.id, userId, work.now));
    return { outcome, dryRun, user: user || null };
  },
});
