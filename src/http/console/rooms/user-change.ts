import { isLocale } from '#platform/i18n.ts';
import { Refusal } from '#identity/refusal.ts';
import { authoritiesOf } from '#identity/scim/authority.ts';
import { changeEmail, changeProfile } from '#identity/users/administer-profile.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { userOfAccount } from '#identity/users/find-users.ts';
import { userDetails } from '#identity/users/user-details.ts';
import { countryOptions } from '../../countries.ts';
import {
  changeUserPage,
  type ChangeUserPage,
  type UserValues,
} from '../../pages/console/user-change.ts';
import { readPerson } from '../../person-form.ts';
import { refusalStatus } from '../refused.ts';
import type { Room, Visit } from '../room.ts';
import { blame } from '../typed.ts';

/** What stands about a person is corrected; what a directory says stays as it says. */
export const userChange: Room = {
  open(door) {
    door.get('/users/:userId/change', 'users:edit', (visit) => show(visit));
    door.post('/users/:userId/change', 'users:edit', async (visit) => {
      const typed = valuesOf(visit);
      const { errors } = readPerson({
        given_name: typed.givenName,
        family_name: typed.familyName,
        country: typed.country || 'US',
      });
      const [name, address] = [visit.t('profile.invalid_name'), visit.t('id.invalid')];
      const wrong = {
        ...(errors.givenName && { givenName: name }),
        ...(errors.familyName && { familyName: name }),
        ...(errors.country && { country: visit.t('profile.invalid_country') }),
        ...(canonicalEmail(typed.email) === null && { email: address }),
        ...(typed.communicationEmail !== '' &&
          canonicalEmail(typed.communicationEmail) === null && { communicationEmail: address }),
      };
      if (Object.keys(wrong).length > 0) return show(visit, { errors: wrong }, 422);
      try {
        await visit.actOn(visit.params['userId']!, async (work, { account, person }) => {
          await changeProfile(work, account, person.id, {
            givenName: typed.givenName,
            familyName: typed.familyName,
            country: typed.country || null,
            language: isLocale(typed.language) ? typed.language : null,
            communicationEmail: canonicalEmail(typed.communicationEmail),
          });
          await changeEmail(work, account, person, typed.email);
        });
      } catch (error) {
        if (!(error instanceof Refusal) || error.code === 'user_not_found') throw error;
        return show(visit, blame(visit, error, blamed), refusalStatus(error));
      }
      visit.done(`/users/${visit.params['userId']}`, visit.say('people.group.saved'));
    });
  },
};

/** What there is to say against an address. */
const blamed = {
  invalid_email: 'email',
  already_invited: 'email',
  already_member: 'email',
  user_exists: 'email',
  user_exists_other_domain: 'email',
  user_in_other_account: 'email',
  user_not_addable: 'email',
  pending_approval: 'email',
  domain_not_owned: 'email',
  domain_owned_by_other: 'email',
  domain_pending_ownership: 'email',
} as const;

async function show(
  visit: Visit,
  changes: Partial<Pick<ChangeUserPage, 'errors' | 'failure'>> = {},
  status = 200,
): Promise<void> {
  const { sql, account, now, t } = visit;
  const userId = visit.params['userId']!;
  const [user, details, authorities] = await Promise.all([
    userOfAccount(sql, account.id, userId, now),
    userDetails(sql, account.id, userId),
    authoritiesOf(sql, userId),
  ]);
  const known: UserValues = {
    email: user.email ?? '',
    givenName: user.givenName,
    familyName: user.familyName,
    country: user.country ?? '',
    language: user.language ?? '',
    communicationEmail: details.communicationEmail ?? '',
  };
  visit.show(
    changeUserPage({
      ...visit.page,
      user,
      values: visit.ctx.method === 'POST' ? valuesOf(visit) : known,
      managed: authorities.filter(({ managed }) => managed),
      countries: countryOptions(t.locale),
      errors: {},
      failure: null,
      ...changes,
    }),
    status,
  );
}

function valuesOf({ value }: Visit): UserValues {
  return {
    email: value('email'),
    givenName: value('givenName'),
    familyName: value('familyName'),
    country: value('country'),
    language: value('language'),
    communicationEmail: value('communicationEmail'),
  };
}
