import { isId } from '#platform/ids.ts';
import { findAccounts } from '#identity/accounts/find-accounts.ts';
import { Refusal } from '#identity/refusal.ts';
import { actingCookie } from '../acting.ts';
import type { Room, Visit } from '../room.ts';
import { accountsPage } from '../../pages/console/accounts.ts';

const atOnce = 50;

/** Operators see all accounts, and choose the one they act in. */
export const accounts: Room = {
  menu: {
    path: '/accounts',
    title: 'console.accounts',
    section: 'installation',
    right: 'accounts:list',
    everywhere: true,
  },
  open(door) {
    door.get('/accounts', 'accounts:list', async (visit) => {
      const q = visit.value('q');
      const next = visit.value('next');
      const cursor = visit.cursor(['accounts', q]);
      const rows = await findAccounts(visit.sql, { q, after: cursor.after, limit: atOnce + 1 });
      const { items, nextCursor } = cursor.page(rows, atOnce, ({ id }) => id);
      visit.show(
        accountsPage({
          ...visit.page,
          accounts: items,
          q,
          next: ownPath(next),
          nextCursor,
          later: cursor.after !== undefined,
        }),
      );
    });

    door.post('/acting', 'accounts:list', async (visit) => {
      const chosen = visit.value('account');
      const cookie = actingCookie(visit.tools.foundation.issuer);
      if (chosen === '') {
        cookie.write(visit.ctx, visit.session, null);
        return visit.done('/accounts');
      }
      const account = await chosenAccount(visit, chosen);
      cookie.write(visit.ctx, visit.session, account.id);
      visit.done(ownPath(visit.value('next')) ?? '/users');
    });
  },
};

async function chosenAccount({ sql }: Visit, id: string): Promise<{ id: string }> {
  const [account] = isId(id) ? await findAccounts(sql, { id, limit: 1 }) : [];
  if (!account) throw new Refusal('account_not_found');
  return account;
}

/** A path below `/console`, or null for anything that leads elsewhere. */
function ownPath(text: string): string | null {
  return /^\/console(\/[\w./?=&%@+-]*)?$/.test(text) && !text.includes('//')
    ? text.slice('/console'.length)
    : null;
}
