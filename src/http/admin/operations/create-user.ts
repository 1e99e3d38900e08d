import { z } from 'zod';
import { addUser } from '#identity/belonging/add.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { counting, given, ofThePerson, ofWhatIsGiven } from '../adding.ts';
import { operation } from '../operation.ts';
import { Country, Email, Locale, name } from '../schemas.ts';
import { AddedView } from '../views.ts';

export default operation({
  id: 'createUser',
  tag: 'Users',
  method: 'post',
  path: '/accounts/:accountId/users',
  summary: 'Adds a person to an account. Whether that can be is decided by who owns their domain.',
  description:
    'Where the person exists already, the problem says so, and its `actions` name what to do instead. A person of a domain that the account does not own is invited, and joins by accepting.',
  right: 'users:add',
  body: z.strictObject({
    email: z.string().max(320),
    givenName: name,
    familyName: name,
    country: Country,
    communicationEmail: Email.optional().describe(
      'Where mail is sent instead, once it was confirmed there.',
    ),
    preferredLanguage: Locale.optional(),
    ...given,
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
    ...ofWhatIsGiven,
    ...ofThePerson,
    'invalid_email',
    'domain_owned_by_other',
    'domain_pending_ownership',
    'user_exists',
    'user_exists_other_domain',
  ],
  ...counting,

  async handle(work, { account, asking, body }) {
    const { mode, preferredLanguage, communicationEmail, ...input } = body;
    const { outcome, userId, message } = await addUser(
      work,
      asking,
      account,
      {
        ...input,
        language: preferredLanguage,
        communicationEmail: canonicalEmail(communicationEmail) ?? undefined,
      },
      { mode },
    );
    const user = userId && (await userOfAccount(work, account.id, userId, work.now));
    return { outcome, dryRun: mode === 'dry-run', message, user: user || null };
  },
});
