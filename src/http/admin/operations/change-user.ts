import { z } from 'zod';
import { changeEmail, changeProfile } from '#identity/users/administer-profile.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { operation } from '../operation.ts';
import { Country, Email, Locale, name } from '../schemas.ts';
import { UserView } from '../views.ts';

export default operation({
  id: 'changeUser',
  tag: 'Users',
  method: 'patch',
  path: '/accounts/:accountId/users/:userId',
  summary: 'Corrects what stands about a person. What their directory says stays.',
  description:
    'Another `email` only from a domain of the account to one of the account; sessions end, and both addresses are told. Null clears.',
  right: 'users:edit',
  body: z.strictObject({
    givenName: name.optional(),
    familyName: name.optional(),
    country: Country.nullable().optional(),
    preferredLanguage: Locale.nullable().optional(),
    communicationEmail: Email.nullable()
      .optional()
      .describe('Where mail is sent instead, once it was confirmed there.'),
    email: Email.optional(),
  }),
  example: { familyName: 'Baker' },
  result: UserView,
  refusals: [
    'managed_by_directory',
    'domain_not_owned',
    'domain_owned_by_other',
    'domain_pending_ownership',
    'already_member',
    'already_invited',
    'user_in_other_account',
    'invalid_email',
    'invalid_country',
  ],

  async handle(work, { account, person, body }) {
    const { email, preferredLanguage: language, communicationEmail, ...names } = body;
    await changeProfile(work, account, person.id, {
      ...names,
      language,
      communicationEmail: communicationEmail && canonicalEmail(communicationEmail),
    });
    if (email !== undefined) await changeEmail(work, account, person, email);
    return userOfAccount(work, account.id, person.id, work.now);
  },
});
