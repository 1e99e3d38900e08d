import { accountById } from '#identity/accounts/find-accounts.ts';
import { changeAccount, holdAccount, resumeAccount } from '#identity/accounts/change-account.ts';
import { canonicalCountry } from '#identity/users/country.ts';
import { Refusal } from '#identity/refusal.ts';
import { accountPage, holdPage } from '../../pages/console/account.ts';
import { refusalStatus } from '../refused.ts';
import type { Room, Visit } from '../room.ts';

/** What an account is and who looks after it. */
export const account: Room = {
  menu: {
    path: '/account',
    title: 'people.account',
    section: 'organization',
    right: 'account:name',
  },
  open(door) {
    door.get('/account', 'account:name', (visit) => show(visit));
    door.post('/account', 'account:rename', async (visit) => {
      const change = {
        name: visit.value('name').slice(0, 100),
        version: Number(visit.value('version')) || undefined,
      };
      const more = visit.may('account:edit') && {
        number: visit.value('number').slice(0, 50) || null,
        countries: visit
          .value('countries')
          .split(/[\s,;]+/)
          .filter((code) => code !== ''),
      };
      try {
        if (change.name === '') throw new Refusal('invalid_value');
        const countries = more ? more.countries.map((code) => canonicalCountry(code)) : [];
        if (countries.includes(null)) throw new Refusal('invalid_country');
        await visit.act((work, { account: { id } }) =>
          changeAccount(work, id, {
            ...change,
            ...(more && { number: more.number, countries: countries as string[] }),
          }),
        );
      } catch (error) {
        if (!(error instanceof Refusal) || error.code === 'step_up_required') throw error;
        return show(visit, error);
      }
      visit.done('/account', visit.say('people.group.saved'));
    });

    for (const way of ['hold', 'resume'] as const) {
      door.get(`/account/${way}`, 'accounts:hold', (visit) =>
        visit.show(holdPage({ ...visit.page, way, name: visit.account.name, error: null })),
      );
      door.post(`/account/${way}`, 'accounts:hold', async (visit) => {
        const reason = visit.value('note').slice(0, 500);
        if (way === 'hold' && reason === '')
          return visit.show(
            holdPage({
              ...visit.page,
              way,
              name: visit.account.name,
              error: visit.say('people.account.reason_missing'),
            }),
            422,
          );
        await visit.act((work, { account: { id } }) =>
          way === 'hold' ? holdAccount(work, id, reason) : resumeAccount(work, id),
        );
        visit.done(
          '/account',
          visit.say(way === 'hold' ? 'people.account.held' : 'people.account.resumed'),
        );
      });
    }
  },
};

async function show(visit: Visit, refusal: Refusal | null = null): Promise<void> {
  const found = await accountById(visit.sql, visit.account.id);
  const typed = visit.ctx.method === 'POST';
  visit.show(
    accountPage({
      ...visit.page,
      found,
      values: {
        name: typed ? visit.value('name') : found.name,
        number: typed ? visit.value('number') : (found.number ?? ''),
        countries: typed ? visit.value('countries') : found.countries.join(', '),
      },
      may: {
        rename: visit.may('account:rename'),
        edit: visit.may('account:edit'),
        hold: visit.may('accounts:hold'),
        read: visit.may('account:read'),
        see: visit.may('users:read'),
      },
      error: refusal && visit.reason(refusal),
    }),
    refusal ? refusalStatus(refusal) : 200,
  );
}
