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
      const wrong = {
        ...errors,
        ...(canonicalEmail(typed.email) === null && { email: true }),
        ...(typed.communicationEmail !== '' &&
          canonicalEmail(typed.communicationEmail) === null && { communicationEmail: true }),
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
        return show(visit, { refused: visit.reason(error) }, refusalStatus(error));
      }
      visit.done(`/users/${visit.params['userId']}`, visit.say('people.group.saved'));
    });
  },
};

async function show(
  visit: Visit,
  changes: Partial<Pick<ChangeUserPage, 'errors' | 'refused'>> = {},
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
      refused: null,
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
