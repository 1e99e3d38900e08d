import { z } from 'zod';
import { inviteAddress } from '#identity/belonging/add.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { counting, given, ofThePerson, ofWhatIsGiven } from '../adding.ts';
import { operation } from '../operation.ts';
import { Country, Locale, name } from '../schemas.ts';
import { AddedView } from '../views.ts';

export default operation({
  id: 'createInvitation',
  tag: 'Invitations',
  method: 'post',
  path: '/accounts/:accountId/invitations',
  summary: 'Invites an address, whether a person has it or not.',
  right: 'users:add',
  body: z.strictObject({
    email: z.string().max(320),
    givenName: name,
    familyName: name,
    country: Country,
    preferredLanguage: Locale.optional(),
    ...given,
  }),
  example: { email: 'carol@gmail.com', givenName: 'Carol', familyName: 'Cole', country: 'US' },
  result: AddedView,
  status: 201,
  refusals: [...ofWhatIsGiven, ...ofThePerson, 'invalid_email', 'domain_owned_by_other'],
  ...counting,

  async handle(work, { account, asking, body: { preferredLanguage, ...input } }) {
    const { outcome, userId, message } = await inviteAddress(work, asking, account, {
      ...input,
      language: preferredLanguage,
    });
    const user = userId && (await userOfAccount(work, account.id, userId, work.now).catch(gone));
    return { outcome, dryRun: false, message, user: user || null };
  },
});

/** A person who is invited and belongs nowhere is none of the account's yet. */
function gone(): null {
  return null;
}
