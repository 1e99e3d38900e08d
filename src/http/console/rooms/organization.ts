import {
  holdAccount,
  requireFreeNumber,
  resumeAccount,
} from '#identity/accounts/change-account.ts';
import { closeAccount, keepAccount } from '#identity/accounts/close.ts';
import { createAccount } from '#identity/accounts/create-account.ts';
import { accountById } from '#identity/accounts/find-accounts.ts';
import { Refusal } from '#identity/refusal.ts';
import { canonicalCountry } from '#identity/users/country.ts';
import { canonicalEmail } from '#identity/users/email.ts';
import { countryOptions } from '../../countries.ts';
import { closePage, newAccountPage, organizationPage } from '../../pages/console/organization.ts';
import type { Room, Visit } from '../room.ts';
import { blame, Typed } from '../typed.ts';

const fresh = { fresh: true };
const home = '/organization';

/** What operators alone do with an account: hold and close it, and the way to merge and split it. */
export const organization: Room = {
  menu: {
    path: home,
    title: 'rooms.organization',
    section: 'organization',
    right: 'accounts:move',
  },
  open(door) {
    door.get('/accounts/new', 'accounts:create', (visit) => showNew(visit));
    door.post('/accounts/new', 'accounts:create', (visit) => create(visit));

    door.get(home, 'accounts:move', (visit) => show(visit));
    door.post(`${home}/hold`, 'accounts:hold', async (visit) => {
      const typed = new Typed(visit);
      if (visit.value('reason') === '') typed.wrong('reason', visit.t('rooms.reason_missing'));
      const reason = typed.line('reason', 500);
      if (!typed.ok) return show(visit, typed.errors);
      await visit.act((work, { account }) => holdAccount(work, account.id, reason));
      visit.done(home, visit.t('rooms.saved'));
    });
    for (const [verb, right, rule] of [
      ['resume', 'accounts:hold', resumeAccount],
      ['keep', 'accounts:close', keepAccount],
    ] as const)
      door.post(`${home}/${verb}`, right, async (visit) => {
        await visit.act((work, { account }) => rule(work, account.id));
        visit.done(home, visit.t('rooms.saved'));
      });
    door.get(
      `${home}/close`,
      'accounts:close',
      ({ show: answer, page, account }) =>
        answer(closePage({ ...page, name: account.name, errors: {} })),
      fresh,
    );
    door.post(
      `${home}/close`,
      'accounts:close',
      async (visit) => {
        const typed = new Typed(visit);
        const reason = typed.line('reason', 500);
        if (visit.value('confirm') !== visit.account.name)
          typed.wrong('confirm', visit.t('rooms.organization.type_name'));
        if (!typed.ok)
          return visit.show(
            closePage({ ...visit.page, name: visit.account.name, errors: typed.errors }),
            422,
          );
        await visit.act((work, { account }) => closeAccount(work, account.id, reason));
        visit.done(home, visit.t('rooms.saved'));
      },
      fresh,
    );
  },
};

async function show(visit: Visit, errors: Typed['errors'] = {}): Promise<void> {
  const account = await accountById(visit.sql, visit.account.id);
  visit.show(
    organizationPage({
      ...visit.page,
      organization: { ...account, contacts: account.fulfillmentContacts },
      reason: visit.value('reason'),
      errors,
      may: {
        hold: visit.may('accounts:hold'),
        close: visit.may('accounts:close'),
        move: visit.may('accounts:move'),
      },
    }),
    Object.keys(errors).length > 0 ? 422 : 200,
  );
}

function readCountries(visit: Visit, typed: Typed): string[] {
  const countries = (typed.optional('countries', 1500) ?? '')
    .toUpperCase()
    .split(/[\s,;]+/)
    .filter(Boolean);
  if (countries.some((one) => canonicalCountry(one) === null))
    typed.wrong('countries', visit.t('rooms.organization.countries_hint'));
  return [...new Set(countries)];
}

function showNew(
  visit: Visit,
  { errors = {}, failure = null }: { errors?: Typed['errors']; failure?: string | null } = {},
): void {
  const { value } = visit;
  visit.show(
    newAccountPage({
      ...visit.page,
      values: {
        name: value('name'),
        number: value('number'),
        countries: value('countries'),
        email: value('email'),
        givenName: value('givenName'),
        familyName: value('familyName'),
        country: value('country') || 'US',
      },
      countries: countryOptions(visit.t.locale),
      errors,
      failure,
    }),
    failure !== null || Object.keys(errors).length > 0 ? 422 : 200,
  );
}

async function create(visit: Visit): Promise<void> {
  const typed = new Typed(visit);
  const name = typed.line('name');
  const number = typed.optional('number', 50);
  const countries = readCountries(visit, typed);
  const address = typed.line('email', 320);
  const email = canonicalEmail(address);
  if (email === null && address) typed.wrong('email', visit.reason(new Refusal('invalid_email')));
  const givenName = typed.line('givenName');
  const familyName = typed.line('familyName');
  const country = canonicalCountry(visit.value('country'));
  if (country === null) typed.wrong('country', visit.t('rooms.wrong.choice'));
  if (!typed.ok || email === null || country === null)
    return showNew(visit, { errors: typed.errors });
  try {
    await visit.operate(async (work) => {
      if (number !== null) await requireFreeNumber(work, number);
      return createAccount(work, {
        name,
        number,
        countries,
        fulfillmentContact: { email, emailDisplay: address, givenName, familyName, country },
      });
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return showNew(
      visit,
      blame(visit, error, {
        account_number_exists: 'number',
        user_in_other_account: 'email',
        user_not_addable: 'email',
        invalid_email: 'email',
        name_taken: 'name',
      }),
    );
  }
  visit.done(`/accounts?q=${encodeURIComponent(name)}`, visit.say('rooms.account.made', { name }));
}
