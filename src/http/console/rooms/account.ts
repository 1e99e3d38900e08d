import { accountById } from '#identity/accounts/find-accounts.ts';
import { accountPage } from '../../pages/console/account.ts';
import type { Room } from '../room.ts';

/** For who looks after a group alone: whose account it is, and who administers it. */
export const account: Room = {
  menu: {
    path: '/account',
    title: 'people.account',
    section: 'organization',
    right: 'account:name',
    unless: 'account:read',
  },
  open(door) {
    door.get('/account', 'account:name', async (visit) => {
      if (visit.may('account:read')) return visit.done('/organization');
      const { name, administrators } = await accountById(visit.sql, visit.account.id);
      visit.show(accountPage({ ...visit.page, name, administrators }));
    });
  },
};
